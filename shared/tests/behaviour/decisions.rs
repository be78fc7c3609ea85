//! The example's policy, endpoint by endpoint: who may, and each way in which somebody may not.

use postern::Reason;
use serde_json::json;

use crate::support::{Call, NOW, Outcome, Token, World, at, world::field};

/// One endpoint of the example; `{user}` in its path makes it one for users.
struct Endpoint {
    route: &'static str,
    method: &'static str,
    path: &'static str,
    origin: &'static str,
    scope: Option<&'static str>,
}

const fn endpoint(
    route: &'static str,
    method: &'static str,
    path: &'static str,
    origin: &'static str,
    scope: Option<&'static str>,
) -> Endpoint {
    Endpoint { route, method, path, origin, scope }
}

const PARTNERS: [Endpoint; 3] = [
    endpoint(
        "external-orders-list",
        "GET",
        "/companies/{company}/orders",
        "external-orders",
        Some("orders/list.orders"),
    ),
    endpoint(
        "external-orders-get",
        "GET",
        "/companies/{company}/orders/42",
        "external-orders",
        Some("orders/get.order"),
    ),
    endpoint(
        "external-orders-create",
        "POST",
        "/companies/{company}/orders",
        "external-orders",
        Some("orders/create.order"),
    ),
];

const USERS: [Endpoint; 4] = [
    endpoint(
        "internal-orders-list",
        "GET",
        "/companies/{company}/users/{user}/orders",
        "internal-orders",
        Some("orders/list.orders"),
    ),
    endpoint(
        "internal-orders-get",
        "GET",
        "/companies/{company}/users/{user}/orders/42",
        "internal-orders",
        Some("orders/get.order"),
    ),
    endpoint(
        "internal-orders-create",
        "POST",
        "/companies/{company}/users/{user}/orders",
        "internal-orders",
        Some("orders/create.order"),
    ),
    endpoint("vouchers-validate", "GET", "/companies/{company}/users/{user}/vouchers/v-1", "vouchers", None),
];

impl Endpoint {
    fn call(&self, company: &str, user: &str) -> Call {
        Call::new(self.method, &self.path.replace("{company}", company).replace("{user}", user))
    }
}

/// Runs `each` over the partners' endpoints in a world of their own, with a call to company `1111`.
fn each_partner(mut each: impl FnMut(&mut World, &Endpoint, Call)) {
    let mut world = World::example();
    for endpoint in &PARTNERS {
        each(&mut world, endpoint, endpoint.call("1111", ""));
    }
}

/// Runs `each` over the users' endpoints in a world of their own, with a call to company `1111` by its manager.
fn each_user(mut each: impl FnMut(&mut World, &Endpoint, Call)) {
    let mut world = World::example();
    for endpoint in &USERS {
        each(&mut world, endpoint, endpoint.call("1111", "user-manager"));
    }
}

/// Runs `each` over all seven with the token that is permitted there.
fn each_endpoint(mut each: impl FnMut(&mut World, &Endpoint, Call, Token)) {
    each_partner(|world, endpoint, call| each(world, endpoint, call, Token::partner("1111")));
    each_user(|world, endpoint, call| each(world, endpoint, call, Token::user("user-manager")));
}

fn deny(status: u16, reason: Reason) -> Outcome {
    Outcome::Deny(status, reason)
}

#[test]
fn a_partner_may_reach_its_own_company() {
    each_partner(|world, endpoint, call| {
        let permit = world.permit(&call.clone().bearer(Token::partner("1111").compact()));
        assert_eq!(permit.route(), endpoint.route);
        assert_eq!(permit.origin().name(), endpoint.origin);
        assert_eq!((permit.method(), permit.target()), (endpoint.method, call.target.as_str()));
        assert_eq!((permit.issuer(), permit.subject()), (Some("partners"), Some("1111")));
        assert_eq!((permit.company(), permit.roles()), (Some("1111"), &[][..]));
        assert_eq!(permit.scopes(), ["orders/list.orders", "orders/get.order", "orders/create.order"]);
    });
}

#[test]
fn a_manager_may_reach_the_companies_where_he_is_one() {
    each_user(|world, endpoint, _| {
        for user in ["user-manager", "user-percompany"] {
            let permit = world.permit(&endpoint.call("1111", user).bearer(Token::user(user).compact()));
            assert_eq!((permit.route(), permit.origin().name()), (endpoint.route, endpoint.origin));
            assert_eq!((permit.issuer(), permit.subject()), (Some("users"), Some(user)));
            assert_eq!((permit.company(), permit.roles()), (Some("1111"), &["Manager".to_owned()][..]));
        }
    });
}

#[test]
fn a_subject_with_an_escaped_character_is_matched_decoded() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("1111", "auth0%7Cpipe").bearer(Token::user("auth0|pipe").compact());
        assert_eq!(world.permit(&call).subject(), Some("auth0|pipe"));
    });
}

#[test]
fn the_company_in_the_path_must_be_the_partner_itself() {
    each_partner(|world, endpoint, _| {
        let call = endpoint.call("2222", "").bearer(Token::partner("1111").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::CompanyMismatch), "{}", endpoint.route);
    });
}

#[test]
fn the_company_in_the_path_must_be_one_of_the_users() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("3333", "user-manager").bearer(Token::user("user-manager").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::CompanyMismatch), "{}", endpoint.route);
    });
}

#[test]
fn the_user_in_the_path_must_be_the_caller() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("1111", "user-percompany").bearer(Token::user("user-manager").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::SubjectMismatch), "{}", endpoint.route);
    });
}

#[test]
fn the_role_must_be_held() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("1111", "user-standard").bearer(Token::user("user-standard").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::RoleMissing), "{}", endpoint.route);
    });
}

#[test]
fn a_role_in_one_company_is_none_in_another() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("2222", "user-percompany").bearer(Token::user("user-percompany").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::RoleMissing), "{}", endpoint.route);
    });
}

#[test]
fn a_user_without_a_record_may_nothing() {
    each_user(|world, endpoint, _| {
        let call = endpoint.call("1111", "user-unseeded").bearer(Token::user("user-unseeded").compact());
        assert_eq!(world.outcome(&call), deny(403, Reason::CompanyMismatch), "{}", endpoint.route);
    });
}

#[test]
fn each_endpoint_asks_for_its_own_scope() {
    each_endpoint(|world, endpoint, call, token| {
        let Some(wanted) = endpoint.scope else {
            let bare = token.without("scope").compact();
            assert_eq!(world.outcome(&call.bearer(bare)), Outcome::Permit, "{}", endpoint.route);
            return;
        };
        let alone = token.clone().claim("scope", json!(wanted)).compact();
        assert_eq!(world.outcome(&call.clone().bearer(alone)), Outcome::Permit, "{}", endpoint.route);
        for scope in ["orders/list.orders", "orders/get.order", "orders/create.order", "", "orders", "orders/"] {
            if scope == wanted {
                continue;
            }
            let other = token.clone().claim("scope", json!(scope)).compact();
            let denial = world.deny(&call.clone().bearer(other));
            assert_eq!((denial.answer().status, denial.reason()), (403, Reason::ScopeMissing), "{}", endpoint.route);
            let challenge = field(denial.answer(), "www-authenticate").unwrap();
            assert!(challenge.contains(&format!("scope=\"{wanted}\"")), "{challenge}");
        }
        let none = token.without("scope").compact();
        assert_eq!(world.outcome(&call.bearer(none)), deny(403, Reason::ScopeMissing), "{}", endpoint.route);
    });
}

#[test]
fn a_scope_is_compared_whole() {
    each_partner(|world, endpoint, call| {
        let wanted = endpoint.scope.unwrap();
        for scope in [format!("{wanted}.all"), format!("x{wanted}"), wanted.to_uppercase(), format!("{wanted},a")] {
            let call = call.clone().bearer(Token::partner("1111").claim("scope", json!(scope)).compact());
            assert_eq!(world.outcome(&call), deny(403, Reason::ScopeMissing), "{scope}");
        }
    });
}

#[test]
fn a_partners_token_must_be_for_this_audience() {
    each_partner(|world, endpoint, call| {
        for token in [
            Token::partner("1111").claim("aud", json!("https://other.example")),
            Token::partner("1111").claim("aud", json!([])),
            Token::partner("1111").claim("aud", json!("https://api.ljg-sushi.example/")),
            Token::partner("1111").without("aud"),
        ] {
            let call = call.clone().bearer(token.compact());
            assert_eq!(world.outcome(&call), deny(401, Reason::AudienceMismatch), "{}", endpoint.route);
        }
    });
}

#[test]
fn a_users_token_must_be_for_this_client() {
    each_user(|world, endpoint, call| {
        for token in [
            Token::user("user-manager").claim("client_id", json!("another-client")),
            Token::user("user-manager").without("client_id"),
            // An audience does not stand in for the client.
            Token::user("user-manager").without("client_id").claim("aud", json!("p4iondtoa9aljeoultesa4nvc")),
        ] {
            let call = call.clone().bearer(token.compact());
            assert_eq!(world.outcome(&call), deny(401, Reason::AudienceMismatch), "{}", endpoint.route);
        }
    });
}

#[test]
fn a_token_past_its_time_is_refused() {
    each_endpoint(|world, endpoint, call, token| {
        for exp in [NOW, NOW - 1, NOW - 86_400] {
            let call = call.clone().bearer(token.clone().claim("exp", json!(exp)).compact());
            assert_eq!(world.outcome(&call), deny(401, Reason::Expired), "{} {exp}", endpoint.route);
        }
        let last_second = token.claim("exp", json!(NOW + 1)).compact();
        assert_eq!(world.outcome(&call.bearer(last_second)), Outcome::Permit, "{}", endpoint.route);
    });
}

#[test]
fn a_token_without_an_end_is_refused() {
    each_endpoint(|world, endpoint, call, token| {
        let call = call.bearer(token.without("exp").compact());
        assert_eq!(world.outcome(&call), deny(401, Reason::ExpirationMissing), "{}", endpoint.route);
    });
}

#[test]
fn an_id_token_is_no_access_token() {
    each_endpoint(|world, endpoint, call, token| {
        for token in [token.clone().claim("token_use", json!("id")), token.without("token_use")] {
            let call = call.clone().bearer(token.compact());
            assert_eq!(world.outcome(&call), deny(401, Reason::NotAnAccessToken), "{}", endpoint.route);
        }
    });
}

#[test]
fn one_issuers_tokens_are_not_anothers() {
    each_partner(|world, endpoint, call| {
        let call = call.bearer(Token::user("user-manager").compact());
        assert_eq!(world.outcome(&call), deny(401, Reason::KeyUnknown), "{}", endpoint.route);
    });
    each_user(|world, endpoint, call| {
        let call = call.bearer(Token::partner("1111").compact());
        assert_eq!(world.outcome(&call), deny(401, Reason::AlgorithmNotAllowed), "{}", endpoint.route);
    });
}

#[test]
fn a_token_that_names_another_issuer_is_refused_whoever_signed_it() {
    each_partner(|world, endpoint, call| {
        let call = call.bearer(Token::partner("1111").claim("iss", json!(crate::support::token::USERS_URL)).compact());
        assert_eq!(world.outcome(&call), deny(401, Reason::IssuerMismatch), "{}", endpoint.route);
    });
    each_user(|world, endpoint, call| {
        let token = Token::user("user-manager");
        for iss in [json!(crate::support::token::PARTNERS_URL), json!("https://cognito-idp.eu-west-2.amazonaws.com/")] {
            let call = call.clone().bearer(token.clone().claim("iss", iss).compact());
            assert_eq!(world.outcome(&call), deny(401, Reason::IssuerMismatch), "{}", endpoint.route);
        }
    });
}

#[test]
fn no_endpoint_but_the_public_one_goes_without_a_token() {
    each_endpoint(|world, endpoint, call, _| {
        assert_eq!(world.outcome(&call), deny(401, Reason::CredentialMissing), "{}", endpoint.route);
    });
}

#[test]
fn the_public_route_is_open_to_anyone_and_looks_at_no_token() {
    let mut world = World::example();
    for call in [
        Call::get("/health"),
        Call::new("HEAD", "/health"),
        Call::get("/health").bearer("nonsense"),
        Call::get("/health").bearer(Token::partner("1111").compact()),
    ] {
        let permit = world.permit(&call);
        assert_eq!((permit.route(), permit.origin().name()), ("health", "external-orders"));
        assert_eq!((permit.issuer(), permit.subject(), permit.company()), (None, None, None));
        assert_eq!((permit.roles(), permit.scopes()), (&[][..], &[][..]));
    }
    assert_eq!(world.counts, crate::support::world::Counts::default());
}

#[test]
fn head_follows_get_and_is_decided_alike() {
    each_partner(|world, endpoint, call| {
        if endpoint.method != "GET" {
            return;
        }
        let mut call = Call::new("HEAD", &call.target).bearer(Token::partner("1111").compact());
        assert_eq!(world.permit(&call).method(), "HEAD");
        call.target = endpoint.call("2222", "").target;
        assert_eq!(world.outcome(&call), deny(403, Reason::CompanyMismatch));
    });
}

#[test]
fn a_downgrade_takes_effect_within_the_routes_age() {
    // The ages that the example's policy states.
    for (endpoint, max_age) in USERS.iter().zip([2, 30, 0, 0]) {
        let mut world = World::example();
        let call = endpoint.call("1111", "user-manager").bearer(Token::user("user-manager").compact());
        assert_eq!(world.outcome(&call), Outcome::Permit, "{}", endpoint.route);
        world.record("users", "user-manager", r#"{"id":"user-manager","companies":["1111"],"role":"Standard"}"#);
        if max_age > 0 {
            world.later(max_age - 1);
            assert_eq!(world.outcome(&call), Outcome::Permit, "{}", endpoint.route);
            world.later(1);
        }
        assert_eq!(world.now, at(max_age));
        assert_eq!(world.outcome(&call), deny(403, Reason::RoleMissing), "{}", endpoint.route);
    }
}
