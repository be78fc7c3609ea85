//! GraphQL documents: what is executed selects only fields whose rules permit them, whatever the document is made of.
//!
//! The payload is an operation's name, its variables as JSON, and the document, a line each and the document to the end; or
//! AppSync's whole event, with `{token}` for the token. What a document selects is found again here by another walk.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use async_graphql_parser::{
    parse_query,
    types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};
use async_graphql_value::{ConstValue, Value as Written};
use postern::{Authorizer, Policy, SignatureCheck, policy};
use postern_origin::{
    assertion::BasePath,
    authorizer::{AppSync, Settings, answer::answer_for},
};
use serde_json::{Value, json};

use crate::{
    Script,
    decider::{Scripted, finished},
    world::{self, NOW},
};

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Not an event.
    Nothing,
    /// An end without an answer.
    Failed,
    /// A document that is not executed.
    Refused,
    /// A document that is executed but for some of its fields.
    InPart,
    /// A document that is executed whole.
    Executed,
    /// An event without a document.
    Connection,
}

const POLICY: &str = r#"
roles = ["Manager"]

[permissions]
origin = "permissions"

[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = "any"
clients = ["client"]
token_use = "access"
permissions = "service"

[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"

[[field]]
name = "Query.orders"
issuer = "users"
company = { argument = "companyId" }
roles = ["Manager"]

[[field]]
name = "Query.profile"
issuer = "users"
subject = { argument = "userId" }

[[field]]
name = "Query.prices"
issuer = "users"
scopes = ["prices/list"]

[[field]]
name = "Mutation.placeOrder"
issuer = "users"
company = { argument = "companyId" }
roles = ["Manager"]

[[field]]
name = "Order.margin"
issuer = "users"
scopes = ["orders/margin"]
"#;

const SCHEMA: &str = "type Query { orders(companyId: ID!): [Order] profile(userId: ID!): String prices: [Float] secret: String } \
                      type Mutation { placeOrder(companyId: ID!): Order wipe: String } type Order { id: ID margin: Float }";

/// What the caller, the manager of `c1`, may select under no argument.
const CLOSED: [&str; 6] =
    ["Mutation.wipe", "Order.margin", "Query.__schema", "Query.__type", "Query.prices", "Query.secret"];

/// Bounds of a document: octets, depth of its selections, selections at its root.
const MOST: (usize, usize, usize) = (64 * 1024, 48, 256);

static CHECKED: LazyLock<Policy> = LazyLock::new(|| policy::from_toml(POLICY, None).expect("the policy builds"));

static API: LazyLock<AppSync> =
    LazyLock::new(|| AppSync::new(Duration::from_secs(60), SCHEMA).expect("the schema is one"));

/// Has the input's document judged.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let signature = script.pick(&[SignatureCheck::Valid, SignatureCheck::Invalid]);
    let is_up = script.choose(2) == 0;
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Nothing };
    let token = world::token(&json!({
        "iss": "https://users.example", "sub": "u1", "client_id": "client", "token_use": "access", "iat": NOW,
        "exp": NOW + 3600,
    }));
    let Some(event) = event(text, &token) else { return Reached::Nothing };
    let decider = Scripted::new(Authorizer::new(CHECKED.clone()), signature, is_up);
    let base_path = BasePath::none();
    let asked = answer_for(&decider, Settings::default(), Some(&API), &base_path, event.clone());
    let Ok(answer) = finished(asked) else { return Reached::Failed };
    if answer["isAuthorized"] != true {
        // An event of API Gateway's may be in the payload as well; it has another target.
        return Reached::Refused;
    }
    assert!(decider.believed.get() && is_up, "executed without a valid signature and a record");
    let denied: BTreeSet<&str> =
        answer["deniedFields"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(CLOSED.iter().all(|name| denied.contains(name)), "{denied:?} leaves out what nobody opened");
    // Fields that look at arguments are open: the answer holds for this document alone.
    assert_eq!(answer["ttlOverride"], 0, "the answer is used for other documents");
    let context = &event["requestContext"];
    let document = context["queryString"].as_str().unwrap_or_default();
    if document.is_empty() {
        return Reached::Connection;
    }
    assert!(document.len() <= MOST.0, "a document past the bounds is executed");
    let parsed = parse_query(document).expect("what is executed is a document");
    let operation = operation(&parsed, context["operationName"].as_str().unwrap_or_default());
    let set = &operation.selection_set.node;
    assert!(depth(set) <= MOST.1, "a document past the bounds is executed");
    let mut selected = Vec::new();
    select(&parsed, set, &mut BTreeSet::new(), &mut selected);
    assert!(selected.len() <= MOST.2, "more fields than are judged");
    let mut reached = Reached::Executed;
    for field in selected {
        let kind = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let name = format!("{kind}.{}", field.name.node);
        if is_allowed(&name, field, operation, &context["variables"]) {
            continue;
        }
        assert!(denied.contains(&*name), "`{name}` is executed and not permitted");
        assert!(kind == "Query" && !name.starts_with("Query.__"), "`{name}` is executed before it is denied");
        reached = Reached::InPart;
    }
    reached
}

fn event(text: &str, token: &str) -> Option<Value> {
    if text.starts_with(r#"{"authorizationToken""#) {
        return serde_json::from_str(&text.replace("{token}", token)).ok();
    }
    let mut lines = text.splitn(3, '\n');
    let (name, variables, document) = (lines.next()?, lines.next()?, lines.next()?);
    let variables: Value = if variables.is_empty() { Value::Null } else { serde_json::from_str(variables).ok()? };
    let context = json!({"apiId": "a", "operationName": name, "variables": variables, "queryString": document});
    Some(json!({"authorizationToken": token, "requestContext": context}))
}

fn operation<'d>(document: &'d ExecutableDocument, name: &str) -> &'d OperationDefinition {
    let mut all = document.operations.iter();
    let named = |own: Option<&str>| name.is_empty() || own == Some(name);
    let (_, found) = all.find(|(own, _)| named(own.map(async_graphql_value::Name::as_str))).expect("the operation");
    assert!(!name.is_empty() || all.next().is_none(), "one of several operations is executed unnamed");
    &found.node
}

fn depth(set: &SelectionSet) -> usize {
    let below = set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => depth(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => depth(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    });
    if set.items.is_empty() { 0 } else { 1 + below.max().unwrap_or_default() }
}

fn select<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    seen: &mut BTreeSet<&'d str>,
    found: &mut Vec<&'d Field>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {}
            Selection::Field(field) => found.push(&field.node),
            Selection::InlineFragment(fragment) => select(document, &fragment.node.selection_set.node, seen, found),
            Selection::FragmentSpread(spread) => {
                let name = &*spread.node.fragment_name.node;
                let fragment = document.fragments.get(name).expect("a fragment of the document's");
                if seen.insert(name) {
                    select(document, &fragment.node.selection_set.node, seen, found);
                }
            }
        }
    }
}

/// The policy's rules, for the one caller that there is.
fn is_allowed(name: &str, field: &Field, operation: &OperationDefinition, variables: &Value) -> bool {
    let is = |argument: &str, wanted: &str| {
        let mut all = field.arguments.iter().filter(|(own, _)| own.node == argument);
        let only = all.next().filter(|_| all.next().is_none());
        only.and_then(|(_, value)| text(&value.node, operation, variables)).is_some_and(|text| text == wanted)
    };
    match name {
        "Query.orders" | "Mutation.placeOrder" => is("companyId", "c1"),
        "Query.profile" => is("userId", "u1"),
        _ => false,
    }
}

fn text(value: &Written, operation: &OperationDefinition, variables: &Value) -> Option<String> {
    match value {
        Written::String(text) => Some(text.clone()),
        Written::Variable(name) => {
            let defined = operation.variable_definitions.iter().find(|one| one.node.name.node == *name)?;
            match (variables.get(name.as_str()), defined.node.default_value.as_ref().map(|value| &value.node)) {
                (Some(given), _) => given.as_str().map(str::to_owned),
                (None, Some(ConstValue::String(text))) => Some(text.clone()),
                (None, _) => None,
            }
        }
        _ => None,
    }
}
