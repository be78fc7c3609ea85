//! How a token is shown: RFC 6750 §2.1, one `Authorization` field, `Bearer`, one `b64token`.

use crate::make::{
    Theme,
    callers::{ORDERS, partner},
    who,
};

const LIST: &str = "/companies/1111/orders";
const ROUTE: &str = "external-orders-list";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("example");
    let token = partner("1111").compact();
    let permitted = || who("partners", "1111", ORDERS).at("1111", &[]);
    for (name, field, value) in [
        ("as RFC 6750 writes it", "Authorization", format!("Bearer {token}")),
        ("the field's name in lower case", "authorization", format!("Bearer {token}")),
        ("the field's name in upper case", "AUTHORIZATION", format!("Bearer {token}")),
        ("the scheme in lower case", "Authorization", format!("bearer {token}")),
        ("the scheme in upper case", "Authorization", format!("BEARER {token}")),
        ("the scheme in mixed case", "Authorization", format!("bEaReR {token}")),
        ("several spaces after the scheme", "Authorization", format!("Bearer    {token}")),
    ] {
        theme.get(name, LIST).header(field, value).permit(ROUTE, permitted());
    }

    theme.get("no field", LIST).deny("credential_missing", 401, ROUTE);
    for (name, value) in [
        ("Basic", "Basic cGFydG5lcjpzZWNyZXQ=".to_owned()),
        ("Digest", "Digest username=\"x\"".to_owned()),
        ("DPoP with the token", format!("DPoP {token}")),
        ("the token without a scheme", token.clone()),
        ("Token as the scheme", format!("Token {token}")),
        ("an AWS signature", "AWS4-HMAC-SHA256 Credential=AKIA/20270115/eu-west-2/execute-api/aws4_request".to_owned()),
        ("an empty field", String::new()),
    ] {
        theme.get(format!("another scheme: {name}"), LIST).header("authorization", value).deny(
            "credential_missing",
            401,
            ROUTE,
        );
    }
    for (name, value) in [
        ("the scheme alone", "Bearer".to_owned()),
        ("two tokens", format!("Bearer {token} {token}")),
        ("joined by a comma", format!("Bearer {token}, Bearer {token}")),
        ("joined by a comma without a space", format!("Bearer {token},Bearer {token}")),
        ("Basic first", format!("Basic cGFydG5lcjpzZWNyZXQ=, Bearer {token}")),
        ("Bearer first", format!("Bearer {token}, Basic cGFydG5lcjpzZWNyZXQ=")),
        ("a tab after the scheme", format!("Bearer\t{token}")),
        ("the scheme twice", format!("Bearer Bearer {token}")),
        ("a colon after the scheme", format!("Bearer: {token}")),
        ("in quotes", format!("Bearer \"{token}\"")),
        ("as a parameter", format!("Bearer token=\"{token}\"")),
        ("with a parameter", format!("Bearer {token};charset=utf-8")),
        ("padding in the middle", format!("Bearer =={token}")),
        ("only padding", "Bearer ====".to_owned()),
        ("a percent sign", format!("Bearer {token}%20")),
        ("no space after the scheme", format!("Bearer{token}")),
    ] {
        theme
            .get(format!("broken grammar: {name}"), LIST)
            .attack("two credentials")
            .header("authorization", value)
            .deny("credential_malformed", 400, ROUTE);
    }
    theme
        .get("two fields with one token", LIST)
        .attack("two credentials")
        .header("authorization", format!("Bearer {token}"))
        .header("Authorization", format!("Bearer {token}"))
        .deny("credential_malformed", 400, ROUTE);
    theme
        .get("two fields with two tokens", LIST)
        .attack("two credentials")
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", format!("Bearer {}", partner("2222").compact()))
        .deny("credential_malformed", 400, ROUTE);
    theme
        .get("two fields of two schemes", LIST)
        .attack("two credentials")
        .header("authorization", "Basic cGFydG5lcjpzZWNyZXQ=")
        .header("authorization", format!("Bearer {token}"))
        .deny("credential_malformed", 400, ROUTE);

    for (name, target) in [
        ("in the query", format!("{LIST}?access_token={token}")),
        ("in the query under the field's name", format!("{LIST}?authorization=Bearer%20{token}")),
    ] {
        theme.get(format!("a token {name} is none"), target).attack("token in query string or body").deny(
            "credential_missing",
            401,
            ROUTE,
        );
    }
    theme
        .case("a token in a form is none", "POST", LIST)
        .attack("token in query string or body")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(&format!("access_token={token}"))
        .deny("credential_missing", 401, "external-orders-create");
    for field in ["x-authorization", "proxy-authorization", "x-access-token", "cookie", "x-forwarded-authorization"] {
        let value = if field == "cookie" { format!("access_token={token}") } else { format!("Bearer {token}") };
        theme
            .get(format!("a token in `{field}` is none"), LIST)
            .attack("token in query string or body")
            .header(field, value)
            .deny("credential_missing", 401, ROUTE);
    }

    // What no token can be, in the grammar all the same.
    let largest = "a".repeat(16 * 1024);
    theme.get("16384 octets are looked at", LIST).header("authorization", format!("Bearer {largest}")).deny(
        "token_malformed",
        401,
        ROUTE,
    );
    theme
        .get("16385 octets are not", LIST)
        .attack("huge token")
        .header("authorization", format!("Bearer {largest}a"))
        .deny("token_too_large", 401, ROUTE);
    theme
        .get("thousands of dots", LIST)
        .attack("huge token")
        .header("authorization", format!("Bearer {}", ".".repeat(10_000)))
        .deny("token_malformed", 401, ROUTE);
    theme.get("a good token with padding", LIST).header("authorization", format!("Bearer {token}=")).deny(
        "token_malformed",
        401,
        ROUTE,
    );
    theme
        .get("on a public route nobody looks", "/health")
        .header("authorization", "Bearer \"nonsense\"")
        .permit_anyone("health");
    theme
        .get("on a public route not even at two", "/health")
        .header("authorization", "Bearer a")
        .header("authorization", "Bearer b")
        .permit_anyone("health");
    theme
        .get("where there is no route nobody looks", "/nothing")
        .header("authorization", "Bearer \"nonsense\"")
        .deny("no_route", 404, None);
    theme
}
