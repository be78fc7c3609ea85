//! The development overlay: replaces URLs of what is there, lets them be loopback `http`, and leaves a stamp.

use postern::{
    Policy,
    policy::{JwksLocation, LineColumn, PolicyErrors, PolicyFault, from_toml},
};

use crate::support::policies::{EXAMPLE, SMALL};

const OVERLAY: &str = r#"
[issuer.partners]
url = "http://127.0.0.1:4001"
jwks_url = "http://127.0.0.1:4001/jwks"

[issuer.users]
url = "http://localhost:4002"

[origin.external-orders]
url = "http://127.0.0.1:4010/lambda-url/external-orders"

[cors]
origins = ["http://127.0.0.1:4005"]
"#;

fn errors(overlay: &str) -> PolicyErrors {
    from_toml(EXAMPLE, Some(overlay)).expect_err("the overlay was accepted")
}

#[test]
fn an_overlay_replaces_urls_and_nothing_else() {
    let (plain, laid) = (from_toml(EXAMPLE, None).unwrap(), from_toml(EXAMPLE, Some(OVERLAY)).unwrap());
    let issuer = |name: &str| laid.issuers().iter().find(|issuer| issuer.name() == name).unwrap();
    assert_eq!(issuer("partners").url(), "http://127.0.0.1:4001");
    assert_eq!(*issuer("partners").jwks(), JwksLocation::Url("http://127.0.0.1:4001/jwks".into()));
    assert_eq!(*issuer("users").jwks(), JwksLocation::Url("http://localhost:4002/.well-known/jwks.json".into()));
    for (laid, plain) in laid.origins().iter().zip(plain.origins()) {
        let replaced = laid.name() == "external-orders";
        assert_eq!((laid.url() != plain.url(), laid.key()), (replaced, plain.key()), "{}", laid.name());
    }
    let rules = |policy: &Policy| policy.routes().iter().map(|route| format!("{route:?}")).collect::<Vec<_>>();
    assert_eq!(rules(&laid), rules(&plain));
    assert_ne!(laid.version(), plain.version());
}

#[test]
fn an_overlay_leaves_a_stamp_that_the_embedded_form_keeps() {
    assert!(!from_toml(EXAMPLE, None).unwrap().is_development());
    for overlay in ["", OVERLAY] {
        let policy = from_toml(EXAMPLE, Some(overlay)).unwrap();
        assert!(policy.is_development());
        let embedded = Policy::from_json(policy.to_json()).unwrap();
        assert!(embedded.is_development());
        assert_eq!(embedded.version(), policy.version());
    }
}

#[test]
fn nobody_writes_the_stamp() {
    for value in ["true", "\"true\""] {
        let errors = from_toml(&format!("development = {value}\n{EXAMPLE}"), None).unwrap_err();
        assert!(errors.0.iter().all(|error| error.fault == PolicyFault::Stamp), "{errors}");
        assert_eq!(errors.0[0].span.clone().map(|span| LineColumn::of(EXAMPLE, span.start).line), Some(1));
        assert!(from_toml(&format!("development = {value}\n{EXAMPLE}"), Some(OVERLAY)).is_err());
    }
    assert!(from_toml(EXAMPLE, Some("development = false")).is_err());
}

#[test]
fn loopback_http_takes_an_overlay() {
    let loopback = SMALL.replace("https://orders.example", "http://127.0.0.1:4010");
    assert!(from_toml(&loopback, None).is_err());
    assert!(from_toml(&loopback, Some("")).is_ok());
    for url in ["http://orders.example", "http://127.0.0.1.evil.example", "http://10.0.0.1", "http://[::1]:1"] {
        let overlay = format!("[origin.external-orders]\nurl = \"{url}\"");
        let errors = errors(&overlay);
        assert_eq!(errors.0[0].fault, PolicyFault::Url(url.into()));
    }
}

#[test]
fn an_overlay_names_only_what_the_policy_has() {
    for (overlay, name) in [
        ("[issuer.nobody]\nurl = \"http://127.0.0.1:1\"", "issuer.nobody"),
        ("[origin.nowhere]\nurl = \"http://127.0.0.1:1\"", "origin.nowhere"),
    ] {
        let errors = errors(overlay);
        let [error] = errors.0.as_slice() else { panic!("{errors}") };
        assert_eq!(error.pointer, format!("overlay.{name}"));
        assert_eq!(error.fault, PolicyFault::OverlayUnknown(name.into()));
        assert_eq!(error.span.clone().map(|span| LineColumn::of(overlay, span.start).line), Some(1));
    }
    let errors = from_toml(SMALL, Some("[cors]\norigins = [\"http://127.0.0.1:1\"]")).unwrap_err();
    assert_eq!(errors.0[0].fault, PolicyFault::OverlayUnknown("cors".into()));
}

#[test]
fn an_overlay_can_change_no_rule() {
    for overlay in [
        "[issuer.users]\naudience = [\"x\"]",
        "[issuer.users]\nalgorithms = [\"ES256\"]",
        "[issuer.users]\ntoken_use = \"id\"",
        "[origin.vouchers]\nurl = \"http://127.0.0.1:1\"\nkey = \"X\"",
        "[cors]\norigins = []\ncredentials = true",
        "roles = [\"Admin\"]",
        "[edge]\nurl = \"http://127.0.0.1:1\"\nname = \"x\"",
        "[permissions]\norigin = \"vouchers\"",
        "[[route]]\nname = \"x\"\nmethods = [\"GET\"]\npath = \"/x\"\norigin = \"vouchers\"\npublic = true",
    ] {
        let errors = errors(overlay);
        let strangers = errors.0.iter().filter(|error| matches!(error.fault, PolicyFault::UnknownMember(..)));
        assert!(strangers.count() > 0, "{overlay}: {errors}");
        for error in &errors.0 {
            assert!(error.pointer.starts_with("overlay."), "{errors}");
            assert!(error.span.clone().is_some_and(|span| overlay.get(span).is_some()), "{overlay}");
        }
    }
}

#[test]
fn a_url_of_the_overlays_is_shown_in_the_overlay() {
    let overlay = "[origin.external-orders]\nurl = \"http://127.0.0.1:4010\"\n[issuer.users]\nurl = \"ftp://x\"\n\
                   jwks_url = \"https://keys.example\"";
    let errors = errors(overlay);
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!(
        (error.pointer.as_str(), &error.fault),
        ("overlay.issuer.users.url", &PolicyFault::Url("ftp://x".into()))
    );
    assert_eq!(LineColumn::of(overlay, error.span.clone().unwrap().start).line, 4);
}
