//! AWS's published events of Cognito's Pre Token Generation trigger, through the trigger itself; and those of other
//! triggers and services, which it refuses by name.
//!
//! Without the folder they are reported as ignored.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    sync::LazyLock,
    thread,
};

use libtest_mimic::{Arguments, Failed, Trial};
use postern::{assertion::AssertionKeys, policy::from_toml};
use postern_origin::{
    config::Environment,
    enforcer::Enforcer,
    pre_token::{PreToken, PreTokenError, SCOPES},
};
use postern_vectors::folder;
use serde_json::{Value, json};

const FOLDER: &str = "aws-events/aws-lambda-go";
/// Of the published events, in which a user of this pool signs in.
const CLIENTS: [&str; 2] = ["1example23456789", "apps client id"];
const SUBJECT: &str = "a36036a8-9061-424d-a737-56d57dae7bc6";

fn main() {
    let arguments = Arguments::from_args();
    let trials = match folder::folder() {
        Some(folder) => trials(&folder.join(FOLDER)),
        None => vec![
            Trial::test("Cognito's events: set POSTERN_VECTORS to the folder of the vectors", || Ok(()))
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(folder: &Path) -> Vec<Trial> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut trials = Vec::new();
    let mut ours = 0;
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let event: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if name.contains("pretokengen") {
            ours += 1;
            if event["version"] == "2" {
                // The third version differs from the second in its number alone, where a user signs in.
                let mut third = event.clone();
                third["version"] = json!("3");
                let as_third = format!("{name}, as version 3");
                trials.push(Trial::test(as_third, move || answered(&third)));
                let machine = event.clone();
                trials.push(Trial::test(format!("{name}, as a machine client's"), move || machine_client(machine)));
            }
            trials.push(Trial::test(name, move || answered(&event)));
        } else {
            trials.push(Trial::test(name, move || refused(event)));
        }
    }
    trials.push(Trial::test("there are three examples of the trigger's own", move || same(ours, 3)));
    trials
}

/// What the event had stays, and the claims are beside it.
fn answered(event: &Value) -> Result<(), Failed> {
    let answer = ask(event.clone()).map_err(|error| error.to_string())?;
    let mut expected = event.clone();
    let has_subject = event["request"]["userAttributes"]["sub"].is_string();
    let claims = |companies: Value| json!({"id": SUBJECT, "companies": companies, "role": "Manager"});
    let places: &[(&str, Value)] = match (has_subject, event["version"].as_str()) {
        // AWS's example of the first version names no subject: nothing is known of anybody then.
        (false, _) => &[],
        (true, Some("1")) => &[("/response/claimsOverrideDetails", claims(json!("[\"1111\"]")))],
        (true, _) => &[
            ("/response/claimsAndScopeOverrideDetails/idTokenGeneration", claims(json!(["1111"]))),
            ("/response/claimsAndScopeOverrideDetails/accessTokenGeneration", claims(json!(["1111"]))),
        ],
    };
    for (place, claims) in places {
        let added = expected.pointer_mut(place).and_then(|token| token["claimsToAddOrOverride"].as_object_mut());
        added.ok_or("no such place")?.extend(claims.as_object().cloned().unwrap_or_default());
    }
    if places.len() == 2 {
        let scopes = expected.pointer_mut("/response/claimsAndScopeOverrideDetails/accessTokenGeneration/scopesToAdd");
        scopes.and_then(Value::as_array_mut).ok_or("no scopes")?.push(json!("orders/list.orders"));
    }
    same(answer, expected)
}

fn machine_client(mut event: Value) -> Result<(), Failed> {
    event["version"] = json!("3");
    event["triggerSource"] = json!("TokenGeneration_ClientCredentials");
    event["request"] = json!({"scopes": ["orders/list.orders"]});
    event["response"] = json!({"claimsAndScopeOverrideDetails": null});
    let answer = ask(event).map_err(|error| error.to_string())?;
    let claims = &answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]["claimsToAddOrOverride"];
    same(claims, &json!({"id": CLIENTS[0], "companies": ["1111"], "role": "Manager"}))?;
    same(answer["response"]["claimsAndScopeOverrideDetails"].get("idTokenGeneration"), None)
}

/// Another trigger's event, or no trigger's at all.
fn refused(event: Value) -> Result<(), Failed> {
    let is_triggers = event["triggerSource"].is_string();
    match ask(event) {
        Err(PreTokenError::Trigger) if is_triggers => Ok(()),
        Err(PreTokenError::Event(_) | PreTokenError::Version) if !is_triggers => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn ask(event: Value) -> Result<Value, PreTokenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(trigger().answer(event))
}

/// The trigger on a policy whose users' clients are those of the events.
fn trigger() -> PreToken {
    let policy = format!(
        "roles = [\"Manager\"]\n[permissions]\norigin = \"permissions\"\n\
         [issuer.users]\npreset = \"cognito\"\npermissions = \"service\"\nclients = {CLIENTS:?}\n\
         url = \"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE\"\n\
         [origin.permissions]\nurl = \"https://permissions.example\"\nkey = \"KEY\"\n\
         [[route]]\nname = \"r\"\nmethods = [\"GET\"]\npath = \"/{{company}}\"\norigin = \"permissions\"\n\
         issuer = \"users\"\ncompany = \"{{company}}\"\n"
    );
    let overlay = format!("[origin.permissions]\nurl = \"{}\"\n", *SERVICE);
    let policy = from_toml(&policy, Some(&overlay)).unwrap_or_else(|errors| panic!("{errors}"));
    let key = r#"{"keys":[{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}"#;
    let enforcer = Enforcer::new(policy, Some(AssertionKeys::from_json(key).expect("keys"))).expect("an enforcer");
    let scopes =
        Environment::from_fn(|name| (name == SCOPES).then(|| r#"{"Manager":["orders/list.orders"]}"#.to_owned()));
    PreToken::new(enforcer, &scopes).expect("settings")
}

/// A permissions service to whom everybody is a manager of 1111.
static SERVICE: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let _ = lines.find(String::is_empty);
            let user = first.split(' ').nth(1).and_then(|target| target.strip_prefix("/users/")).unwrap_or_default();
            let record = json!({"id": user, "companies": ["1111"], "role": "Manager"}).to_string();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", record.len());
            let _ = stream.write_all((head + &record).as_bytes());
        }
    });
    url
});

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, not {expected:?}").into()) }
}
