//! AWS's published events of Lambda authorizers, through the function as it is configured and run; and those of other
//! services, which it refuses by name.
//!
//! Without the folder they are reported as ignored.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use libtest_mimic::{Arguments, Failed, Trial};
use postern_origin::{
    authorizer::{host::Function, verdict::Failure},
    config::Environment,
};
use postern_vectors::folder;
use serde_json::{Value, json};

const FOLDER: &str = "aws-events/aws-lambda-go";

const POLICY: &str = r#"
[origin.api]
url = "https://api.example"
key = "KEY_API"

[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = "any"
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

const SCHEMA: &str = "type Query { menu: String } type Mutation { order: String }";

/// Answers one file's event, the file itself beside it.
type Judge = fn(Value, &Value) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let trials = match folder::folder() {
        Some(folder) => trials(&folder.join(FOLDER)),
        None => vec![
            Trial::test("authorizers' events: set POSTERN_VECTORS to the folder of the vectors", || Ok(()))
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(folder: &Path) -> Vec<Trial> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let (mut trials, mut ours) = (Vec::new(), 0);
    let published = read(&folder.join("apigw-custom-auth-response.json"));
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let event = read(&file);
        let judge: Option<Judge> = match name.as_str() {
            "apigw-custom-auth-request-type-request" | "apigw-v2-custom-authorizer-v1-request" => Some(permitted),
            "apigw-custom-auth-request" => Some(of_every_stage),
            "apigw-v2-custom-authorizer-v2-request" => Some(version_2),
            "appsync-lambda-auth-request" => Some(appsync),
            _ => None,
        };
        ours += usize::from(judge.is_some());
        let judge = judge.unwrap_or(refused);
        let published = published.clone();
        trials.push(Trial::test(name, move || judge(event, &published)));
    }
    trials.push(Trial::test("there are five examples of authorizers' events", move || same(ours, 5)));
    trials
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A public route's request is permitted, in the shape of AWS's response.
fn permitted(event: Value, published: &Value) -> Result<(), Failed> {
    let mut published = published.clone();
    // What is optional: a usage plan's key, and whatever is in the context.
    let members = published.as_object_mut().ok_or("no members")?;
    members.remove("usageIdentifierKey");
    members.remove("context");
    let mut result = ask(event, &[]).map_err(|failure| failure.to_string())?;
    same(&result["policyDocument"]["Statement"][0]["Effect"], &json!("Allow"))?;
    let context = result.as_object_mut().and_then(|members| members.remove("context")).ok_or("no context")?;
    same(context.as_object().is_some_and(|context| context.values().all(Value::is_string)), true)?;
    same(outline(&result), outline(&published))
}

/// The sample's stage is every stage, which no statement may name; in one of them its token is no good.
fn of_every_stage(mut event: Value, _: &Value) -> Result<(), Failed> {
    same(ask(event.clone(), &[]), Err(Failure::Arn))?;
    event["methodArn"] = json!("arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/test/POST/my/path");
    same(ask(event, &[]), Err(Failure::Unauthorized))
}

/// An event of version 2.0 does not say which answer is expected: the setting does.
fn version_2(mut event: Value, _: &Value) -> Result<(), Failed> {
    const SIMPLE: &[(&str, &str)] = &[("POSTERN_AUTHORIZER_RESPONSE", "simple")];
    same(ask(event.clone(), &[]), Err(Failure::Unauthorized))?;
    event["requestContext"]["http"]["method"] = json!("GET");
    event["rawPath"] = json!("/request");
    let simple = ask(event.clone(), SIMPLE).map_err(|failure| failure.to_string())?;
    same((&simple["isAuthorized"], simple.get("policyDocument")), (&json!(true), None))?;
    let iam = ask(event.clone(), &[]).map_err(|failure| failure.to_string())?;
    same((&iam["policyDocument"]["Statement"][0]["Effect"], iam.get("isAuthorized")), (&json!("Allow"), None))?;
    event["rawPath"] = json!("/nowhere");
    same(ask(event, SIMPLE), Ok(json!({"isAuthorized": false})))
}

/// With the API's schema it is judged, and the sample's token is no good; without, nothing is answered.
fn appsync(event: Value, _: &Value) -> Result<(), Failed> {
    same(ask(event.clone(), &[]), Err(Failure::Unconfigured))?;
    let schema = written("graphql", SCHEMA);
    let name = schema.display().to_string();
    let answer = ask(event, &[("POSTERN_APPSYNC_SCHEMA", &name)]);
    fs::remove_file(schema).map_err(|error| error.to_string())?;
    same(answer, Ok(json!({"isAuthorized": false, "ttlOverride": 0})))
}

/// No authorizer's: a typed error.
fn refused(event: Value, _: &Value) -> Result<(), Failed> {
    match ask(event, &[]) {
        Err(failure @ Failure::Event(_)) if failure.code().starts_with("event_") => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

/// The function's answer, as it is configured from its environment.
fn ask(event: Value, variables: &[(&str, &str)]) -> Result<Value, Failure> {
    let file = written("toml", POLICY);
    let mut all = vec![("POSTERN_POLICY".to_owned(), file.display().to_string())];
    all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let environment = Environment::from_fn(move |name| {
        all.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone())
    });
    let function = Function::from_environment(&environment).expect("a function");
    fs::remove_file(file).expect("the policy's file");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(function.answer(event))
}

/// A file of this run's own.
fn written(extension: &str, text: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("postern-authorizer-{}-{number}.{extension}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).expect("a file");
    path
}

/// The members of a result, and of what is in it, by name; texts for all else.
fn outline(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), outline(value))).collect(),
        Value::Array(items) => Value::Array(items.first().map(outline).into_iter().collect()),
        _ => Value::from("text"),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, not {expected:?}").into()) }
}
