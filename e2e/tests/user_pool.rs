//! A real user pool: signing in invokes the Pre Token Generation trigger, the ID token carries what it adds and opens
//! nothing, and the access token opens what the permissions service says.
//!
//! The pool is cognito-local. Its keys and URL are of its own making, so what decides here is a service with the tower
//! layer, in this process; the permissions service, the table and the trigger are the stack's.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use http::Request;
use lambda_http::Body;
use postern::{assertion::AssertionKeys, policy::from_toml};
use postern_e2e::{Call, Session, session};
use postern_origin::{authorize::AuthorizeLayer, enforcer::Enforcer, services::vouchers};
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

const EXAMPLE: &str = include_str!("../../postern.toml");

/// What signing in brings.
struct Tokens {
    id: String,
    access: String,
}

/// Signs in with a name and a password.
#[track_caller]
fn sign_in(stack: &Session, user: &str) -> Tokens {
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": stack.pool.client_id,
        "AuthParameters": {"USERNAME": user, "PASSWORD": stack.pool.password},
    });
    let call = Call::new(&stack.pool.url, "POST", "/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(body.to_string());
    let result = call.send().expect(200).json()["AuthenticationResult"].clone();
    let text = |name: &str| result[name].as_str().expect("a token").to_owned();
    Tokens { id: text("IdToken"), access: text("AccessToken") }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).expect("base64url")).expect("JSON")
}

/// The status and the body of a voucher's service that decides for itself.
fn voucher(stack: &Session, user: &str, token: &str) -> (u16, Value) {
    let (issuer, permissions) = (&stack.pool.issuer, &stack.origins["permissions"]);
    let overlay = format!(
        "[issuer.users]\nurl = \"{issuer}\"\njwks_url = \"{issuer}/.well-known/jwks.json\"\n\
         [origin.permissions]\nurl = \"{permissions}\"\n"
    );
    let policy = from_toml(EXAMPLE, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
    let keys = AssertionKeys::from_json(&stack.keys["permissions"].to_string()).expect("keys");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let enforcer = Enforcer::new(policy, Some(keys)).expect("an enforcer").with_log(|_| ());
        let service = AuthorizeLayer::new(Arc::new(enforcer)).layer(vouchers::router());
        let request = Request::get(format!("/companies/1111/users/{user}/vouchers/v9"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::Empty)
            .expect("a request");
        let answer = service.oneshot(request).await.expect("an answer");
        let body: &[u8] = answer.body();
        (answer.status().as_u16(), serde_json::from_slice(body).unwrap_or_default())
    })
}

const MANAGER: &str = "pool-manager";

#[test]
fn signing_in_brings_the_claims_in_the_id_token_which_opens_nothing() {
    let stack = session();
    let sub = stack.pool.users[MANAGER].clone();
    stack.control().put_permissions(&sub, &json!({"companies": ["1111"], "role": "Manager"}));
    let tokens = sign_in(&stack, MANAGER);
    let id = claims(&tokens.id);
    assert_eq!((&id["sub"], &id["token_use"]), (&json!(sub), &json!("id")));
    let added = (&id["id"], &id["companies"], &id["role"]);
    assert_eq!(added, (&json!(sub), &json!("[\"1111\"]"), &json!("Manager")));
    // The first version of the trigger has no say in it.
    assert_eq!(claims(&tokens.access).get("companies"), None);
    let (status, body) = voucher(&stack, &sub, &tokens.id);
    assert_eq!((status, &body["code"]), (401, &json!("invalid_token")));
}

#[test]
fn the_access_token_opens_what_the_permissions_service_says_at_that_moment() {
    let stack = session();
    let sub = stack.pool.users[MANAGER].clone();
    stack.control().put_permissions(&sub, &json!({"companies": ["1111"], "role": "Manager"}));
    let token = sign_in(&stack, MANAGER).access;
    assert_eq!(voucher(&stack, &sub, &token).0, 200);
    stack.control().put_permissions(&sub, &json!({"companies": ["1111"], "role": "Standard"}));
    assert_eq!(voucher(&stack, &sub, &token).0, 403);
    stack.control().delete_permissions(&sub);
    assert_eq!(voucher(&stack, &sub, &token).0, 403);
    // And nobody else's voucher.
    stack.control().put_permissions(&sub, &json!({"companies": ["1111"], "role": "Manager"}));
    assert_eq!(voucher(&stack, "somebody-else", &token).0, 403);
}

#[test]
fn who_has_no_record_signs_in_without_the_claims() {
    let stack = session();
    let tokens = sign_in(&stack, "pool-unseeded");
    let id = claims(&tokens.id);
    assert_eq!(id["sub"], json!(stack.pool.users["pool-unseeded"]));
    for claim in ["id", "companies", "role"] {
        assert_eq!(id.get(claim), None, "{claim}");
    }
    assert_eq!(voucher(&stack, &stack.pool.users["pool-unseeded"], &tokens.access).0, 403);
}

#[test]
fn with_the_permissions_service_down_everybody_signs_in_without_the_claims() {
    let stack = session();
    let sub = stack.pool.users[MANAGER].clone();
    stack.control().put_permissions(&sub, &json!({"companies": ["1111"], "role": "Manager"}));
    for mode in ["cut", "hang"] {
        stack.control().line("permissions", mode);
        let tokens = sign_in(&stack, MANAGER);
        assert_eq!(claims(&tokens.id).get("companies"), None, "{mode}");
        let (status, body) = voucher(&stack, &sub, &tokens.access);
        assert_eq!((status, &body["code"]), (503, &json!("temporarily_unavailable")), "{mode}");
        stack.control().line("permissions", "open");
    }
    assert_eq!(claims(&sign_in(&stack, MANAGER).id)["companies"], json!("[\"1111\"]"));
}
