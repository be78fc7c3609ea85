//! What a route may ask beyond path, subject, company and role: one of several scopes, claims, a company that the path
//! does not name; and what it hands on, takes by default and takes at most.

use std::sync::LazyLock;

use postern::{
    Policy, Reason,
    cache::{PermissionsCache, PermissionsFailure, PermissionsLookup},
    policy::{BodyRule, CompanyRule, PolicyFault, from_toml},
    query::QueryError,
};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{
    Call, Outcome, Token, World, at, policies,
    world::{fetch_permissions, field},
};

/// The example with one more route for partners and one for users, each with these rules.
fn world(rules: &str) -> World {
    let mut world = World::example();
    world.authorizer = postern::Authorizer::new(policy(rules).unwrap_or_else(|errors| panic!("{errors}")));
    world
}

fn policy(rules: &str) -> Result<Policy, postern::policy::PolicyErrors> {
    let (partners, users) = rules.split_once("---").unwrap_or((rules, ""));
    let route = |name: &str, issuer: &str, rules: &str| {
        format!(
            "\n[[route]]\nname = \"{name}\"\nmethods = [\"GET\", \"POST\"]\npath = \"/{name}\"\norigin = \"vouchers\"\n\
             issuer = \"{issuer}\"\n{rules}\n"
        )
    };
    from_toml(&format!("{}{}{}", policies::EXAMPLE, route("p", "partners", partners), route("u", "users", users)), None)
}

fn partner(call: Call, token: Token) -> Call {
    call.bearer(token.compact())
}

#[test]
fn all_of_some_scopes_and_one_of_others_are_asked() {
    let mut world = world("scopes = { all_of = [\"a\"], any_of = [\"b\", \"c\"] }");
    for (scopes, outcome) in [
        ("a b", Outcome::Permit),
        ("c x a", Outcome::Permit),
        ("a b c", Outcome::Permit),
        ("a", Outcome::Deny(403, Reason::ScopeMissing)),
        ("b c", Outcome::Deny(403, Reason::ScopeMissing)),
        ("", Outcome::Deny(403, Reason::ScopeMissing)),
        ("ab", Outcome::Deny(403, Reason::ScopeMissing)),
    ] {
        let call = partner(Call::get("/p"), Token::partner("1111").claim("scope", json!(scopes)));
        assert_eq!(world.outcome(&call), outcome, "{scopes}");
    }
    // RFC 6750 §3: the scope needed; of those that one would do, the first.
    let denial = world.deny(&partner(Call::get("/p"), Token::partner("1111").claim("scope", json!("x"))));
    assert!(field(denial.answer(), "www-authenticate").unwrap().ends_with("scope=\"a b\""));
}

#[test]
fn one_of_several_scopes_is_enough_where_no_other_is_asked() {
    let mut world = world("scopes = { any_of = [\"b\", \"c\"] }");
    for (scopes, permitted) in [("b", true), ("x c", true), ("x", false)] {
        let call = partner(Call::get("/p"), Token::partner("1111").claim("scope", json!(scopes)));
        assert_eq!(world.outcome(&call) == Outcome::Permit, permitted, "{scopes}");
    }
}

#[test]
fn a_route_may_require_claims_of_the_token() {
    let mut world = world("require.tier = [\"gold\", \"silver\"]\nrequire.email_verified = true");
    let unmet = Outcome::Deny(403, Reason::ConditionUnmet);
    for (tier, verified, outcome) in [
        (json!("gold"), json!(true), Outcome::Permit),
        (json!(["bronze", "silver"]), json!("yes"), Outcome::Permit),
        (json!("bronze"), json!(true), unmet.clone()),
        (json!(["bronze"]), json!(true), unmet.clone()),
        (json!(null), json!(true), unmet.clone()),
        (json!(true), json!(true), unmet.clone()),
        (json!("gold"), json!(null), unmet.clone()),
        // That it is not verified must not pass for that it is said.
        (json!("gold"), json!(false), unmet.clone()),
        // Nor as API Gateway's authorizers, and some issuers, write it.
        (json!("gold"), json!("false"), unmet.clone()),
        (json!("gold"), json!("False"), unmet.clone()),
        (json!("gold"), json!("null"), unmet.clone()),
        (json!("gold"), json!("true"), Outcome::Permit),
    ] {
        let token = Token::partner("1111").claim("tier", tier.clone()).claim("email_verified", verified.clone());
        // Twice: what is kept of a verified token must do as well as the token.
        for _ in 0..2 {
            assert_eq!(world.outcome(&partner(Call::get("/p"), token.clone())), outcome, "{tier} {verified}");
        }
    }
    assert_eq!(world.outcome(&partner(Call::get("/p"), Token::partner("1111"))), unmet);
}

#[test]
fn the_company_may_stand_in_a_field() {
    let mut world =
        world("company = { header = \"x-company\" }---company = { header = \"x-company\" }\nroles = [\"Manager\"]");
    let user = || Call::get("/u").bearer(Token::user("user-percompany").compact());
    assert_eq!(world.permit(&user().header("X-Company", "1111")).company(), Some("1111"));
    for (call, reason) in [
        (user(), Reason::CompanyUnspecified),
        (user().header("x-company", ""), Reason::CompanyUnspecified),
        (user().header("x-company", "1111").header("x-company", "1111"), Reason::CompanyUnspecified),
        (user().header("x-company", "1111").header("X_COMPANY", "2222"), Reason::CompanyUnspecified),
        (user().header("x-company", "1111, 2222"), Reason::CompanyUnspecified),
        (user().header("x-company", "1111").header("X.Company", "2222"), Reason::CompanyUnspecified),
        // What `Connection` names ends at the edge: the origin would see no company, or make up another.
        (user().header("x-company", "1111").header("connection", "close, X-Company"), Reason::CompanyUnspecified),
        (user().header("x-company", "2222"), Reason::RoleMissing),
        (user().header("x-company", "3333"), Reason::CompanyMismatch),
    ] {
        assert_eq!(world.deny(&call).reason(), reason, "{call:?}");
    }
    let call = partner(Call::get("/p").header("x-company", "2222"), Token::partner("1111"));
    assert_eq!(world.outcome(&call), Outcome::Deny(403, Reason::CompanyMismatch));
}

#[test]
fn the_company_may_stand_in_the_query() {
    let mut world = world("company = { query = \"company\" }");
    let call = |query: &str| partner(Call::get(&format!("/p{query}")), Token::partner("1111"));
    assert_eq!(world.permit(&call("?page=2&company=1111")).company(), Some("1111"));
    for (query, outcome) in [
        ("", Outcome::Deny(400, Reason::CompanyUnspecified)),
        ("?page=1", Outcome::Deny(400, Reason::CompanyUnspecified)),
        ("?company=1111%2C2222", Outcome::Deny(400, Reason::CompanyUnspecified)),
        ("?company=1111&company=1111", Outcome::Deny(400, Reason::Query(QueryError::Ambiguous))),
        ("?company=1111&%63ompany=2222", Outcome::Deny(400, Reason::Query(QueryError::Name))),
        ("?company=1111&company[]=2222", Outcome::Deny(400, Reason::Query(QueryError::Name))),
        ("?company=1111;company=2222", Outcome::Deny(400, Reason::Query(QueryError::Semicolon))),
        ("??company=2222&company=1111", Outcome::Deny(400, Reason::Query(QueryError::QuestionMark))),
        ("&company=2222?a=b&company=1111", Outcome::Deny(404, Reason::NoRoute)),
        ("?company=2222", Outcome::Deny(403, Reason::CompanyMismatch)),
    ] {
        assert_eq!(world.outcome(&call(query)), outcome, "{query}");
    }
    let denial = world.deny(&call("?company=1111&ids[]=1"));
    assert!(denial.answer().body.contains("has a character other than letters, digits"), "{:?}", denial.answer());
    // Who calls is asked before what the request names.
    assert_eq!(world.deny(&Call::get("/p")).reason(), Reason::CredentialMissing);
}

#[test]
fn a_parameter_that_overrides_the_method_is_refused_unless_the_route_allows_it() {
    for (rules, is_allowed) in
        [("", false), ("query_method_override = false", false), ("query_method_override = true", true)]
    {
        let mut world = world(rules);
        let mut outcome = |method: &str, query: &str| {
            world.outcome(&partner(Call::new(method, &format!("/p?{query}")), Token::partner("1111")))
        };
        for query in ["_method=GET", "a=b&_method", "%5fMethod=GET", "_method[]=GET", "X-HTTP-Method-Override=GET"] {
            assert_eq!(outcome("GET", query), Outcome::Permit, "{query}");
            let expected = if is_allowed {
                Outcome::Permit
            } else {
                Outcome::Deny(400, Reason::Query(QueryError::MethodOverride))
            };
            assert_eq!(outcome("POST", query), expected, "{query}, {rules}");
        }
        assert_eq!(outcome("POST", "method=card&a=_method"), Outcome::Permit);
    }
    // A public route's origin may honour the parameter too, and it is asked before the token.
    let public =
        "\n[[route]]\nname = \"o\"\nmethods = [\"POST\"]\npath = \"/o\"\norigin = \"vouchers\"\npublic = true\n";
    let mut world = world(public);
    for path in ["/o", "/p"] {
        let denial = world.deny(&Call::new("POST", &format!("{path}?_method=DELETE")));
        assert_eq!(denial.reason(), Reason::Query(QueryError::MethodOverride), "{path}");
    }
}

#[test]
fn a_machine_client_may_itself_be_the_company() {
    let mut world = world("company = \"subject\"");
    let permit = world.permit(&partner(Call::get("/p"), Token::partner("1111")));
    assert_eq!((permit.company(), permit.subject()), (Some("1111"), Some("1111")));
}

#[test]
fn claims_are_handed_on_in_fields_that_nobody_else_can_set() {
    let mut world =
        world("headers.x-tier = \"tier\"\nheaders.x-plan = [\"billing\", \"plan\"]\nheaders.x-none = \"none\"");
    let token = Token::partner("1111").claim("tier", json!("gold\r\nx: y")).claim("billing", json!({ "plan": 3 }));
    for _ in 0..2 {
        let permit = world.permit(&partner(Call::get("/p"), token.clone()));
        let expected = [("x-plan", "3"), ("x-tier", "gold%0D%0Ax:%20y")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(permit.handed_on(), expected);
    }
    let policy = world.authorizer.policy();
    for name in ["x-tier", "X-Tier", "x_tier", "X_NONE", "x.tier", "X!tier"] {
        assert!(policy.is_identity_field(name), "{name}");
    }
    assert!(!policy.is_identity_field("x-tier-2") && !policy.is_identity_field("tier"));
}

#[test]
fn limits_can_only_be_lowered() {
    let with = |limits: &str| policies::example_with("[permissions]", &format!("[limits]\n{limits}\n[permissions]"));
    let mut world = World::new(from_toml(&with("max_token_bytes = 300\nmax_target_bytes = 60"), None).unwrap());
    assert_eq!(world.outcome(&Call::get("/health")), Outcome::Permit);
    let long = format!("/health?{}", "x".repeat(60));
    assert_eq!(world.deny(&Call::get(&long)).reason().code(), "target_too_long");
    let token = format!("{}.a.b", "a".repeat(300));
    let call = Call::get("/companies/1111/orders").bearer(token);
    assert_eq!(world.deny(&call).reason().code(), "token_too_large");
    for (limits, pointer) in [
        ("max_token_bytes = 0", "limits.max_token_bytes"),
        ("max_token_bytes = 16385", "limits.max_token_bytes"),
        ("max_target_bytes = 8193", "limits.max_target_bytes"),
        ("max_body_bytes = 6291457", "limits.max_body_bytes"),
    ] {
        let errors = from_toml(&with(limits), None).unwrap_err();
        assert_eq!(errors.0[0].pointer, pointer);
        assert!(matches!(errors.0[0].fault, PolicyFault::Limit(..)), "{errors}");
    }
}

#[test]
fn defaults_stand_in_for_what_a_route_leaves_unsaid() {
    let text = policies::SMALL
        .replace("origin = \"orders\"\nissuer = \"users\"\n", "")
        .replace("[issuer.users]", "[defaults]\norigin = \"orders\"\nissuer = \"users\"\npermissions_max_age = \"7s\"\nbody = \"declared\"\n\n[issuer.users]")
        + "[[route]]\nname = \"open\"\nmethods = [\"GET\"]\npath = \"/open\"\npublic = true\nbody = \"streamed\"\n";
    let policy = from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"));
    let [orders, open] = policy.routes() else { panic!("two routes") };
    assert_eq!(policy.issuers_of(orders).count(), 1);
    assert_eq!((orders.permissions_max_age().as_secs(), orders.body()), (7, BodyRule::Declared));
    assert!(open.is_public());
    assert_eq!((open.permissions_max_age().as_secs(), open.body()), (0, BodyRule::Streamed));
    assert_eq!(orders.company(), &CompanyRule::Parameter("company".into(), 1));

    // What they say wrong is said once, where it stands.
    let wrong = text.replace("issuer = \"users\"", "issuer = \"user\"");
    let errors = from_toml(&wrong, None).unwrap_err();
    assert_eq!(errors.0.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["defaults.issuer"]);
}

#[test]
fn an_older_record_decides_only_while_the_service_cannot_tell() {
    let text = policies::example_with(
        "permissions_max_age = \"30s\"",
        "permissions_max_age = \"30s\"\npermissions_stale_if_error = \"1m\"",
    );
    let mut world = World::example();
    world.authorizer = postern::Authorizer::new(from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    let read = Call::get("/companies/1111/users/user-manager/orders/7").bearer(Token::user("user-manager").compact());
    let list = Call::get("/companies/1111/users/user-manager/orders").bearer(Token::user("user-manager").compact());
    assert_eq!(world.outcome(&read), Outcome::Permit);
    world.service_is_up = false;
    for (at_seconds, outcome) in [
        (29, Outcome::Permit),
        // Not yet an outage: it takes three failures over ten seconds.
        (30, Outcome::Deny(503, Reason::PermissionsUnavailable)),
        (35, Outcome::Deny(503, Reason::PermissionsUnavailable)),
        (38, Outcome::Deny(503, Reason::PermissionsUnavailable)),
        // The other route's question failed at 29 s.
        (39, Outcome::Permit),
        (89, Outcome::Permit),
        (90, Outcome::Deny(503, Reason::PermissionsUnavailable)),
    ] {
        world.now = at(at_seconds);
        assert_eq!(world.outcome(&read), outcome, "after {at_seconds} s");
        // A route that does not ask for it does not get it.
        if at_seconds > 2 {
            assert_eq!(world.outcome(&list), Outcome::Deny(503, Reason::PermissionsUnavailable));
        }
    }
    // When the service can tell, a younger answer is wanted.
    world.now = at(31);
    world.service_is_up = true;
    world.records.clear();
    assert_eq!(world.outcome(&read), Outcome::Deny(403, Reason::CompanyMismatch));
}

#[test]
fn a_route_that_asks_anew_each_time_has_no_older_record() {
    let text = policies::example_with(
        "permissions_max_age = \"0s\"",
        "permissions_max_age = \"0s\"\npermissions_stale_if_error = \"1m\"",
    );
    let errors = from_toml(&text, None).unwrap_err();
    assert!(errors.0.iter().all(|error| error.fault == PolicyFault::StaleWithoutAge), "{errors}");
    // And the cache gives none, whatever it is asked.
    let policy = policies::example();
    let issuer = policy.issuers().iter().find(|issuer| issuer.name() == "users").unwrap();
    let mut cache = PermissionsCache::new();
    let minute = core::time::Duration::from_secs(60);
    let inquiry = cache.inquire(issuer, "u", (minute, minute));
    let PermissionsLookup::Fetch(fetch) = cache.look_up(&inquiry, at(0)) else {
        panic!("nothing is held");
    };
    cache.store(fetch_permissions(&fetch, Some(r#"{"id":"u","companies":[]}"#)), at(0));
    // The service is out of order.
    for seconds in [61, 70, 80] {
        let inquiry = cache.inquire(issuer, "u", (minute, core::time::Duration::ZERO));
        let PermissionsLookup::Fetch(fetch) = cache.look_up(&inquiry, at(seconds)) else { panic!("it is too old") };
        cache.fail(&fetch, PermissionsFailure::Outage, at(seconds));
    }
    for (ages, held) in [
        ((core::time::Duration::ZERO, minute), false),
        ((minute, core::time::Duration::ZERO), false),
        ((minute, minute), true),
    ] {
        let inquiry = cache.inquire(issuer, "u", ages);
        assert_eq!(cache.stand_in(&inquiry, at(81)).is_some(), held);
    }
}

proptest! {
    /// Whatever stands in a query, no reader that decodes and splits it can find another company than was judged.
    #[test]
    fn no_query_names_two_companies(parts in prop::collection::vec("(\\[|%5B)?(c|%63|C)(ompany|OMPANY)?(\\[\\]|%5B%5D|\\])?=?(1111|2222|%31111)?[&;]?", 0..5)) {
        static POLICY: LazyLock<Policy> = LazyLock::new(|| policy("company = { query = \"company\" }").unwrap());
        let mut world = World::example();
        world.authorizer = postern::Authorizer::new(POLICY.clone());
        let query = parts.concat() + "&company=1111";
        let call = partner(Call::get(&format!("/p?{query}")), Token::partner("1111"));
        if world.outcome(&call) == Outcome::Permit {
            let decoded = query.replace("%63", "c").replace("%31", "1").replace("%5B", "[").replace("%5D", "]").to_ascii_lowercase();
            let named: Vec<&str> = decoded.split(['&', ';']).filter(|pair| pair.trim_start_matches('[').strip_prefix("company").is_some_and(|rest| rest.starts_with(['=', '[', ']']))).collect();
            prop_assert_eq!(named, ["company=1111"]);
        }
    }
}
