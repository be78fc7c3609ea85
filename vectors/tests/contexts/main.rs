//! AWS's published events of API Gateway's for services, as `lambda_http` reads them, through the layers of the origin:
//! nobody in them is anybody to the policy, and nobody is permitted, whatever is missing or of another type.
//!
//! Without the folder they are reported as ignored.

use std::{cell::Cell, convert::Infallible, fs, panic, path::Path, sync::Arc};

use http::{Request, Response};
use lambda_http::{Body, request::from_str};
use libtest_mimic::{Arguments, Failed, Trial};
use postern::{assertion::AssertionVerifier, policy::from_toml};
use postern_origin::{
    assertion::AssertionLayer,
    authorize::AuthorizeLayer,
    clock::system_time,
    context::{ContextLayer, ContextSource},
    enforcer::Enforcer,
};
use postern_vectors::folder;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

const FOLDER: &str = "aws-events/aws-lambda-go";
const POLICY: &str = r#"
[origin.o]
url = "https://o.example"
key = "KEY"
[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = "any"
clients = ["app"]
token_use = "access"
permissions = "claims"
[[route]]
name = "world"
methods = ["POST"]
path = "/hello/world"
origin = "o"
issuer = "users"
[[route]]
name = "path"
methods = ["GET"]
path = "/my/path"
origin = "o"
issuer = "users"
[[route]]
name = "root"
methods = ["GET"]
path = "/"
origin = "o"
issuer = "users"
"#;
const TRUSTED: &str = r#"{"issuers":{"edge":{"keys":[{"kty":"oct","kid":"1","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}],"capabilities":["read"]}}}"#;

/// Each file, with the codes by our authorizer's context, Cognito's and a JWT authorizer's; none: not a request.
const FILES: [(&str, Option<[&str; 3]>); 9] = [
    ("apigw-request", Some(MISSING)),
    ("apigw-restapi-openapi-request", Some(MISSING)),
    ("apigw-v2-request-iam", Some(MISSING)),
    ("apigw-v2-request-jwt-authorizer", Some(["missing_token", "missing_token", "invalid_token"])),
    ("apigw-v2-request-lambda-authorizer", Some(MISSING)),
    ("apigw-v2-request-no-authorizer", Some(MISSING)),
    // It has all that a request to a REST API has.
    ("apigw-websocket-request", Some(MISSING)),
    ("apigw-websocket-request-disconnect", None),
    ("apigw-websocket-request-send-message", None),
];
const MISSING: [&str; 3] = ["missing_token"; 3];
const SOURCES: [ContextSource; 3] =
    [ContextSource::Authorizer, ContextSource::CognitoAuthorizer, ContextSource::JwtAuthorizer];

thread_local! {
    /// Whether a panic of this thread's is foreseen.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

fn main() {
    let arguments = Arguments::from_args();
    let spoken = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !EXPECTED.get() {
            spoken(info);
        }
    }));
    let trials = match folder::folder() {
        Some(folder) => trials(&folder.join(FOLDER)),
        None => vec![
            Trial::test("API Gateway's events: set POSTERN_VECTORS to the folder of the vectors", || Ok(()))
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(folder: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, codes) in FILES {
        let file = folder.join(format!("{name}.json"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let event: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let changed = event.clone();
        trials.push(Trial::test(format!("{name} as it is"), move || as_it_is(&event, codes)));
        trials.push(Trial::test(format!("{name} with one member removed or changed"), move || malformed(&changed)));
    }
    trials
}

/// Everything that may stand before a service.
struct Layers {
    enforcer: Arc<Enforcer>,
    assertion: AssertionLayer,
}

/// The status, and the code of a problem document.
type Answered = (u16, String);

impl Layers {
    fn new() -> Self {
        let policy = from_toml(POLICY, None).unwrap_or_else(|errors| panic!("{errors}"));
        let enforcer = Arc::new(Enforcer::new(policy, None).expect("a client").with_log(|_| ()));
        let verifier = AssertionVerifier::from_json("o", TRUSTED).expect("a verifier");
        Self { enforcer, assertion: AssertionLayer::new("o", verifier) }
    }

    async fn context(&self, source: ContextSource, is_passing: bool, request: Request<Body>) -> Answered {
        let context = ContextLayer::new(Arc::clone(&self.enforcer), source);
        let context = if is_passing { context.passing_without_authorizer() } else { context };
        through(context.layer(AuthorizeLayer::of_caller(Arc::clone(&self.enforcer)).layer(service())), request).await
    }

    /// By each way to place them: each context, with and without letting nobody pass, a token, an assertion.
    async fn all(&self, event: &Value) -> Option<Vec<Answered>> {
        let text = event.to_string();
        let read = || from_str(&text).ok();
        read()?;
        let mut answers = Vec::new();
        for source in SOURCES {
            for is_passing in [false, true] {
                answers.push(self.context(source, is_passing, read()?).await);
            }
        }
        answers.push(through(AuthorizeLayer::new(Arc::clone(&self.enforcer)).layer(service()), read()?).await);
        answers.push(through(self.assertion.layer(service()), read()?).await);
        Some(answers)
    }
}

type Served = std::future::Ready<Result<Response<String>, Infallible>>;

fn service() -> tower::util::ServiceFn<fn(Request<Body>) -> Served> {
    service_fn(|_| std::future::ready(Ok(Response::new(String::from("{}")))))
}

async fn through<S>(service: S, request: Request<Body>) -> Answered
where
    S: tower::Service<Request<Body>, Response = Response<String>, Error = Infallible>,
{
    let Ok(answer) = service.oneshot(request).await;
    let body: Value = serde_json::from_str(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn as_it_is(event: &Value, codes: Option<[&str; 3]>) -> Result<(), Failed> {
    let layers = Layers::new();
    let answers = run(layers.all(event));
    let Some(codes) = codes else {
        return if answers.is_none() { Ok(()) } else { Err(format!("it was read: {answers:?}").into()) };
    };
    let expected: Vec<Answered> = codes
        .iter()
        .flat_map(|code| [code, code])
        .chain([&"missing_token", &"assertion_required"])
        .map(|code| (401, (*code).to_owned()))
        .collect();
    same(answers, Some(expected))?;
    // The control: the very event with a word that is believed is permitted.
    for (source, said) in SOURCES.into_iter().zip(believed(&layers.enforcer, event)) {
        let Some(said) = said else { continue };
        let mut event = event.clone();
        event["requestContext"]["authorizer"] = said;
        let request = from_str(&event.to_string()).map_err(|error| error.to_string())?;
        same(run(layers.context(source, false, request)), (200, String::new()))?;
    }
    Ok(())
}

/// What each kind of authorizer would say of a caller of the policy's, in the place where this event has it.
fn believed(enforcer: &Enforcer, event: &Value) -> [Option<Value>; 3] {
    let expires = system_time().as_secs() + 60;
    let claims = json!({
        "iss": "https://users.example", "sub": "alice", "client_id": "app", "token_use": "access", "exp": expires.to_string(),
    });
    let mut numbers = claims.clone();
    numbers["exp"] = expires.into();
    let members = numbers.as_object().expect("an object");
    let caller = enforcer.authorizer().caller_of_claims(members, system_time()).expect("a caller");
    let ours = json!({"posternContext": "1", "caller": caller.to_json()});
    if event["version"] == "2.0" {
        [Some(json!({ "lambda": ours })), None, Some(json!({"jwt": {"claims": claims, "scopes": null}}))]
    } else {
        [Some(ours), Some(json!({ "claims": claims })), None]
    }
}

/// Each member in turn removed, and replaced by a value of each type.
fn malformed(event: &Value) -> Result<(), Failed> {
    let layers = Layers::new();
    let mut pointers = Vec::new();
    collect(event, String::new(), &mut pointers);
    let others = [json!(null), json!([]), json!({}), json!(7), json!("x"), json!(true), json!([{"a": [null]}])];
    let (mut read, mut refused) = (0, 0);
    for pointer in &pointers {
        for other in std::iter::once(None).chain(others.iter().map(Some)) {
            let mut changed = event.clone();
            match other {
                Some(other) => *changed.pointer_mut(pointer).ok_or("no such member")? = other.clone(),
                None => remove(&mut changed, pointer),
            }
            // What `lambda_http` itself panics at (octets that are no base64, a parameter without values) ends the
            // invocation before any layer, and so permits nobody.
            if expected(|| from_str(&changed.to_string())).is_err() {
                refused += 1;
                continue;
            }
            let answered = panic::catch_unwind(panic::AssertUnwindSafe(|| run(layers.all(&changed))));
            match answered.map_err(|_| format!("a panic: {pointer} {other:?}"))? {
                None => refused += 1,
                Some(answers) => {
                    read += 1;
                    if let Some(answer) = answers.iter().find(|(status, _)| !(400..=499).contains(status)) {
                        return Err(format!("{answer:?}: {pointer} {other:?}").into());
                    }
                }
            }
        }
    }
    // Else nothing was tried.
    if pointers.len() > 10 && read + refused == pointers.len() * 8 { Ok(()) } else { Err("too few".into()) }
}

/// Runs what may panic without a word of it: thousands of traces would bury what a run says of a failure.
fn expected<T>(run: impl FnOnce() -> T + panic::UnwindSafe) -> std::thread::Result<T> {
    EXPECTED.set(true);
    let ended = panic::catch_unwind(run);
    EXPECTED.set(false);
    ended
}

fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let at = format!("{at}/{name}");
        pointers.push(at.clone());
        collect(child, at, pointers);
    }
}

fn remove(event: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match event.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/"))),
        Some(Value::Array(items)) => drop(items.remove(name.parse().expect("an index"))),
        _ => {}
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}").into()) }
}
