//! What stands around a decision: a policy, the issuers' public keys, a permissions record, and a driver that answers
//! each need as the input's script says and holds the core to the order of its steps.

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::{
    Authorizer, Decision, JwkSet, Keys, MAX_KEY_ID_BYTES, Permissions, PermissionsRecord, Policy, Progress,
    RELEASED_AT, Request, SignatureCheck, UnixTime, policy,
};

use crate::Script;

/// The policy's text, with its comments.
pub(crate) const POLICY: &str = include_str!("../policy.toml");

/// The moment of every decision, in seconds since the epoch, unless the script says otherwise.
pub(crate) const NOW: u64 = 1_800_000_000;

/// One company and one user who is its manager.
pub(crate) const SUBJECT: &str = "u1";

pub(crate) static CHECKED: LazyLock<Policy> =
    LazyLock::new(|| policy::from_toml(POLICY, None).expect("the policy builds"));

/// The keys of every issuer. Their private halves were made for this and thrown away.
pub(crate) static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet::parse(JWKS.as_bytes()).expect("the keys are fit"));

pub(crate) static RECORD: LazyLock<PermissionsRecord> = LazyLock::new(|| {
    PermissionsRecord::parse(br#"{"id":"u1","companies":{"c1":["Manager"]}}"#).expect("the record is one")
});

static ANOTHERS_RECORD: LazyLock<PermissionsRecord> = LazyLock::new(|| {
    PermissionsRecord::parse(br#"{"id":"u2","companies":{"c1":["Manager"]}}"#).expect("the record is one")
});

const JWKS: &str = r#"{"keys":[
{"kid":"rsa","kty":"RSA","e":"AQAB","n":"tLYo_ViP4NLqYOh-foIV7Tdyacmjo0WHKm5S7haz-hpjBIPCXTHz0E3tD851fGxDTFs4u0mAltT0i7VFgMswggShXiAs7XM4_Iv7jmEYroaipsLU2AwHk1qEqLkf6x9xL8Xz57paKMZylT2zTgJoBEWOYfLuXY00CKcnjkpdGKrIPl80sSqIEaQ-UB_xDUtt67HxeQ6wa7puZMUTaZK8RLHO__iRDwu0FA-Ve5VdVeSEU2tFCpIto7ezSNGJYI7aUAOi8M12JKUgnwJ4lJNv585mDX1XfT1h7PdcWh1DRIdk0EZQvpo3O57is-PpblKxnW4B2WpF3cH95lq7VaL9PQ"},
{"kid":"ec","kty":"EC","crv":"P-256","x":"b_A7lJJBzh2t1DUZ5pYOCoW0GmmgXDKBA6orzhWUyhY","y":"PE91OlW_AdxT9sCwx-7ni0DG_30lqW4igrmJzvccFEo"},
{"kid":"ec384","kty":"EC","crv":"P-384","x":"jsyrambdPwjYF5fBu0vG3Sa4FMNbJM5CJGktfXwD7JZViOED7-GDgZLtdS4-xfWS","y":"okZrJH3oNsF9A1T3MRi-oM7bnI7MudRqXYqtbKNKp2fbB5z289BMwhJDMzi7J8jj"},
{"kid":"ec521","kty":"EC","crv":"P-521","x":"AGDGcQ26fPSQ0rnFDBy14puCNpguABZm60ldMhhX6t_P6gJfiZ3oBUSwkvDhyBb_Pd369lQO0wy0tdmg7QK9lxjx","y":"AZLWmqeA3VHQ_zq-lbJuMvlyt7467laaoslpbnO0JOy13fYKpn8eSl5748fpiYcAyebFIApWmpc-PLpPHHDBqrS6"},
{"kid":"ed","kty":"OKP","crv":"Ed25519","x":"gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"}
]}"#;

/// An authoriser that remembers no token yet.
pub(crate) fn authorizer() -> Authorizer {
    Authorizer::new(CHECKED.clone())
}

/// A token of these claims with room for a signature: whether it holds is the script's to say.
pub(crate) fn token(claims: &serde_json::Value) -> String {
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let header = part(r#"{"alg":"EdDSA","kid":"ed"}"#);
    // The form of a signature is looked at before anybody is asked.
    format!("{header}.{}.{}", part(&claims.to_string()), part(&format!("s{}", "\0".repeat(63))))
}

/// What a decision asked for, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) keys: u32,
    pub(crate) signatures: u32,
    pub(crate) permissions: u32,
    /// The signature was answered to be valid.
    pub(crate) believed: bool,
    /// When it was.
    pub(crate) verified_at: UnixTime,
    /// The keys were past their time, so that an unknown `kid` says nothing.
    pub(crate) stale: bool,
    /// Some need was answered with `Unavailable`.
    pub(crate) in_the_dark: bool,
    /// The credential that the decision took from the request: the signed octets, and the signature encoded again.
    pub(crate) credential: Option<String>,
}

/// Takes `request` to its decision. The script says what each need is answered, and when.
pub(crate) fn decide(authorizer: &Authorizer, request: &Request<'_>, script: &mut Script<'_>) -> (Decision, Trail) {
    let clock = |script: &mut Script<'_>| script.pick(&[NOW, NOW + 3_599, NOW + 3_600, 0, u64::MAX]);
    decide_by(|script| UnixTime::from_secs(clock(script)), authorizer, request, script)
}

/// Takes `request` to its decision at one moment, each need answered as well as can be.
pub(crate) fn decide_at(now: UnixTime, authorizer: &Authorizer, request: &Request<'_>) -> (Decision, Trail) {
    decide_by(|_| now, authorizer, request, &mut Script::default())
}

fn decide_by(
    mut clock: impl FnMut(&mut Script<'_>) -> UnixTime,
    authorizer: &Authorizer,
    request: &Request<'_>,
    script: &mut Script<'_>,
) -> (Decision, Trail) {
    let mut trail = Trail::default();
    let mut algorithms: &[postern::Algorithm] = &[];
    // A clock that cannot be right tells nothing.
    let is_wrong = |now| now < RELEASED_AT;
    let begun_at = clock(script);
    trail.in_the_dark = is_wrong(begun_at);
    let mut progress = authorizer.begin(request, begun_at);
    loop {
        let now = clock(script);
        progress = match progress {
            Progress::Decided(decision) => {
                hold(request, &decision, &trail);
                return (decision, trail);
            }
            Progress::NeedsKeys(need) => {
                trail.keys += 1;
                assert_eq!((trail.keys, trail.signatures, trail.permissions), (1, 0, 0), "keys are asked for first");
                assert!(need.key_id().is_none_or(|kid| kid.len() <= MAX_KEY_ID_BYTES), "a giant `kid` is looked up");
                algorithms = need.issuer().algorithms();
                let answer = script.choose(3);
                trail.stale = answer == 1;
                trail.in_the_dark |= answer == 2 || is_wrong(now);
                let answer = [Keys::Fresh(&KEYS), Keys::Stale(&KEYS), Keys::Unavailable][usize::from(answer)];
                need.resume(answer, now)
            }
            Progress::NeedsSignature(need) => {
                trail.signatures += 1;
                assert_eq!(
                    (trail.keys, trail.signatures, trail.permissions),
                    (1, 1, 0),
                    "one signature, after the keys"
                );
                assert!(algorithms.contains(&need.algorithm()), "an algorithm that the issuer has not");
                let message = std::str::from_utf8(need.message()).expect("the signing input is ASCII");
                trail.credential = Some(format!("{message}.{}", Base64UrlUnpadded::encode_string(need.signature())));
                let answer = match script.choose(4) {
                    0 => SignatureCheck::Valid,
                    1 => SignatureCheck::Invalid,
                    2 => SignatureCheck::Unavailable,
                    // Nobody has the private keys, so nothing at all may pass the real check.
                    _ => {
                        let check = postern::signature::check(&need);
                        assert_ne!(check, SignatureCheck::Valid, "a signature was forged");
                        check
                    }
                };
                trail.believed = answer == SignatureCheck::Valid;
                trail.verified_at = now;
                trail.in_the_dark |= answer == SignatureCheck::Unavailable || is_wrong(now);
                need.resume(answer, now)
            }
            Progress::NeedsPermissions(need) => {
                trail.permissions += 1;
                assert_eq!(trail.permissions, 1, "permissions are asked for once");
                assert!(
                    need.target().is_none_or(|target| target.starts_with("/users/")),
                    "another record is asked for"
                );
                let answer = script.choose(4);
                // A record about someone else is no answer.
                let about = [Some(SUBJECT), Some("u2"), None, None][usize::from(answer)];
                trail.in_the_dark |=
                    is_wrong(now) || answer == 3 || about.is_some_and(|subject| subject != need.subject());
                let answer = [
                    Permissions::Found(&RECORD),
                    Permissions::Found(&ANOTHERS_RECORD),
                    Permissions::Absent,
                    Permissions::Unavailable,
                ][usize::from(answer)];
                need.resume(answer, now)
            }
            Progress::NeedsBody(_) => panic!("no route here reads bodies"),
        };
    }
}

/// What must hold of every decision, whatever was asked.
fn hold(request: &Request<'_>, decision: &Decision, trail: &Trail) {
    match decision {
        Decision::Permit(permit) => {
            assert!(!trail.in_the_dark, "permitted in the dark");
            assert_eq!((permit.method(), permit.target()), (request.method, request.target), "not what was decided on");
            assert_eq!(permit.subject().is_some(), permit.route() != "health", "only a public route needs no subject");
        }
        Decision::Deny(denial) => {
            let status = denial.answer().status;
            assert!(matches!(status, 400 | 401 | 403 | 404 | 405 | 503), "denied with {status}");
        }
        Decision::Preflight(answer) => {
            assert_eq!(request.method, "OPTIONS", "a preflight by another method");
            assert!(answer.status < 300, "a preflight answered with {}", answer.status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_stands() {
        assert_eq!(KEYS.keys().count(), 5);
        assert_eq!(authorizer().policy().routes().len(), 3);
        assert_eq!(RECORD.id(), SUBJECT);
    }
}
