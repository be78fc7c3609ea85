//! What steers the stack: tokens of any making, keys, outages, permissions. Its other end is `local/lib/control.mjs`.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::Call,
    cloudfront::CloudFront,
    platform::Platform,
    stack::{PARTNERS, Stack, USERS},
};

/// Longer than `KEY_COOLDOWN`: until then an edge does not ask again for a key that it lacks.
pub const PAST_COOLDOWN: Duration = Duration::from_millis(3_200);
/// Longer than an edge remembers that a `kid` is unknown.
const PAST_UNKNOWN: Duration = Duration::from_secs(40);

/// The control API of the running stack.
#[derive(Debug)]
pub struct Control {
    stack: &'static Stack,
    /// Keys were taken away: the edges hold others than the issuers are given back.
    keys_replaced: AtomicBool,
    /// Permissions were changed or kept from the edges: they may remember what is no longer so.
    permissions_changed: AtomicBool,
}

impl Control {
    pub(crate) const fn new(stack: &'static Stack) -> Self {
        Self { stack, keys_replaced: AtomicBool::new(false), permissions_changed: AtomicBool::new(false) }
    }

    /// Tokens from a thread of the test's own; `what` as for [`mint`](Self::mint).
    pub fn minter(&self) -> impl Fn(&str, Value) -> String + Clone + Send + 'static {
        let stack = self.stack;
        move |issuer, what| Self::new(stack).mint(issuer, what)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let call = Call::new(&self.stack.control, method, path).header("content-type", "application/json");
        let answer = call.body(body.to_string()).send();
        assert_eq!(answer.status(), 200, "{method} {path} {body}: {answer:?}");
        answer.json()
    }

    /// An access token of a company, from the partners' token endpoint.
    #[track_caller]
    pub fn partner_token(&self, company: &str, scope: Option<&str>) -> String {
        let mut body = json!({"issuer": PARTNERS, "client": company});
        if let Some(scope) = scope {
            body["scope"] = scope.into();
        }
        text(&self.ask("POST", "/token", &body), "access_token")
    }

    /// What the users' token endpoint answers after a login: `access_token`, and `id_token` where `openid` is asked for.
    #[track_caller]
    pub fn log_in(&self, account: &str, scope: Option<&str>) -> Value {
        let mut body = json!({"issuer": USERS, "account": account});
        if let Some(scope) = scope {
            body["scope"] = scope.into();
        }
        self.ask("POST", "/token", &body)
    }

    /// An access token of a user, from a login.
    #[track_caller]
    pub fn user_token(&self, account: &str, scope: Option<&str>) -> String {
        text(&self.log_in(account, scope), "access_token")
    }

    /// A token that no token endpoint would hand out. `what` is described in `local/lib/mint.mjs`.
    #[track_caller]
    pub fn mint(&self, issuer: &str, mut what: Value) -> String {
        what["issuer"] = issuer.into();
        text(&self.ask("POST", "/mint", &what), "token")
    }

    /// Gives the issuer a new signing key of this algorithm beside those it publishes; answers its `kid`.
    #[track_caller]
    pub fn add_key(&self, issuer: &str, algorithm: &str) -> String {
        let body = json!({"kind": "add", "algorithm": algorithm});
        text(&self.ask("POST", &format!("/issuers/{issuer}/rotate"), &body), "kid")
    }

    /// Gives the issuer a new signing key instead of those it publishes; answers its `kid`.
    #[track_caller]
    pub fn replace_keys(&self, issuer: &str, algorithm: &str) -> String {
        self.keys_replaced.store(true, Ordering::Relaxed);
        let body = json!({"kind": "replace", "algorithm": algorithm});
        text(&self.ask("POST", &format!("/issuers/{issuer}/rotate"), &body), "kid")
    }

    /// Takes a key that no longer signs out of the issuer's key set.
    #[track_caller]
    pub fn withdraw_key(&self, issuer: &str, kid: &str) {
        self.keys_replaced.store(true, Ordering::Relaxed);
        self.ask("POST", &format!("/issuers/{issuer}/withdraw"), &json!({"kid": kid}));
    }

    /// How the issuer's key set is served from now on: `serve`, `status`, `hang`, `refuse` or `body`.
    #[track_caller]
    pub fn jwks(&self, issuer: &str, how: &Value) {
        self.ask("POST", &format!("/issuers/{issuer}/jwks"), how);
    }

    /// How often the issuer's key set was asked for since the stack started.
    #[track_caller]
    pub fn jwks_fetches(&self, issuer: &str) -> u64 {
        self.ask("GET", &format!("/issuers/{issuer}"), &Value::Null)["jwksFetches"].as_u64().unwrap_or(0)
    }

    /// The `kid` that the issuer signs with.
    #[track_caller]
    pub fn signing_key(&self, issuer: &str) -> String {
        let described = self.ask("GET", &format!("/issuers/{issuer}"), &Value::Null);
        let keys = described["keys"].as_array().cloned().unwrap_or_default();
        let signing = keys.iter().find(|key| key["signing"] == true).unwrap_or(&Value::Null);
        text(signing, "kid")
    }

    /// Sets a line, `permissions`, `origins` or `dynamodb`, to `open`, `cut`, `hang` or `slow`.
    #[track_caller]
    pub fn line(&self, name: &str, mode: &str) {
        self.permissions_change();
        self.ask("POST", &format!("/relays/{name}"), &json!({"mode": mode}));
    }

    /// Writes a record straight into the table. `id` as it stands in a path: percent-encoded.
    #[track_caller]
    pub fn put_permissions(&self, id: &str, record: &Value) {
        self.permissions_change();
        self.ask("PUT", &format!("/permissions/{id}"), record);
    }

    /// Takes a record out of the table.
    #[track_caller]
    pub fn delete_permissions(&self, id: &str) {
        self.permissions_change();
        self.ask("DELETE", &format!("/permissions/{id}"), &Value::Null);
    }

    /// The record as it is in the table.
    #[track_caller]
    pub fn permissions(&self, id: &str) -> Value {
        self.ask("GET", &format!("/permissions/{id}"), &Value::Null)["record"].clone()
    }

    /// Puts keys, outages, lines and permissions back to what they are when the stack starts.
    #[track_caller]
    pub fn reset(&self) {
        self.ask("POST", "/reset", &Value::Null);
        assert!(CloudFront::new(self.stack).reset(), "the local CloudFront is not reset");
    }

    /// Says that this test changes permissions by another way than this one.
    pub fn permissions_change(&self) {
        self.permissions_changed.store(true, Ordering::Relaxed);
    }

    /// Puts everything back, and waits until the edges have taken notice. Does not panic: it runs while tests fail.
    pub(crate) fn heal(&self) {
        let reset = Call::new(&self.stack.control, "POST", "/reset").try_send();
        let cloudfront = CloudFront::new(self.stack);
        if !cloudfront.reset() || !reset.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        if self.keys_replaced.load(Ordering::Relaxed) || self.permissions_changed.load(Ordering::Relaxed) {
            // Any number of containers may remember it, and each sees but what reaches it.
            cloudfront.forget();
        }
        if Platform::current().is_cloudfront() {
            return;
        }
        if self.keys_replaced.load(Ordering::Relaxed) {
            thread::sleep(PAST_COOLDOWN);
            self.show_again(&[(PARTNERS, "1111", "/companies/1111/orders"), (USERS, SEEDED[0].0, SEEDED[0].1)]);
        }
        if self.permissions_changed.load(Ordering::Relaxed) {
            self.show_again(&SEEDED.map(|(user, target)| (USERS, user, target)));
        }
    }

    /// Asks both edges for something that makes them look anew, until they do as they did in the beginning.
    fn show_again(&self, requests: &[(&str, &str, &str)]) {
        let start = Instant::now();
        for (issuer, subject, target) in requests {
            let what = json!({"issuer": issuer, "claims": {"sub": subject}}).to_string();
            let mint = Call::new(&self.stack.control, "POST", "/mint").body(what).try_send();
            let Some(token) = mint.ok().and_then(|answer| Some(answer.json()["token"].as_str()?.to_owned())) else {
                return;
            };
            for (_, edge) in self.stack.edges() {
                let call = Call::new(edge, "GET", target).bearer(&token);
                let settled = || call.try_send().is_ok_and(|answer| matches!(answer.status(), 200 | 403));
                while !settled() && start.elapsed() < PAST_UNKNOWN {
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
    }
}

/// Every user of the seed, and a request for which an edge asks for permissions anew.
const SEEDED: [(&str, &str); 4] = [
    ("user-manager", "/companies/1111/users/user-manager/vouchers/v"),
    ("user-standard", "/companies/1111/users/user-standard/vouchers/v"),
    ("user-percompany", "/companies/1111/users/user-percompany/vouchers/v"),
    ("auth0|pipe", "/companies/1111/users/auth0%7Cpipe/vouchers/v"),
];

/// Sleeps until `moment`, if that is still to come.
pub fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

#[track_caller]
fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {value}")).to_owned()
}
