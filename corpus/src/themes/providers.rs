//! Tokens as the providers lay them out, by README.md's table of presets: what each calls client, scopes, roles and
//! companies, and what tells its access tokens from its ID tokens.

use crate::make::{
    NOW, Theme, Token,
    callers::{API, auth0, entra, keycloak, okta, pool_user, user},
    who,
};
use serde_json::json;

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    of_auth0(&mut theme);
    of_okta(&mut theme);
    of_entra(&mut theme);
    of_keycloak(&mut theme);
    of_cognito(&mut theme);
    theme
}

/// What every provider's token is refused for.
fn common(
    theme: &mut Theme,
    provider: &str,
    target: &str,
    route: &'static str,
    token: &dyn Fn() -> Token,
    scopes: &str,
) {
    for (name, token, reason) in [
        ("ended", token().claim("exp", NOW), "expired"),
        ("of another issuer", token().claim("iss", "https://evil.example"), "issuer_mismatch"),
        (
            "for another audience and client",
            token().claim("aud", "x").claim("azp", "x").claim("client_id", "x"),
            "audience_mismatch",
        ),
        ("without a subject", token().without("sub"), "subject_unusable"),
    ] {
        theme.get(format!("{provider}: {name}"), target).token(&token).deny(reason, 401, route);
    }
    theme.get(format!("{provider}: without scopes"), target).token(&token().without(scopes)).deny(
        "scope_missing",
        403,
        route,
    );
}

fn of_auth0(theme: &mut Theme) {
    let (at, route) = ("/tenant/1111", "tenant");
    let caller = || who("tenant", "auth0|5f7c8ec7c33c6c004bbafe82", "openid orders:read").at("1111", &["Manager"]);
    theme.get("auth0: RFC 9068's profile", at).token(&auth0()).permit(route, caller());
    theme.get("auth0: its own profile", at).token(&auth0().header("typ", "JWT")).permit(route, caller());
    theme.get("auth0: the audience alone", at).token(&auth0().claim("aud", API)).permit(route, caller());
    common(theme, "auth0", at, route, &auth0, "scope");
    theme
        .get("auth0: an ID token is for the client", at)
        .attack("ID token")
        .token(&auth0().claim("aud", "spa1client").without("azp").without("scope"))
        .deny("audience_mismatch", 401, route);
    theme.get("auth0: another organisation", at).token(&auth0().claim("org_id", "2222")).deny(
        "company_mismatch",
        403,
        route,
    );
    theme.get("auth0: no organisation", at).token(&auth0().without("org_id")).deny("company_mismatch", 403, route);
    for company in ["Acme%20Holdings", "Acme"] {
        theme
            .get(format!("auth0: an organisation of two words, or two, at {company}"), format!("/tenant/{company}"))
            .attack("one text, several names")
            .token(&auth0().claim("org_id", "Acme Holdings"))
            .deny("companies_ambiguous", 403, route);
    }
    theme
        .get("auth0: roles under another name are none", at)
        .token(
            &auth0()
                .without("https://corpus.example/roles")
                .claim("role", "Manager")
                .claim("roles", json!(["Manager"])),
        )
        .deny("role_missing", 403, route);
    theme
        .get("auth0: permissions are no scopes", at)
        .token(&auth0().claim("scope", "openid").claim("permissions", json!(["orders:read"])))
        .deny("scope_missing", 403, route);
    theme
        .get("auth0: an issuer without its slash is another", at)
        .attack("foreign issuer")
        .token(&auth0().claim("iss", "https://corpus.eu.auth0.com"))
        .deny("issuer_mismatch", 401, route);
}

fn of_okta(theme: &mut Theme) {
    let (at, route) = ("/workforce/1111", "workforce");
    let caller = || who("workforce", "ana@corpus.example", "openid orders.read").at("1111", &["Everyone", "Manager"]);
    theme.get("okta: an access token", at).token(&okta()).permit(route, caller());
    common(theme, "okta", at, route, &okta, "scp");
    theme.get("okta: an ID token has no `cid`", at).attack("ID token").token(&okta().without("cid")).deny(
        "claim_mismatch",
        401,
        route,
    );
    theme.get("okta: `cid` null", at).token(&okta().claim("cid", json!(null))).deny("claims_malformed", 401, route);
    theme
        .get("okta: `scope` is not its name for scopes", at)
        .token(&okta().without("scp").claim("scope", "orders.read"))
        .deny("scope_missing", 403, route);
    theme
        .get("okta: scopes as a text", at)
        .token(&okta().claim("scp", "orders.read"))
        .permit(route, who("workforce", "ana@corpus.example", "orders.read").at("1111", &["Everyone", "Manager"]));
    let attack = "one text, several names";
    for (name, tenant) in [("text", json!("Acme Holdings")), ("list", json!(["Acme Holdings"]))] {
        let token = || okta().claim("tenant", tenant.clone());
        theme
            .get(format!("okta: a company with a space in its name, as a {name}"), "/workforce/Acme%20Holdings")
            .token(&token())
            .permit(
                route,
                who("workforce", "ana@corpus.example", "openid orders.read")
                    .at("Acme Holdings", &["Everyone", "Manager"]),
            );
        for other in ["Acme", "Holdings"] {
            theme
                .get(format!("okta: {other} is not that company, as a {name}"), format!("/workforce/{other}"))
                .attack(attack)
                .token(&token())
                .deny("company_mismatch", 403, route);
        }
    }
    theme.get("okta: groups in one text", at).attack(attack).token(&okta().claim("groups", "Everyone Manager")).deny(
        "roles_ambiguous",
        403,
        route,
    );
    theme
        .get("okta: one group as a text", at)
        .token(&okta().claim("groups", "Manager"))
        .permit(route, who("workforce", "ana@corpus.example", "openid orders.read").at("1111", &["Manager"]));
    theme.get("okta: other groups", at).token(&okta().claim("groups", json!(["Everyone"]))).deny(
        "role_missing",
        403,
        route,
    );
    theme.get("okta: another company", "/workforce/2222").token(&okta()).deny("company_mismatch", 403, route);
    theme
        .get("okta: the organisation's own server", at)
        .attack("foreign issuer")
        .token(&okta().claim("iss", "https://corpus.okta.com"))
        .deny("issuer_mismatch", 401, route);
}

fn of_entra(theme: &mut Theme) {
    let (at, route) = ("/directory/1111", "directory");
    let caller = || who("directory", "pairwise-subject", "Orders.Read profile").at("1111", &["Manager"]);
    theme.get("entra: an access token", at).token(&entra()).permit(route, caller());
    theme
        .get("entra: the other company", "/directory/2222")
        .token(&entra())
        .permit(route, who("directory", "pairwise-subject", "Orders.Read profile").at("2222", &["Manager"]));
    common(theme, "entra", at, route, &entra, "scp");
    theme
        .get("entra: an ID token has no `azp`", at)
        .attack("ID token")
        .token(&entra().without("azp").without("azpacr"))
        .deny("claim_mismatch", 401, route);
    for (name, issuer) in [
        ("another tenant", "https://login.microsoftonline.com/11111111-0000-4000-8000-000000000000/v2.0"),
        ("version 1.0", "https://sts.windows.net/6d3f5a1e-0000-4000-8000-00000000c0de/"),
        ("common", "https://login.microsoftonline.com/common/v2.0"),
    ] {
        theme
            .get(format!("entra: the issuer of {name}"), at)
            .attack("foreign issuer")
            .token(&entra().claim("iss", issuer))
            .deny("issuer_mismatch", 401, route);
    }
    theme.get("entra: an application's token has roles and no scopes", at).token(&entra().without("scp")).deny(
        "scope_missing",
        403,
        route,
    );
    theme.get("entra: no roles", at).token(&entra().without("roles")).deny("role_missing", 403, route);
    theme.get("entra: valid in a minute", at).token(&entra().claim("nbf", NOW + 60)).deny("not_yet_valid", 401, route);
}

fn of_keycloak(theme: &mut Theme) {
    let (at, route) = ("/realm/1111", "realm");
    let caller = |scopes| who("realm", "f:1:ana", scopes).at("1111", &["offline_access", "Manager"]);
    theme.get("keycloak: an access token", at).token(&keycloak()).permit(route, caller("openid orders:read"));
    common(theme, "keycloak", at, route, &keycloak, "scope");
    for kind in ["ID", "Refresh", "bearer"] {
        theme
            .get(format!("keycloak: `typ` {kind} in the claims"), at)
            .attack("ID token")
            .token(&keycloak().claim("typ", kind))
            .deny("claim_mismatch", 401, route);
    }
    theme.get("keycloak: no `typ` in the claims", at).attack("ID token").token(&keycloak().without("typ")).deny(
        "claim_mismatch",
        401,
        route,
    );
    theme
        .get("keycloak: roles of a client are not the realm's", at)
        .token(
            &keycloak()
                .claim("realm_access", json!({"roles": []}))
                .claim("resource_access", json!({"corpus-web": {"roles": ["Manager"]}})),
        )
        .deny("role_missing", 403, route);
    theme.get("keycloak: no realm roles at all", at).token(&keycloak().without("realm_access")).deny(
        "role_missing",
        403,
        route,
    );
    for (name, organization, permitted) in [
        ("a list", json!(["1111"]), true),
        ("two of them", json!({"2222": {}, "1111": {"id": "x"}}), true),
        ("another", json!({"2222": {"id": "1111"}}), false),
        ("none", json!({}), false),
    ] {
        let draft = theme
            .get(format!("keycloak: organisations, {name}"), at)
            .token(&keycloak().claim("organization", organization));
        if permitted {
            draft.permit(route, caller("openid orders:read"));
        } else {
            draft.deny("company_mismatch", 403, route);
        }
    }
    theme
        .get("keycloak: a token for the account console alone", at)
        .attack("foreign audience")
        .token(&keycloak().claim("aud", "account"))
        .deny("audience_mismatch", 401, route);
    theme.get("keycloak: a token without an audience", at).token(&keycloak().without("aud")).deny(
        "audience_mismatch",
        401,
        route,
    );
    theme
        .get("keycloak: another realm", at)
        .attack("foreign issuer")
        .token(&keycloak().claim("iss", "https://sso.corpus.example/realms/other"))
        .deny("issuer_mismatch", 401, route);
    theme
        .get("keycloak: a key for encryption", at)
        .token(&keycloak().header("kid", "realm-enc").of_unknown_key())
        .deny("key_unknown", 401, route);
}

fn of_cognito(theme: &mut Theme) {
    theme
        .get("cognito: an ID token, with all that the trigger added", "/pool/1111/users")
        .attack("ID token")
        .token(
            &pool_user("u1")
                .without("client_id")
                .claim("aud", "4users4client4of4the4pool4")
                .claim("token_use", "id")
                .claim("cognito:username", "u1")
                .claim("role", "Manager"),
        )
        .deny("audience_mismatch", 401, "pool-users");
    for audience in [json!("https://other.example"), json!(["https://api.corpus.example"]), json!([]), json!("")] {
        theme
            .get(format!("cognito: an access token for the resource {audience}"), "/pool/1111/users")
            .attack("foreign audience")
            .token(&pool_user("u1").claim("aud", audience))
            .deny("audience_mismatch", 401, "pool-users");
    }
    theme
        .get("cognito: another pool", "/pool/1111/users")
        .attack("foreign issuer")
        .token(&pool_user("u1").claim("iss", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Other"))
        .deny("issuer_mismatch", 401, "pool-users");
    theme.enter("example");
    theme
        .get("cognito: the scope of signed-in users alone", "/companies/1111/users/manager/orders")
        .token(&user("manager").claim("scope", "aws.cognito.signin.user.admin"))
        .deny("scope_missing", 403, "internal-orders-list");
    theme
        .get("cognito: no scope is asked for vouchers", "/companies/1111/users/manager/vouchers/v")
        .token(&user("manager").claim("scope", "aws.cognito.signin.user.admin"))
        .permit("vouchers-validate", who("users", "manager", "aws.cognito.signin.user.admin").at("1111", &["Manager"]));
}
