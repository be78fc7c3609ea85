//! What a policy means: precedence, ambiguity, order, versions.

use postern::{
    Policy,
    policy::{PolicyFault, from_toml},
};
use proptest::prelude::*;

use crate::support::{Call, Outcome, Token, World, policies};

/// A policy of public routes, `name` to `(methods, path)`, in this order.
fn routes(routes: &[(&str, &str, &str)]) -> String {
    let mut text = policies::SMALL.split("[[route]]").next().unwrap().to_owned();
    for (name, methods, path) in routes {
        let methods: Vec<String> = methods.split(' ').map(|method| format!("\"{method}\"")).collect();
        text += &format!(
            "[[route]]\nname = \"{name}\"\nmethods = [{}]\npath = \"{path}\"\norigin = \"orders\"\npublic = true\n",
            methods.join(", ")
        );
    }
    text
}

fn route_of(policy: &Policy, method: &str, target: &str) -> Option<String> {
    match World::new(policy.clone()).decide(&Call::new(method, target)) {
        postern::Decision::Permit(permit) => Some(permit.route().to_owned()),
        _ => None,
    }
}

#[test]
fn the_strictly_more_specific_route_decides_in_whatever_order_they_stand() {
    let mut list = vec![
        ("any-user", "GET PUT", "/users/{user}"),
        ("me", "GET", "/users/me"),
        ("deep", "GET", "/{a}/{b}/{c}"),
        ("deeper", "GET", "/users/{b}/{c}"),
        ("deepest", "GET", "/users/{b}/x"),
        ("slash", "GET", "/users/"),
    ];
    for _ in 0..list.len() {
        list.rotate_left(1);
        let policy = from_toml(&routes(&list), None).unwrap();
        for (method, target, route) in [
            ("GET", "/users/me", Some("me")),
            ("HEAD", "/users/me", Some("me")),
            ("PUT", "/users/me", Some("any-user")),
            ("GET", "/users/you", Some("any-user")),
            ("GET", "/users/ME", Some("any-user")),
            ("GET", "/a/b/c", Some("deep")),
            ("GET", "/users/b/c", Some("deeper")),
            ("GET", "/users/b/x", Some("deepest")),
            ("GET", "/users/", Some("slash")),
            ("GET", "/users", None),
            ("DELETE", "/users/me", None),
            ("GET", "/a/b/c/d", None),
        ] {
            assert_eq!(route_of(&policy, method, target).as_deref(), route, "{method} {target}");
        }
    }
}

#[test]
fn routes_that_overlap_with_neither_more_specific_do_not_build() {
    for (one, other) in [
        (("GET", "/{a}/x"), ("GET", "/y/{b}")),
        (("GET", "/users/{a}"), ("GET", "/users/{b}")),
        (("GET", "/users/{a}"), ("PUT GET", "/users/{b}")),
        (("GET", "/a"), ("GET", "/a")),
        (("GET", "/{a}/b/{c}"), ("GET", "/{a}/{b}/c")),
        // HEAD follows GET, so a request with it would have two routes.
        (("GET", "/{a}/x"), ("HEAD", "/y/{b}")),
        (("HEAD", "/{a}/x"), ("GET", "/y/{b}")),
    ] {
        let text = routes(&[("one", one.0, one.1), ("other", other.0, other.1)]);
        let errors = from_toml(&text, None).unwrap_err();
        let [error] = errors.0.as_slice() else { panic!("{errors}") };
        assert_eq!((error.pointer.as_str(), &error.fault), ("route[1].path", &PolicyFault::Ambiguous("one".into())));
        let line = text[..error.span.clone().unwrap().start].lines().count();
        assert!(text.lines().nth(line - 1).unwrap().starts_with("path"), "{line}");
    }
    for (one, other) in [
        (("GET", "/{a}/x"), ("POST", "/y/{b}")),
        (("GET", "/a/{b}"), ("GET", "/a/")),
        (("GET", "/a/{b}/c"), ("GET", "/a/{b}/d")),
        (("GET", "/a/{b}"), ("GET", "/a/b")),
        (("GET", "/a"), ("HEAD", "/a")),
        (("HEAD", "/users/{a}"), ("GET", "/users/{b}")),
        (("POST", "/{a}/x"), ("HEAD", "/y/{b}")),
    ] {
        let text = routes(&[("one", one.0, one.1), ("other", other.0, other.1)]);
        assert!(from_toml(&text, None).is_ok(), "{one:?} {other:?}");
    }
}

#[test]
fn head_has_a_route_of_its_own_where_the_policy_says_so() {
    let policy = from_toml(&routes(&[("get", "GET", "/a"), ("head", "HEAD", "/a")]), None).unwrap();
    assert_eq!(route_of(&policy, "HEAD", "/a").as_deref(), Some("head"));
    assert_eq!(route_of(&policy, "GET", "/a").as_deref(), Some("get"));
}

#[test]
fn literals_in_a_policy_are_matched_decoded() {
    let policy = from_toml(&routes(&[("cafe", "GET", "/caf%C3%A9/{a}")]), None).unwrap();
    assert_eq!(route_of(&policy, "GET", "/caf%C3%A9/x").as_deref(), Some("cafe"));
    assert_eq!(route_of(&policy, "GET", "/cafe/x"), None);
}

#[test]
fn the_same_policy_has_the_same_version_whatever_text_it_came_from() {
    let policy = policies::example();
    let again = Policy::from_json(policy.to_json()).unwrap();
    assert_eq!((again.version(), again.to_json()), (policy.version(), policy.to_json()));
    let reformatted = policies::EXAMPLE.replace(" = ", "=").replace('\n', "\n\n");
    assert_eq!(from_toml(&reformatted, None).unwrap().version(), policy.version());
    assert!(policy.version().len() == 16 && policy.version().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn any_change_of_a_rule_changes_the_version() {
    let version = policies::example().version().to_owned();
    for (from, to) in [
        ("roles = [\"Manager\"]", "roles = [\"Standard\"]"),
        ("\"2s\"", "\"3s\""),
        ("orders/get.order", "orders/read.order"),
        ("https://app.ljg-sushi.example", "https://web.ljg-sushi.example"),
        ("POSTERN_KEY_VOUCHERS", "POSTERN_KEY_COUPONS"),
        ("public = true", "issuer = \"partners\""),
    ] {
        assert_ne!(from_toml(&policies::example_with(from, to), None).unwrap().version(), version, "{from}");
    }
}

#[test]
fn the_example_reads_as_it_is_meant() {
    let policy = policies::example();
    let names = |names: Vec<&str>| names.join(" ");
    assert_eq!(names(policy.issuers().iter().map(postern::policy::Issuer::name).collect()), "partners users");
    assert_eq!(
        names(policy.origins().iter().map(postern::policy::Origin::name).collect()),
        "external-orders internal-orders permissions vouchers"
    );
    assert_eq!(policy.permissions().map(postern::policy::Origin::name), Some("permissions"));
    assert_eq!((policy.edge(), policy.is_development(), policy.routes().len()), ("edge", false, 8));
    for route in policy.routes() {
        assert_eq!(route.is_public(), !route.path().contains("{company}"), "{}", route.name());
    }
}

/// The example's routes as pieces of its text, to be put in another order.
fn shuffled(order: &[usize]) -> String {
    let mut pieces = policies::EXAMPLE.split("[[route]]");
    let head = pieces.next().unwrap().to_owned();
    let routes: Vec<&str> = pieces.collect();
    order.iter().fold(head, |text, index| text + "[[route]]" + routes[*index])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_routes_does_not_change_decisions(order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
        let mut other = World::example();
        other.authorizer = postern::Authorizer::new(from_toml(&shuffled(&order), None).unwrap());
        let mut example = World::example();
        let tokens = [Token::partner("1111").compact(), Token::user("user-manager").compact()];
        for target in [
            "/companies/1111/orders",
            "/companies/2222/orders",
            "/companies/1111/orders/42",
            "/companies/1111/users/user-manager/orders",
            "/companies/1111/users/user-manager/orders/42",
            "/companies/1111/users/user-manager/vouchers/v",
            "/health",
            "/nowhere",
        ] {
            for (method, token) in ["GET", "POST", "HEAD"].iter().flat_map(|m| tokens.iter().map(move |t| (*m, t))) {
                let call = Call::new(method, target).bearer(token);
                let outcome: Outcome = example.outcome(&call);
                prop_assert_eq!(other.outcome(&call), outcome, "{} {}", method, target);
            }
        }
    }
}
