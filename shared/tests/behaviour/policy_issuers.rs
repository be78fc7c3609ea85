//! Issuer sections that do not build: presets, required claims, limits, algorithms that a host has not.

use std::time::Duration;

use postern::{
    Algorithm,
    policy::{JwksLocation, LineColumn, PolicyFault, from_toml},
};

use crate::support::policies::SMALL;

/// The smallest policy with another issuer section.
fn with_issuer(section: &str) -> String {
    let (before, rest) = SMALL.split_once("[issuer.users]\n").unwrap();
    let (_, after) = rest.split_once("[origin.orders]").unwrap();
    format!("{before}[issuer.users]\n{section}\npermissions = \"service\"\n[origin.orders]{after}")
}

/// The section has this one fault, at this pointer, on a line that begins so.
#[track_caller]
fn fault(section: &str, pointer: &str, fault: PolicyFault, line: &str) {
    let text = with_issuer(section);
    let errors = from_toml(&text, None).expect_err("the policy was accepted");
    let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, &fault), "{section}");
    let place = LineColumn::of(&text, error.span.clone().expect("a span").start);
    assert!(text.lines().nth(place.line - 1).unwrap().starts_with(line), "{section}: line {}", place.line);
    assert!(!fault.mend().is_empty());
}

const COGNITO: &str = "url = \"https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example\"\nclients = [\"c\"]";

#[test]
fn each_preset_knows_where_its_keys_are() {
    for (preset, url, jwks) in [
        (
            "cognito",
            "https://cognito-idp.eu-west-2.amazonaws.com/p",
            "https://cognito-idp.eu-west-2.amazonaws.com/p/.well-known/jwks.json",
        ),
        ("auth0", "https://t.eu.auth0.com/", "https://t.eu.auth0.com/.well-known/jwks.json"),
        ("okta", "https://a.okta.com/oauth2/default", "https://a.okta.com/oauth2/default/v1/keys"),
        (
            "entra",
            "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0",
            "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/discovery/v2.0/keys",
        ),
        ("keycloak", "https://k.example/realms/r", "https://k.example/realms/r/protocol/openid-connect/certs"),
    ] {
        let text = with_issuer(&format!("preset = \"{preset}\"\nurl = \"{url}\"\naudience = [\"a\"]"));
        let policy = from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(*policy.issuers()[0].jwks(), JwksLocation::Url(jwks.into()));
        assert_eq!(policy.issuers()[0].algorithms(), [Algorithm::Rs256]);
        let own = text.replace("audience =", "jwks_url = \"https://keys.example/jwks\"\naudience =");
        let policy = from_toml(&own, None).unwrap();
        assert_eq!(*policy.issuers()[0].jwks(), JwksLocation::Url("https://keys.example/jwks".into()));
    }
}

#[test]
fn a_preset_nobody_knows_is_a_fault_that_lists_those_there_are() {
    let unknown = PolicyFault::Preset("Cognito".into());
    assert!(unknown.mend().contains("cognito, auth0, okta, entra, keycloak"));
    fault(
        &format!("preset = \"Cognito\"\nalgorithms = [\"RS256\"]\ntoken_use = \"access\"\n{COGNITO}"),
        "issuer.users.preset",
        unknown,
        "preset",
    );
}

#[test]
fn a_url_that_no_issuer_of_the_preset_has_is_a_fault() {
    for (preset, url) in [
        ("cognito", "https://auth.acme.example"),
        ("auth0", "https://t.eu.auth0.com"),
        ("okta", "https://a.okta.com"),
        ("okta", "https://a.okta.com/oauth2/default/"),
        ("entra", "https://login.microsoftonline.com/common/v2.0"),
        ("entra", "https://login.microsoftonline.com/organizations/v2.0"),
        ("entra", "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/"),
        ("keycloak", "https://k.example"),
    ] {
        let text = with_issuer(&format!("preset = \"{preset}\"\nurl = \"{url}\"\naudience = [\"a\"]"));
        let errors = from_toml(&text, None).expect_err(url);
        assert!(
            errors
                .0
                .iter()
                .any(|e| e.pointer == "issuer.users.url"
                    && matches!(e.fault, PolicyFault::PresetUrl(p, _) if p == preset)),
            "{url}: {errors}"
        );
    }
}

#[test]
fn a_development_overlay_may_put_a_stand_in_in_a_providers_place() {
    let overlay = "[issuer.users]\nurl = \"http://127.0.0.1:4001\"";
    let policy = from_toml(&with_issuer(&format!("preset = \"cognito\"\n{COGNITO}")), Some(overlay)).unwrap();
    assert_eq!(*policy.issuers()[0].jwks(), JwksLocation::Url("http://127.0.0.1:4001/.well-known/jwks.json".into()));
}

#[test]
fn an_issuer_told_by_audience_alone_must_name_the_apis_and_not_a_clients() {
    let auth0 = "preset = \"auth0\"\nurl = \"https://t.eu.auth0.com/\"";
    fault(&format!("{auth0}\nclients = [\"c\"]"), "issuer.users", PolicyFault::NoAudienceOfApi, "[issuer.users]");
    fault(
        &format!("{auth0}\nclients = [\"c\"]\naudience = [\"api\", \"c\"]"),
        "issuer.users.audience",
        PolicyFault::AudienceIsClient("c".into()),
        "audience",
    );
    fault(
        &format!("{auth0}\nclients = [\"c\"]\naudience = \"any\""),
        "issuer.users",
        PolicyFault::NoAudienceOfApi,
        "[issuer.users]",
    );
    for section in
        ["clients = [\"c\"]\ntoken_type = \"at+jwt\"\naudience = \"any\"", "audience = [\"api\"]\nclients = [\"c\"]"]
    {
        assert!(from_toml(&with_issuer(&format!("{auth0}\n{section}")), None).is_ok(), "{section}");
    }
}

#[test]
fn a_section_without_audience_builds_only_where_the_provider_sends_none() {
    assert!(from_toml(&with_issuer(&format!("preset = \"cognito\"\n{COGNITO}")), None).is_ok());
    let clients = "clients = [\"c\"]\ntoken_type = \"at+jwt\"";
    for (section, default) in [
        ("url = \"https://issuer.example\"\nalgorithms = [\"ES256\"]", None),
        ("preset = \"auth0\"\nurl = \"https://t.eu.auth0.com/\"", Some("the API's identifier")),
        ("preset = \"okta\"\nurl = \"https://a.okta.com/oauth2/default\"", Some("`api://default`")),
        (
            "preset = \"entra\"\nurl = \"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0\"",
            Some("the application (client) ID"),
        ),
        ("preset = \"keycloak\"\nurl = \"https://k.example/realms/r\"", Some("`account`")),
    ] {
        for audience in ["", "audience = []\n"] {
            let errors = from_toml(&with_issuer(&format!("{section}\n{audience}{clients}")), None).expect_err(section);
            let [error] = errors.0.as_slice() else { panic!("{section}: {errors}") };
            assert_eq!(error.pointer, "issuer.users", "{section}");
            let PolicyFault::AudienceUnsaid(said) = error.fault else { panic!("{section}: {errors}") };
            assert_eq!(said.is_some(), default.is_some(), "{section}");
            assert!(error.fault.mend().contains(default.unwrap_or("`postern inspect`")), "{}", error.fault.mend());
        }
        for audience in ["\"any\"", "[\"api\"]"] {
            let section = format!("{section}\naudience = {audience}\n{clients}");
            assert!(from_toml(&with_issuer(&section), None).is_ok(), "{section}");
        }
    }
}

#[test]
fn without_a_preset_something_must_tell_access_tokens_from_id_tokens() {
    let plain = "url = \"https://issuer.example\"\nalgorithms = [\"ES256\"]\naudience = [\"a\"]";
    fault(plain, "issuer.users", PolicyFault::NoTokenKind, "[issuer.users]");
    for told in
        ["token_use = \"access\"", "token_type = \"at+jwt\"", "require.scope = true", "require.typ = \"Bearer\""]
    {
        assert!(from_toml(&with_issuer(&format!("{plain}\n{told}")), None).is_ok(), "{told}");
    }
}

#[test]
fn a_required_claim_is_true_a_value_or_values() {
    for (written, shown) in [("false", "false"), ("[]", "[]")] {
        let section =
            format!("preset = \"cognito\"\n{COGNITO}\n[issuer.users.require]\ntier = {written}\n[issuer.users.claims]");
        let text = with_issuer(&section)
            .replace("\npermissions = \"service\"", "")
            .replace("[issuer.users]\n", "[issuer.users]\npermissions = \"service\"\n");
        let errors = from_toml(&text, None).expect_err("it was accepted");
        let [error] = errors.0.as_slice() else { panic!("{errors}") };
        assert_eq!(error.pointer, "issuer.users.require.tier");
        assert_eq!(error.fault, PolicyFault::RequiredForm(shown.into()));
    }
}

#[test]
fn a_claim_path_has_names() {
    for path in ["[]", "[\"\"]", "\"\"", "[\"a\", \"\"]"] {
        let section = format!("preset = \"cognito\"\n{COGNITO}\nclaims.roles = {path}");
        fault(&section, "issuer.users.claims.roles", PolicyFault::Empty("claim"), "claims.roles");
    }
}

#[test]
fn limits_are_durations_that_let_something_through() {
    for member in ["max_lifetime", "max_age"] {
        let section = |text: &str| format!("preset = \"cognito\"\n{COGNITO}\n{member} = \"{text}\"");
        let pointer = format!("issuer.users.{member}");
        fault(&section("0s"), &pointer, PolicyFault::ZeroLimit, member);
        fault(&section("soon"), &pointer, PolicyFault::Duration("soon".into()), member);
        let year = Duration::from_secs(366 * 24 * 3600);
        fault(&section("9000h"), &pointer, PolicyFault::TooLong("9000h".into(), year), member);
    }
    let week = Duration::from_secs(7 * 24 * 3600);
    let section = format!("preset = \"cognito\"\n{COGNITO}\njwks_max_stale = \"169h\"");
    fault(&section, "issuer.users.jwks_max_stale", PolicyFault::TooLong("169h".into(), week), "jwks_max_stale");
}

#[test]
fn without_a_preset_algorithms_must_be_named() {
    let section = "url = \"https://issuer.example\"\naudience = [\"a\"]\ntoken_use = \"access\"";
    fault(section, "issuer.users", PolicyFault::Empty("algorithm"), "[issuer.users]");
    fault(
        &format!("{section}\nalgorithms = []"),
        "issuer.users.algorithms",
        PolicyFault::Empty("algorithm"),
        "algorithms",
    );
}

#[test]
fn an_algorithm_that_the_host_has_not_is_named_at_its_place() {
    let section = "url = \"https://issuer.example\"\nalgorithms = [\"RS256\", \"EdDSA\"]\naudience = [\"a\"]\ntoken_use = \"access\"";
    let policy = from_toml(&with_issuer(section), None).unwrap();
    assert!(policy.check_algorithms("a whole host", &Algorithm::ALL).is_ok());
    let errors = policy.check_algorithms("an old host", &[Algorithm::Rs256]).expect_err("it has no EdDSA");
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!(error.pointer, "issuer.users.algorithms[1]");
    assert_eq!(error.fault, PolicyFault::AlgorithmUnavailable("EdDSA", "an old host"));
}
