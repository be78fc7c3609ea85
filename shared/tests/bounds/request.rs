//! What a caller can send: tokens, header fields, targets; and what a driver does for them.

use std::{iter, sync::LazyLock};

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    Authorizer, BodyDigest, Decision, JwkSet, Keys, Permissions, Policy, Progress, Request, SignatureCheck, UnixTime,
    bearer::MAX_TOKEN_BYTES,
    policy,
    target::{CanonicalTarget, MAX_TARGET_BYTES},
};

use crate::{
    families::{self, fill},
    measure::{Bound, costs_the_same},
};

/// A token's parts are decoded into octets and read once, into values that borrow from them. The densest JSON, an object of
/// one member in eight octets, takes a list with room for four; and what is remembered of a token is its text.
const TOKEN: Bound = Bound { total: 55, peak: 55, allocations: 42, kept: 2, constant: 16 * 1024 };

/// A target is copied, and decoded where it has escapes; its segments are not listed.
const TARGET: Bound = Bound { total: 4, peak: 3, allocations: 5, kept: 0, constant: 2 * 1024 };

/// A denial is a few strings: what it says comes from the policy.
const DENIAL: u64 = 8 * 1024;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HEADER: &str = r#""alg":"EdDSA","kid":"k""#;
const CLAIMS: &str =
    r#""iss":"https://partners.example","aud":"https://api.example","sub":"c","token_use":"access","exp":1800003600"#;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let text = r#"
        [issuer.partners]
        url = "https://partners.example"
        algorithms = ["EdDSA"]
        audience = ["https://api.example"]
        token_use = "access"
        permissions = "subject"
        [issuer.staff]
        url = "https://staff.example"
        algorithms = ["EdDSA"]
        audience = ["https://api.example"]
        token_use = "access"
        permissions = "claims"
        [origin.orders]
        url = "https://orders.example"
        key = "KEY"
        [[route]]
        name = "one-issuer"
        methods = ["GET"]
        path = "/one/{company}"
        origin = "orders"
        issuer = "partners"
        company = "{company}"
        [[route]]
        name = "two-issuers"
        methods = ["GET"]
        path = "/two/{company}"
        origin = "orders"
        issuer = ["partners", "staff"]
        company = "{company}"
    "#;
    policy::from_toml(text, None).unwrap()
});

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let set = r#"{"keys":[{"kid":"k","kty":"OKP","crv":"Ed25519","x":"gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"}]}"#;
    JwkSet::parse(set.as_bytes()).unwrap()
});

/// What was asked of a driver.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    keys: u32,
    signatures: u32,
    permissions: u32,
    is_permitted: bool,
}

/// Takes a request to its end, every signature believed: what comes after one must be bounded too.
fn decide(authorizer: &Authorizer, target: &str, headers: &[(&str, &str)]) -> Asked {
    let mut asked = Asked::default();
    let mut progress = authorizer.begin(&Request { method: "GET", target, headers }, NOW);
    loop {
        progress = match progress {
            Progress::Decided(decision) => {
                asked.is_permitted = matches!(decision, Decision::Permit(_));
                return asked;
            }
            Progress::NeedsKeys(need) => {
                asked.keys += 1;
                need.resume(Keys::Fresh(&KEYS), NOW)
            }
            Progress::NeedsSignature(need) => {
                asked.signatures += 1;
                need.resume(SignatureCheck::Valid, NOW)
            }
            Progress::NeedsPermissions(need) => {
                asked.permissions += 1;
                need.resume(Permissions::Unavailable, NOW)
            }
            // No route of this policy reads bodies.
            Progress::NeedsBody(need) => need.resume(BodyDigest::TooLarge, NOW),
        };
    }
}

fn compact(header: &str, claims: &str) -> String {
    let signature = Base64UrlUnpadded::encode_string(&[7; 64]);
    let encode = |json: &str| Base64UrlUnpadded::encode_string(json.as_bytes());
    format!("{}.{}.{signature}", encode(header), encode(claims))
}

/// Sizes that grow up to the cap.
fn sizes(cap: usize) -> impl Iterator<Item = usize> {
    iter::successors(Some(64), |size| Some(size * 2)).take_while(move |size| *size < cap).chain([cap])
}

fn holds_for_token(what: &str, token: &str) -> Asked {
    let mut asked = Asked::default();
    for target in ["/one/c", "/two/c"] {
        let credential = format!("Bearer {token}");
        let headers = [("authorization", credential.as_str())];
        let authorizer = Authorizer::new(POLICY.clone());
        TOKEN.holds(format!("{what} on {target}"), token.len(), || asked = decide(&authorizer, target, &headers));
        assert!(asked.keys <= 1 && asked.signatures <= 1 && asked.permissions <= 1, "{what}: {asked:?}");
    }
    asked
}

#[test]
fn a_token_costs_no_more_than_a_multiple_of_its_length() {
    // Of what is left of the cap by base64url and the signature, a little less.
    let most = MAX_TOKEN_BYTES * 3 / 4 - 400;
    for size in sizes(most) {
        for (name, object) in families::objects(HEADER) {
            holds_for_token(&format!("header, {name}"), &compact(&object(size), &format!("{{{CLAIMS}}}")));
        }
        for (name, object) in families::objects(CLAIMS) {
            holds_for_token(&format!("claims, {name}"), &compact(&format!("{{{HEADER}}}"), &object(size)));
        }
    }
    for size in sizes(MAX_TOKEN_BYTES) {
        for (name, unit) in [("dots", "."), ("short parts", "a."), ("one part", "a"), ("padding", "a=")] {
            holds_for_token(name, &fill(unit, size));
        }
    }
    TOKEN.report("tokens");
}

#[test]
fn what_the_bounds_are_measured_on_is_read_to_the_end() {
    let permitted = Asked { keys: 1, signatures: 1, permissions: 0, is_permitted: true };
    let read = |text: &str| holds_for_token("control", &compact(&format!("{{{HEADER}}}"), text));
    assert_eq!(read(&format!("{{{CLAIMS}}}")), permitted);
    let ends: Vec<bool> = families::objects(CLAIMS).map(|(_, object)| read(&object(4096)).is_permitted).collect();
    assert!(ends.iter().filter(|is_permitted| **is_permitted).count() >= 10, "{ends:?}");
}

#[test]
fn a_token_past_the_cap_is_not_looked_into() {
    let authorizer = Authorizer::new(POLICY.clone());
    let tokens = [1, 1_000, 1_000_000].map(|more| {
        let size = MAX_TOKEN_BYTES + more;
        [fill("a", size), fill(".", size), compact(&format!("{{{HEADER}}}"), &fill(" ", size))]
    });
    let credentials = tokens.as_flattened().iter().map(|token| format!("Bearer {token}"));
    costs_the_same("a token past the cap", DENIAL, credentials, |credential| {
        let asked = decide(&authorizer, "/one/c", &[("authorization", credential)]);
        assert_eq!(asked, Asked::default());
    });
}

#[test]
fn header_fields_cost_nothing_by_their_number_or_length() {
    let authorizer = Authorizer::new(POLICY.clone());
    for (name, unit) in [
        ("commas", "Bearer a,"),
        ("spaces", " "),
        ("another scheme", "Basic "),
        ("a scheme that ends late", "bearer"),
        ("equals signs", "="),
        ("what is not ASCII", "\u{e9}"),
    ] {
        // Within the cap on a token and past it the answers differ; what they cost must not depend on the length.
        for sizes in [[64, 1_024, 8_192], [32_768, 262_144, 4_194_304]] {
            let values = sizes.map(|size| format!("Bearer  {}", fill(unit, size)));
            costs_the_same(name, DENIAL, values, |value| {
                decide(&authorizer, "/one/c", &[("Authorization", value)]);
            });
        }
    }
    let many = [2, 100, 10_000].map(|count| vec![("authorization", "Bearer a.b.c"); count]);
    costs_the_same("many credentials", DENIAL, many, |headers| {
        decide(&authorizer, "/one/c", headers);
    });
    let others = [0, 100, 10_000].map(|count| vec![("x-forwarded-for", "Bearer a.b.c"); count]);
    costs_the_same("many other fields", DENIAL, others, |headers| {
        decide(&authorizer, "/one/c", headers);
    });
}

#[test]
fn a_target_costs_no_more_than_a_multiple_of_its_length() {
    for size in sizes(MAX_TARGET_BYTES - 2) {
        for (name, unit) in [
            ("one segment", "a"),
            ("segments", "/a"),
            ("empty segments", "/"),
            ("escapes", "%C3%A9"),
            ("needless escapes", "%41"),
            ("escapes that are no UTF-8", "%FF"),
            ("dots", "../"),
            ("what is not ASCII", "\u{e9}"),
        ] {
            for raw in [format!("/{}", fill(unit, size)), format!("/?{}", fill(unit, size))] {
                TARGET.holds(name, raw.len(), || drop(CanonicalTarget::parse(&raw)));
                let authorizer = Authorizer::new(POLICY.clone());
                TARGET.holds(name, raw.len(), || {
                    decide(&authorizer, &raw, &[]);
                });
            }
        }
    }
    TARGET.report("targets");
}

#[test]
fn a_target_past_the_cap_is_not_looked_into() {
    for unit in ["a", "/a", "%C3%A9", "/"] {
        let targets =
            [1, 1_000, 1_000_000].map(|more| format!("/{}", fill(unit, MAX_TARGET_BYTES + more + unit.len())));
        costs_the_same("a target past the cap", 0, targets, |raw| drop(CanonicalTarget::parse(raw)));
    }
}
