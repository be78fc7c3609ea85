//! What a policy's members may be called and may hold: every stranger is named at its own place, all in one round.

use postern::policy::{LineColumn, PolicyErrors, PolicyFault, from_toml};

use crate::support::policies::{EXAMPLE, SMALL};

fn altered(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "the policy does not say `{from}`");
    SMALL.replace(from, to)
}

fn with(addition: &str) -> String {
    format!("{SMALL}{addition}\n")
}

fn errors(text: &str) -> PolicyErrors {
    from_toml(text, None).expect_err("the policy was accepted")
}

/// The text has this one fault, at this pointer, and its span is exactly this text.
#[track_caller]
fn one(text: &str, pointer: &str, fault: PolicyFault, source: &str) {
    let errors = errors(text);
    let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, &fault), "{text}");
    let span = error.span.clone().unwrap_or_else(|| panic!("`{pointer}` has no span"));
    assert!(text[span.clone()].starts_with(source), "`{pointer}` is shown at `{}`", &text[span]);
}

fn unknown(name: &str, table: &'static str, near: Option<&'static str>) -> PolicyFault {
    PolicyFault::UnknownMember(name.into(), table, near)
}

#[test]
fn an_unknown_member_is_named_with_the_nearest_right_one_and_its_table() {
    for (text, pointer, fault, source) in [
        (
            altered("issuer = \"users\"", "isuer = \"users\""),
            "route[0].isuer",
            unknown("isuer", "a route", Some("issuer")),
            "isuer",
        ),
        (
            altered("company = \"{company}\"", "compnay = \"{company}\""),
            "route[0].compnay",
            unknown("compnay", "a route", Some("company")),
            "compnay",
        ),
        (
            altered("url = \"https://i", "URL = \"https://i"),
            "issuer.users.URL",
            unknown("URL", "an issuer", Some("url")),
            "URL",
        ),
        (
            altered("[permissions]", "[permisions]"),
            "permisions",
            unknown("permisions", "the policy", Some("permissions")),
            "permisions",
        ),
        (
            with("[cors]\norigins = [\"https://a.example\"]\nmax-age = \"1m\""),
            "cors.max-age",
            unknown("max-age", "`[cors]`", Some("max_age")),
            "max-age",
        ),
        (with("wholly_other = 1"), "route[0].wholly_other", unknown("wholly_other", "a route", None), "wholly_other"),
        (
            with("company_of = { header = \"x-a\" }"),
            "route[0].company_of",
            unknown("company_of", "a route", Some("company")),
            "company_of",
        ),
        (
            with("scopes = { all_off = [\"a\"] }"),
            "route[0].scopes.all_off",
            unknown("all_off", "a route's `scopes`", Some("all_of")),
            "all_off",
        ),
        (with("\"a.b\" = 1"), "route[0].\"a.b\"", unknown("a.b", "a route", None), "\"a.b\""),
    ] {
        one(&text, pointer, fault, source);
    }
}

#[test]
fn a_value_of_another_type_is_told_what_is_expected() {
    for (text, pointer, expected, source) in [
        (altered("[\"EdDSA\"]", "\"EdDSA\""), "issuer.users.algorithms", "a list of strings", "\"EdDSA\""),
        (altered("[\"EdDSA\"]", "[1]"), "issuer.users.algorithms[0]", "a string", "1"),
        (with("public = \"yes\""), "route[0].public", "`true` or `false`", "\"yes\""),
        (with("permissions_max_age = 30"), "route[0].permissions_max_age", "a string", "30"),
        (with("require = [\"a\"]"), "route[0].require", "a table", "[\"a\"]"),
        (with("require.a = 1"), "route[0].require.a", "`true` or `false` or a string or a list of strings", "1"),
        (with("[limits]\nmax_token_bytes = \"1\""), "limits.max_token_bytes", "a whole number", "\"1\""),
        (with("[limits]\nmax_token_bytes = -1"), "limits.max_token_bytes", "a whole number", "-1"),
        (with("[log]\npermits = \"all\""), "log.permits", "a number from 0.0 to 1.0", "\"all\""),
        (
            altered("company = \"{company}\"", "company = { header = \"x-a\", query = \"a\" }"),
            "route[0].company",
            "`{ header = … }` or `{ query = … }`",
            "{ header",
        ),
        (altered("issuer = \"users\"", "issuer = 1"), "route[0].issuer", "a string or a list of strings", "1"),
    ] {
        one(&text, pointer, PolicyFault::MemberType(expected.into()), source);
    }
}

#[test]
fn a_member_that_must_be_there_is_missed_at_its_table() {
    for (text, pointer, fault, source) in [
        (
            altered("methods = [\"GET\"]\n", ""),
            "route[0].methods",
            PolicyFault::MissingMember("methods", "a route"),
            "[[route]]",
        ),
        (
            altered("path = \"/companies/{company}/orders\"\n", ""),
            "route[0].path",
            PolicyFault::MissingMember("path", "a route"),
            "[[route]]",
        ),
        (
            altered("url = \"https://issuer.example\"\n", ""),
            "issuer.users.url",
            PolicyFault::MissingMember("url", "an issuer"),
            "[issuer.users]",
        ),
        (
            altered("key = \"KEY_ORDERS\"\n", ""),
            "origin.orders.key",
            PolicyFault::MissingMember("key", "an origin"),
            "[origin.orders]",
        ),
        (
            altered("[permissions]\norigin = \"orders\"", "[permissions]"),
            "permissions.origin",
            PolicyFault::MissingMember("origin", "`[permissions]`"),
            "[permissions]",
        ),
    ] {
        one(&text, pointer, fault, source);
    }
}

#[test]
fn faults_of_shape_and_of_meaning_are_told_in_one_round_and_in_the_order_of_the_text() {
    let text = altered("token_use", "tokn_use")
        .replace("algorithms = [\"EdDSA\"]", "algorithms = [\"HS256\"]")
        .replace("https://orders.example", "http://orders.example")
        .replace("methods = [\"GET\"]", "methods = [\"get\"]\nrolls = [\"Manager\"]\ncolour = 1");
    let pointers: Vec<String> = errors(&text).0.into_iter().map(|error| error.pointer).collect();
    assert_eq!(
        pointers,
        [
            "issuer.users.algorithms[0]",
            "issuer.users.tokn_use",
            "origin.orders.url",
            "route[0].methods[0]",
            "route[0].rolls",
            "route[0].colour"
        ]
    );
}

#[test]
fn a_name_that_holds_a_dot_is_found_at_its_own_place() {
    let dotted = |from: &str, to: &str| {
        let text = SMALL
            .replace("[issuer.users]", "[issuer.\"a.b\"]")
            .replace("issuer = \"users\"", "issuer = \"a.b\"")
            .replace("[origin.orders]", "[origin.\"o.url\"]")
            .replace("origin = \"orders\"", "origin = \"o.url\"");
        assert!(text.contains(from));
        text.replace(from, to)
    };
    assert!(from_toml(&dotted("", ""), None).is_ok());
    one(
        &dotted("https://issuer.example", "http://issuer.example"),
        "issuer.\"a.b\".url",
        PolicyFault::Url("http://issuer.example".into()),
        "\"http://issuer",
    );
    one(&dotted("\"KEY_ORDERS\"", "\"key\""), "origin.\"o.url\".key", PolicyFault::KeyName, "\"key\"");
    let claim = dotted("token_use = \"access\"", "token_use = \"access\"\nrequire.\"https://a.example/x.y\" = []");
    one(&claim, "issuer.\"a.b\".require.\"https://a.example/x.y\"", PolicyFault::RequiredForm("[]".into()), "[]");
    let overlay = "[origin.\"o.url\"]\nurl = \"ftp://x\"";
    let errors = from_toml(&dotted("", ""), Some(overlay)).unwrap_err();
    assert_eq!(errors.0[0].pointer, "overlay.origin.\"o.url\".url");
    assert_eq!(LineColumn::of(overlay, errors.0[0].span.clone().unwrap().start).line, 2);
}

#[test]
fn a_misspelt_rule_never_leaves_a_policy_without_the_rule() {
    for member in ["company", "subject", "scopes", "roles", "issuer", "path", "methods"] {
        let line = EXAMPLE.lines().find(|line| line.starts_with(&format!("{member} = ")) && !line.contains("Standard"));
        let line = line.unwrap();
        for misspelt in [line.replacen(&member[1..2], "", 1), format!("x_{line}"), line.replacen('=', "_= ", 1)] {
            let text = EXAMPLE.replacen(&format!("\n{line}"), &format!("\n{misspelt}"), 1);
            assert!(text != EXAMPLE && from_toml(&text, None).is_err(), "`{misspelt}` was accepted");
        }
    }
}
