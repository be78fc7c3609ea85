//! `t`, `T` and `v` show the tokens of two companies, of which one lives shortly, and of a user.

use std::time::Duration;

use postern::{Authorizer, Decision, Reason, Request, UnixTime};
use serde_json::{Value, json};

use super::{Clock, Reached};
use crate::world::{self, NOW};

/// Longest that a signature check may be remembered.
const MOST_AGE: Duration = Duration::from_secs(300);
/// The longest that the policy's sections forgive after `exp`.
const LEEWAY: u64 = 60;

pub(super) struct Tokens {
    authorizer: Authorizer,
    /// When each token's signature was last checked.
    checked_at: [Option<UnixTime>; 3],
}

/// Who shows a token, where, and until when it lives.
const SHOWN: [(&str, &str, u64); 3] = [
    ("c1", "/companies/c1/orders", NOW + 400),
    ("c2", "/companies/c2/orders", NOW + 70),
    ("u1", "/companies/c1/users/u1/orders", NOW + 400),
];

fn claims(which: usize) -> Value {
    let (subject, _, expires_at) = SHOWN[which];
    let (issuer, client) = if subject == "u1" { ("users", "client") } else { ("partners", subject) };
    json!({
        "iss": format!("https://{issuer}.example"), "aud": "https://api.example", "sub": subject, "client_id": client,
        "token_use": "access", "scope": "list", "iat": NOW, "exp": expires_at,
    })
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { authorizer: world::authorizer(), checked_at: [None; 3] }
    }

    pub(super) fn step(&mut self, step: u8, clock: &Clock) -> Option<Reached> {
        let which = [b't', b'T', b'v'].iter().position(|own| *own == step)?;
        let (subject, target, expires_at) = SHOWN[which];
        let credential = format!("Bearer {}", world::token(&claims(which)));
        let request = Request { method: "GET", target, headers: &[("authorization", &credential)] };
        let now = clock.now();
        let (decision, trail) = world::decide_at(now, &self.authorizer, &request);
        let is_remembered = trail.signatures == 0;
        if !is_remembered {
            self.checked_at[which] = Some(now);
        }
        match decision {
            Decision::Permit(permit) => {
                assert_eq!(permit.subject(), Some(subject), "permitted as somebody else");
                assert!(now.as_secs() < expires_at + LEEWAY, "permitted with a token that has ended");
                let checked_at = self.checked_at[which].expect("permitted without a signature");
                assert!(checked_at <= now, "a check from ahead of the clock is remembered");
                assert!(now.saturating_since(checked_at) < MOST_AGE, "a check is remembered for too long");
                is_remembered.then_some(Reached::Remembered)
            }
            Decision::Deny(denial) => {
                let is_old = now.as_secs() >= expires_at;
                assert!(is_old && denial.reason() == Reason::Expired, "{:?} at {now:?}", denial.reason());
                None
            }
            Decision::Preflight(_) => panic!("a preflight by GET"),
        }
    }
}
