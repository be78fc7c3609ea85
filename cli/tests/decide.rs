//! `postern decide` as a pipe: requests in, decisions out, in order, whatever stands between.

use std::{fs, path::PathBuf};

use assert_cmd::Command;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{
    Algorithm, AlgorithmSignature,
    alg::{Ed25519, SigningKey},
};
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
/// RFC 8037's example, appendix A.1: the seed and what is published of it.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const JWKS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A file that is removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("postern-decide-{name}-{}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn sign(claims: &Value) -> String {
    let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", encode(&json!({"alg": "EdDSA", "kid": "a"})), encode(claims));
    let seed = Base64UrlUnpadded::decode_vec(SEED).unwrap();
    let key = SigningKey::<Ed25519>::from_slice(&seed).unwrap();
    let signature = Ed25519.sign(&key, message.as_bytes());
    format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

fn partner() -> String {
    sign(&json!({
        "iss": "https://auth.partners.ljg-sushi.example", "aud": "https://api.ljg-sushi.example", "sub": "1111",
        "token_use": "access", "scope": "orders/list.orders", "iat": NOW, "exp": NOW + 60,
    }))
}

fn user() -> String {
    sign(&json!({
        "iss": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example", "sub": "jane",
        "client_id": "p4iondtoa9aljeoultesa4nvc", "token_use": "access", "iat": NOW, "exp": NOW + 60,
    }))
}

fn request(id: impl Into<Value>, target: &str, token: Option<&str>) -> String {
    let headers: Vec<[String; 2]> =
        token.iter().map(|token| ["Authorization".to_owned(), format!("Bearer {token}")]).collect();
    json!({"id": id.into(), "method": "GET", "target": target, "headers": headers}).to_string()
}

/// Exit code, decisions, standard error.
fn decide(arguments: &[&str], lines: &[String]) -> (i32, Vec<Value>, String) {
    let mut command = Command::cargo_bin("postern").unwrap();
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).arg("decide").args(arguments);
    let output = command.write_stdin(lines.join("\n")).output().unwrap();
    let decisions = String::from_utf8(output.stdout).unwrap();
    assert!(!decisions.contains("eyJ"), "a token is in the output: {decisions}");
    let decisions = decisions.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code().unwrap(), decisions, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn each_line_is_decided_in_order_and_says_who_what_and_why() {
    let keys = Scratch::new("keys", JWKS);
    let named = format!("partners={}", keys.path());
    let orders = "/companies/1111/orders";
    let token = partner();
    let lines = [
        request("a", orders, Some(&token)),
        request(2, "/companies/2222/orders", Some(&token)),
        request(Value::Null, "/companies/1111/orders/1", Some(&token)),
        request(json!({"nested": [1]}), orders, None),
        request("health", "/health", None),
        request("nowhere", "/nowhere", None),
        request("dots", "/companies/../orders", Some(&token)),
        json!({"id": "page", "method": "OPTIONS", "target": orders, "headers": [
            ["Origin", "https://app.ljg-sushi.example"], ["Access-Control-Request-Method", "GET"]]})
        .to_string(),
    ];
    let now = NOW.to_string();
    let (code, decisions, errors) = decide(&["--keys", &named, "--now", &now], &lines);
    assert_eq!((code, errors.as_str()), (0, ""));
    let decision = |id: Value, decision: &str, status: u16, reason: Value, route: Value, who: Value| {
        json!({"id": id, "decision": decision, "status": status, "reason": reason, "route": route,
            "subject": who, "company": who})
    };
    let none = || Value::Null;
    assert_eq!(
        decisions,
        [
            decision(json!("a"), "permit", 200, none(), json!("external-orders-list"), json!("1111")),
            decision(json!(2), "deny", 403, json!("company_mismatch"), json!("external-orders-list"), none()),
            decision(none(), "deny", 403, json!("scope_missing"), json!("external-orders-get"), none()),
            decision(
                json!({"nested": [1]}),
                "deny",
                401,
                json!("credential_missing"),
                json!("external-orders-list"),
                none()
            ),
            decision(json!("health"), "permit", 200, none(), json!("health"), none()),
            decision(json!("nowhere"), "deny", 404, json!("no_route"), none(), none()),
            decision(json!("dots"), "deny", 400, json!("target_dot_segment"), none(), none()),
            decision(json!("page"), "deny", 204, json!("preflight"), none(), none()),
        ]
    );
    // A minute later the token has ended.
    let later = (NOW + 60).to_string();
    let (_, decisions, _) = decide(&["--keys", &named, "--now", &later], &lines[..1]);
    assert_eq!(decisions[0]["reason"], json!("expired"));
}

#[test]
fn permissions_come_from_the_file_in_either_shape_and_without_one_nobody_can_tell() {
    // The users' issuer signs with RS256 alone in the example; here it may sign with this key.
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../postern.toml")).unwrap();
    let policy = Scratch::new(
        "policy",
        &example.replace("preset = \"cognito\"", "preset = \"cognito\"\nalgorithms = [\"EdDSA\"]"),
    );
    let keys = Scratch::new("users-keys", JWKS);
    let named = format!("users={}", keys.path());
    let now = NOW.to_string();
    let arguments = ["--policy", policy.path(), "--keys", &named, "--now", &now];
    let line = [request(1, "/companies/1111/users/jane/vouchers/v", Some(&user()))];
    for (record, status, reason) in [
        (Some(json!({"companies": ["1111"], "role": "Manager"})), 200, Value::Null),
        (Some(json!({"id": "jane", "companies": {"1111": ["Manager"]}, "version": 2})), 200, Value::Null),
        (Some(json!({"companies": {"1111": ["Standard"]}})), 403, json!("role_missing")),
        (Some(json!({"companies": ["2222"], "role": "Manager"})), 403, json!("company_mismatch")),
        (None, 403, json!("company_mismatch")),
    ] {
        let records = record.map_or_else(|| json!({}), |record| json!({"jane": record}));
        let file = Scratch::new("records", &records.to_string());
        let (code, decisions, errors) = decide(&[&arguments[..], &["--permissions", file.path()]].concat(), &line);
        assert_eq!((code, errors.as_str()), (0, ""));
        assert_eq!((&decisions[0]["status"], &decisions[0]["reason"]), (&json!(status), &reason), "{records}");
    }
    let (_, decisions, _) = decide(&arguments, &line);
    assert_eq!(decisions[0]["reason"], json!("permissions_unavailable"));
    // A line is a request without a body, which a route that reads bodies whole then binds.
    let records = Scratch::new("records", r#"{"jane": {"companies": {"1111": ["Manager"]}}}"#);
    let token = sign(&json!({
        "iss": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example", "sub": "jane", "iat": NOW,
        "client_id": "p4iondtoa9aljeoultesa4nvc", "token_use": "access", "exp": NOW + 60, "scope": "orders/create.order",
    }));
    let headers = json!([["authorization", format!("Bearer {token}")]]);
    let post = json!({"id": 1, "method": "POST", "target": "/companies/1111/users/jane/orders", "headers": headers});
    let arguments_with = [&arguments[..], &["--permissions", records.path()]].concat();
    let (_, decisions, _) = decide(&arguments_with, &[post.to_string()]);
    assert_eq!((&decisions[0]["status"], &decisions[0]["route"]), (&json!(200), &json!("internal-orders-create")));
    let (_, decisions, _) = decide(&["--policy", policy.path(), "--now", &now], &line);
    assert_eq!((&decisions[0]["status"], &decisions[0]["reason"]), (&json!(503), &json!("keys_unavailable")));
}

#[test]
fn a_line_that_is_no_request_is_told_by_its_number_and_the_run_goes_on() {
    let token = partner();
    let health = request("last", "/health", None);
    let bad = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        json!({"method": "GET", "target": "/health", "headers": []}).to_string(),
        json!({"id": 1, "method": token, "headers": []}).to_string(),
        json!({"id": 1, "method": "GET", "target": "/health"}).to_string(),
        json!({"id": 1, "method": "GET", "target": "/health", "headers": [["authorization", token, "x"]]}).to_string(),
        json!({"id": 1, "method": "GET", "target": "/health", "headers": {"authorization": token}}).to_string(),
        json!({"id": 1, "method": "GET", "target": "/health", "headers": [], (token.clone()): 1}).to_string(),
    ];
    let lines: Vec<String> = bad.iter().cloned().chain([health]).collect();
    let (code, decisions, _) = decide(&[], &lines);
    assert_eq!(code, 2);
    assert_eq!(decisions.len(), lines.len());
    for (index, told) in decisions.iter().take(bad.len()).enumerate() {
        assert_eq!(told["line"], json!(index + 1), "{told}");
        assert!(told["error"].is_string() && told.get("decision").is_none(), "{told}");
    }
    assert_eq!(decisions.last().unwrap()["decision"], json!("permit"));
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let html = Scratch::new("html", "<html>");
    let other = Scratch::new("other", r#"{"jane": {"id": "john", "companies": []}}"#);
    let shape = Scratch::new("shape", r#"{"jane": {"companies": "1111"}}"#);
    for (arguments, says) in [
        (vec!["--keys".to_owned(), "no-such-set".to_owned()], "cannot read `no-such-set`"),
        (
            vec!["--keys".to_owned(), format!("partner={}", html.path())],
            "the policy has no issuer `partner`, only partners, users",
        ),
        (vec!["--keys".to_owned(), format!("partners={}", html.path())], "the body is not a JWK set"),
        (vec!["--keys".to_owned(), "partners=no-such-file".to_owned()], "cannot read `no-such-file`"),
        (vec!["--permissions".to_owned(), html.path().to_owned()], "is not JSON: expected value at line 1 column 1"),
        (vec!["--permissions".to_owned(), other.path().to_owned()], "the record under `jane` is about somebody else"),
        (vec!["--permissions".to_owned(), shape.path().to_owned()], "the record of `jane`: `companies` is neither"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, decisions, errors) = decide(&arguments, &[request(1, "/health", None)]);
        assert_eq!((code, decisions.len()), (2, 0), "{errors}");
        assert!(errors.contains(says), "{errors}");
    }
}
