//! What an edge is given, and what it is told when that does not hold.

use std::{fs, path::PathBuf};

use postern_embed::{Host, Inputs, embed};

const POLICY: &str = r#"roles = ["Manager"]

[issuer.users]
url = "https://users.example"
algorithms = ["ES256"]
audience = ["https://api.example"]
token_type = "at+jwt"
permissions = "service"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"

[permissions]
origin = "permissions"

[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
origin = "orders"
issuer = "users"
company = "{company}"
roles = ["Manager"]
"#;

/// A file of this test's own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("embed-{name}"));
    fs::write(&path, text).expect("a writable folder");
    path
}

fn message(inputs: &Inputs) -> String {
    embed(inputs, Host::Node).expect_err("a fault").to_string()
}

#[test]
fn what_holds_is_given_as_texts_that_load_again() {
    let policy = file("good.toml", POLICY);
    let alone = embed(&Inputs { policy: policy.clone(), ..Inputs::default() }, Host::Workers).expect("a policy");
    assert_eq!((alone.shadow_json(), alone.seeds_json()), ("", "{}"));
    let again = postern::Policy::from_json(alone.policy_json()).expect("a policy");
    assert_eq!(again.version(), alone.policy().version());

    let overlay = file("good-overlay.toml", "[origin.orders]\nurl = \"http://127.0.0.1:1\"\n");
    let inputs = Inputs { policy, overlay: Some(overlay), shadow: Some(file("good-next.toml", POLICY)), seeds: None };
    let stamped = embed(&inputs, Host::Node).expect("a policy");
    assert!(stamped.policy().is_development() && !alone.policy().is_development());
    assert_eq!(stamped.shadow_json(), stamped.policy_json());
    assert_eq!(inputs.files().count(), 3);
}

#[test]
fn a_fault_is_told_with_its_file_and_line() {
    let policy = file("faulty.toml", &POLICY.replace("issuer = \"users\"", "issuer = \"nobody\""));
    let faulty = message(&Inputs { policy: policy.clone(), ..Inputs::default() });
    assert!(faulty.starts_with(&format!("{}:26:", policy.display())), "{faulty}");

    let overlay = file("faulty-overlay.toml", "\n[origin.orders]\nurl = \"http://orders.example\"\n");
    let inputs =
        Inputs { policy: file("faulty-good.toml", POLICY), overlay: Some(overlay.clone()), ..Inputs::default() };
    let faulty = message(&inputs);
    assert!(faulty.starts_with(&format!("{}:3:", overlay.display())), "{faulty}");

    let absent = PathBuf::from("there-is-no-such-file.toml");
    let faulty = message(&Inputs { policy: absent, ..Inputs::default() });
    assert!(faulty.starts_with("cannot read `there-is-no-such-file.toml`: "), "{faulty}");
}

#[test]
fn a_policy_that_is_only_tried_must_ask_the_same_permissions_service() {
    let other = POLICY.replace("https://permissions.example", "https://other.example");
    let shadow = file("other-next.toml", &other);
    let faulty = message(&Inputs { policy: file("other.toml", POLICY), shadow: Some(shadow), ..Inputs::default() });
    assert!(faulty.contains("`permissions` is not that of the policy that decides"), "{faulty}");
}

#[test]
fn seeds_are_about_issuers_of_the_policy() {
    let policy = file("seeds.toml", POLICY);
    let with = |name: &str, seeds: &str| Inputs {
        policy: policy.clone(),
        seeds: Some(file(name, seeds)),
        ..Inputs::default()
    };
    let jwks = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    let seeds = |section: &str| {
        format!(
            r#"{{"{section}": {{"issuer": "https://users.example", "jwks_url": "https://users.example/jwks",
                "fetched_at": 1700000000, "max_age": 60, "jwks": {jwks}}}}}"#
        )
    };
    let embedded = embed(&with("seeds-good.json", &seeds("users")), Host::Node).expect("seeds");
    assert!(embedded.seeds_json().contains("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"));
    for (name, text, told) in [
        ("seeds-stranger.json", seeds("partners"), "the policy has no issuer `partners`: write it anew with"),
        ("seeds-none.json", "[]".to_owned(), "write it anew with `postern keys seal`"),
        ("seeds-bad.json", r#"{"users": {}}"#.to_owned(), "`users`: "),
    ] {
        let faulty = message(&with(name, &text));
        assert!(faulty.contains(told), "{faulty}");
    }
}
