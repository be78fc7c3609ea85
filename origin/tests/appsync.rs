//! The authorizer of AppSync: what is executed of a document, and for how long an answer holds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use postern::{
    Authorizer, Caller, Decision, Denial, PermissionsRecord, Policy, Request, UnixTime, authorizer::Identification,
    policy::from_toml,
};
use postern_origin::{
    assertion::BasePath,
    authorizer::{AppSync, Decider, Settings, answer::answer_for, verdict::Failure},
    enforcer::Hydrated,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const POLICY: &str = r#"
roles = ["Manager"]

[permissions]
origin = "permissions"

[issuer.users]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["https://api.example"]
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
permissions_max_age = "30s"

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
permissions_max_age = "60s"

[[field]]
name = "Order.margin"
issuer = "users"
scopes = ["orders/margin"]
"#;

const SCHEMA: &str = "type Query { orders(companyId: ID!): [Order] profile(userId: ID!): String prices: [Float] secret: String }\n\
                      type Mutation { placeOrder(companyId: ID!): Order }\n type Order { id: ID margin: Float }";

const NOW: u64 = 1_797_000_000;

/// Decides by the core, with records and a clock of its own. A token is the name of its claims.
struct World {
    authorizer: Authorizer,
    records: BTreeMap<String, PermissionsRecord>,
    is_up: bool,
    now: UnixTime,
    asked: Arc<Mutex<Vec<Duration>>>,
}

impl World {
    fn new(policy: &str) -> Self {
        Self::of(from_toml(policy, None).unwrap())
    }

    fn of(policy: Policy) -> Self {
        let record = |json: &str| PermissionsRecord::parse(json.as_bytes()).unwrap();
        let records = [
            ("ann", record(r#"{"id":"ann","companies":{"1111":["Manager"],"2222":["Standard"]}}"#)),
            ("bob", record(r#"{"id":"bob","companies":{"1111":["Standard"]}}"#)),
        ];
        Self {
            authorizer: Authorizer::new(policy),
            records: records.map(|(name, record)| (name.to_owned(), record)).into(),
            is_up: true,
            now: UnixTime::from_secs(NOW),
            asked: Arc::default(),
        }
    }
}

/// `name.scope.scope`, good for an hour or, with a number at the end, until then.
fn claims(token: &str) -> Map<String, Value> {
    let mut parts = token.split('.');
    let subject = parts.next().unwrap();
    let (life, scopes): (Vec<&str>, Vec<&str>) = parts.partition(|part| part.parse::<u64>().is_ok());
    let expires_at = NOW + life.first().map_or(3600, |life| life.parse().unwrap());
    serde_json::from_value(json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": subject, "token_use": "access",
        "scope": scopes.join(" "), "exp": expires_at,
    }))
    .unwrap()
}

impl Decider for World {
    fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    fn now(&self) -> UnixTime {
        self.now
    }

    async fn decide(&self, _: &Request<'_>, _: Option<&str>) -> Decision {
        unreachable!("a document is no request")
    }

    async fn decide_by(&self, _: &Caller, _: &Hydrated, _: &Request<'_>, _: Option<&str>) -> Decision {
        unreachable!("a document is no request")
    }

    async fn identify(&self, request: &Request<'_>) -> Result<Caller, Denial> {
        let refused = || match self.authorizer.identify(request, self.now) {
            Identification::Refused(denial) => denial,
            Identification::NeedsKeys(need) => match need.resume(postern::Keys::Unavailable, self.now) {
                Identification::Refused(denial) => denial,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let (_, credential) = request.headers[0];
        let Some(token) = credential.strip_prefix("Bearer ").filter(|token| !token.contains(' ')) else {
            return Err(refused());
        };
        if token.starts_with("eyJ") || !token.starts_with(['a', 'b', 'n']) {
            return Err(refused());
        }
        self.authorizer.caller_of_claims(&claims(token), self.now).map_err(|_| refused())
    }

    async fn ask(&self, caller: &Caller) -> Hydrated {
        self.ask_within(caller, (Duration::ZERO, Duration::ZERO)).await
    }

    async fn ask_within(&self, caller: &Caller, ages: (Duration, Duration)) -> Hydrated {
        self.asked.lock().unwrap().push(ages.0);
        match (self.is_up, self.records.get(caller.subject())) {
            (false, _) => Hydrated::Unavailable,
            (true, None) => Hydrated::Absent,
            (true, Some(record)) => Hydrated::Found(record.clone().into()),
        }
    }
}

fn event(token: &str, document: &str, variables: Value) -> Value {
    json!({"authorizationToken": token, "requestContext": {
        "apiId": "aaaaaa123123123example123", "accountId": "111122223333", "requestId": "f4081827",
        "queryString": document, "operationName": null, "variables": variables,
    }, "requestHeaders": {}})
}

fn uncached() -> AppSync {
    AppSync::new(Duration::ZERO, SCHEMA).unwrap()
}

fn ask(world: &World, api: &AppSync, event: Value) -> Result<Value, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(answer_for(world, Settings::default(), Some(api), &BasePath::none(), event))
}

fn denied(answer: &Value) -> Vec<&str> {
    answer["deniedFields"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn a_document_is_executed_with_what_its_caller_may_select() {
    let world = World::new(POLICY);
    let api = uncached();
    let answer = ask(&world, &api, event("ann", "{ orders(companyId: \"1111\") { id } }", json!({}))).unwrap();
    assert_eq!(answer["isAuthorized"], true);
    assert_eq!(denied(&answer), ["Order.margin", "Query.__schema", "Query.__type", "Query.prices", "Query.secret"]);
    // What rests on arguments is asked about each time.
    assert_eq!(answer["ttlOverride"], 0);
    assert_eq!(answer["resolverContext"]["subject"], "ann");
    assert!(answer["resolverContext"].as_object().unwrap().values().all(Value::is_string));
    // The strictest of the rules that were asked about.
    assert_eq!(*world.asked.lock().unwrap(), [Duration::from_secs(30)]);
}

#[test]
fn a_field_of_a_query_is_denied_alone() {
    let world = World::new(POLICY);
    for (token, document, expected) in [
        ("ann", "{ orders(companyId: \"2222\") { id } profile(userId: \"ann\") }", Some("Query.orders")),
        ("ann", "{ orders { id } profile(userId: \"ann\") }", Some("Query.orders")),
        ("bob", "{ orders(companyId: \"1111\") { id } profile(userId: \"bob\") }", Some("Query.orders")),
        (
            "ann",
            "{ profile(userId: \"ann\") b: profile(userId: \"bob\") orders(companyId: \"1111\") { id } }",
            Some("Query.profile"),
        ),
        // The policy does not name it.
        ("ann", "{ secret profile(userId: \"ann\") }", Some("Query.secret")),
        // Nobody says that AppSync denies introspection by name.
        ("ann", "{ __schema { types { name } } profile(userId: \"ann\") }", None),
        // Nothing would be left of these.
        ("ann", "{ secret }", None),
        ("ann", "{ orders(companyId: \"3333\") { id } }", None),
        ("nobody", "{ orders(companyId: \"1111\") { id } }", None),
        ("ann", "{ a: profile(userId: \"ann\") b: profile(userId: \"bob\") }", None),
    ] {
        let answer = ask(&world, &uncached(), event(token, document, json!({}))).unwrap();
        match expected {
            Some(field) => {
                assert!(denied(&answer).contains(&field), "{document}: {answer}");
                assert_eq!(answer["ttlOverride"], 0, "{document}");
            }
            None => assert_eq!(answer, json!({"isAuthorized": false, "ttlOverride": 0}), "{document}"),
        }
    }
}

#[test]
fn a_mutation_that_is_not_the_callers_is_not_begun() {
    let world = World::new(POLICY);
    for (document, executed) in [
        ("mutation { placeOrder(companyId: \"1111\") { id } }", true),
        ("mutation { placeOrder(companyId: \"2222\") { id } }", false),
        // Not even the part that would be permitted.
        ("mutation { a: placeOrder(companyId: \"1111\") { id } b: placeOrder(companyId: \"2222\") { id } }", false),
        ("mutation { deleteAll }", false),
        ("subscription { placed }", false),
    ] {
        let answer = ask(&world, &uncached(), event("ann", document, json!({}))).unwrap();
        assert_eq!(answer["isAuthorized"], executed, "{document}");
    }
}

#[test]
fn a_token_without_its_scheme_is_taken_here_and_with_it_too() {
    let world = World::new(POLICY);
    let status = |token: &str| {
        let answer = ask(&world, &uncached(), event(token, "{ profile(userId: \"ann\") }", json!({})));
        answer.map(|answer| answer["isAuthorized"].as_bool().unwrap())
    };
    for token in ["ann", "Bearer ann"] {
        assert_eq!(status(token), Ok(true), "{token}");
    }
    for token in ["", "Basic ann", "Bearer ann bob", "ann bob", "x", "a\tb", "bob"] {
        assert_eq!(status(token), Ok(false), "{token:?}");
    }
    // An outage is an error, and nothing is cached of it.
    let unsure = format!("eyJhbGciOiJFZERTQSJ9.e30.{}", "A".repeat(86));
    assert_eq!(status(&unsure), Err(Failure::Unavailable));
}

#[test]
fn an_outage_of_the_permissions_service_is_an_error() {
    let mut world = World::new(POLICY);
    world.is_up = false;
    let answer = ask(&world, &uncached(), event("ann", "{ profile(userId: \"ann\") }", json!({})));
    assert_eq!(answer, Err(Failure::Unavailable));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let world = World::new(POLICY);
    let api = uncached();
    for document in ["{", "mutation CreateEvent {...}\n\nquery MyQuery {...}\n", "query A { a } query B { b }"] {
        let answer = ask(&world, &api, event("ann", document, json!({}))).unwrap();
        assert_eq!(answer, json!({"isAuthorized": false, "ttlOverride": 0}), "{document}");
    }
    for (member, value) in [("queryString", json!(7)), ("operationName", json!([])), ("variables", json!("x"))] {
        let mut event = event("ann", "{ profile(userId: \"ann\") }", json!({}));
        event["requestContext"][member] = value;
        assert_eq!(ask(&world, &api, event).unwrap()["isAuthorized"], false, "{member}");
    }
    for event in [
        json!({"authorizationToken": 7, "requestContext": {"apiId": "a", "queryString": "{ a }"}}),
        json!({"authorizationToken": "ann", "requestContext": []}),
    ] {
        assert!(matches!(ask(&world, &api, event), Err(Failure::Event(_))));
    }
}

#[test]
fn without_the_apis_schema_nothing_is_answered() {
    let world = World::new(POLICY);
    let event = event("ann", "{ profile(userId: \"ann\") }", json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(answer_for(&world, Settings::default(), None, &BasePath::none(), event));
    assert_eq!(answer, Err(Failure::Unconfigured));
}

#[test]
fn a_connection_is_opened_and_selects_nothing() {
    let world = World::new(POLICY);
    for document in [Value::Null, json!("")] {
        let mut event = event("ann", "", json!({}));
        event["requestContext"]["queryString"] = document;
        let answer = ask(&world, &uncached(), event).unwrap();
        assert_eq!((&answer["isAuthorized"], &answer["ttlOverride"]), (&json!(true), &json!(0)));
    }
    let without = json!({"authorizationToken": "ann", "requestContext": {"apiId": "a"}});
    assert_eq!(ask(&world, &uncached(), without).unwrap()["isAuthorized"], true);
    let of_nobody = json!({"authorizationToken": "ann", "requestContext": {"queryString": ""}});
    assert!(matches!(ask(&world, &uncached(), of_nobody), Err(Failure::Event(_))));
}

/// No rule looks at arguments here, and there are no mutations.
fn plain() -> (String, AppSync) {
    let fields = POLICY.split_once("[[field]]").unwrap().0;
    let policy = format!(
        "{fields}[[field]]\nname = \"Query.prices\"\nissuer = \"users\"\nscopes = [\"prices/list\"]\n\
         [[field]]\nname = \"Query.menu\"\nissuer = \"users\"\n\
         [[field]]\nname = \"Query.__schema\"\nissuer = \"users\"\n\
         [[field]]\nname = \"Query.__type\"\nissuer = \"users\"\n\
         [[field]]\nname = \"Order.margin\"\nissuer = \"users\"\nscopes = [\"orders/margin\"]\n"
    );
    let schema = "type Query { prices: [Float] menu: String secret: String }";
    (policy, AppSync::new(Duration::from_secs(300), schema).unwrap())
}

#[test]
fn an_answer_is_kept_where_it_holds_for_every_document() {
    let (policy, api) = plain();
    let mut world = World::new(&policy);
    let answer = ask(&world, &api, event("ann.prices/list", "{ menu }", json!({}))).unwrap();
    // What the policy does not name is denied already, whether this document has it or not.
    assert_eq!(denied(&answer), ["Order.margin", "Query.secret"]);
    assert_eq!(answer["ttlOverride"], 300);
    // No longer than the token is good.
    let answer = ask(&world, &api, event("ann.90", "{ menu }", json!({}))).unwrap();
    assert_eq!(answer["ttlOverride"], 90);
    world.now = UnixTime::from_millis(NOW * 1000 + 500);
    let answer = ask(&world, &api, event("ann.90", "{ menu }", json!({}))).unwrap();
    assert_eq!(answer["ttlOverride"], 89);
    // Not where introspection is closed: a later document may be one.
    let closed = World::new(&policy.replace("name = \"Query.__type\"", "name = \"Query.other\""));
    let answer = ask(&closed, &api, event("ann", "{ menu }", json!({}))).unwrap();
    assert_eq!(answer["ttlOverride"], 0);
    // And where a mutation is closed, its resolver must not run.
    let api =
        AppSync::new(Duration::from_secs(300), "type Query { menu: String } type Mutation { wipe: String }").unwrap();
    let answer = ask(&world, &api, event("ann", "{ menu }", json!({}))).unwrap();
    assert_eq!(answer["ttlOverride"], 0);
    assert!(denied(&answer).contains(&"Mutation.wipe"));
}

/// One request in a sequence: who, what, and how many seconds after the one before.
type Step = (usize, usize, u64, bool);

const TOKENS: [&str; 5] = ["ann", "ann.prices/list", "bob.orders/margin.40", "bob.10", "nobody.prices/list"];
const DOCUMENTS: [(&str, &[&str]); 9] = [
    ("{ prices }", &["Query.prices"]),
    ("{ menu }", &["Query.menu"]),
    ("{ menu prices }", &["Query.menu", "Query.prices"]),
    ("{ secret menu }", &["Query.secret", "Query.menu"]),
    ("{ orders(companyId: \"1111\") { id } menu }", &["Query.orders", "Query.menu"]),
    ("{ orders(companyId: \"2222\") { id } menu }", &["Query.orders", "Query.menu"]),
    ("{ profile(userId: \"ann\") menu }", &["Query.profile", "Query.menu"]),
    ("mutation { placeOrder(companyId: \"1111\") { id } }", &["Mutation.placeOrder"]),
    ("mutation { placeOrder(companyId: \"2222\") { id } }", &["Mutation.placeOrder"]),
];

/// What is executed of `selections` under an answer; a mutation is executed even where its result is then withheld.
fn executed(answer: &Value, selections: &[&str]) -> Vec<bool> {
    let is_in = |name: &str| answer["deniedFields"].as_array().is_some_and(|all| all.iter().any(|own| own == name));
    let runs = |name: &&str| answer["isAuthorized"] == true && (name.starts_with("Mutation.") || !is_in(name));
    selections.iter().map(runs).collect()
}

/// AppSync before a world: answers are kept by token for as long as they say. Gives the violations.
fn simulate(
    policy: &Policy,
    api: &AppSync,
    steps: &[Step],
    answer: impl Fn(&World, &AppSync, Value) -> Value,
) -> usize {
    let mut world = World::of(policy.clone());
    let (mut kept, mut violations) = (BTreeMap::<&str, (Value, UnixTime, u64, World)>::new(), 0);
    for (token, document, later, changes) in steps {
        world.now = world.now.saturating_add(Duration::from_secs(*later));
        if *changes {
            let ann = if world.records["ann"].roles("1111").is_some() { "{}" } else { r#"{"1111":["Manager"]}"# };
            let record = format!(r#"{{"id":"ann","companies":{ann}}}"#);
            world.records.insert("ann".to_owned(), PermissionsRecord::parse(record.as_bytes()).unwrap());
        }
        let (token, (document, selections)) = (TOKENS[*token], DOCUMENTS[*document]);
        let usable = |at: &UnixTime, ttl: &u64| world.now.saturating_since(*at).as_secs() < *ttl;
        if kept.get(token).is_none_or(|(_, at, ttl, _)| !usable(at, ttl)) {
            let fresh = answer(&world, api, event(token, document, json!({})));
            let ttl = fresh["ttlOverride"].as_u64().unwrap();
            let mut then = World::of(policy.clone());
            (then.records, then.now) = (world.records.clone(), world.now);
            kept.insert(token, (fresh, world.now, ttl, then));
        }
        let (used, _, _, then) = &kept[token];
        // What this document would have been answered by itself, when the answer was made.
        let own = ask(then, &uncached(), event(token, document, json!({}))).unwrap();
        violations += usize::from(executed(used, selections) != executed(&own, selections));
        // And a token that has ended selects nothing.
        let is_over = world.now >= UnixTime::from_secs(claims(token)["exp"].as_u64().unwrap());
        violations += usize::from(is_over && executed(used, selections).contains(&true));
    }
    violations
}

/// Of the first `documents`: what a schema does not have, AppSync refuses by itself.
fn sequences(documents: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..TOKENS.len(), 0..documents, 0..30_u64, prop::bool::weighted(0.1)), 1..40)
}

#[test]
fn a_kept_answer_grants_and_refuses_nothing_that_its_own_would_not() {
    const SEQUENCES: u32 = 200;
    let (plain_policy, plain_api) = plain();
    let [full_policy, plain_policy] = [POLICY, &plain_policy].map(|text| from_toml(text, None).unwrap());
    let full_api = AppSync::new(Duration::from_secs(300), SCHEMA).unwrap();
    let config = ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let honest = |world: &World, api: &AppSync, event: Value| ask(world, api, event).unwrap();
    runner
        .run(&(sequences(DOCUMENTS.len()), sequences(4)), |(steps, plain_steps)| {
            prop_assert_eq!(simulate(&full_policy, &full_api, &steps, honest), 0);
            prop_assert_eq!(simulate(&plain_policy, &plain_api, &plain_steps, honest), 0);
            Ok(())
        })
        .unwrap();
    println!("AppSync's cache: sequences tried {}, violations 0", 2 * SEQUENCES);
}

#[test]
fn the_simulation_finds_an_answer_that_is_kept_too_widely() {
    let (plain_policy, api) = plain();
    let [full_policy, policy] = [POLICY, &plain_policy].map(|text| from_toml(text, None).unwrap());
    let full = AppSync::new(Duration::from_secs(300), SCHEMA).unwrap();
    // As an authorizer does that looks at the document alone and lets it be kept.
    let careless = |world: &World, api: &AppSync, event: Value| {
        let mut answer = ask(world, api, event).unwrap();
        answer["ttlOverride"] = json!(300);
        answer
    };
    // The first document is permitted, the second is not.
    assert!(simulate(&full_policy, &full, &[(0, 7, 0, false), (0, 8, 1, false)], careless) > 0);
    assert!(simulate(&full_policy, &full, &[(0, 4, 0, false), (0, 5, 1, false)], careless) > 0);
    // And the other way round: refused for another's sake.
    assert!(simulate(&full_policy, &full, &[(0, 8, 0, false), (0, 7, 1, false)], careless) > 0);
    // Kept past the token's end.
    assert!(simulate(&policy, &api, &[(3, 1, 0, false), (3, 1, 20, false)], careless) > 0);
}
