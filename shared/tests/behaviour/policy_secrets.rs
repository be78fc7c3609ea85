//! A policy names secrets and holds none. What looks like one is a fault that says where, and never what.

use postern::policy::{LineColumn, PolicyFault, from_toml};

use crate::support::policies::{EXAMPLE, SMALL};

// Put together here, so that no search for secrets finds this file.
fn token() -> String {
    ["eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ", "eyJzdWIiOiJhYmMiLCJleHAiOjE4MDAwMDAwMDB9", "c2lnbmF0dXJlLXRoYXQtaXMtbm9uZQ"]
        .join(".")
}

const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const BASE64: &str = "q83vEjRWeJq8Ze0YpLm2Vd7XbT5uHs1KcRw9oGfNiQ4";

/// Each secret, as it may stand in a line.
fn secrets() -> Vec<(&'static str, String)> {
    let aws = ["AKIA", "IOSFODNN7EXAMPLE"].concat();
    vec![
        ("a signed token", token()),
        ("a signed token", format!("Bearer {}", token())),
        ("an access key", aws.clone()),
        ("an access key", ["ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat()),
        ("a URL with a password", "https://user:hunter2@orders.example".into()),
        ("the private part of a JSON Web Key", r#"{'kty':'oct','k':'AyM1SysPpbyDfgZld3umj1qz'}"#.into()),
        ("a text that looks drawn at random, as keys are", BASE64.into()),
        ("a text that looks drawn at random, as keys are", HEX.into()),
    ]
}

#[track_caller]
fn is_told_once_and_never_repeated(text: &str, secret: &str, what: &str) {
    let errors = from_toml(text, None).expect_err("the secret was accepted");
    let shown = format!("{errors} {errors:?}");
    assert!(!shown.contains(secret), "the fault repeats the secret: {shown}");
    let on_its_line = errors.0.iter().filter(|error| {
        let line = LineColumn::of(text, error.span.clone().unwrap().start).line;
        text.lines().nth(line - 1).unwrap().contains(secret)
    });
    let found: Vec<&PolicyFault> = on_its_line.map(|error| &error.fault).collect();
    assert!(matches!(found.as_slice(), [PolicyFault::Secret(_)]), "{found:?} for {secret}");
    assert!(found.iter().all(|fault| !fault.shows_source() && fault.to_string().contains(what)), "{found:?}");
}

#[test]
fn a_secret_in_a_comment_a_value_or_under_a_name_of_its_own_is_a_fault_that_does_not_repeat_it() {
    for (what, secret) in secrets() {
        for text in [
            format!("# was: {secret}\n{SMALL}"),
            SMALL.replace("[permissions]", &format!("[permissions] # {secret}")),
            SMALL.replace("\"KEY_ORDERS\"", &format!("\"{secret}\"")),
            SMALL.replace("name = \"orders\"", &format!("name = \"{secret}\"")),
            format!("{SMALL}colour = \"{secret}\"\n"),
            format!("{SMALL}scopes = [\n  \"a\",\n  \"{secret}\",\n]\n"),
        ] {
            is_told_once_and_never_repeated(&text, &secret, what);
        }
    }
}

#[test]
fn a_token_is_a_secret_even_where_identifiers_stand_and_where_the_text_is_no_toml() {
    let (token, line) = (token(), "audience = [\"https://api.example\"]");
    is_told_once_and_never_repeated(&SMALL.replace(line, &format!("audience = [\"{token}\"]")), &token, "token");
    is_told_once_and_never_repeated(&SMALL.replace(line, &format!("audience = [{token}")), &token, "token");
}

#[test]
fn a_private_key_is_one_fault_however_many_lines_it_has() {
    let body = [BASE64, "AAAA", BASE64].join("\n");
    let key = format!("-----BEGIN PRIVATE{}-----\n{body}\n-----END PRIVATE KEY-----", " KEY");
    let text = format!("{SMALL}pem = '''\n{key}\n'''\n");
    let errors = from_toml(&text, None).unwrap_err();
    let secrets: Vec<_> = errors.0.iter().filter(|error| matches!(error.fault, PolicyFault::Secret(_))).collect();
    let [secret] = secrets.as_slice() else { panic!("{errors}") };
    assert!(text[secret.span.clone().unwrap()].contains(&body) && !errors.to_string().contains("AAAA"));
    let cut = text.replace("-----END", "----END");
    assert!(from_toml(&cut, None).unwrap_err().0.iter().any(|error| matches!(error.fault, PolicyFault::Secret(_))));
}

#[test]
fn a_member_named_like_a_secret_is_not_shown() {
    for name in ["secret", "client_secret", "password", "bearer", "Private-Key", "signing_secret"] {
        let text = SMALL.replace("key = \"KEY_ORDERS\"", &format!("key = \"KEY_ORDERS\"\n{name} = \"hunter2\""));
        is_told_once_and_never_repeated(&text, "hunter2", "a member named like a secret");
    }
}

#[test]
fn what_stands_in_token_is_not_shown_unless_it_is_the_rule() {
    let with =
        |value: &str| SMALL.replace("key = \"KEY_ORDERS\"", &format!("key = \"KEY_ORDERS\"\ntoken = \"{value}\""));
    let errors = from_toml(&with("hunter2"), None).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), ("origin.orders.token", &PolicyFault::TokenRule));
    assert!(!error.fault.shows_source() && !format!("{errors}{errors:?}").contains("hunter2"));
    from_toml(&with("forwarded"), None).unwrap();
    // The rule that was taken out is no secret.
    from_toml(&format!("# token = \"forwarded\"\n{SMALL}"), None).unwrap();
}

#[test]
fn a_member_named_like_a_secret_is_a_secret_in_a_comment_too() {
    for (line, secret) in [
        ("# client_secret = \"hunter2\"", "hunter2"),
        ("#password='hunter2'", "hunter2"),
        ("## api-key: hunter2hunter2", "hunter2hunter2"),
        ("# \"secret\": \"hunter2\",", "hunter2"),
        ("# issuer.users.client_secret = \"hunter2\"", "hunter2"),
        ("# password: \"correct horse\"", "correct horse"),
    ] {
        is_told_once_and_never_repeated(&format!("{line}\n{SMALL}"), secret, "a member named like a secret");
        let text = SMALL.replace("[permissions]", &format!("[permissions] {line}"));
        is_told_once_and_never_repeated(&text, secret, "a member named like a secret");
    }
}

#[test]
fn a_key_that_is_a_value_is_neither_repeated_nor_shown() {
    let errors = from_toml(&SMALL.replace("KEY_ORDERS", "hunter2"), None).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert!(!error.fault.shows_source() && !format!("{errors} {errors:?}").contains("hunter2"));
}

#[test]
fn a_secret_in_an_overlay_is_the_overlays_fault() {
    let overlay = format!("# {}\n", token());
    let errors = from_toml(SMALL, Some(&overlay)).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert!(
        error.is_in_overlay()
            && matches!(error.fault, PolicyFault::Secret(_))
            && error.span == Some(2..overlay.len() - 1)
    );
}

#[test]
fn what_only_looks_like_a_secret_is_none() {
    assert!(from_toml(EXAMPLE, None).is_ok());
    for line in [
        // Identifiers of clients: Cognito, Auth0, Okta, Entra, Google; in their place and spoken of.
        "clients = [\"p4iondtoa9aljeoultesa4nvc\"]",
        "clients = [\"JtY7nXq2Lw8RfB3mZs6KdV1cGh5TpA9e\"]",
        "clients = [\"0oa1gjh63g214q0Hq0g4\", \"11111111-2222-3333-4444-555555555555\"]",
        "clients = [\"407408718192-9f86d081884c7d659a2feaa0c55ad015.apps.googleusercontent.com\"]",
        "audience = [\"api://9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"]",
        "# the client p4iondtoa9aljeoultesa4nvc, JtY7nXq2Lw8RfB3mZs6KdV1cGh5TpA9e before",
        "# pool eu-west-2_aBcD1eFgH, https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_aBcD1eFgH/.well-known/jwks.json",
        // Prose, names of secrets, places of secrets, placeholders.
        "# its secrets: one for each key of an origin",
        "# token: short",
        "# the password: hunter2 was never one",
        "# secret = \"arn:aws:secretsmanager:eu-west-2:123456789012:secret:postern-edge-AbCdEf\"",
        "# api_key = \"POSTERN_KEY_ORDERS\"",
        "# password = \"<yours>\"",
        "# client_secret = \"${CLIENT_SECRET}\"",
        "# since commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "# tenant 11111111-2222-3333-4444-555555555555",
        "# AKIA is how access keys begin, eyJ is how tokens do, and -----BEGIN is how keys in PEM do",
        "# https://user@example.com/path, mailto:a@b, http://a:8080/x@y",
        "# path/with/many/Segments/And/Names/Of/All/Kinds/V2/InOneLine",
        "# internal-orders-service-production-eu-west-2-blue-deployment-2026",
        "# ThisIsAVeryLongNameInCamelCaseWhichHasNumbers2And3AndSoOnForever",
        "jwks_url = \"https://keys.example/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c/jwks\"",
        "token_type = \"at+jwt\"",
    ] {
        let member = line.split(" = ").next().unwrap();
        let rest: String = SMALL
            .lines()
            .filter(|own| !own.starts_with(&format!("{member} = ")))
            .map(|own| format!("{own}\n"))
            .collect();
        let text = rest.replace("[issuer.users]", &format!("[issuer.users]\n{line}"));
        let secrets: Vec<String> = from_toml(&text, None)
            .err()
            .into_iter()
            .flat_map(|errors| errors.0)
            .filter(|error| matches!(error.fault, PolicyFault::Secret(_)))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(secrets, Vec::<String>::new(), "{line}");
    }
}
