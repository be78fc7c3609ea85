//! API Gateway's events: nothing is allowed but to a caller whose signature held, and a result allows what it names alone.
//!
//! The payload is an event's JSON. `{token}` in it becomes the token that the script chooses, since chance does not hit on
//! one.

use std::time::Duration;

use postern::SignatureCheck;
use postern_origin::{
    assertion::BasePath,
    authorizer::{
        Caching, ResponseKind, Settings,
        answer::{MAX_RESULT_BYTES, answer},
        verdict::Failure,
    },
};
use serde_json::{Value, json};

use crate::{
    Script,
    decider::{Scripted, finished},
    world::{self, NOW},
};

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Not JSON, or not an event that can be read.
    Nothing,
    /// An end without a result: 401 or 500.
    Failed,
    /// A result that allows nothing.
    Denied,
    /// A result that allows one request.
    Allowed,
    /// A result that allows whatever the caller may do.
    Listed,
}

/// Answers the input's event.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let ttl = Duration::from_secs(60);
    let caching = script.pick(&[Caching::Off, Caching::ByRequest(ttl), Caching::ByToken(ttl)]);
    let response = script.pick(&[ResponseKind::Iam, ResponseKind::Simple]);
    let signature = script.pick(&[SignatureCheck::Valid, SignatureCheck::Invalid, SignatureCheck::Unavailable]);
    let is_up = script.choose(2) == 0;
    let subject = script.pick(&["c1", "*", "c?", "${aws:userid}", "a/b", "c1*"]);
    let token = match script.choose(3) {
        0 => {
            json!({"iss": "https://partners.example", "aud": "https://api.example", "sub": subject, "client_id": subject,
                    "token_use": "access", "scope": "list", "iat": NOW, "exp": NOW + 3600})
        }
        1 => json!({"iss": "https://users.example", "sub": "u1", "client_id": "client", "token_use": "access",
                    "scope": "list", "iat": NOW, "exp": NOW + 3600}),
        _ => json!({"iss": "https://partners.example", "aud": "https://api.example", "sub": "c1", "client_id": "c1",
                    "token_use": "access", "scope": "list", "iat": NOW - 7200, "exp": NOW - 3600}),
    };
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Nothing };
    let text = text.replace("{token}", &world::token(&token));
    let Ok(event) = serde_json::from_str::<Value>(&text) else { return Reached::Nothing };
    let decider = Scripted::new(world::authorizer(), signature, is_up);
    let settings = Settings::default().with_caching(caching).with_response(response);
    let result = match finished(answer(&decider, settings, &BasePath::none(), event.clone())) {
        Ok(result) => result,
        Err(failure) => {
            assert!(!failure.code().is_empty() && !failure.to_string().contains("eyJ"), "a failure shows a token");
            return if matches!(failure, Failure::Event(_)) { Reached::Nothing } else { Reached::Failed };
        }
    };
    assert!(result.to_string().len() <= MAX_RESULT_BYTES, "a result is larger than API Gateway takes");
    assert!(!result["context"].to_string().contains("eyJ"), "a result hands a token on");
    let statements = result["policyDocument"]["Statement"].as_array().cloned().unwrap_or_default();
    let allowing: Vec<&Value> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
    if allowing.is_empty() && result["isAuthorized"] != true {
        return Reached::Denied;
    }
    let is_public = result["principalId"] == "anonymous" || path_of(&event).is_some_and(|path| path == "/health");
    assert!(is_public || decider.believed.get(), "allowed without a valid signature");
    assert!(is_public || credentials(&event) == 1, "allowed without a credential, or with two");
    assert!(is_public || is_up || !by_record(&event, &token), "allowed without a record");
    assert!(is_public || token["exp"].as_u64() > Some(NOW), "allowed with a token that has ended");
    let allowed: Vec<&str> =
        allowing.iter().flat_map(|one| one["Resource"].as_array().expect("a list")).filter_map(Value::as_str).collect();
    let has_end = |one: &&Value| one["Condition"]["DateLessThan"]["aws:CurrentTime"].is_string();
    assert!(is_public || allowing.iter().all(has_end), "a document outlives its token");
    let arn = event["methodArn"].as_str().or(event["routeArn"].as_str()).expect("an ARN");
    let end = arn.match_indices('/').nth(1).map_or(arn.len(), |(at, _)| at + 1);
    for resource in &allowed {
        let rest = resource.strip_prefix(&arn[..end]).expect("of this API and stage");
        assert!(rest == "$connect" || !rest.contains(['*', '?', '$']), "`{resource}` allows more than one request");
        assert!(!arn[..end].trim_end_matches("$default/").contains(['*', '?', '$']), "`{arn}` is of more than one API");
    }
    if caching == Caching::Off
        || matches!(caching, Caching::ByRequest(_))
        || event["requestContext"]["eventType"] == "CONNECT"
    {
        assert!(allowed.is_empty() || allowed == [arn], "another request is allowed than was asked about");
        return Reached::Allowed;
    }
    // The policy's routes, of the caller's own company, and nothing else.
    for resource in &allowed {
        let rest = &resource[end..];
        let company = if token["sub"] == "u1" { "c1" } else { token["sub"].as_str().expect("a text") };
        let own = format!("/companies/{company}/");
        let is_own = rest.contains(&own) || rest.ends_with("/health");
        assert!(is_own, "`{rest}` is not of company `{company}`");
    }
    Reached::Listed
}

fn path_of(event: &Value) -> Option<&str> {
    event["path"].as_str().or(event["rawPath"].as_str())
}

/// Whether the answer rests on the permissions service.
fn by_record(_: &Value, token: &Value) -> bool {
    token["iss"] == "https://users.example"
}

/// How many credentials the event has, as anybody would count them.
fn credentials(event: &Value) -> usize {
    if event["type"] == "TOKEN" {
        return usize::from(event["authorizationToken"].is_string());
    }
    let is_one = |name: &str| name.eq_ignore_ascii_case("authorization");
    let named = |member: &str| {
        let fields = event[member].as_object().into_iter().flatten();
        fields.filter(|(name, _)| is_one(name)).map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    let lists = named("multiValueHeaders");
    let texts = |value: &Value| value.as_array().into_iter().flatten().filter(|one| one.is_string()).count();
    let listed: usize = lists.iter().map(|(_, list)| texts(list)).sum();
    // Both maps have the same value.
    let others = named("headers")
        .into_iter()
        .filter(|(name, value)| value.is_string() && !lists.iter().any(|(own, list)| own == name && texts(list) > 0));
    listed + others.count()
}
