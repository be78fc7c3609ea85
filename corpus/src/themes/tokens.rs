//! The compact form and the header (RFC 7515 §4, §7.1; RFC 8725): what is refused before a signature is worth a check.

use crate::make::{
    Pair, Theme, Token,
    callers::{ORDERS, machine, partner},
    who,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::json;

const LIST: &str = "/companies/1111/orders";
const ROUTE: &str = "external-orders-list";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    shapes(&mut theme);
    headers(&mut theme);
    algorithms(&mut theme);
    signatures(&mut theme);
    theme
}

fn encode(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

fn shapes(theme: &mut Theme) {
    let compact = partner("1111").compact();
    let parts: Vec<&str> = compact.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    // Of the last character of 64 octets four bits are left over, and zero.
    let mut not_canonical = compact.clone();
    let last = not_canonical.pop().unwrap_or_default();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap_or_default();
    not_canonical.push(char::from(alphabet.as_bytes()[place + 1]));
    for (name, token) in [
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("four parts", format!("{compact}.{signature}")),
        ("five parts, as encryption has", format!("{header}.{payload}.{signature}.{payload}.{signature}")),
        ("a dot behind", format!("{compact}.")),
        ("a dot before", format!(".{compact}")),
        ("base64 with a plus", format!("{header}.{payload}+.{signature}")),
        ("base64 with a slash", format!("{header}/.{payload}.{signature}")),
        ("a tilde", format!("{header}.{payload}.~{signature}")),
        ("padding behind the signature", format!("{compact}==")),
        ("bits left over in the signature", not_canonical),
        ("a header of a length that base64 has not", format!("{header}A.{payload}.{signature}")),
        ("a header that is no JSON", format!("{}.{payload}.{signature}", encode("alg=EdDSA"))),
        ("a header that is an array", format!("{}.{payload}.{signature}", encode("[\"EdDSA\"]"))),
        ("a header that is cut off", format!("{}.{payload}.{signature}", encode("{\"alg\":\"EdDSA\""))),
        ("a header with more behind it", format!("{}.{payload}.{signature}", encode("{\"alg\":\"EdDSA\"} {}"))),
        (
            "a header that is not UTF-8",
            format!(
                "{}.{payload}.{signature}",
                Base64UrlUnpadded::encode_string(b"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}")
            ),
        ),
        ("only letters", "abc".to_owned()),
        ("a signature of 63 octets", format!("{header}.{payload}.{}", Base64UrlUnpadded::encode_string(&[7; 63]))),
        ("a signature of 65 octets", format!("{header}.{payload}.{}", Base64UrlUnpadded::encode_string(&[7; 65]))),
        ("a signature of one octet", format!("{header}.{payload}.BQ")),
    ] {
        theme
            .get(format!("no token: {name}"), LIST)
            .attack("non-canonical base64url")
            .header("authorization", format!("Bearer {token}"))
            .deny("token_malformed", 401, ROUTE);
    }
}

fn headers(theme: &mut Theme) {
    let own = || who("partners", "1111", ORDERS).at("1111", &[]);
    let good = || partner("1111");
    for (name, token, reason, attack) in [
        ("`crit` of nothing", good().header("crit", json!([])), "token_critical", "crit"),
        ("`crit` of something", good().header("crit", json!(["exp"])).header("exp", 1), "token_critical", "crit"),
        ("`crit` that is null", good().header("crit", json!(null)), "token_critical", "crit"),
        ("`b64` false", good().header("b64", false), "token_critical", "crit"),
        ("`b64` true", good().header("b64", true), "token_critical", "crit"),
        ("`b64` in `crit`", good().header("crit", json!(["b64"])).header("b64", false), "token_critical", "crit"),
        ("`cty` JWT", good().header("cty", "JWT"), "token_content_type", "cty"),
        ("`cty` CBOR", good().header("cty", "CBOR"), "token_content_type", "cty"),
        ("`cty` JSON", good().header("cty", "application/json"), "token_content_type", "cty"),
        ("no `alg`", good().without_header("alg"), "token_malformed", "alg none"),
        ("`alg` that is a list", good().header("alg", json!(["EdDSA"])), "token_malformed", "alg none"),
        ("`alg` that is null", good().header("alg", json!(null)), "token_malformed", "alg none"),
        ("`kid` that is a number", good().header("kid", 7), "token_malformed", "kid injection"),
        ("`kid` that is null", good().header("kid", json!(null)), "token_malformed", "kid injection"),
        ("`kid` that is an object", good().header("kid", json!({"a": 1})), "token_malformed", "kid injection"),
        ("`kid` of 257 octets", good().header("kid", "k".repeat(257)), "token_key_id", "kid injection"),
        ("`kid` of 129 two-octet letters", good().header("kid", "\u{e9}".repeat(129)), "token_key_id", "kid injection"),
        ("`typ` that is a number", good().header("typ", 1), "token_malformed", "wrong-typed members"),
    ] {
        theme.get(format!("header: {name}"), LIST).attack(attack).token(&token).deny(reason, 401, ROUTE);
    }
    for (name, kid) in [
        ("256 octets", "k".repeat(256)),
        ("nothing", String::new()),
        ("a path", "../../partners-ed".to_owned()),
        ("a path with a null", "partners-ed\u{0}".to_owned()),
        ("a URL", "https://evil.example/jwks.json".to_owned()),
        ("SQL", "x' UNION SELECT 'key".to_owned()),
        ("a line break", "partners-ed\n".to_owned()),
        ("another case", "PARTNERS-ED".to_owned()),
        ("the name of the users' key", "users-1".to_owned()),
        ("a space behind", "partners-ed ".to_owned()),
        ("a wildcard", "*".to_owned()),
    ] {
        theme
            .get(format!("`kid`: {name}"), LIST)
            .attack("kid injection")
            .token(&good().header("kid", kid).of_unknown_key())
            .deny("key_unknown", 401, ROUTE);
    }
    let jwk = Pair("stranger-ed").public("partners-ed");
    for (name, token) in [
        ("`jwk`", good().header("jwk", jwk.clone())),
        ("`jku`", good().header("jku", "https://evil.example/jwks.json")),
        ("`x5u`", good().header("x5u", "https://evil.example/cert.pem")),
        ("`x5c`", good().header("x5c", json!(["MIIB"]))),
        (
            "all of them",
            good().header("jwk", jwk).header("jku", "https://evil.example").header("x5u", "https://evil.example"),
        ),
    ] {
        theme
            .get(format!("header with {name}, signed by the issuer: not looked at"), LIST)
            .attack("keys in the header")
            .token(&token)
            .permit(ROUTE, own());
        theme
            .get(format!("header with {name}, signed by that key: not believed"), LIST)
            .attack("keys in the header")
            .token(&token.forged_by(Pair("stranger-ed")))
            .deny("signature_invalid", 401, ROUTE);
    }
    let raw = |text: &str| good().raw_header(text);
    for (name, text) in [
        ("`alg`", r#"{"alg":"EdDSA","alg":"EdDSA","kid":"partners-ed"}"#),
        ("`alg`, differing", r#"{"alg":"none","alg":"EdDSA","kid":"partners-ed"}"#),
        ("`kid`", r#"{"alg":"EdDSA","kid":"partners-ed","kid":"partners-ed"}"#),
        ("`kid`, escaped", r#"{"alg":"EdDSA","kid":"x","\u006bid":"partners-ed"}"#),
        ("a member that nobody reads", r#"{"alg":"EdDSA","kid":"partners-ed","x":1,"x":1}"#),
        ("a nested member", r#"{"alg":"EdDSA","kid":"partners-ed","x":{"y":1,"y":2}}"#),
    ] {
        theme.get(format!("header: twice {name}"), LIST).attack("duplicate JSON members").token(&raw(text)).deny(
            "token_malformed",
            401,
            ROUTE,
        );
    }
    let deep = format!(r#"{{"alg":"EdDSA","kid":"partners-ed","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    theme.get("header: nested 2000 deep", LIST).attack("deep nesting").token(&raw(&deep)).deny(
        "token_malformed",
        401,
        ROUTE,
    );
    for (name, text) in [
        ("with spaces and line breaks", "{ \"alg\" : \"EdDSA\" ,\r\n\t\"kid\":\"partners-ed\" }"),
        ("with escapes", r#"{"\u0061lg":"EdDSA","kid":"partners\u002ded"}"#),
        (
            "with members that nobody reads",
            r#"{"alg":"EdDSA","kid":"partners-ed","x":{"y":[1,null,true]},"nonce":"n"}"#,
        ),
    ] {
        theme.get(format!("header: {name}"), LIST).token(&raw(text)).permit(ROUTE, own());
    }
    for kind in ["at+jwt", "JWT", "application/at+jwt", "anything"] {
        theme.get(format!("`typ` {kind}: nobody asks"), LIST).token(&good().header("typ", kind)).permit(ROUTE, own());
    }
    theme.get("no `typ`", LIST).token(&good().without_header("typ")).permit(ROUTE, own());
}

fn algorithms(theme: &mut Theme) {
    let own = || who("partners", "1111", ORDERS).at("1111", &[]);
    for (pair, kid) in [("ed", "partners-ed"), ("ec", "partners-ec"), ("partners-rsa", "partners-rsa")] {
        let token = partner("1111").signed_by(Pair(pair), kid);
        theme.get(format!("signed with {}", Pair(pair).algorithm()), LIST).token(&token).permit(ROUTE, own());
        theme
            .get(format!("{} without a `kid`: the only key for it", Pair(pair).algorithm()), LIST)
            .token(&token.without_header("kid"))
            .permit(ROUTE, own());
    }
    theme.get("Ed25519 is EdDSA's newer name", LIST).token(&partner("1111").algorithm("Ed25519")).permit(ROUTE, own());
    for name in [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "eddsa", "rs256", "RS1", "ES256K", "RSA-OAEP",
        "dir", "Ed448", "EdDSA ",
    ] {
        let unsigned = partner("1111").header("alg", name);
        theme
            .get(format!("`alg` {name:?}"), LIST)
            .attack(if name.starts_with("HS") { "RS to HS confusion" } else { "alg none" })
            .token(&unsigned)
            .deny("token_algorithm", 401, ROUTE);
    }
    let hmac = partner("1111").signed_by(Pair("partners-rsa"), "partners-rsa").algorithm("HS256");
    theme.get("an HMAC made with the public key", LIST).attack("RS to HS confusion").token(&hmac).deny(
        "token_algorithm",
        401,
        ROUTE,
    );
    let empty = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(r#"{"sub":"1111"}"#));
    theme
        .get("`none` with an empty signature", LIST)
        .attack("alg none")
        .header("authorization", format!("Bearer {empty}"))
        .deny("token_malformed", 401, ROUTE);
    for name in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        theme
            .get(format!("{name}, which the issuer may not use"), LIST)
            .attack("alg trusted from the header")
            .token(&partner("1111").signed_by(Pair("partners-rsa"), "partners-rsa").algorithm(name))
            .deny("algorithm_not_allowed", 401, ROUTE);
    }
    for (pair, algorithm) in [("ec384", "ES384"), ("ec521", "ES512")] {
        theme
            .get(format!("{algorithm}, which the issuer may not use"), LIST)
            .attack("alg trusted from the header")
            .token(&partner("1111").signed_by(Pair(pair), "partners-ec"))
            .deny("algorithm_not_allowed", 401, ROUTE);
    }
    for (pair, kid, name) in [
        ("ed", "partners-rsa", "EdDSA under an RSA key's name"),
        ("ed", "partners-ec", "EdDSA under a P-256 key's name"),
        ("ec", "partners-ed", "ES256 under an Ed25519 key's name"),
        ("partners-rsa", "partners-ec", "RS256 under a P-256 key's name"),
    ] {
        theme
            .get(name, LIST)
            .attack("alg trusted from the header")
            .token(&partner("1111").signed_by(Pair(pair), kid).of_unknown_key())
            .deny("key_unknown", 401, ROUTE);
    }
    theme.enter("rules");
    let things = || who("machines", "1111", "things/read things/write").at("1111", &[]);
    let signed = |pair, kid, algorithm| -> Token { machine("1111").signed_by(Pair(pair), kid).algorithm(algorithm) };
    for (pair, kid, algorithm) in [
        ("partners-rsa", "m-rsa", "RS256"),
        ("partners-rsa", "m-rsa", "RS384"),
        ("partners-rsa", "m-rsa", "RS512"),
        ("partners-rsa", "m-rsa", "PS256"),
        ("partners-rsa", "m-rsa", "PS384"),
        ("partners-rsa", "m-rsa", "PS512"),
        ("ec", "m-ec", "ES256"),
        ("ec384", "m-ec384", "ES384"),
        ("ec521", "m-ec521", "ES512"),
        ("ed", "m-ed", "EdDSA"),
    ] {
        theme
            .get(format!("all algorithms: {algorithm}"), "/machines/1111/things")
            .token(&signed(pair, kid, algorithm))
            .permit("things-list", things());
        theme
            .get(format!("all algorithms, for another company: {algorithm}"), "/machines/2222/things")
            .token(&signed(pair, kid, algorithm))
            .deny("company_mismatch", 403, "things-list");
    }
    for (kid, signed_with, said) in [
        ("m-rsa", "RS256", "PS256"),
        ("m-rsa", "PS256", "RS256"),
        ("m-rsa", "RS256", "RS512"),
        ("m-rsa", "PS384", "PS512"),
    ] {
        let signature = signed("partners-rsa", kid, said).message();
        let octets = Pair("partners-rsa").sign(signed_with, signature.as_bytes());
        theme
            .get(format!("signed with {signed_with}, said to be {said}"), "/machines/1111/things")
            .attack("alg trusted from the header")
            .token(&signed("partners-rsa", kid, said).with_signature(&octets))
            .deny("signature_invalid", 401, "things-list");
    }
    theme.enter("example");
}

fn signatures(theme: &mut Theme) {
    for (pair, kid, stranger) in [
        ("ed", "partners-ed", "stranger-ed"),
        ("ec", "partners-ec", "stranger-ec"),
        ("partners-rsa", "partners-rsa", "stranger-rsa"),
    ] {
        let token = || partner("1111").signed_by(Pair(pair), kid);
        let algorithm = Pair(pair).algorithm();
        let good = token().signature();
        let flipped = |place: usize| {
            let mut octets = good.clone();
            octets[place] ^= 0x10;
            octets
        };
        for (name, octets) in [
            ("zero", vec![0; good.len()]),
            ("all ones", vec![0xFF; good.len()]),
            ("with its first octet changed", flipped(0)),
            ("with its middle changed", flipped(good.len() / 2)),
            ("of another token", partner("2222").signed_by(Pair(pair), kid).signature()),
        ] {
            theme
                .get(format!("{algorithm}: a signature {name}"), LIST)
                .attack("psychic signature")
                .token(&token().with_signature(&octets))
                .deny("signature_invalid", 401, ROUTE);
        }
        theme
            .get(format!("{algorithm}: forged under the issuer's name"), LIST)
            .attack("forged token")
            .token(&token().forged_by(Pair(stranger)))
            .deny("signature_invalid", 401, ROUTE);
    }
    // r and s of an ES256 signature, each alone zero; and an Ed25519 scalar past the group's order.
    let ec = || partner("1111").signed_by(Pair("ec"), "partners-ec");
    let halves = ec().signature();
    for (name, octets) in
        [("r", [vec![0; 32], halves[32..].to_vec()].concat()), ("s", [halves[..32].to_vec(), vec![0; 32]].concat())]
    {
        theme
            .get(format!("ES256: `{name}` is zero"), LIST)
            .attack("psychic signature")
            .token(&ec().with_signature(&octets))
            .deny("signature_invalid", 401, ROUTE);
    }
    let rsa = || partner("1111").signed_by(Pair("partners-rsa"), "partners-rsa");
    let signature = rsa().signature();
    for (name, octets) in [
        ("an octet too many", [&[0], signature.as_slice()].concat()),
        ("an octet too few", signature[1..].to_vec()),
        ("one octet", vec![5]),
    ] {
        theme
            .get(format!("RS256: {name}"), LIST)
            .attack("psychic signature")
            .token(&rsa().with_signature(&octets))
            .deny("signature_invalid", 401, ROUTE);
    }
    // DER, as libraries write ECDSA: another length.
    theme.get("ES256 in DER", LIST).token(&ec().with_signature(&[0x30; 70])).deny("token_malformed", 401, ROUTE);
}
