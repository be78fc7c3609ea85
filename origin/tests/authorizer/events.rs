//! The event files of AWS's own library, through the function as it is configured and run.

use std::{fs, path::PathBuf};

use postern_origin::{
    authorizer::{host::Function, verdict::Failure},
    config::Environment,
};
use serde_json::{Value, json};

const POLICY: &str = r#"
[origin.api]
url = "https://api.example"
key = "KEY_API"

[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
clients = ["app"]
token_use = "access"
permissions = "claims"

[[route]]
name = "request"
methods = ["GET"]
path = "/request"
origin = "api"
public = true

[[route]]
name = "path"
methods = ["POST"]
path = "/my/path"
origin = "api"
issuer = "users"
"#;

/// The function, as it is configured from its environment.
fn function(variables: &'static [(&str, &str)]) -> Function {
    let path = std::env::temp_dir().join(format!("postern-authorizer-{}.toml", uuid::Uuid::new_v4()));
    fs::write(&path, POLICY).expect("a policy");
    let file = path.display().to_string();
    let environment = Environment::from_fn(move |name| match name {
        "POSTERN_POLICY" => Some(file.clone()),
        other => variables.iter().find(|(variable, _)| *variable == other).map(|(_, value)| (*value).to_owned()),
    });
    let function = Function::from_environment(&environment).expect("a function");
    fs::remove_file(path).expect("the policy's file");
    function
}

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("POSTERN_VECTORS")?).join("aws-events/aws-lambda-go");
    assert!(folder.is_dir(), "`POSTERN_VECTORS` has no `aws-events/aws-lambda-go`");
    Some(folder)
}

fn read(name: &str) -> Option<Value> {
    let text = fs::read_to_string(folder()?.join(name)).expect("a file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

/// The members of a result, and of what is in it, by name; texts for all else.
fn outline(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), outline(value))).collect(),
        Value::Array(items) => Value::Array(items.first().map(outline).into_iter().collect()),
        _ => Value::from("text"),
    }
}

#[tokio::test]
async fn awss_authorizer_requests_are_answered_in_the_shape_of_awss_response() {
    let Some(mut published) = read("apigw-custom-auth-response.json") else { return };
    // What is optional: a usage plan's key, and whatever is in the context.
    let members = published.as_object_mut().expect("members");
    members.remove("usageIdentifierKey");
    members.remove("context");
    let function = function(&[]);
    for (name, effect) in [
        ("apigw-custom-auth-request-type-request.json", "Allow"),
        ("apigw-v2-custom-authorizer-v1-request.json", "Allow"),
    ] {
        let mut result =
            function.answer(read(name).expect("a file")).await.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(result["policyDocument"]["Statement"][0]["Effect"], effect, "{name}");
        let context = result.as_object_mut().expect("members").remove("context").expect("a context");
        assert!(context.as_object().expect("members").values().all(Value::is_string), "{name}: the context is flat");
        assert_eq!(outline(&result), outline(&published), "{name}");
    }
}

#[tokio::test]
async fn awss_requests_without_a_good_token_end_as_unauthorized() {
    for name in ["apigw-custom-auth-request.json", "apigw-v2-custom-authorizer-v2-request.json"] {
        let Some(event) = read(name) else { return };
        let mut event = event;
        if name == "apigw-custom-auth-request.json" {
            // The sample's stage is every stage, and its path has no route here.
            event["methodArn"] = json!("arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/test/POST/my/path");
        }
        assert_eq!(function(&[]).answer(event).await, Err(Failure::Unauthorized), "{name}");
    }
}

/// The test console asks for every stage at once, which no statement may name.
#[tokio::test]
async fn a_request_of_every_stage_is_answered_with_an_error() {
    let Some(event) = read("apigw-custom-auth-request.json") else { return };
    assert_eq!(function(&[]).answer(event).await, Err(Failure::Arn));
}

/// An event of version 2.0 does not say which answer is expected: the setting does.
#[tokio::test]
async fn the_setting_says_how_version_2_is_answered() {
    let Some(mut event) = read("apigw-v2-custom-authorizer-v2-request.json") else { return };
    event["requestContext"]["http"]["method"] = json!("GET");
    event["rawPath"] = json!("/request");
    let simple = function(&[("POSTERN_AUTHORIZER_RESPONSE", "simple")]).answer(event.clone()).await.expect("a result");
    assert_eq!((&simple["isAuthorized"], simple.get("policyDocument")), (&json!(true), None));
    let iam = function(&[]).answer(event.clone()).await.expect("a result");
    assert_eq!((&iam["policyDocument"]["Statement"][0]["Effect"], iam.get("isAuthorized")), (&json!("Allow"), None));
    event["rawPath"] = json!("/nowhere");
    let simple = function(&[("POSTERN_AUTHORIZER_RESPONSE", "simple")]).answer(event).await.expect("a result");
    assert_eq!(simple, json!({"isAuthorized": false}));
}

#[tokio::test]
async fn awss_other_events_are_refused_by_their_typed_error() {
    let Some(folder) = folder() else { return };
    let asked = ["custom-auth", "appsync-lambda-auth-request"];
    let mut refused = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("a file").file_name().to_string_lossy().into_owned();
        if asked.iter().any(|part| name.contains(part)) && !name.contains("response") {
            continue;
        }
        let failure = function(&[]).answer(read(&name).expect("a file")).await.expect_err(&name);
        assert!(matches!(failure, Failure::Event(_)), "{name}: {failure:?}");
        assert!(failure.code().starts_with("event_"), "{name}: {failure:?}");
        refused += 1;
    }
    println!("events of other kinds refused by a typed error: {refused}");
    assert!(refused >= 15);
}
