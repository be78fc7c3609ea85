//! `postern test`.

use serde_json::json;

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
    assert!(told.out.contains("result: ok; 40 passed; 0 failed\n"), "{}", told.out);
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
        "result: FAILED; 38 passed; 2 failed\n",
    ] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let told = test(&text, &["--format", "json"]);
    assert_eq!(told.code, 1);
    let told = told.json();
    assert_eq!((&told["passed"], &told["failed"]), (&38.into(), &2.into()));
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
    assert!(told.out.contains("2 passed; 0 failed; 38 left out"), "{}", told.out);
    assert!(!told.out.contains("coverage"), "{}", told.out);
    assert_eq!(run(&["test", "--filter", "a", "--require-coverage"]).code, 2);
}

#[test]
fn what_no_test_covers_is_told_and_fails_when_asked() {
    // Without the tests that expect it, nothing covers a missing role.
    let text = without_tests(&example(), |test| test.contains("expect = \"role_missing\""));
    let told = test(&text, &[]);
    assert_eq!(told.code, 0);
    let summary = "coverage: 8 of 8 routes permitted, 17 of 21 rules of routes, 12 of 13 deny reasons\n";
    assert!(told.out.contains(summary), "{}", told.out);
    assert!(told.out.contains("uncovered: no test is denied for role_missing\n"), "{}", told.out);
    assert!(told.out.contains("uncovered: no test of internal-orders-list is denied by roles\n"), "{}", told.out);
    assert_eq!(test(&text, &["--require-coverage"]).code, 1);
    let told = test(&text, &["--format", "json"]).json();
    assert_eq!(told["coverage"]["reasons"], json!(["role_missing"]));
    assert_eq!(told["coverage"]["whole"], false);
    // Nor is a route covered that no test denies.
    let text = without_tests(&example(), |test| test.contains("/vouchers/") && !test.contains("expect = \"permit\""));
    let told = test(&text, &[]);
    assert!(told.out.contains("uncovered: no test denies vouchers-validate\n"), "{}", told.out);
}

/// The policy without the tests that `is_such` names.
fn without_tests(text: &str, is_such: impl Fn(&str) -> bool) -> String {
    let (rules, tests) = text.split_once("\n[[test]]").unwrap();
    let kept = tests.split("\n[[test]]").filter(|test| !is_such(test));
    kept.fold(rules.to_owned(), |text, test| format!("{text}\n[[test]]{test}"))
}

#[test]
fn a_rule_is_covered_only_on_its_own_route_and_next_to_a_permit() {
    // The other routes still have tests that are denied for the same reason.
    let denied = |test: &str| test.contains("expect = \"company_mismatch\"") && test.contains("vouchers-validate");
    let told = test(&without_tests(&example(), denied), &["--require-coverage", "--format", "json"]);
    assert_eq!(told.code, 1);
    let coverage = &told.json()["coverage"];
    assert_eq!(coverage["reasons"], json!([]));
    let rules = json!([{"route": "vouchers-validate", "never_denied": ["company"], "never_permitted": []}]);
    assert_eq!((&coverage["rules"], &coverage["rules_counted"]), (&rules, &json!(21)));
    let permitted = |test: &str| test.contains("expect = \"permit\"") && test.contains("vouchers-validate");
    let told = test(&without_tests(&example(), permitted), &[]);
    assert!(told.out.contains("7 of 8 routes permitted, 18 of 21 rules of routes"), "{}", told.out);
}

#[test]
fn each_rule_that_is_removed_or_freed_fails_a_test_or_the_coverage() {
    let text = example();
    let headings: Vec<&str> =
        text.split("[[route]]\n").skip(1).map(|route| route.split("\n\n").next().unwrap()).collect();
    let mut tried = 0;
    for route in headings {
        for rule in route.lines() {
            let changed: Vec<String> = match rule.split(" = ").next().unwrap() {
                "scopes" => vec![String::new()],
                "roles" => vec![String::new()],
                "subject" => vec!["subject = \"any\"".to_owned(), "unbound = [\"user\"]".to_owned()],
                "company" => vec!["company = \"any\"".to_owned(), "unbound = [\"company\"]".to_owned()],
                _ => continue,
            };
            for changed in changed {
                let altered = route.replace(rule, &changed);
                // Roles and ages mean nothing without a company.
                let lines = altered.lines().filter(|line| {
                    route.contains("company = \"{company}\"") && altered.contains("company = \"{company}\"")
                        || !(line.starts_with("roles") || line.starts_with("permissions_max_age"))
                });
                let altered: Vec<&str> = lines.collect();
                let policy = text.replacen(route, &altered.join("\n"), 1);
                let told = test(&policy, &["--require-coverage"]);
                // Without a rule for anybody, `unbound` does not even build.
                let is_told = told.out.contains("result: FAILED") || told.err.contains("error[unbound_of_nobody]");
                assert!(told.code == 1 && is_told, "{altered:?}: {told:?}");
                // Without the tests that the rule's absence breaks, what it bound is uncovered.
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 32);
}

/// The policy of the review: a tenant's invoices, the rule of which is gone.
#[test]
fn a_tenants_invoices_without_their_rule_do_not_build_or_are_uncovered() {
    let policy = |rules: &str| {
        format!(
            "[issuer.i]\nurl = \"https://i.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
             token_use = \"access\"\npermissions = \"claims\"\n[origin.o]\nurl = \"https://o.example\"\nkey = \"KEY\"\n\
             [[route]]\nname = \"invoice\"\nmethods = [\"GET\"]\npath = \"/v1/tenants/{{tenant}}/invoices/{{invoice}}\"\n\
             origin = \"o\"\nissuer = \"i\"\nscopes = [\"s\"]\n{rules}\n"
        )
    };
    let case = |name: &str, tenant: &str, scope: &str, expect: &str| {
        format!(
            "[[test]]\nname = \"{name}\"\nmethod = \"GET\"\ntarget = \"/v1/tenants/{tenant}/invoices/7\"\nissuer = \"i\"\n\
             subject = \"u\"\nscopes = [\"{scope}\"]\ncompanies = {{ acme = [] }}\nexpect = \"{expect}\"\n"
        )
    };
    let tests = case("own", "acme", "s", "permit") + &case("no scope", "acme", "t", "scope_missing");
    let told = test(&(policy("") + &tests), &[]);
    assert!(told.code == 1 && told.err.contains("error[unbound_company]: the path has `{tenant}`"), "{told:?}");
    // All tests are green either way, and either way a line says what they leave out.
    let told = test(&(policy("company = \"{tenant}\"") + &tests), &[]);
    assert!(told.code == 0 && told.out.contains("uncovered: no test of invoice is denied by company\n"), "{told:?}");
    let told = test(&(policy("company = \"any\"") + &tests), &[]);
    let line = "uncovered: no test of invoice is permitted with another {tenant} than the caller's\n";
    assert!(told.code == 0 && told.out.contains(line), "{told:?}");
    assert_eq!(test(&(policy("company = \"any\"") + &tests), &["--require-coverage"]).code, 1);
    // A test that needs the rule fails without it; one that wants it gone covers what is free.
    let other = tests.clone() + &case("other", "globex", "s", "company_mismatch");
    assert!(!test(&(policy("company = \"{tenant}\"") + &other), &[]).out.contains("no test of invoice"));
    assert_eq!(test(&(policy("company = \"any\"") + &other), &[]).code, 1);
    let open = tests + &case("open", "globex", "s", "permit");
    assert!(!test(&(policy("company = \"any\"") + &open), &[]).out.contains("no test of invoice"));
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
