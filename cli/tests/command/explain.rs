//! `postern explain`.

use serde_json::{Value, json};

use crate::support::{
    NOW, Output, PARTNERS, RECORDS, Scratch, USERS, example_with, jwks, partner, run, run_with, serve, user,
};

/// `postern explain` of the example with everything at hand and jane's token, or another.
fn explain(args: &[&str], token: &str) -> Output {
    let scratch = Scratch::new();
    let partners = format!("partners={}", scratch.file("partners.json", &jwks(&PARTNERS)));
    let users = format!("users={}", scratch.file("users.json", &jwks(&USERS)));
    let records = scratch.file("records.json", RECORDS);
    let now = NOW.to_string();
    let given = ["--keys", &partners, "--keys", &users, "--permissions", &records, "--now", &now];
    run_with(&[&["explain"], args, &given].concat(), token)
}

fn lines(told: &Output) -> Vec<&str> {
    told.out.lines().map(str::trim).collect()
}

#[test]
fn a_permit_is_explained_rule_by_rule() {
    let told = explain(&["-X", "GET", "/companies/1111/users/jane/orders"], &user(json!({})));
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    let lines = lines(&told);
    assert_eq!(lines[0], "permit by `internal-orders-list`, company 1111");
    for line in [
        "✓ signature: the signature holds",
        "✓ dates: it is valid now, and until 2027-01-15 08:05:00 UTC (in 5 min)",
        "✓ scopes: the token has orders/list.orders; the route wants orders/list.orders",
        "✓ subject in the path: {user} is `jane`; the caller is `jane`",
        "✓ role: the caller holds Manager in company 1111; the route wants Manager",
        "forwarded to `internal-orders`: https://internal-orders.ljg-sushi.example/companies/1111/users/jane/orders",
    ] {
        assert!(lines.contains(&line), "{line}: {lines:#?}");
    }
    assert!(!told.out.contains('✗'), "{}", told.out);
}

#[test]
fn a_denial_says_what_the_caller_has_and_what_the_route_wants() {
    let list = "/companies/1111/users/jane/orders";
    for (args, token, reason, line, answer) in [
        (
            vec!["/companies/2222/users/jane/orders"],
            user(json!({})),
            "role_missing",
            "✗ role: the caller holds Standard in company 2222; the route wants Manager",
            "403 access_denied",
        ),
        (
            vec!["/companies/3333/users/jane/orders"],
            user(json!({})),
            "company_mismatch",
            "✗ company: the caller belongs to 1111 and 2222, and the request is about 3333",
            "403 access_denied",
        ),
        (
            vec!["/companies/1111/users/john/orders"],
            user(json!({})),
            "subject_mismatch",
            "✗ subject in the path: {user} is `john`; the caller is `jane`",
            "403 access_denied",
        ),
        (
            vec!["-X", "POST", list],
            user(json!({})),
            "scope_missing",
            "✗ scopes: the token has orders/list.orders; the route wants orders/create.order",
            "403 insufficient_scope",
        ),
        (
            vec![list],
            user(json!({"exp": NOW - 7_200})),
            "expired",
            "✗ dates: the token expired at 2027-01-15 06:00:00 UTC (2 h ago)",
            "401 invalid_token",
        ),
        (
            vec![list],
            user(json!({"client_id": "other"})),
            "audience_mismatch",
            "✗ audience: client other; `users` takes no `aud`, client p4iondtoa9aljeoultesa4nvc",
            "401 invalid_token",
        ),
        (
            vec![list],
            user(json!({"token_use": "id"})),
            "not_an_access_token",
            "✗ kind of token: `token_use` is `id`, and `users` wants `access`",
            "401 invalid_token",
        ),
        (
            vec![list],
            partner(json!({})),
            "algorithm_not_allowed",
            "✗ issuer: the token is signed with EdDSA; `users` signs with RS256",
            "401 invalid_token",
        ),
        (vec!["/companies//orders"], String::new(), "target_empty_segment", "✗ target: ", "400 invalid_request"),
        (
            vec!["-X", "DELETE", "/health"],
            String::new(),
            "method_not_allowed",
            "✗ route: the path has no DELETE, only GET, HEAD",
            "405 method_not_allowed",
        ),
    ] {
        let told = explain(&args, &token);
        assert_eq!(told.code, 1, "{told:?}");
        let lines = lines(&told);
        assert!(lines[0].ends_with(reason), "{reason}: {lines:#?}");
        assert!(lines.iter().any(|own| own.starts_with(line)), "{line}: {lines:#?}");
        assert!(lines.contains(&format!("the caller gets: {answer}").as_str()), "{answer}: {lines:#?}");
        assert_eq!(told.out.matches('✗').count(), 1, "{}", told.out);
        let told = explain(&[&args[..], &["--format", "json"]].concat(), &token);
        assert_eq!(told.code, 1);
        let told = told.json();
        assert_eq!(told["reason"], reason);
        let failed: Vec<&Value> =
            told["rules"].as_array().unwrap().iter().filter(|rule| rule["outcome"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{told}");
    }
}

#[test]
fn a_path_without_a_route_is_told_the_nearest_ones() {
    let told = explain(&["/company/1111/orders"], "");
    assert_eq!(told.code, 1);
    assert!(told.out.contains("near: `external-orders-list`, GET /companies/{company}/orders"), "{}", told.out);
    let told = explain(&["/company/1111/orders", "--format", "json"], "").json();
    assert!(told["hints"][0].as_str().unwrap().starts_with("near: "), "{told}");
}

#[test]
fn what_was_not_given_is_out_of_reach_and_the_hint_says_how_to_give_it() {
    let list = "/companies/1111/users/jane/orders";
    let now = NOW.to_string();
    let told = run_with(&["explain", list, "--now", &now], &user(json!({})));
    assert!(told.out.contains("keys_unavailable") && told.out.contains("503 temporarily_unavailable"), "{}", told.out);
    assert!(told.out.contains("keys: name a file with `--keys users=FILE`, or ask the issuer with `--fetch`"));
    let scratch = Scratch::new();
    let keys = scratch.file("users.json", &jwks(&USERS));
    let told = run_with(&["explain", list, "--now", &now, "--keys", &keys], &user(json!({})));
    assert!(told.out.contains("✗ permissions: the permissions service cannot tell"), "{}", told.out);
    assert!(told.out.contains("permissions: name a file of records with `--permissions FILE`"), "{}", told.out);
    let told = run(&["explain", list]);
    assert!(told.out.contains("no token was read: give it on standard input or with `--token-file`"), "{}", told.out);
}

#[test]
fn keys_are_fetched_from_the_issuer_when_asked() {
    let (url, server) = serve(vec![("/.well-known/jwks.json", Some(jwks(&USERS)))]);
    let scratch = Scratch::new();
    let overlay = scratch.file("overlay.toml", &format!("[issuer.users]\nurl = \"{url}\"\n"));
    let records = scratch.file("records.json", RECORDS);
    let token = user(json!({ "iss": url }));
    let list = "/companies/1111/users/jane/orders";
    let now = NOW.to_string();
    let args = ["explain", list, "--overlay", &overlay, "--fetch", "--permissions", &records, "--now", &now];
    let told = run_with(&args, &token);
    server.join().unwrap();
    assert_eq!(told.code, 0, "{told:?}");
}

#[test]
fn keys_may_be_those_that_were_sealed_for_a_build() {
    let scratch = Scratch::new();
    let issuer = "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example";
    let seed = |fetched_at: u64| {
        let keys: Value = serde_json::from_str(&jwks(&USERS)).unwrap();
        let seed = json!({"issuer": issuer, "jwks_url": format!("{issuer}/.well-known/jwks.json"),
            "fetched_at": fetched_at, "max_age": 300, "jwks": keys});
        json!({ "users": seed }).to_string()
    };
    let records = scratch.file("records.json", RECORDS);
    let now = NOW.to_string();
    let explain = |text: &str| {
        let keys = scratch.file("seeds.json", text);
        let args = ["explain", "/companies/1111/users/jane/orders", "--keys", &keys, "--permissions", &records];
        run_with(&[&args[..], &["--now", &now]].concat(), &user(json!({})))
    };
    let told = explain(&seed(NOW - 60));
    assert_eq!(told.code, 0, "{told:?}");
    let told = explain(&seed(NOW - 8 * 24 * 3600));
    assert_eq!(told.code, 2, "{told:?}");
    assert!(told.err.contains("`users`: the keys are past the issuer's hard maximum age"), "{told:?}");
}

#[test]
fn a_shadow_route_is_told_beside_what_decided() {
    let scratch = Scratch::new();
    let shadow = "[[route]]\nname = \"health-soon\"\nmethods = [\"GET\"]\npath = \"/health\"\norigin = \"vouchers\"\n\
                  issuer = \"users\"\nscopes = [\"health\"]\nshadow = true\n\n[[test]]";
    let policy = scratch.file("policy.toml", &example_with("[[test]]", shadow));
    let told = run(&["explain", "/health", "--policy", &policy]);
    assert_eq!(told.code, 0, "{told:?}");
    let told = told.out;
    assert!(told.starts_with("permit by `health`"), "{told}");
    assert!(told.contains("in shadow, which decides nothing: deny by `health-soon`: credential_missing"), "{told}");
}

#[test]
fn the_marks_are_letters_where_the_locale_has_no_others() {
    let told = crate::support::output(
        crate::support::postern(&["explain", "/health", "-X", "PUT"]).env("LC_ALL", "C").write_stdin(""),
    );
    assert!(told.out.contains("  + target: ") && told.out.contains("  x route: "), "{}", told.out);
    assert!(told.out.is_ascii(), "{}", told.out);
}
