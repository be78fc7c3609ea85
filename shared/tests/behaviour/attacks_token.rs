//! Attacks on the token's form: header members, encoding, size. Each is signed so that the signature would hold.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{MAX_KEY_ID_BYTES, Reason, bearer::MAX_TOKEN_BYTES, token::TokenError};
use serde_json::json;

use crate::support::{
    Call, Outcome, Token, World,
    keys::{PARTNERS_EC, STRANGER_ED, TestKey},
};

const ORDERS: &str = "/companies/1111/orders";

fn outcome(token: impl AsRef<str>) -> Outcome {
    World::example().outcome(&Call::get(ORDERS).bearer(token))
}

fn refused(error: TokenError) -> Outcome {
    Outcome::Deny(401, Reason::Token(error))
}

#[test]
fn the_token_that_the_attacks_alter_is_permitted() {
    assert_eq!(outcome(Token::partner("1111").compact()), Outcome::Permit);
}

#[test]
fn alg_none_is_refused_in_any_case_and_with_any_signature() {
    for alg in ["none", "None", "NONE", "nOnE", "none ", "", "null"] {
        let token = Token::partner("1111").header("alg", json!(alg));
        assert_eq!(outcome(token.compact()), refused(TokenError::Algorithm), "{alg}");
        assert_eq!(outcome(format!("{}.", token.message())), refused(TokenError::Malformed), "{alg}");
    }
    for alg in [json!(null), json!(["EdDSA"]), json!({"EdDSA": true}), json!(0), json!(false)] {
        assert_eq!(outcome(Token::partner("1111").header("alg", alg).compact()), refused(TokenError::Malformed));
    }
    assert_eq!(outcome(Token::partner("1111").without_header("alg").compact()), refused(TokenError::Malformed));
}

#[test]
fn algorithm_names_are_taken_exactly() {
    for alg in ["eddsa", "EDDSA", "EdDSA ", "Ed448", "ES256K", "rs256", "RS256\u{0}", "PS1", "RS1", "ES521", "dir"] {
        let token = Token::partner("1111").header("alg", json!(alg)).compact();
        assert_eq!(outcome(token), refused(TokenError::Algorithm), "{alg}");
    }
    // RFC 9864's name for the same algorithm.
    assert_eq!(outcome(Token::partner("1111").header("alg", json!("Ed25519")).compact()), Outcome::Permit);
}

#[test]
fn crit_is_refused_whatever_it_lists() {
    for crit in [json!(["exp"]), json!(["b64"]), json!(["x"]), json!([]), json!(null), json!("x"), json!({})] {
        let token = Token::partner("1111").header("crit", crit.clone()).header("x", json!(1)).compact();
        assert_eq!(outcome(token), refused(TokenError::Critical), "{crit}");
    }
}

#[test]
fn b64_is_refused_whatever_it_says() {
    for b64 in [json!(false), json!(true), json!(null), json!("false")] {
        let token = Token::partner("1111").header("b64", b64.clone()).compact();
        assert_eq!(outcome(token), refused(TokenError::Critical), "{b64}");
    }
}

#[test]
fn a_nested_or_binary_payload_is_refused() {
    for cty in [json!("CBOR"), json!("JWT"), json!("jwt"), json!("JSON"), json!("json"), json!(""), json!(null)] {
        let token = Token::partner("1111").header("cty", cty.clone()).compact();
        assert_eq!(outcome(token), refused(TokenError::ContentType), "{cty}");
    }
}

#[test]
fn a_header_member_named_twice_is_refused() {
    let rest = r#""alg":"EdDSA","kid":"partners-ed""#;
    for header in [
        format!(r#"{{{rest},"alg":"EdDSA"}}"#),
        format!(r#"{{"alg":"none",{rest}}}"#),
        format!(r#"{{{rest},"alg":"none"}}"#),
        format!(r#"{{{rest},"\u0061lg":"EdDSA"}}"#),
        format!(r#"{{{rest},"kid":"partners-ec"}}"#),
        format!(r#"{{{rest},"typ":"at+jwt","typ":"JWT"}}"#),
        format!(r#"{{{rest},"x":{{"y":1,"y":2}}}}"#),
    ] {
        assert_eq!(outcome(Token::partner("1111").raw_header(&header).compact()), refused(TokenError::Malformed));
    }
    assert_eq!(outcome(Token::partner("1111").raw_header(format!("{{{rest}}}")).compact()), Outcome::Permit);
}

#[test]
fn a_header_that_is_no_plain_object_is_refused() {
    for header in [
        "",
        "{}",
        "[]",
        "null",
        "\"EdDSA\"",
        "7",
        "{",
        r#"["EdDSA"]"#,
        r#"{"alg":"EdDSA","kid":7}"#,
        r#"{"alg":"EdDSA","kid":null}"#,
        r#"{"alg":"EdDSA","kid":["partners-ed"]}"#,
        r#"{"alg":"EdDSA","kid":"partners-ed","typ":1}"#,
        r#"{"alg":"EdDSA","kid":"partners-ed"} x"#,
        r#"{"alg":"EdDSA","kid":"partners-ed"}{}"#,
        r#"{"alg":"EdDSA","kid":"partners-ed",}"#,
        "{'alg':'EdDSA'}",
        r#"{"alg":"EdDSA","kid":"\ud800"}"#,
    ] {
        let token = Token::partner("1111").raw_header(header).compact();
        assert_eq!(outcome(token), refused(TokenError::Malformed), "{header}");
    }
}

#[test]
fn a_header_that_is_not_utf_8_is_refused() {
    let header = Base64UrlUnpadded::encode_string(b"{\"alg\":\"EdDSA\",\"kid\":\"partners-ed\",\"x\":\"\xff\"}");
    let token = Token::partner("1111").compact();
    let (_, rest) = token.split_once('.').unwrap();
    assert_eq!(outcome(format!("{header}.{rest}")), refused(TokenError::Malformed));
}

#[test]
fn a_giant_kid_is_refused_before_it_is_looked_up() {
    let mut world = World::example();
    let fits = Token::partner("1111").header("kid", json!("k".repeat(MAX_KEY_ID_BYTES))).compact();
    let giant = Token::partner("1111").header("kid", json!("k".repeat(MAX_KEY_ID_BYTES + 1))).compact();
    let call = |token: &str| Call::get(ORDERS).bearer(token);
    assert_eq!(world.outcome(&call(&giant)), refused(TokenError::KeyId));
    assert_eq!(world.counts.keys, 0);
    assert_eq!(world.outcome(&call(&fits)), Outcome::Deny(401, Reason::KeyUnknown));
}

#[test]
fn the_size_cap_comes_before_any_work() {
    let mut world = World::example();
    for token in ["a".repeat(MAX_TOKEN_BYTES + 1), ".".repeat(10_000_000), "a.".repeat(MAX_TOKEN_BYTES)] {
        let call = Call::get(ORDERS).bearer(token);
        assert_eq!(world.outcome(&call), refused(TokenError::TooLarge));
    }
    let padding = |count: usize| Token::partner("1111").claim("padding", json!("x".repeat(count))).compact();
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(padding(MAX_TOKEN_BYTES))), refused(TokenError::TooLarge));
    assert_eq!(world.counts.keys, 0);
    let large = padding(MAX_TOKEN_BYTES * 3 / 4 - 1000);
    assert_eq!(world.outcome(&Call::get(ORDERS).bearer(large)), Outcome::Permit);
}

#[test]
fn thousands_of_dots_are_no_token() {
    for token in [".".repeat(MAX_TOKEN_BYTES), "a.".repeat(MAX_TOKEN_BYTES / 2), "..".into(), "...".into()] {
        assert_eq!(outcome(token), refused(TokenError::Malformed));
    }
}

#[test]
fn only_three_parts_make_a_token() {
    let token = Token::partner("1111").compact();
    let parts: Vec<&str> = token.split('.').collect();
    for parts in [
        vec![parts[0]],
        vec![parts[0], parts[1]],
        vec![parts[0], parts[1], ""],
        vec!["", parts[1], parts[2]],
        vec![parts[0], "", parts[2]],
        vec![parts[0], parts[1], parts[2], ""],
        vec![parts[0], parts[1], parts[2], parts[2]],
        // The shape of a JWE.
        vec![parts[0], parts[1], parts[2], parts[1], parts[2]],
    ] {
        assert_eq!(outcome(parts.join(".")), refused(TokenError::Malformed), "{}", parts.len());
    }
    // The JSON serialisations (RFC 7515 §7.2) are no bearer tokens: their characters are not of the grammar.
    let json = format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, parts[0], parts[1], parts[2]);
    assert_eq!(outcome(json), Outcome::Deny(400, Reason::CredentialMalformed));
}

#[test]
fn only_canonical_base64url_is_read() {
    let token = Token::partner("1111").compact();
    let parts: Vec<&str> = token.split('.').collect();
    for (index, part) in parts.iter().enumerate() {
        for altered in [
            format!("{part}="),
            format!("{part}=="),
            format!("+{}", &part[1..]),
            format!("/{}", &part[1..]),
            format!("~{}", &part[1..]),
        ] {
            let mut own = parts.clone();
            own[index] = &altered;
            let outcome = outcome(own.join("."));
            let expected = [refused(TokenError::Malformed), Outcome::Deny(400, Reason::CredentialMalformed)];
            assert!(expected.contains(&outcome), "{index} {altered}: {outcome:?}");
        }
    }
}

#[test]
fn unused_bits_at_the_end_of_a_part_must_be_zero() {
    // 64 octets of signature leave four bits over in the last of 86 characters.
    let token = Token::partner("1111").compact();
    let last = token.chars().next_back().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.find(last).unwrap();
    assert_eq!(value % 16, 0);
    for spare in 1..16 {
        let mut altered = token.clone();
        altered.pop();
        altered.push(alphabet.as_bytes()[value + spare].into());
        assert_eq!(outcome(altered), refused(TokenError::Malformed), "{spare}");
    }
}

#[test]
fn white_space_in_a_token_is_refused() {
    let token = Token::partner("1111").compact();
    for altered in [token.replace('.', ". "), format!("{token} "), format!("{token}\n"), format!("\t{token}")] {
        assert_eq!(outcome(altered), Outcome::Deny(400, Reason::CredentialMalformed));
    }
}

#[test]
fn headers_that_bring_or_point_at_keys_are_never_used() {
    let embedded = |key: &TestKey| key.jwk();
    let evil = "https://evil.example/jwks";
    for token in [
        Token::partner("1111").signed_by(&STRANGER_ED).header("jwk", embedded(&STRANGER_ED)),
        Token::partner("1111").signed_by(&STRANGER_ED).header("jku", json!(evil)),
        Token::partner("1111").signed_by(&STRANGER_ED).header("x5u", json!(evil)),
        Token::partner("1111").signed_by(&STRANGER_ED).header("x5c", json!(["MIIB"])),
        Token::partner("1111").signed_by(&STRANGER_ED).header("x5t#S256", json!("A".repeat(43))),
    ] {
        let mut world = World::example();
        // Even where it could be fetched, it is not.
        world.published.insert(evil.into(), crate::support::keys::jwks(&[&STRANGER_ED]));
        let call = Call::get(ORDERS).bearer(token.compact());
        assert_eq!(world.outcome(&call), Outcome::Deny(401, Reason::SignatureInvalid));
        assert_eq!(world.counts.key_fetches, 1);
    }
    // Present beside a good signature they change nothing.
    let token = Token::partner("1111").header("jwk", embedded(&PARTNERS_EC)).header("jku", json!(evil)).compact();
    assert_eq!(outcome(token), Outcome::Permit);
}

#[test]
fn deep_nesting_is_refused_without_harm() {
    for depth in [200, 5_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let header = format!(r#"{{"alg":"EdDSA","kid":"partners-ed","x":{nested}}}"#);
        let in_header = Token::partner("1111").raw_header(header).compact();
        let error = if in_header.len() > MAX_TOKEN_BYTES { TokenError::TooLarge } else { TokenError::Malformed };
        assert_eq!(outcome(in_header), refused(error));
        let claims = Token::partner("1111").claims_text().replacen('{', &format!(r#"{{"x":{nested},"#), 1);
        let in_claims = outcome(Token::partner("1111").raw_claims(claims).compact());
        assert!(
            [refused(TokenError::TooLarge), Outcome::Deny(401, Reason::ClaimsMalformed)].contains(&in_claims),
            "{in_claims:?}"
        );
    }
}
