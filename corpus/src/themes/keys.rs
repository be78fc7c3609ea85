//! Which key a token is judged by: one of the issuer's own, fit for what it is for, and the only one of its name.

use crate::make::{
    Pair, Theme, Token,
    callers::{ORDERS, machine, partner, person, user},
    who,
};

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    let target = "/machines/1111/things";
    let own = || who("machines", "1111", "things/read things/write").at("1111", &[]);
    let signed = |pair: &'static str, kid: &str| -> Token { machine("1111").signed_by(Pair(pair), kid) };
    for (name, pair, kid) in [
        ("for signatures, as it says", "ed", "m-ed"),
        ("to verify with, as it says", "ed-next", "m-ed-ops"),
        ("for RS256, as it says", "other-rsa", "m-rsa-rs256"),
        ("for whatever RSA does", "partners-rsa", "m-rsa"),
        ("that stands twice and is the same", "ed-next", "m-same"),
    ] {
        theme.get(format!("a key {name}"), target).token(&signed(pair, kid)).permit("things-list", own());
    }
    let weak = "unfit key";
    for (name, pair, kid, attack) in [
        ("an RSA key of 1024 bits", "weak-rsa", "m-weak", weak),
        ("an RSA key with the exponent 1", "users-rsa", "m-rsa-exponent-one", weak),
        ("an RSA key with an even modulus", "users-rsa", "m-rsa-even", weak),
        ("a P-256 key off its curve", "ec-next", "m-off-curve", weak),
        ("an Ed25519 key of small order", "stranger-ed", "m-small-order", weak),
        ("a key for encryption", "ec-next", "m-encryption", "key for another purpose"),
        ("a key whose operations are others", "ec-next", "m-ops", "key for another purpose"),
        ("a key that is published with its private half", "ec-next", "m-private", weak),
        ("a key for an algorithm of another kind", "ec-next", "m-other-kind", "key for another purpose"),
        ("a key for RSA-OAEP", "users-rsa", "m-foreign-algorithm", "key for another purpose"),
        ("a key on X25519", "ed-next", "m-x25519", "key for another purpose"),
        ("one of two keys of one name", "ed-next", "m-twin", "two keys of one name"),
        ("the other of two keys of one name", "stranger-ed", "m-twin", "two keys of one name"),
        ("a key whose name is a number", "ed-next", "7", weak),
        ("a secret of the set", "ed", "m-oct", "oct key in a key set"),
        ("a name that nobody has", "ed", "m-nobody", "unknown kid"),
        ("the name of another issuer's key", "ed-next", "people-ed", "kid of another issuer"),
        ("a key under the name of another kind", "ed", "m-rsa", "alg trusted from the header"),
    ] {
        theme
            .get(format!("not believed: {name}"), target)
            .attack(attack)
            .token(&signed(pair, kid).of_unknown_key())
            .deny("key_unknown", 401, "things-list");
    }
    for algorithm in ["PS256", "RS384", "RS512"] {
        theme
            .get(format!("a key for RS256 serves no {algorithm}"), target)
            .attack("alg trusted from the header")
            .token(&signed("other-rsa", "m-rsa-rs256").algorithm(algorithm).of_unknown_key())
            .deny("key_unknown", 401, "things-list");
    }
    theme
        .get("without a name, where several would do", target)
        .token(&machine("1111").without_header("kid").of_unknown_key())
        .deny("key_unknown", 401, "things-list");
    theme
        .get("without a name, where one would do", target)
        .token(&signed("ec384", "x").without_header("kid"))
        .permit("things-list", own());
    theme
        .get("without a name, and the issuer has one key", "/me")
        .token(&person("manager").without_header("kid"))
        .permit("me", who("people", "manager", "papers/read papers/write"));
    theme
        .get("the same key under the same name of another issuer is another's", "/me")
        .attack("kid of another issuer")
        .token(&person("manager").claim("iss", "https://machines.corpus.example").of_unknown_key())
        .deny("key_unknown", 401, "me");

    theme.enter("example");
    theme
        .get("a partner's key is none of the users'", "/companies/1111/users/manager/orders")
        .attack("kid of another issuer")
        .token(&user("manager").signed_by(Pair("partners-rsa"), "partners-rsa").of_unknown_key())
        .deny("key_unknown", 401, "internal-orders-list");
    theme
        .get("a user's key is none of the partners'", "/companies/1111/orders")
        .attack("kid of another issuer")
        .token(&partner("1111").signed_by(Pair("users-rsa"), "users-1").of_unknown_key())
        .deny("key_unknown", 401, "external-orders-list");

    theme.enter("example-keys-silent");
    for (name, token) in [
        ("a good token", partner("1111")),
        ("a forged token", partner("1111").forged_by(Pair("stranger-ed"))),
        ("a token of an unknown key", partner("1111").header("kid", "nobody").of_unknown_key()),
    ] {
        theme
            .get(format!("no keys at all: {name}"), "/companies/1111/orders")
            .attack("JWKS outage")
            .token(&token)
            .deny("keys_unavailable", 503, "external-orders-list");
    }
    theme
        .get("no keys at all: what is no token is none", "/companies/1111/orders")
        .token(&partner("1111").header("alg", "none"))
        .deny("token_algorithm", 401, "external-orders-list");
    theme
        .get("no keys at all: an algorithm that the issuer may not use", "/companies/1111/orders")
        .token(&partner("1111").signed_by(Pair("ec384"), "x"))
        .deny("algorithm_not_allowed", 401, "external-orders-list");
    theme
        .get("no keys at all: a user's token", "/companies/1111/users/manager/orders")
        .attack("JWKS outage")
        .token(&user("manager"))
        .deny("keys_unavailable", 503, "internal-orders-list");
    theme.get("no keys at all: no token", "/companies/1111/orders").deny(
        "credential_missing",
        401,
        "external-orders-list",
    );
    theme.get("no keys at all: health", "/health").permit_anyone("health");

    theme.enter("example-keys-stale");
    theme
        .get("stale keys: a known one goes on", "/companies/1111/orders")
        .attack("JWKS outage")
        .token(&partner("1111"))
        .permit("external-orders-list", who("partners", "1111", ORDERS).at("1111", &[]));
    theme
        .get("stale keys: an unknown one may exist", "/companies/1111/orders")
        .attack("JWKS outage")
        .token(&partner("1111").header("kid", "partners-next").of_unknown_key())
        .deny("keys_unavailable", 503, "external-orders-list");
    theme
        .get("stale keys: forged is forged", "/companies/1111/orders")
        .token(&partner("1111").forged_by(Pair("stranger-ed")))
        .deny("signature_invalid", 401, "external-orders-list");
    theme.get("stale keys: another company's is another's", "/companies/2222/orders").token(&partner("1111")).deny(
        "company_mismatch",
        403,
        "external-orders-list",
    );
    theme.enter("rules-keys-silent");
    theme
        .get("no keys at all: an issuer that the route does not have", "/me")
        .token(&machine("1111").claim("iss", "https://evil.example"))
        .deny("issuer_unknown", 401, "me");
    theme.get("no keys at all: one of two issuers", "/me").token(&machine("1111")).deny("keys_unavailable", 503, "me");
    theme
}
