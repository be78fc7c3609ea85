//! The decision log and the rules that are only tried, in real workerd: what is written down of each request, and that
//! nothing which is only tried changes an answer.
//!
//! The Worker here is the one built for tests: `policies/tried.toml` beside the example, and a next policy to try.

use std::time::Duration;

use postern::digest::{content_digest_field, sha256};
use postern_e2e::{
    Answer, Call, PARTNERS, Platform, Session, USERS,
    cold::ColdEdge,
    planted::{LOG_SECRET, VERSION_ID, with_planted_panic},
    session,
    stand_in::StandIn,
    wait,
};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(5);
const VOUCHER: &str = "/companies/1111/users/user-manager/vouchers/voucher-7";
const LIST: &str = "/companies/1111/orders";

struct Logged {
    edge: ColdEdge,
    requests: u32,
}

impl Logged {
    fn start(stack: &Session) -> Self {
        let edge = match Platform::current() {
            Platform::Worker => ColdEdge::start_with(stack, |config| with_planted_panic(stack, config)),
            // The function that is packed for tests has the same rules.
            Platform::CloudFront => ColdEdge::start(stack),
        };
        Self { edge, requests: 0 }
    }

    /// Sends a request under a name of its own, and gives that name with the answer.
    fn send(&mut self, call: Call) -> (String, Answer) {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        (id.clone(), call.header(Platform::current().request_id_field(), &id).send())
    }

    /// The lines of that event about that request, once there are so many.
    #[track_caller]
    fn lines(&self, event: &str, id: &str, count: usize) -> Vec<Value> {
        let of_request = || -> Vec<Value> {
            let log = self.edge.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line.get(line.find('{')?..)?).ok());
            lines.filter(|line| line["event"] == event && line["request"] == id).collect()
        };
        wait::until("the line is in the log", PATIENCE, || of_request().len() >= count);
        of_request()
    }

    #[track_caller]
    fn decision(&self, id: &str) -> Value {
        let lines = self.lines("decision", id, 1);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    }
}

#[test]
fn each_decision_is_one_line_with_the_states_of_the_caches() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    let token = stack.user("user-manager");
    let (first, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&token));
    answer.expect(200);
    let line = logged.decision(&first);
    assert_eq!(line["decision"], "permit");
    assert_eq!(
        (&line["route"], &line["issuer"], &line["company"]),
        (&json!("vouchers-validate"), &json!("users"), &json!("1111"))
    );
    assert_eq!(line["caches"], json!({ "token": "miss", "keys": "miss", "permissions": "miss" }));
    assert!(line["took_ms"].is_u64() && line["time"].as_u64().is_some_and(|time| time > 1_700_000_000_000), "{line}");

    let version = match Platform::current() {
        Platform::Worker => json!(VERSION_ID),
        Platform::CloudFront => Value::Null,
    };
    assert_eq!(line["version"], version);

    let (second, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&token));
    answer.expect(200);
    let again = logged.decision(&second);
    assert_eq!(again["caches"], json!({ "token": "hit", "permissions": "miss" }));
    assert_eq!(again["subject"], line["subject"], "the same caller");
    assert_eq!(line["subject"].as_str().map(str::len), Some(32));

    let other = stack.user("user-standard");
    let (third, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&other));
    answer.denied(403, "access_denied");
    let denied = logged.decision(&third);
    assert_eq!(
        (&denied["decision"], &denied["reason"], &denied["status"]),
        (&json!("deny"), &json!("subject_mismatch"), &json!(403))
    );
    assert_ne!(denied["subject"], line["subject"], "another caller");

    let log = logged.edge.log();
    for secret in [token.as_str(), other.as_str(), "user-manager", "user-standard", LOG_SECRET, "voucher-7"] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
}

#[test]
fn a_rule_that_is_only_tried_changes_no_answer_and_is_heard_of_where_it_differs() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    // The manager may; the rule that is tried would want a Standard.
    let (id, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&stack.user("user-manager")));
    answer.expect(200);
    let lines = logged.lines("shadow", &id, 1);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["route"], &lines[0]["reason"]), (&json!("tried-vouchers"), &json!("role_missing")));
    assert_eq!(lines[0]["enforced"], json!({ "decision": "permit", "route": "vouchers-validate" }));

    // The Standard may not, whatever is tried.
    let (id, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&stack.user("user-standard")));
    answer.denied(403, "access_denied");
    let lines = logged.lines("shadow", &id, 1);
    assert_eq!(
        (&lines[0]["decision"], &lines[0]["enforced"]["reason"]),
        (&json!("permit"), &json!("subject_mismatch"))
    );

    // What only a tried rule knows is not there.
    let (id, answer) = logged.send(logged.edge.get("/tried/alone"));
    answer.denied(404, "not_found");
    assert_eq!(logged.lines("shadow", &id, 1)[0]["decision"], "permit");
}

#[test]
fn a_whole_policy_can_be_tried_beside_the_one_that_decides() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    let plain = stack.control().mint(PARTNERS, json!({}));
    let (id, answer) = logged.send(logged.edge.get(LIST).bearer(&plain));
    answer.expect(200);
    let decided = logged.decision(&id);
    let lines = logged.lines("shadow", &id, 1);
    assert_eq!((&lines[0]["reason"], &lines[0]["enforced"]["decision"]), (&json!("condition_unmet"), &json!("permit")));
    assert_ne!(lines[0]["policy"], decided["policy"], "the version of the policy that is tried");

    // Where both say the same there is nothing to say.
    let gold = stack.control().mint(PARTNERS, json!({ "claims": { "tier": "gold" } }));
    let (agreed, answer) = logged.send(logged.edge.get(LIST).bearer(&gold));
    answer.expect(200);
    let (later, _) = logged.send(logged.edge.get(LIST).bearer(&plain));
    logged.lines("shadow", &later, 1);
    assert!(logged.lines("shadow", &agreed, 0).is_empty(), "agreement is no difference");
}

#[test]
fn a_declared_body_and_a_handed_on_claim_reach_the_origin_under_its_assertion() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "{}"));
    let token = stack.partner("1111");
    let declared = |field: Option<String>| {
        let call = logged.edge.call("POST", "/tried/declared").bearer(&token).body("{}");
        let call = call.header("x-client", "somebody-else").header("X_Client", "somebody-else");
        match field {
            Some(field) => call.header("content-digest", &field),
            None => call,
        }
    };
    let (none, good) = (declared(None), declared(Some(content_digest_field(&sha256(b"{}")))));
    let (id, answer) = logged.send(none);
    answer.denied(400, "invalid_request");
    assert_eq!(logged.decision(&id)["reason"], "body_digest_missing");
    let (_, answer) = logged.send(good);
    answer.expect(200);
    let (_, answer) = logged.send(logged.edge.get("/tried/open").header("x-client", "somebody-else"));
    answer.expect(200);

    let seen = services.seen();
    let [bound, open] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(bound.values("x-client").collect::<Vec<_>>(), ["1111"]);
    assert_eq!(open.value("x-client"), None, "on no route can a caller set it");
    for head in [bound, open] {
        assert_eq!(head.value("x_client"), None);
    }
    let trust = json!({ "issuers": { "edge": stack.keys["external-orders"] } }).to_string();
    let verifier = postern::assertion::AssertionVerifier::from_json("external-orders", &trust).expect("keys");
    let compact = bound.value("postern-assertion").expect("an assertion");
    let now = postern_e2e::assertions::now();
    let verified = verifier.verify(compact, "POST", "/tried/declared", now).expect("it holds");
    assert_eq!(verified.content_sha256(), Some(&sha256(b"{}")));
    assert_eq!(verified.handed_on(), [("x-client".to_owned(), "1111".to_owned())]);
}

#[test]
fn a_record_stands_in_for_a_service_that_is_down_only_where_the_route_says_so() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "{}"));
    let token = stack.control().mint(USERS, json!({ "claims": { "sub": "user-manager" } }));
    let standing_in = "/tried/1111/standing-in";
    let (_, answer) = logged.send(logged.edge.get(standing_in).bearer(&token));
    answer.expect(200);
    stack.control().line("permissions", "cut");
    std::thread::sleep(Duration::from_millis(1_100));
    // Two failures are no outage, and neither are three within ten seconds.
    for _ in 0..3 {
        let (_, answer) = logged.send(logged.edge.get(standing_in).bearer(&token));
        answer.denied(503, "temporarily_unavailable");
        std::thread::sleep(Duration::from_millis(3_500));
    }
    let (id, answer) = logged.send(logged.edge.get(standing_in).bearer(&token));
    answer.expect(200);
    assert_eq!(logged.decision(&id)["caches"]["permissions"], "stale");
    let (_, answer) = logged.send(logged.edge.get(VOUCHER).bearer(&token));
    answer.denied(503, "temporarily_unavailable");
    stack.control().line("permissions", "open");
    drop(services);
}

#[test]
fn the_company_in_a_field_is_judged_once_and_in_one_spelling() {
    let stack = session();
    let mut logged = Logged::start(&stack);
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "{}"));
    let token = stack.partner("1111");
    let call = |edge: &ColdEdge| edge.get("/tried/by-field").bearer(&token);
    for (fields, status, reason) in [
        (&[("x-company", "1111")][..], 200, Value::Null),
        (&[("X-Company", "2222")], 403, json!("company_mismatch")),
        (&[], 400, json!("company_unspecified")),
        (&[("x-company", "1111"), ("x-company", "2222")], 400, json!("company_unspecified")),
        (&[("x-company", "1111"), ("X_Company", "2222")], 400, json!("company_unspecified")),
    ] {
        let call = fields.iter().fold(call(&logged.edge), |call, (name, value)| call.header(name, value));
        let (id, answer) = logged.send(call);
        assert_eq!(answer.status(), status, "{fields:?}");
        assert_eq!(logged.decision(&id)["reason"], reason, "{fields:?}");
    }
    assert_eq!(services.seen().len(), 1);
}
