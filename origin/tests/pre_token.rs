//! The Pre Token Generation trigger on events of each version: what is added to which token, and what happens where
//! there is nothing to add or nobody can tell.

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod service;

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use postern_origin::{
    config::Environment,
    enforcer::Enforcer,
    pre_token::{ON_OUTAGE, PreToken, PreTokenError, SCOPES},
};
use serde_json::{Value, json};
use service::{Mode, Service, keys};
use tracing_subscriber::fmt::MakeWriter;

const CLIENT: &str = "p4iondtoa9aljeoultesa4nvc";

fn trigger_with(service: &Service, variables: &[(&'static str, &'static str)]) -> PreToken {
    let variables = variables.to_vec();
    let environment = Environment::from_fn(move |name| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    });
    let enforcer = Enforcer::new(service.policy(|text| text), Some(keys())).expect("enforcer");
    PreToken::new(enforcer, &environment).expect("settings")
}

fn trigger(service: &Service) -> PreToken {
    trigger_with(service, &[])
}

fn event(version: &str, source: &str, response: Value) -> Value {
    json!({
        "version": version,
        "triggerSource": format!("TokenGeneration_{source}"),
        "region": "eu-west-2",
        "userPoolId": "eu-west-2_Example",
        "userName": "alice",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": CLIENT},
        "request": {
            "userAttributes": {"sub": "user-1", "email": "alice@example.com"},
            "groupConfiguration": {"groupsToOverride": ["a"], "iamRolesToOverride": [], "preferredRole": null},
            "scopes": ["openid"],
        },
        "response": response,
    })
}

/// The event with another response.
fn with(mut event: Value, response: Value) -> Value {
    event["response"] = response;
    event
}

const MANAGER: &str = r#""companies":["1111"],"role":"Manager""#;

#[tokio::test]
async fn a_v1_event_changes_the_id_token_by_strings() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    let claims = json!({"id": "user-1", "companies": "[\"1111\"]", "role": "Manager"});
    // Cognito sends null, emulators an object or nothing.
    for response in
        [json!({"claimsOverrideDetails": null}), json!({"claimsOverrideDetails": {}}), json!({}), Value::Null]
    {
        let event = event("1", "Authentication", response);
        let answer = trigger(&service).answer(event.clone()).await.expect("an answer");
        let expected = json!({"claimsOverrideDetails": {"claimsToAddOrOverride": claims}});
        assert_eq!(answer, with(event, expected));
    }
}

#[tokio::test]
async fn v2_and_v3_events_change_both_tokens() {
    let service = Service::start().await;
    service.set("user-1", r#""companies":{"1111":["Manager"],"2222":["Standard"]}"#);
    let token = json!({"claimsToAddOrOverride": {
        "id": "user-1", "companies": {"1111": ["Manager"], "2222": ["Standard"]},
    }});
    for version in ["2", "3"] {
        let event = event(version, "RefreshTokens", json!({"claimsAndScopeOverrideDetails": null}));
        let answer = trigger(&service).answer(event.clone()).await.expect("an answer");
        let details = json!({"idTokenGeneration": token, "accessTokenGeneration": token});
        assert_eq!(answer, with(event, json!({"claimsAndScopeOverrideDetails": details})));
    }
}

#[tokio::test]
async fn a_machine_client_is_its_own_subject_and_has_an_access_token_alone() {
    let service = Service::start().await;
    service.set(CLIENT, MANAGER);
    let mut event = event("3", "ClientCredentials", json!({"claimsAndScopeOverrideDetails": null}));
    event["request"] = json!({"scopes": ["orders/list.orders"], "clientMetadata": {}});
    let answer = trigger(&service).answer(event.clone()).await.expect("an answer");
    let token = json!({"claimsToAddOrOverride": {"id": CLIENT, "companies": ["1111"], "role": "Manager"}});
    let details = json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": token}});
    assert_eq!(answer, with(event, details));
}

#[tokio::test]
async fn scopes_that_a_role_brings_go_into_access_tokens_beside_those_that_are_there() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    let trigger = trigger_with(&service, &[(SCOPES, r#"{"Manager":["orders/list.orders","a"],"Standard":["never"]}"#)]);
    let there = json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {
        "scopesToAdd": ["a", "b"], "scopesToSuppress": ["c"], "claimsToAddOrOverride": {"x": 1},
    }}});
    let answer = trigger.answer(event("2", "HostedAuth", there)).await.expect("an answer");
    let details = &answer["response"]["claimsAndScopeOverrideDetails"];
    let access = &details["accessTokenGeneration"];
    assert_eq!(access["scopesToAdd"], json!(["a", "b", "orders/list.orders"]));
    assert_eq!((&access["scopesToSuppress"], &access["claimsToAddOrOverride"]["x"]), (&json!(["c"]), &json!(1)));
    assert_eq!(details["idTokenGeneration"].get("scopesToAdd"), None);
    // The first version has no place for scopes.
    let answer = trigger.answer(event("1", "Authentication", json!({}))).await.expect("an answer");
    assert!(!answer.to_string().contains("scopesToAdd"), "{answer}");
}

/// As cognito-local sends it: version 0, a group configuration without members, no client metadata.
#[tokio::test]
async fn an_emulators_event_is_answered_as_the_first_version() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    let event = json!({
        "version": "0", "triggerSource": "TokenGeneration_Authentication", "region": "local",
        "callerContext": {"awsSdkVersion": "2.1692.0", "clientId": CLIENT},
        "userPoolId": "local_pool", "userName": "alice",
        "request": {"userAttributes": {"sub": "user-1", "email_verified": "true"}, "groupConfiguration": {}},
        "response": {"claimsOverrideDetails": {}},
    });
    let answer = trigger(&service).answer(event).await.expect("an answer");
    assert_eq!(answer["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"]["role"], "Manager");
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn start(&self) -> tracing::subscriber::DefaultGuard {
        // While there is but one, `tracing` asks the thread that meets an event first whether anybody listens, and keeps
        // the answer: a test beside this one, which has no log, would say no for all.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        tracing::subscriber::set_default(tracing_subscriber::fmt().json().with_writer(self.clone()).finish())
    }

    fn warnings(&self) -> Vec<String> {
        self.codes("WARN")
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn codes(&self, level: &str) -> Vec<String> {
        let text = self.text();
        assert!(!text.contains("user-1") && !text.contains("alice"), "it says who signed in: {text}");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines = lines.filter(|line| line["level"] == level);
        lines.filter_map(|line| line["fields"]["code"].as_str().map(str::to_owned)).collect()
    }
}

/// The original's trigger swallowed its error and returned nothing, so that whoever had no record could not sign in.
#[tokio::test]
async fn fault_10_a_user_without_a_record_signs_in_without_the_claims_and_with_a_warning() {
    let service = Service::start().await;
    for (version, details) in
        [("1", "claimsOverrideDetails"), ("2", "claimsAndScopeOverrideDetails"), ("3", "claimsAndScopeOverrideDetails")]
    {
        let log = Log::default();
        let guard = log.start();
        let event = event(version, "Authentication", json!({details: null}));
        // Nor is it the outage that may forbid it.
        let answer = trigger_with(&service, &[(ON_OUTAGE, "deny")]).answer(event.clone()).await;
        drop(guard);
        assert_eq!(answer, Ok(event), "the event as it came, whole");
        assert_eq!(log.warnings(), ["no_record"]);
    }
}

#[tokio::test]
async fn while_the_service_cannot_tell_everybody_signs_in_without_the_claims_or_nobody_does() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    service.mode(Mode::Status(500));
    let event = event("2", "Authentication", json!({"claimsAndScopeOverrideDetails": null}));
    for said in [&[][..], &[(ON_OUTAGE, "allow")]] {
        let log = Log::default();
        let guard = log.start();
        assert_eq!(trigger_with(&service, said).answer(event.clone()).await, Ok(event.clone()));
        drop(guard);
        assert!(log.warnings().contains(&"outage".to_owned()), "{:?}", log.warnings());
    }
    let denied = trigger_with(&service, &[(ON_OUTAGE, "deny")]).answer(event.clone()).await;
    assert_eq!(denied, Err(PreTokenError::Outage));
    // And what cannot be configured at all is an outage as well.
    let unconfigured = |said: &'static str| {
        PreToken::from_environment(&Environment::from_fn(move |name| (name == ON_OUTAGE).then(|| said.to_owned())))
    };
    assert_eq!(unconfigured("allow").answer(event.clone()).await, Ok(event.clone()));
    for said in ["deny", "perhaps"] {
        assert_eq!(unconfigured(said).answer(event.clone()).await, Err(PreTokenError::Outage), "{said}");
    }
}

/// Cognito waits for five seconds, and then the sign-in fails whatever is configured.
#[tokio::test]
async fn a_service_that_hangs_is_given_up_before_cognito_gives_up() {
    let service = Service::start().await;
    service.mode(Mode::Hangs);
    let begun = Instant::now();
    let event = event("1", "Authentication", json!({"claimsOverrideDetails": null}));
    assert_eq!(trigger(&service).answer(event.clone()).await, Ok(event));
    // Cognito's bound, and no measure of speed.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// A record tells of one section's subjects; another pool's, or another client's, may be named alike.
#[tokio::test]
async fn a_client_that_no_section_names_brings_no_record_of_a_namesake() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    let mut stranger = event("1", "Authentication", json!({"claimsOverrideDetails": null}));
    stranger["callerContext"]["clientId"] = json!("another");
    assert_eq!(trigger(&service).answer(stranger.clone()).await, Ok(stranger));
    assert!(service.seen().is_empty());
}

/// `sub`, `username` and `userName` are three names, and only the first is nobody else's.
#[tokio::test]
async fn a_user_name_is_no_subject() {
    let service = Service::start().await;
    service.set("alice", MANAGER);
    let mut event = event("1", "Authentication", json!({"claimsOverrideDetails": null}));
    event["request"]["userAttributes"] = json!({"email": "alice@example.com"});
    assert_eq!(trigger(&service).answer(event.clone()).await, Ok(event));
    assert!(service.seen().is_empty());
}

/// Signing in goes on when Cognito has a version that this build has not.
#[tokio::test]
async fn an_event_of_an_unknown_version_is_answered_as_it_came_or_refused_as_is_configured() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    // Its members may be elsewhere, and its response is not touched.
    let mut event = event("4", "Authentication", json!({"newOverrideDetails": null}));
    event["callerContext"] = json!({"client": {"id": CLIENT}});
    event["request"]["userAttributes"] = Value::Null;
    for said in [&[][..], &[(ON_OUTAGE, "allow")]] {
        let log = Log::default();
        let guard = log.start();
        assert_eq!(trigger_with(&service, said).answer(event.clone()).await, Ok(event.clone()));
        drop(guard);
        assert_eq!(log.codes("ERROR"), ["version_unknown"]);
    }
    let deny = trigger_with(&service, &[(ON_OUTAGE, "deny")]);
    assert_eq!(deny.answer(event.clone()).await, Err(PreTokenError::Version));
    // What is no event of this trigger's is none in any version.
    for (member, value, error) in [
        ("request", Value::Null, PreTokenError::Event("request")),
        ("triggerSource", json!("PreSignUp_SignUp"), PreTokenError::Trigger),
        ("triggerSource", Value::Null, PreTokenError::Event("triggerSource")),
    ] {
        let mut event = event.clone();
        event[member] = value;
        assert_eq!(trigger(&service).answer(event).await, Err(error), "{member}");
    }
    assert!(service.seen().is_empty());
}

/// Its callers would be refused everywhere, and nobody told why.
#[tokio::test]
async fn a_section_that_reads_claims_is_told_at_the_start_as_an_error_and_its_users_sign_in() {
    let service = Service::start().await;
    service.set("user-1", MANAGER);
    let staff = "[issuer.staff]\npreset = \"cognito\"\nclients = [\"staff\"]\npermissions = \"claims\"\n\
                 url = \"https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Staff\"\n";
    let route = "[[route]]\nname = \"staff\"\nmethods = [\"GET\"]\npath = \"/staff\"\norigin = \"vouchers\"\nissuer = \"staff\"\n";
    let policy = service.policy(|text| format!("{text}\n{staff}\n{route}"));
    let mut event = event("2", "Authentication", json!({"claimsAndScopeOverrideDetails": null}));
    event["callerContext"]["clientId"] = json!("staff");
    let log = Log::default();
    let guard = log.start();
    let enforcer = Enforcer::new(policy, Some(keys())).expect("enforcer");
    let trigger = PreToken::new(enforcer, &Environment::from_fn(|_| None)).expect("settings");
    assert_eq!(log.codes("ERROR"), ["section_reads_claims"]);
    assert!(log.text().contains("permissions = \\\"service\\\"") && log.text().contains("\"staff\""), "{}", log.text());
    assert_eq!(trigger.answer(event.clone()).await, Ok(event.clone()));
    assert_eq!((log.codes("ERROR").len(), log.warnings()), (2, vec!["no_section".to_owned()]));
    drop(guard);
    // And a section that has records is nothing to tell of.
    let log = Log::default();
    let guard = log.start();
    trigger_with(&service, &[]).answer(event.clone()).await.expect("an answer");
    drop(guard);
    assert_eq!(log.codes("ERROR"), Vec::<String>::new());
}

#[tokio::test]
async fn events_that_cannot_be_read_are_refused_by_name_and_nobody_is_asked() {
    let service = Service::start().await;
    let good = event("2", "Authentication", json!({}));
    let changed = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).expect("a member") = value;
        event
    };
    for (event, error) in [
        (Value::Null, PreTokenError::Event("event")),
        (json!([]), PreTokenError::Event("event")),
        (json!({}), PreTokenError::Event("version")),
        (changed("/version", json!(2)), PreTokenError::Event("version")),
        (changed("/triggerSource", json!("PreSignUp_SignUp")), PreTokenError::Trigger),
        (changed("/triggerSource", Value::Null), PreTokenError::Event("triggerSource")),
        (changed("/callerContext", json!("x")), PreTokenError::Event("callerContext")),
        (changed("/callerContext/clientId", Value::Null), PreTokenError::Event("callerContext.clientId")),
        (changed("/request", json!([])), PreTokenError::Event("request")),
        (changed("/request/userAttributes", Value::Null), PreTokenError::Event("request.userAttributes")),
        (changed("/request/userAttributes/sub", json!(7)), PreTokenError::Event("request.userAttributes.sub")),
        (changed("/request/userAttributes/sub", json!("")), PreTokenError::Event("request.userAttributes.sub")),
        (changed("/response", json!("x")), PreTokenError::Event("response")),
        (changed("/response", json!({"claimsAndScopeOverrideDetails": []})), PreTokenError::Event("response")),
        (
            changed("/response", json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": 1}})),
            PreTokenError::Event("response"),
        ),
    ] {
        assert_eq!(trigger(&service).answer(event.clone()).await, Err(error), "{event}");
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
    }
    assert!(service.seen().is_empty());
}
