//! An edge that is not fit to serve says so to everybody, and serves nothing.

use postern_e2e::{Call, Session, cold::ColdEdge, session};

const ORDERS: &str = "/companies/1111/orders";

/// Serves nothing: not what is permitted, not what is public, and no refusal that sounds like a decision.
#[track_caller]
fn serves_nothing(stack: &Session, edge: &ColdEdge) {
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    let calls: [Call; 5] = [
        edge.get(ORDERS).bearer(&company),
        edge.get("/companies/1111/users/user-manager/vouchers/v").bearer(&user),
        edge.get("/health"),
        edge.get(ORDERS),
        edge.get("/nothing"),
    ];
    for call in calls {
        let answer = call.clone().header("origin", &stack.page).send().denied(503, "temporarily_unavailable");
        assert_eq!(answer.header("access-control-allow-origin"), Some(stack.page.as_str()), "{call}: {answer:?}");
    }
    let head = edge.call("HEAD", ORDERS).bearer(&company).send().expect(503);
    assert!(head.body().is_empty());
}

/// The configuration with one binding's text put in the place of another's.
fn with_the_secret_of(config: &str, from: &str, to: &str) -> String {
    let line = |name: &str| {
        let start = format!("(name = \"{name}\", text = ");
        config
            .lines()
            .find(|line| line.trim_start().starts_with(&start))
            .unwrap_or_else(|| panic!("no `{name}`"))
            .to_owned()
    };
    let replacement = line(from).replace(from, to);
    config.replace(&line(to), &replacement)
}

#[test]
fn an_edge_with_one_secret_for_two_origins_serves_nothing() {
    let stack = session();
    let edge = ColdEdge::start_with(&stack, |config| {
        with_the_secret_of(config, "POSTERN_KEY_EXTERNAL_ORDERS", "POSTERN_KEY_VOUCHERS")
    });
    serves_nothing(&stack, &edge);
}

#[test]
fn an_edge_without_the_secret_of_one_origin_serves_nothing() {
    let stack = session();
    let edge = ColdEdge::start_with(&stack, |config| {
        let lines = config.lines().filter(|line| !line.contains("\"POSTERN_KEY_VOUCHERS\""));
        lines.collect::<Vec<_>>().join("\n")
    });
    serves_nothing(&stack, &edge);
}

#[test]
fn an_edge_whose_secret_is_no_key_set_serves_nothing() {
    let stack = session();
    for text in [
        "",
        "{}",
        "hunter2",
        "{\\\"keys\\\":[]}",
        "{\\\"keys\\\":[{\\\"kty\\\":\\\"oct\\\",\\\"kid\\\":\\\"a\\\",\\\"k\\\":\\\"c2hvcnQ\\\"}]}",
    ] {
        let edge = ColdEdge::start_with(&stack, |config| {
            let is_it = |line: &str| line.contains("\"POSTERN_KEY_VOUCHERS\"");
            let unusable = format!("    (name = \"POSTERN_KEY_VOUCHERS\", text = \"{text}\"),");
            config.lines().map(|line| if is_it(line) { unusable.as_str() } else { line }).collect::<Vec<_>>().join("\n")
        });
        serves_nothing(&stack, &edge);
    }
}

#[test]
fn an_edge_built_for_development_serves_nothing_where_nobody_says_that_it_is_development() {
    let stack = session();
    for replacement in ["", "    (name = \"POSTERN_DEVELOPMENT\", text = \"yes\"),"] {
        let edge = ColdEdge::start_with(&stack, |config| {
            let is_it = |line: &str| line.contains("\"POSTERN_DEVELOPMENT\"");
            assert!(config.lines().any(is_it), "the stack does not say that it is development");
            config.lines().map(|line| if is_it(line) { replacement } else { line }).collect::<Vec<_>>().join("\n")
        });
        serves_nothing(&stack, &edge);
    }
}

#[test]
fn an_edge_whose_key_a_service_does_not_know_answers_502_there_and_serves_the_others() {
    let stack = session();
    let user = stack.user("user-manager");
    let edge = ColdEdge::start_with(&stack, |config| {
        let key = stack.keys["vouchers"]["keys"][0]["k"].as_str().expect("a secret");
        config.replace(key, &"A".repeat(43))
    });
    // The caller's token is good: 401 would send it for another.
    edge.get("/companies/1111/users/user-manager/vouchers/v").bearer(&user).send().denied(502, "bad_gateway");
    edge.get("/companies/1111/users/user-manager/orders").bearer(&user).send().expect(200);
}

#[test]
fn an_edge_whose_key_the_permissions_service_does_not_know_cannot_tell() {
    let stack = session();
    let edge = ColdEdge::start_with(&stack, |config| {
        let key = stack.keys["permissions"]["keys"][0]["k"].as_str().expect("a secret");
        config.replace(key, &"A".repeat(43))
    });
    let voucher = edge.get("/companies/1111/users/user-manager/vouchers/v").bearer(&stack.user("user-manager"));
    voucher.send().denied(503, "temporarily_unavailable");
    edge.get(ORDERS).bearer(&stack.partner("1111")).send().expect(200);
}

#[test]
fn the_same_edge_with_all_its_secrets_serves() {
    let stack = session();
    let edge = ColdEdge::start_with(&stack, str::to_owned);
    edge.get(ORDERS).bearer(&stack.partner("1111")).send().expect(200);
    edge.get("/health").send().expect(200);
}
