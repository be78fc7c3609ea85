//! `postern test`.

use crate::support::{Output, Scratch, example, example_with, run};

fn test(text: &str, more: &[&str]) -> Output {
    let scratch = Scratch::new();
    let file = scratch.file("policy.toml", text);
    run(&[&["test", &file], more].concat())
}

#[test]
fn the_examples_tests_pass_and_cover_it() {
    let told = run(&["test", "--require-coverage"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert!(told.out.contains("a manager lists the orders of their company ... ok\n"), "{}", told.out);
    assert!(told.out.contains("result: ok; 24 passed; 0 failed\n"), "{}", told.out);
    assert!(!told.out.contains("uncovered"), "{}", told.out);
}

#[test]
fn a_test_that_fails_says_what_came_instead_and_why() {
    let text = example_with(
        "company = \"{company}\"\nroles = [\"Manager\"]",
        "company = \"{company}\"\nroles = [\"Standard\"]",
    );
    let told = test(&text, &[]);
    assert_eq!(told.code, 1);
    for part in [
        "a manager lists the orders of their company ... FAILED\n",
        "GET /companies/1111/users/u1/orders: expected permit; came deny by `internal-orders-list`: role_missing\n",
        "  ✗ role: the caller holds Manager in company 1111; the route wants Standard\n",
        "expected deny: role_missing; came permit by `internal-orders-list`, company 2222\n",
        "result: FAILED; 22 passed; 2 failed\n",
    ] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let told = test(&text, &["--format", "json"]);
    assert_eq!(told.code, 1);
    let told = told.json();
    assert_eq!((&told["passed"], &told["failed"]), (&22.into(), &2.into()));
    let failed = told["tests"].as_array().unwrap().iter().find(|test| test["passed"] == false).unwrap();
    assert_eq!(failed["why"], "the caller holds Manager in company 1111; the route wants Standard");
}

#[test]
fn the_route_and_the_company_that_a_test_names_are_held_to_it() {
    for (from, to, says) in [
        (
            "route = \"external-orders-list\"\ncompany = \"1111\"",
            "route = \"external-orders-get\"",
            "expected the route `external-orders-get` to decide; came permit by `external-orders-list`",
        ),
        (
            "route = \"external-orders-list\"\ncompany = \"1111\"",
            "company = \"2222\"",
            "expected the permit to be for company 2222; came permit by `external-orders-list`, company 1111",
        ),
    ] {
        let told = test(&example_with(from, to), &["--filter", "lists the orders of its own"]);
        assert_eq!(told.code, 1);
        assert!(told.out.contains(says), "{says}: {}", told.out);
    }
}

#[test]
fn a_filter_runs_some_and_says_nothing_of_coverage() {
    let told = run(&["test", "--filter", "health"]);
    assert_eq!(told.code, 0);
    assert!(told.out.starts_with("running 2 tests\n"), "{}", told.out);
    assert!(told.out.contains("2 passed; 0 failed; 22 left out"), "{}", told.out);
    assert!(!told.out.contains("coverage"), "{}", told.out);
    assert_eq!(run(&["test", "--filter", "a", "--require-coverage"]).code, 2);
}

#[test]
fn what_no_test_covers_is_told_and_fails_when_asked() {
    // Without the test that expects it, nothing covers a missing role, nor the one route's denial.
    let text = example();
    let start = text.find("[[test]]\nname = \"a manager of one company").unwrap();
    let end = start + text[start..].find("[[test]]\nname = \"a manager reads").unwrap();
    let text = format!("{}{}", &text[..start], &text[end..]);
    let told = test(&text, &[]);
    assert_eq!(told.code, 0);
    assert!(told.out.contains("coverage: 8 of 8 routes permitted, 12 of 13 deny reasons\n"), "{}", told.out);
    assert!(told.out.contains("uncovered: no test denies internal-orders-list\n"), "{}", told.out);
    assert!(told.out.contains("uncovered: no test is denied for role_missing\n"), "{}", told.out);
    assert_eq!(test(&text, &["--require-coverage"]).code, 1);
    let told = test(&text, &["--format", "json"]).json();
    assert_eq!(told["coverage"]["reasons"], serde_json::json!(["role_missing"]));
    assert_eq!(told["coverage"]["whole"], false);
}

#[test]
fn tokens_are_signed_with_whatever_the_section_signs_with() {
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] {
        let text = example_with("[\"RS256\", \"ES256\", \"EdDSA\"]", &format!("[\"{algorithm}\"]"));
        let told = test(&text, &["--filter", "of its own company"]);
        assert!(told.code == 0 && told.out.contains("; 2 passed; 0 failed;"), "{algorithm}: {}", told.out);
    }
}

/// Sections of every provider, and two of one URL; each has a test that is permitted and one that is not.
#[test]
fn tokens_fit_the_sections_of_every_provider() {
    let sections = [
        ("cognito", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_A", "clients = [\"one\"]"),
        ("cognito", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_A", "clients = [\"two\", \"three\"]"),
        ("auth0", "https://tenant.eu.auth0.com/", "audience = [\"https://api.example\"]"),
        ("okta", "https://example.okta.com/oauth2/default", "audience = [\"api\"]\nclients = [\"app\"]"),
        (
            "entra",
            "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
            "audience = [\"api\"]",
        ),
        ("keycloak", "https://keycloak.example/realms/main", "audience = [\"api\"]"),
    ];
    let mut text = "roles = [\"Manager\"]\n[origin.o]\nurl = \"https://o.example\"\nkey = \"KEY\"\n".to_owned();
    let mut tests = String::new();
    for (index, (preset, url, accepts)) in sections.iter().enumerate() {
        text += &format!(
            "[issuer.s{index}]\npreset = \"{preset}\"\nurl = \"{url}\"\n{accepts}\npermissions = \"claims\"\n\
             [[route]]\nname = \"r{index}\"\nmethods = [\"GET\"]\npath = \"/{index}/{{company}}\"\norigin = \"o\"\n\
             issuer = \"s{index}\"\ncompany = \"{{company}}\"\nroles = [\"Manager\"]\nscopes = [\"read\"]\n"
        );
        for (kind, expect) in
            [("valid", "permit"), ("wrong_audience", "audience_mismatch"), ("forged", "signature_invalid")]
        {
            tests += &format!(
                "[[test]]\nname = \"{index} {kind}\"\nmethod = \"GET\"\ntarget = \"/{index}/1\"\nissuer = \"s{index}\"\n\
                 subject = \"u\"\nscopes = [\"read\"]\ncompanies = {{ 1 = [\"Manager\"] }}\ntoken = \"{kind}\"\n\
                 expect = \"{expect}\"\n"
            );
        }
    }
    tests += "[[test]]\nname = \"one client is not the other\"\nmethod = \"GET\"\ntarget = \"/0/1\"\nissuer = \"s1\"\n\
              subject = \"u\"\nscopes = [\"read\"]\ncompanies = { 1 = [\"Manager\"] }\nexpect = \"audience_mismatch\"\n\
              [[test]]\nname = \"the client may be named\"\nmethod = \"GET\"\ntarget = \"/1/1\"\nissuer = \"s1\"\n\
              subject = \"u\"\nclient = \"three\"\nscopes = [\"read\"]\ncompanies = { 1 = [\"Manager\"] }\n\
              expect = \"permit\"\n";
    let told = test(&(text + &tests), &[]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("20 passed; 0 failed"), "{}", told.out);
}
