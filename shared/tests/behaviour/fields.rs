//! GraphQL fields in a policy: which build, and who may select them.

use postern::{
    Authorizer, Permissions, PermissionsRecord, Reason,
    authorizer::Survey,
    policy::{PolicyFault, from_toml},
};
use serde_json::{Map, Value, json};

use crate::support::{NOW, at};

const FIELDS: &str = r#"
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
subject = { argument = "userId" }
roles = ["Manager"]
scopes = ["orders/list.orders"]
permissions_max_age = "30s"

[[field]]
name = "Mutation.placeOrder"
issuer = "users"
company = { argument = "companyId" }
roles = ["Manager"]

[[field]]
name = "Order.margin"
issuer = "users"
require.tier = "gold"
"#;

fn with(from: &str, to: &str) -> String {
    assert!(FIELDS.contains(from), "the policy does not say `{from}`");
    FIELDS.replace(from, to)
}

#[test]
fn a_policy_may_be_all_fields() {
    let policy = from_toml(FIELDS, None).unwrap();
    let [orders, place, margin] = policy.fields() else { panic!("three fields") };
    assert_eq!((orders.name(), orders.type_name(), orders.field_name()), ("Query.orders", "Query", "orders"));
    assert!(orders.looks_at_arguments() && place.looks_at_arguments() && !margin.looks_at_arguments());
    // It goes into what is embedded and comes out of it.
    let again = postern::Policy::from_json(policy.to_json()).unwrap();
    assert_eq!(again.fields().len(), 3);
}

#[test]
fn what_is_wrong_with_a_field_is_told_at_its_place() {
    for (text, pointer, fault) in [
        (with("\"Query.orders\"", "\"orders\""), "field[0].name", PolicyFault::FieldName("orders".into())),
        (with("\"Query.orders\"", "\"Query.a.b\""), "field[0].name", PolicyFault::FieldName("Query.a.b".into())),
        (with("\"Query.orders\"", "\"Query.1st\""), "field[0].name", PolicyFault::FieldName("Query.1st".into())),
        (with("\"Query.orders\"", "\"Order.margin\""), "field[0].subject", PolicyFault::NestedArgument("Order".into())),
        (
            with("\"Mutation.placeOrder\"", "\"Query.orders\""),
            "field[1].name",
            PolicyFault::DuplicateName("field", "Query.orders".into()),
        ),
        (
            with("{ argument = \"userId\" }", "{ argument = \"companyId\" }"),
            "field[0].subject",
            PolicyFault::SameParameter("companyId".into()),
        ),
        (
            with("{ argument = \"userId\" }", "{ argument = \"user-id\" }"),
            "field[0].subject",
            PolicyFault::RuleForm("argument", "user-id".into()),
        ),
        (
            with("company = { argument = \"companyId\" }\nroles", "company = \"any\"\nroles"),
            "field[1].company",
            PolicyFault::RuleForm("company", "any".into()),
        ),
        (
            with("company = { argument = \"companyId\" }\nroles = [\"Manager\"]\n", "roles = [\"Manager\"]\n"),
            "field[1].roles",
            PolicyFault::RolesWithoutCompany,
        ),
        (with("\"Order.margin\"\nissuer = \"users\"", "\"Order.margin\""), "field[2]", PolicyFault::NoIssuer),
        (
            with("require.tier = \"gold\"", "permissions_max_age = \"1s\""),
            "field[2].permissions_max_age",
            PolicyFault::MaxAgeUnused,
        ),
        (
            with("roles = [\"Manager\"]\nscopes", "roles = [\"Manger\"]\nscopes"),
            "field[0].roles[0]",
            PolicyFault::UnknownName("role", "Manger".into(), Some("Manager".into())),
        ),
    ] {
        let errors = from_toml(&text, None).unwrap_err();
        let found = errors.0.iter().any(|error| error.pointer == pointer && error.fault == fault);
        assert!(found, "{pointer} {fault:?}: {errors:?}");
    }
}

#[test]
fn a_field_can_be_all_that_an_issuer_and_a_default_are_for() {
    let defaults = with(
        "roles = [\"Manager\"]\n\n[permissions]",
        "roles = [\"Manager\"]\n\n[defaults]\nissuer = \"users\"\n\n[permissions]",
    );
    let text = defaults.replace("name = \"Order.margin\"\nissuer = \"users\"", "name = \"Order.margin\"");
    assert!(from_toml(&text, None).is_ok(), "{:?}", from_toml(&text, None).map(drop));
    // And one that no field takes is told.
    let errors = from_toml(&defaults, None).unwrap_err();
    assert!(errors.0.iter().any(|error| error.pointer == "defaults.issuer"), "{errors:?}");
}

fn caller(authorizer: &Authorizer, changes: &Value) -> postern::Caller {
    let mut claims: Map<String, Value> = serde_json::from_value(json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "u", "token_use": "access",
        "scope": "orders/list.orders", "tier": "gold", "exp": NOW + 60,
    }))
    .unwrap();
    claims.extend(changes.as_object().unwrap().clone());
    authorizer.caller_of_claims(&claims, at(0)).unwrap()
}

#[test]
fn a_selection_is_judged_by_its_arguments() {
    let authorizer = Authorizer::new(from_toml(FIELDS, None).unwrap());
    let record = PermissionsRecord::parse(br#"{"id":"u","companies":{"1111":["Manager"],"2222":[]}}"#).unwrap();
    let Survey::NeedsPermissions(need) = authorizer.survey_fields(&caller(&authorizer, &json!({})), at(0)) else {
        panic!("the record is needed")
    };
    assert_eq!(need.max_age(), std::time::Duration::ZERO, "the mutation asks anew");
    let survey = need.resume(Permissions::Found(&record), at(0)).unwrap();
    assert!(survey.list().is_empty(), "no route was asked about");
    let decide = |name: &str, arguments: &[(&str, &'static str)]| {
        let field = survey.fields().iter().find(|field| field.field().name() == name).unwrap();
        field.decide(|wanted| arguments.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value))
    };
    for (arguments, expected) in [
        (&[("companyId", "1111"), ("userId", "u")][..], Ok(())),
        (&[("companyId", "2222"), ("userId", "u")], Err(Reason::CompanyMismatch)),
        (&[("companyId", "3333"), ("userId", "u")], Err(Reason::CompanyMismatch)),
        (&[("companyId", "1111"), ("userId", "v")], Err(Reason::SubjectMismatch)),
        (&[("companyId", "1111")], Err(Reason::SubjectMismatch)),
        (&[("userId", "u")], Err(Reason::CompanyUnspecified)),
        (&[("companyid", "1111"), ("userId", "u")], Err(Reason::CompanyUnspecified)),
    ] {
        assert_eq!(decide("Query.orders", arguments), expected, "{arguments:?}");
    }
    assert_eq!(decide("Mutation.placeOrder", &[("companyId", "1111")]), Ok(()));
    assert_eq!(decide("Order.margin", &[]), Ok(()));
}

#[test]
fn a_field_that_is_closed_says_why() {
    let authorizer = Authorizer::new(from_toml(FIELDS, None).unwrap());
    let standard = PermissionsRecord::parse(br#"{"id":"u","companies":{"1111":["Standard"]}}"#).unwrap();
    let none = PermissionsRecord::parse(br#"{"id":"u","companies":{}}"#).unwrap();
    for (changes, permissions, reasons) in [
        (json!({}), Permissions::Found(&standard), [Err(Reason::RoleMissing), Err(Reason::RoleMissing), Ok(())]),
        (json!({}), Permissions::Found(&none), [Err(Reason::CompanyMismatch), Err(Reason::CompanyMismatch), Ok(())]),
        (json!({}), Permissions::Absent, [Err(Reason::CompanyMismatch), Err(Reason::CompanyMismatch), Ok(())]),
        (
            json!({"scope": "", "tier": "silver"}),
            Permissions::Absent,
            [Err(Reason::ScopeMissing), Err(Reason::CompanyMismatch), Err(Reason::ConditionUnmet)],
        ),
    ] {
        let Survey::NeedsPermissions(need) = authorizer.survey_fields(&caller(&authorizer, &changes), at(0)) else {
            panic!("the record is needed")
        };
        let survey = need.resume(permissions, at(0)).unwrap();
        let open: Vec<_> = survey.fields().iter().map(|field| field.is_open()).collect();
        assert_eq!(open, reasons, "{changes}");
    }
}
