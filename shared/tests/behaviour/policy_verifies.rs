//! Origins that verify the caller's token themselves, and so get no assertion.

use postern::{
    Policy,
    policy::{PolicyErrors, PolicyFault, Verifies, from_toml},
};

/// Claims from the token: nobody asks a permissions service.
const TEXT: &str = r#"
[issuer.users]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["https://api.example"]
token_use = "access"
permissions = "claims"

[origin.orders]
url = "https://orders.example"
verifies = "token"

[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
origin = "orders"
issuer = "users"
company = "{company}"
"#;

#[track_caller]
fn with(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    TEXT.replace(from, to)
}

#[track_caller]
fn assert_fault(text: &str, pointer: &str, fault: &PolicyFault) {
    let PolicyErrors(errors) = from_toml(text, None).expect_err("the policy was accepted");
    let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &error.fault)).collect();
    assert_eq!(found, [(pointer, fault)], "{text}");
    assert!(errors.iter().all(|error| error.span.is_some() && !error.fault.mend().is_empty()));
}

fn without_assertion(member: &'static str) -> PolicyFault {
    PolicyFault::WithoutAssertion(member, "orders".to_owned())
}

#[test]
fn an_origin_says_what_it_verifies_and_has_a_key_for_assertions_alone() {
    for (lines, verifies, key) in [
        ("verifies = \"token\"", Verifies::Token, None),
        ("verifies = \"assertion\"\nkey = \"KEY\"", Verifies::Assertion, Some("KEY")),
        ("key = \"KEY\"", Verifies::Assertion, Some("KEY")),
    ] {
        let policy = from_toml(&with("verifies = \"token\"", lines), None).unwrap();
        for policy in [&policy, &Policy::from_json(policy.to_json()).unwrap()] {
            let [origin] = policy.origins() else { panic!("{policy:?}") };
            assert_eq!((origin.verifies(), origin.key()), (verifies, key), "{lines}");
            assert_eq!(policy.names_secrets(), key.is_some(), "{lines}");
        }
    }
}

#[test]
fn an_origin_that_would_verify_neither_does_not_build() {
    let key = PolicyFault::MissingMember("key", "an origin");
    for lines in ["", "verifies = \"assertion\""] {
        assert_fault(&with("verifies = \"token\"", lines), "origin.orders.key", &key);
    }
    for text in ["Token", "none", ""] {
        let fault = PolicyFault::Verifies(text.to_owned());
        assert_fault(&with("= \"token\"", &format!("= \"{text}\"")), "origin.orders.verifies", &fault);
    }
    let both = with("verifies = \"token\"", "verifies = \"token\"\nkey = \"KEY\"");
    assert_fault(&both, "origin.orders.key", &PolicyFault::KeyUnused);
}

#[test]
fn what_only_an_assertion_can_tell_an_origin_does_not_build_without_one() {
    let route = "origin = \"orders\"\n";
    let also = |lines: &str| with(route, &format!("{route}{lines}\n"));
    assert_fault(&also("headers.x-email = \"email\""), "route[0].headers", &without_assertion("headers"));
    for rule in ["declared", "buffered"] {
        assert_fault(&also(&format!("body = \"{rule}\"")), "route[0].body", &without_assertion("body"));
        let default = format!("{TEXT}[defaults]\nbody = \"{rule}\"\n");
        assert_fault(&default, "defaults.body", &without_assertion("body"));
    }
    from_toml(&also("body = \"streamed\""), None).unwrap();
    let public = format!(
        "{TEXT}[[route]]\nname = \"open\"\nmethods = [\"GET\"]\npath = \"/open\"\norigin = \"orders\"\npublic = true\n"
    );
    assert_fault(&public, "route[1].public", &without_assertion("public"));
    // A default origin is an origin.
    let by_default = public.replace(route, "") + "[defaults]\norigin = \"orders\"\n";
    assert_fault(&by_default, "route[1].public", &without_assertion("public"));
}

#[test]
fn permissions_are_not_asked_with_the_callers_token() {
    let text = with("permissions = \"claims\"", "permissions = \"service\"") + "[permissions]\norigin = \"orders\"\n";
    assert_fault(&text, "permissions.origin", &without_assertion("origin"));
}

#[test]
fn a_signature_that_takes_the_tokens_field_does_not_build() {
    let text = with("verifies = \"token\"", "verifies = \"token\"\nauth_type = \"AWS_IAM\"");
    assert_fault(&text, "origin.orders.auth_type", &without_assertion("auth_type"));
    from_toml(&with("verifies = \"token\"", "verifies = \"token\"\nauth_type = \"NONE\""), None).unwrap();
}
