//! Everything that can be wrong with a policy: found, named by its pointer, and shown at its line.

use std::time::Duration;

use postern::policy::{JwksLocation, LineColumn, PolicyErrors, PolicyFault, from_toml};

use crate::support::policies::SMALL;

/// The smallest policy with `from` replaced by `to`, wherever it stands.
fn altered(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "the policy does not say `{from}`");
    SMALL.replace(from, to)
}

fn with(addition: &str) -> String {
    format!("{SMALL}{addition}")
}

fn errors(text: &str) -> PolicyErrors {
    from_toml(text, None).expect_err("the policy was accepted")
}

/// The text has this one fault, at this pointer, on a line that begins so.
#[track_caller]
fn fault(text: &str, pointer: &str, fault: PolicyFault, line: &str) {
    let errors = errors(text);
    let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, &fault), "{text}");
    let span = error.span.clone().unwrap_or_else(|| panic!("`{pointer}` has no span"));
    let place = LineColumn::of(text, span.start);
    let shown = text.lines().nth(place.line - 1).unwrap();
    assert!(shown.starts_with(line), "`{pointer}` is shown at `{shown}`");
    assert!(place.column <= shown.chars().count() + 1);
    // What people read: the place, what is wrong, and how to mend it.
    let sentence = error.to_string();
    assert!(sentence.contains(&error.fault.mend()) && !error.fault.mend().is_empty(), "{sentence}");
    assert!(sentence.starts_with(pointer), "{sentence}");
}

/// The policy for callers that are companies themselves.
fn machines() -> String {
    altered("permissions = \"service\"", "permissions = \"subject\"")
        .replace("[permissions]\norigin = \"orders\"\n", "")
}

fn owned(text: &str) -> String {
    text.to_owned()
}

#[test]
fn the_policy_that_the_cases_alter_is_accepted() {
    assert!(from_toml(SMALL, None).is_ok());
}

#[test]
fn what_is_no_toml_is_a_fault_at_its_line() {
    for (text, line) in [
        (altered("[issuer.users]", "[issuer.users"), "[issuer.users"),
        (altered("name = \"orders\"", "name = orders"), "name = orders"),
        (with("[issuer.users]\nurl = \"x\""), "[issuer.users]"),
    ] {
        let errors = errors(&text);
        let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
        assert!(matches!(error.fault, PolicyFault::Syntax(_)), "{errors}");
        let place = LineColumn::of(&text, error.span.clone().unwrap().start);
        assert!(text.lines().nth(place.line - 1).unwrap().starts_with(line), "{line}: {place:?} {errors}");
    }
}

#[test]
fn an_empty_policy_is_told_all_that_it_lacks() {
    let errors = errors("");
    let pointers: Vec<(&str, &PolicyFault)> = errors.0.iter().map(|e| (e.pointer.as_str(), &e.fault)).collect();
    assert_eq!(pointers, [("issuer", &PolicyFault::Empty("issuer")), ("route", &PolicyFault::Empty("route"))]);
}

#[test]
fn all_faults_are_found_in_one_round() {
    let text = altered("EdDSA", "HS256").replace("\"GET\"", "\"get\"").replace("KEY_ORDERS", "key");
    let mut pointers: Vec<String> = errors(&text).0.into_iter().map(|error| error.pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["issuer.users.algorithms[0]", "origin.orders.key", "route[0].methods[0]"]);
}

#[test]
fn a_name_that_nothing_defines_is_a_fault_with_the_nearest_one() {
    let unknown = |kind, name: &str, near: Option<&str>| PolicyFault::UnknownName(kind, owned(name), near.map(owned));
    fault(
        &altered("issuer = \"users\"", "issuer = \"user\""),
        "route[0].issuer",
        unknown("issuer", "user", Some("users")),
        "issuer = ",
    );
    fault(
        &altered(
            "path = \"/companies/{company}/orders\"\norigin = \"orders\"",
            "path = \"/companies/{company}/orders\"\norigin = \"elsewhere\"",
        ),
        "route[0].origin",
        unknown("origin", "elsewhere", None),
        "origin = ",
    );
    fault(&with("roles = [\"Manger\"]"), "route[0].roles[0]", unknown("role", "Manger", Some("Manager")), "roles = ");
    fault(
        &altered("[permissions]\norigin = \"orders\"", "[permissions]\norigin = \"order\""),
        "permissions.origin",
        unknown("origin", "order", Some("orders")),
        "origin = ",
    );
}

#[test]
fn two_routes_of_one_name_are_a_fault() {
    let second = "[[route]]\nname = \"orders\"\nmethods = [\"GET\"]\npath = \"/x\"\norigin = \"orders\"\npublic = true";
    fault(&with(second), "route[1].name", PolicyFault::DuplicateName("route", owned("orders")), "name = \"orders\"");
}

#[test]
fn a_url_that_may_not_stand_in_a_policy_is_a_fault() {
    for url in [
        "http://issuer.example",
        "http://127.0.0.1:4001",
        "http://localhost",
        "issuer.example",
        "https://",
        "https://user@issuer.example",
        "https://issuer.example?x",
        "https://issuer.example#x",
        "https://ISSUER.example",
        "https://issuer.example/../x",
        "https://issuer.example:0",
        "ftp://issuer.example",
        "",
    ] {
        let text = altered("\"https://issuer.example\"", &format!("\"{url}\"\njwks_url = \"https://keys.example\""));
        fault(&text, "issuer.users.url", PolicyFault::Url(owned(url)), "url = ");
        let text = altered("\"https://issuer.example\"", &format!("\"https://issuer.example\"\njwks_url = \"{url}\""));
        fault(&text, "issuer.users.jwks_url", PolicyFault::Url(owned(url)), "jwks_url = ");
        let text = altered("https://orders.example", url);
        fault(&text, "origin.orders.url", PolicyFault::Url(owned(url)), "url = ");
    }
    // A closing slash is part of some issuers' names, and of no origin's.
    let origin = altered("https://orders.example", "https://orders.example/");
    fault(&origin, "origin.orders.url", PolicyFault::Url(owned("https://orders.example/")), "url = ");
    let issuer = from_toml(&altered("https://issuer.example", "https://issuer.example/"), None).unwrap();
    assert_eq!(issuer.issuers()[0].url(), "https://issuer.example/");
    let metadata = "https://issuer.example/.well-known/openid-configuration";
    assert_eq!(*issuer.issuers()[0].jwks(), JwksLocation::Discovery(metadata.into()));
}

#[test]
fn a_duration_that_is_none_or_too_long_is_a_fault() {
    let max = Duration::from_secs(300);
    for text in ["", "30", "30 s", "-1s", "1.5s", "1d", "301s", "6m"] {
        let expected = match text {
            "301s" | "6m" => PolicyFault::TooLong(owned(text), max),
            _ => PolicyFault::Duration(owned(text)),
        };
        let age = with(&format!("permissions_max_age = \"{text}\""));
        fault(&age, "route[0].permissions_max_age", expected.clone(), "permissions_max_age");
        let leeway = altered("token_use", &format!("leeway = \"{text}\"\ntoken_use"));
        fault(&leeway, "issuer.users.leeway", expected, "leeway");
    }
    let cors = with("[cors]\norigins = [\"https://a.example\"]\nmax_age = \"soon\"");
    fault(&cors, "cors.max_age", PolicyFault::Duration(owned("soon")), "max_age");
}

#[test]
fn an_algorithm_that_is_not_in_the_table_is_a_fault() {
    for name in ["HS256", "none", "ES256K", "eddsa", "", "dir"] {
        let text = altered("[\"EdDSA\"]", &format!("[\"EdDSA\", \"{name}\"]"));
        fault(&text, "issuer.users.algorithms[1]", PolicyFault::Algorithm(owned(name)), "algorithms");
    }
}

#[test]
fn a_list_that_must_not_be_empty_is_a_fault() {
    fault(&altered("[\"EdDSA\"]", "[]"), "issuer.users.algorithms", PolicyFault::Empty("algorithm"), "algorithms");
    fault(&altered("[\"GET\"]", "[]"), "route[0].methods", PolicyFault::Empty("method"), "methods");
    fault(&with("[cors]\norigins = []"), "cors.origins", PolicyFault::Empty("origin"), "origins");
}

#[test]
fn an_issuer_must_say_for_whom_its_tokens_are() {
    let bare = altered("audience = [\"https://api.example\"]\n", "");
    fault(&bare, "issuer.users", PolicyFault::NoAudience, "[issuer.users]");
    let empty = altered("[\"https://api.example\"]", "[]\nclients = []");
    fault(&empty, "issuer.users", PolicyFault::NoAudience, "[issuer.users]");
    let any = altered("[\"https://api.example\"]", "\"any\"");
    fault(&any, "issuer.users", PolicyFault::NoAudience, "[issuer.users]");
    assert!(from_toml(&any.replace("\"any\"", "\"any\"\nclients = [\"c\"]"), None).is_ok());
    let one = altered("[\"https://api.example\"]", "\"https://api.example\"");
    fault(&one, "issuer.users.audience", PolicyFault::AudienceForm(owned("https://api.example")), "audience = ");
}

#[test]
fn an_issuer_must_tell_its_access_tokens_from_its_id_tokens() {
    fault(&altered("token_use = \"access\"\n", ""), "issuer.users", PolicyFault::NoTokenKind, "[issuer.users]");
    assert!(from_toml(&altered("token_use = \"access\"", "token_type = \"at+jwt\""), None).is_ok());
}

#[test]
fn permissions_must_have_a_source() {
    fault(
        &altered("permissions = \"service\"", "permissions = \"nobody\""),
        "issuer.users.permissions",
        PolicyFault::PermissionsSource(owned("nobody")),
        "permissions = ",
    );
    fault(
        &altered("[permissions]\norigin = \"orders\"\n", ""),
        "issuer.users.permissions",
        PolicyFault::NoPermissionsService,
        "permissions = ",
    );
}

const TWIN: &str = "[issuer.zwin]\nurl = \"https://issuer.example\"\nalgorithms = [\"EdDSA\"]\ntoken_use = \"access\"\n\
                    permissions = \"service\"\n";

#[test]
fn two_issuers_of_one_url_must_be_told_apart() {
    for rule in [
        "audience = [\"https://api.example\"]",
        "audience = [\"x\", \"https://api.example\"]",
        "audience = \"any\"\nclients = [\"c\"]",
    ] {
        let text = altered("issuer = \"users\"", "issuer = [\"users\", \"zwin\"]") + &format!("{TWIN}{rule}");
        fault(&text, "issuer.zwin", PolicyFault::IssuersOverlap(owned("users")), "[issuer.zwin]");
    }
    let both = altered("issuer = \"users\"", "issuer = [\"users\", \"zwin\"]");
    assert!(from_toml(&format!("{both}{TWIN}audience = [\"other\"]"), None).is_ok());
    let keys = format!("{both}{TWIN}audience = [\"other\"]\njwks_url = \"https://keys.example\"");
    fault(&keys, "issuer.zwin.jwks_url", PolicyFault::IssuerKeysDiffer(owned("users")), "jwks_url");
    let stale = format!("{both}{TWIN}audience = [\"other\"]\njwks_max_stale = \"10m\"");
    let differs = PolicyFault::IssuerStalenessDiffers(owned("users"));
    fault(&stale, "issuer.zwin.jwks_max_stale", differs, "jwks_max_stale");
}

#[test]
fn two_origins_must_not_share_a_key() {
    let text = with("[origin.vouchers]\nurl = \"https://v.example\"\nkey = \"KEY_ORDERS\"")
        .replace("[permissions]\norigin = \"orders\"", "[permissions]\norigin = \"vouchers\"");
    fault(&text, "origin.vouchers.key", PolicyFault::SharedKey(owned("orders")), "key");
}

#[test]
fn a_key_is_the_name_of_a_secret_and_never_the_secret() {
    for key in ["", "key", "KEY ORDERS", "KEY-ORDERS", "c2VjcmV0", "{}"] {
        let text = altered("KEY_ORDERS", key);
        fault(&text, "origin.orders.key", PolicyFault::KeyName, "key");
    }
}

#[test]
fn a_method_that_no_route_can_have_is_a_fault() {
    for method in ["get", "Get", "", "CONNECT", "TRACE", "GET POST", "*", "G\u{c9}T"] {
        let text = altered("[\"GET\"]", &format!("[\"GET\", \"{method}\"]"));
        fault(&text, "route[0].methods[1]", PolicyFault::Method(owned(method)), "methods");
    }
}

#[test]
fn a_path_that_is_no_template_is_a_fault() {
    for path in [
        "companies/{company}",
        "/companies//{company}",
        "/{company}/{company}",
        "/{Company}",
        "/a{company}",
        "/{company",
        "/..",
        "/a/./{company}",
        "/%2e%2e/{company}",
        "/a b",
        "/a;b",
        "/a%2Fb",
        "/%41",
        "",
        "/*",
    ] {
        // No company is bound, lest the parameter be missed too.
        let text = altered("/companies/{company}/orders", path).replace("company = \"{company}\"", "company = \"any\"");
        if path == "/*" {
            assert!(from_toml(&text, None).is_ok(), "a star is a character like any other");
            continue;
        }
        fault(&text, "route[0].path", PolicyFault::Path(owned(path)), "path");
    }
}

#[test]
fn a_route_must_say_who_may_call_it() {
    let text = altered("issuer = \"users\"\n", "");
    fault(&text, "route[0]", PolicyFault::NoIssuer, "[[route]]");
    let text = altered("issuer = \"users\"\n", "issuer = []\n");
    fault(&text, "route[0]", PolicyFault::NoIssuer, "[[route]]");
    let text = altered("issuer = \"users\"\n", "public = false\n");
    fault(&text, "route[0]", PolicyFault::NoIssuer, "[[route]]");
}

#[test]
fn a_public_route_asks_nobody_for_anything() {
    let public = altered("issuer = \"users\"\ncompany = \"{company}\"", "public = true\ncompany = \"any\"");
    assert!(from_toml(&public, None).unwrap().routes()[0].is_public());
    for (rule, text) in
        [("issuer", "issuer = \"users\""), ("subject", "subject = \"{company}\""), ("scopes", "scopes = [\"a\"]")]
    {
        fault(&format!("{public}{text}"), &format!("route[0].{rule}"), PolicyFault::PublicWithRule(rule), rule);
    }
    let bound = altered("issuer = \"users\"", "public = true");
    fault(&bound, "route[0].company", PolicyFault::PublicWithRule("company"), "company");
    let roles = errors(&format!("{public}roles = [\"Manager\"]"));
    assert!(roles.0.iter().any(|error| error.fault == PolicyFault::PublicWithRule("roles")), "{roles}");
}

#[test]
fn a_company_in_the_path_must_be_bound() {
    let text = altered("company = \"{company}\"\n", "");
    fault(&text, "route[0]", PolicyFault::UnboundCompany(owned("company"), false), "[[route]]");
    assert!(from_toml(&altered("company = \"{company}\"", "company = \"any\""), None).is_ok());
}

#[test]
fn a_rule_names_a_parameter_of_the_path() {
    let text = with("subject = \"{user}\"");
    fault(&text, "route[0].subject", PolicyFault::UndefinedParameter(owned("user")), "subject");
    let text = altered("company = \"{company}\"", "company = \"{tenant}\"");
    fault(&text, "route[0].company", PolicyFault::UndefinedParameter(owned("tenant")), "company");
    for form in ["company", "", "{company", "*", "ANY"] {
        let text = altered("company = \"{company}\"", &format!("company = \"{form}\""));
        fault(&text, "route[0].company", PolicyFault::RuleForm("company", owned(form)), "company");
        let text = with(&format!("subject = \"{form}\""));
        fault(&text, "route[0].subject", PolicyFault::RuleForm("subject", owned(form)), "subject");
    }
}

#[test]
fn names_that_go_into_assertions_and_headers_are_plain() {
    let form = |rule, text: &str| PolicyFault::RuleForm(rule, owned(text));
    fault(&altered("name = \"orders\"", "name = \"my orders\""), "route[0].name", form("name", "my orders"), "name");
    fault(&altered("roles = [\"Manager\"]", "edge = \"\""), "edge", form("edge", ""), "edge");
    let issuer = altered("[issuer.users]", "[issuer.\"a b\"]").replace("issuer = \"users\"", "issuer = \"a b\"");
    fault(&issuer, "issuer.\"a b\"", form("name", "a b"), "[issuer.\"a b\"]");
    let origin = altered("[origin.orders]", "[origin.\"a b\"]").replace("origin = \"orders\"", "origin = \"a b\"");
    fault(&origin, "origin.\"a b\"", form("name", "a b"), "[origin.\"a b\"]");
    for list in ["headers", "expose"] {
        let cors = with(&format!("[cors]\norigins = [\"https://a.example\"]\n{list} = [\"a\", \"b c\"]"));
        fault(&cors, &format!("cors.{list}[1]"), form("header", "b c"), list);
    }
}

#[test]
fn roles_are_held_in_a_company_by_callers_that_can_hold_them() {
    let unbound = altered("company = \"{company}\"", "company = \"any\"\nroles = [\"Manager\"]");
    fault(&unbound, "route[0].roles", PolicyFault::RolesWithoutCompany, "roles");
    let machines = machines() + "roles = [\"Manager\"]";
    fault(&machines, "route[0].roles", PolicyFault::RolesUnobtainable(owned("users")), "roles");
}

#[test]
fn an_age_of_permissions_that_nobody_asks_for_is_a_fault() {
    let age = "permissions_max_age = \"1s\"\n";
    let machines = machines() + age;
    fault(&machines, "route[0].permissions_max_age", PolicyFault::MaxAgeUnused, "permissions_max_age");
    let unbound = altered("company = \"{company}\"", "company = \"any\"") + age;
    fault(&unbound, "route[0].permissions_max_age", PolicyFault::MaxAgeUnused, "permissions_max_age");
}

#[test]
fn a_cors_origin_that_browsers_never_send_or_that_opens_to_all_is_a_fault() {
    let cors = |origin: &str, more: &str| with(&format!("[cors]\norigins = [\"{origin}\"]\n{more}"));
    for origin in ["null", "", "app.example", "https://a.example/", "https://a.example/x", "http://a.example"] {
        let expected = PolicyFault::CorsOrigin(owned(origin));
        fault(&cors(origin, ""), "cors.origins[0]", expected, "origins");
    }
    let everyone = PolicyFault::CorsOrigin(owned("*"));
    fault(&cors("*", "credentials = true"), "cors.origins[0]", everyone, "origins");
    assert!(from_toml(&cors("*", ""), None).is_ok());
}

#[test]
fn the_embedded_form_is_checked_as_strictly() {
    let json = from_toml(SMALL, None).unwrap().to_json().to_owned();
    assert!(postern::Policy::from_json(&json).is_ok());
    for (from, to, pointer) in [
        ("\"EdDSA\"", "\"HS256\"", "issuer.users.algorithms[0]"),
        ("https://issuer.example", "http://issuer.example", "issuer.users.url"),
        ("\"company\":\"{company}\"", "\"company\":\"{tenant}\"", "route[0].company"),
        ("\"edge\":\"edge\"", "\"edge\":\"edge\",\"other\":1", ""),
        ("{", "", ""),
    ] {
        assert!(json.contains(from), "{json}");
        let errors = postern::Policy::from_json(&json.replacen(from, to, 1)).unwrap_err();
        assert!(errors.0.iter().any(|error| error.pointer.starts_with(pointer) && error.span.is_none()), "{errors}");
    }
}
