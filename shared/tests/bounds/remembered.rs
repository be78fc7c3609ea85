//! What is remembered of verified tokens: bounded in octets, the lists of the tokens included.

use allocation_counter::measure;
use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    Authorizer, JwkSet, Keys, Policy, Progress, Request, SignatureCheck, UnixTime,
    authorizer::{MAX_CLAIM_BYTES, MAX_TOKEN_COMPANIES, MAX_TOKEN_SCOPES},
    bearer::MAX_TOKEN_BYTES,
    policy,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
/// Tokens of this test. More do not help: what is kept of so many is over the bound where it is not bounded.
const TOKENS: u64 = 200;
/// What is kept of tokens, and what a hash table and holes between allocations may add.
const MOST: i64 = 12 * 1024 * 1024;

fn policy() -> Policy {
    let text = r#"
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
        name = "orders"
        methods = ["GET"]
        path = "/orders"
        origin = "orders"
        issuer = "staff"
        headers.x-note = "note"
        headers.x-scope = "scope"
        [[route]]
        name = "noted"
        methods = ["GET"]
        path = "/noted"
        origin = "orders"
        issuer = "staff"
        require.note = true
        require.companies = true
    "#;
    policy::from_toml(text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn keys() -> JwkSet {
    let set =
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"}]}"#;
    JwkSet::parse(set).unwrap()
}

/// A header and claims with these scopes, companies and this note.
fn message(scopes: &str, companies: &[String], note: &str) -> String {
    let claims = serde_json::json!({
        "iss": "https://staff.example", "aud": "https://api.example", "sub": "s", "token_use": "access",
        "exp": NOW.as_secs() + 60, "scope": scopes, "companies": companies, "note": note,
    });
    let encode = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    format!("{}.{}", encode(r#"{"alg":"EdDSA","kid":"k","typ":"at+jwt"}"#), encode(&claims.to_string()))
}

/// The signature is not checked here. It makes the token distinct, and costs less than other claims.
fn token(message: &str, number: u64) -> String {
    let mut signature = [7; 64];
    signature[..8].copy_from_slice(&number.to_be_bytes());
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// So many names, each the next hexadecimal number from `first` on.
fn names(first: usize, count: usize) -> Vec<String> {
    (first..first + count).map(|number| format!("{number:x}")).collect()
}

fn is_permitted(authorizer: &Authorizer, keys: &JwkSet, token: &str) -> bool {
    let value = format!("Bearer {token}");
    let headers = [("authorization", value.as_str())];
    let request = Request { method: "GET", target: "/orders", headers: &headers };
    let Progress::NeedsKeys(need) = authorizer.begin(&request, NOW) else { panic!("the token is new") };
    let Progress::NeedsSignature(need) = need.resume(Keys::Fresh(keys), NOW) else { panic!("no key") };
    matches!(need.resume(SignatureCheck::Valid, NOW), Progress::Decided(postern::Decision::Permit(_)))
}

/// Octets that an authoriser keeps of as many tokens, with these claims in turn: a list is shared with the token before it
/// where that has the same, and the worst case is that it does not.
fn kept(count: u64, messages: &[String]) -> i64 {
    let keys = keys();
    let authorizer = Authorizer::new(policy());
    let measured = measure(|| {
        for (number, message) in (0..count).zip(messages.iter().cycle()) {
            assert!(is_permitted(&authorizer, &keys, &token(message, number)));
        }
    });
    measured.bytes_current
}

#[test]
fn large_distinct_tokens_are_remembered_within_a_bound_in_octets() {
    let most = |first: usize| {
        let scopes = names(first, MAX_TOKEN_SCOPES).join(" ");
        message(&scopes, &names(first, MAX_TOKEN_COMPANIES), "")
    };
    let messages = [most(0x100), most(0x800)];
    let octets = kept(TOKENS, &messages);
    let alone = kept(1, &messages);
    println!("{octets} octets are kept of {TOKENS} tokens, {alone} of one");
    assert!(alone * i64::try_from(TOKENS).unwrap() > MOST, "{alone} octets a token never come to the bound");
    assert!(octets < MOST, "{octets} octets");
}

#[test]
fn a_claim_over_its_cap_is_not_kept_of_a_token() {
    let few = names(1, 1);
    let too_many = names(0x100, MAX_TOKEN_COMPANIES + 1);
    for (name, message) in [
        ("5,000 scopes", message(&"a ".repeat(5_000), &few, "")),
        ("companies", message("a", &too_many, "")),
        ("scopes and companies", message(&"a ".repeat(2_000), &too_many, "")),
        ("a claim that a route looks at", message("a", &few, &"x".repeat(MAX_CLAIM_BYTES + 1))),
    ] {
        let compact = token(&message, 0).len();
        assert!((8 * 1024..=MAX_TOKEN_BYTES).contains(&compact), "{name}: {compact}");
        let octets = usize::try_from(kept(1, &[message])).unwrap();
        println!("{name}: {octets} octets are kept of a token of {compact}");
        // The token itself, by which it is found, and what an authoriser keeps once.
        assert!(octets < compact + 2_048, "{name}: {octets} octets are kept of a token of {compact}");
    }
}
