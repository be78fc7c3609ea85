//! `postern probe-origin`, against origins that fold paths, obey fields, or do neither.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    time::{SystemTime, UNIX_EPOCH},
};

use postern::{
    UnixTime,
    assertion::{AssertionVerifier, HEADER},
};
use serde_json::{Value, json};

use crate::support::{Output, Scratch, example, run, run_with};

/// What an origin makes of a request.
#[derive(Clone, Copy)]
struct Behaviour {
    /// It has an echo handler.
    echo: bool,
    /// It ignores letter case in paths.
    folds: bool,
    /// It takes the path from `X-Original-URL`, the host from `X-Forwarded-Host` and the method from
    /// `X-HTTP-Method-Override`.
    obeys: bool,
    /// It answers unknown paths as it does known ones.
    alike: bool,
}

const HONEST: Behaviour = Behaviour { echo: false, folds: false, obeys: false, alike: false };
/// What the example's own tests GET at `internal-orders`.
const KNOWN: [&str; 2] = ["/companies/1111/users/u1/orders", "/companies/1111/users/u1/orders/7"];

struct Origin {
    url: String,
    /// The folder of the files below, which is removed with it.
    _scratch: Scratch,
    key_file: String,
    policy: String,
}

impl Origin {
    fn start(behaviour: Behaviour) -> Self {
        let scratch = Scratch::new();
        let key = run(&["assertion-key", "new", "--kid", "a"]).out;
        let trusted = run_with(&["assertion-key", "trust", "edge"], &key).out;
        let verifier = AssertionVerifier::from_json("internal-orders", &trusted).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &verifier, behaviour);
            }
        });
        let key_file = scratch.file("origin.key", &key);
        let policy = scratch.file("postern.toml", &example());
        Self { url, _scratch: scratch, key_file, policy }
    }

    fn probe(&self, more: &[&str]) -> Output {
        let about = ["--url", &self.url, "--policy", &self.policy, "--origin", "internal-orders"];
        let how = ["--key-file", &self.key_file, "--insecure-loopback"];
        run(&[&["probe-origin"], &about[..], &how, more].concat())
    }

    /// The disguises with this outcome.
    fn outcomes(&self, outcome: &str, more: &[&str]) -> Vec<String> {
        let report = self.probe(&[&["--format", "json"], more].concat()).json();
        let results = report["results"].as_array().unwrap().iter();
        let named = results.filter(|result| result["outcome"] == outcome);
        named.map(|result| result["disguise"].as_str().unwrap().to_owned()).collect()
    }
}

/// The first parameter of exactly that name.
fn company(target: &str) -> Option<&str> {
    target.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix("company="))
}

/// One request on a connection of its own. Without a valid assertion for exactly this request the answer is 401.
fn answer(mut stream: TcpStream, verifier: &AssertionVerifier, behaviour: Behaviour) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let assertion = fields.get(HEADER).map_or("", String::as_str);
    let verified = verifier.verify(assertion, method, target, now);
    let claimed = |name: &str| fields.get(name).filter(|_| behaviour.obeys).map(String::as_str);
    let path = claimed("x-original-url").unwrap_or(target.split('?').next().unwrap());
    let path = if behaviour.folds { path.to_ascii_lowercase() } else { path.to_owned() };
    let (status, body) = match path.as_str() {
        _ if verified.is_err() => (401, json!({"code": "assertion_required"})),
        "/postern/echo" if behaviour.echo => (
            200,
            json!({
                "postern_echo": 1, "framework": "express 4", "scheme": "http", "query": [], "company": company(target),
                "method": claimed("x-http-method-override").unwrap_or(method), "path": path,
                "host": claimed("x-forwarded-host").unwrap_or("origin.example"), "address": "192.0.2.1",
            }),
        ),
        path if KNOWN.contains(&path) && verified.as_ref().unwrap().subject() == Some("u1") => {
            (200, json!({"orders": [], "at": now.as_secs()}))
        }
        _ if behaviour.alike => (200, json!({"orders": [], "at": now.as_secs()})),
        _ => (404, json!({"code": "not_found"})),
    };
    let text = body.to_string();
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
    let _ = stream.write_all((head + &text).as_bytes());
}

#[test]
fn an_origin_with_an_echo_handler_is_read_exactly() {
    let origin = Origin::start(Behaviour { echo: true, folds: true, obeys: true, ..HONEST });
    let found = origin.outcomes("changed", &[]);
    for disguise in ["letter case", "letter case of one letter", "X-Original-URL", "X-Forwarded-Host"] {
        assert!(found.iter().any(|own| own == disguise), "{disguise} is not in {found:?}");
    }
    assert_eq!(origin.outcomes("cannot_tell", &[]), Vec::<String>::new());
    let text = origin.probe(&[]);
    assert_eq!(text.code, 1, "{text:?}");
    for part in ["case sensitive routing", "trust proxy", "GET /POSTERN/ECHO?company=1111", "disguises work"] {
        assert!(text.out.contains(part), "no `{part}` in {}", text.out);
    }
}

#[test]
fn an_origin_that_reads_requests_as_they_are_has_no_findings() {
    for behaviour in [Behaviour { echo: true, ..HONEST }, HONEST] {
        let origin = Origin::start(behaviour);
        let output = origin.probe(&["--unsafe-methods"]);
        assert_eq!(output.code, 0, "{output:?}");
        assert!(output.out.contains("no disguise works"), "{output:?}");
    }
}

#[test]
fn an_origin_without_an_echo_handler_is_judged_by_its_answers() {
    let origin = Origin::start(Behaviour { folds: true, obeys: true, ..HONEST });
    let found = origin.outcomes("changed", &[]);
    for disguise in ["letter case", "letter case of one letter", "X-Original-URL"] {
        assert!(found.iter().any(|own| own == disguise), "{disguise} is not in {found:?}");
    }
    assert!(origin.outcomes("as_sent", &[]).iter().any(|own| own == "closing slash"));
    // No answer shows a host.
    assert!(origin.outcomes("cannot_tell", &[]).iter().any(|own| own == "X-Forwarded-Host"));
}

#[test]
fn an_origin_that_answers_every_path_alike_cannot_be_told() {
    let origin = Origin::start(Behaviour { folds: true, alike: true, ..HONEST });
    let output = origin.probe(&[]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(output.out.contains("the origin answers this path and an unknown path alike"), "{output:?}");
    assert!(output.out.contains("nothing can be told"), "{output:?}");
}

#[test]
fn only_safe_methods_are_sent_unless_unsafe_ones_are_asked_for() {
    let origin = Origin::start(Behaviour { echo: true, ..HONEST });
    let methods = |more: &[&str]| -> Vec<Value> {
        let report = origin.probe(&[&["--format", "json"], more].concat()).json();
        report["results"].as_array().unwrap().iter().map(|result| result["method"].clone()).collect()
    };
    assert!(methods(&[]).iter().all(|method| method == "GET"));
    assert!(methods(&["--unsafe-methods"]).iter().any(|method| method == "POST"));
}

#[test]
fn a_probe_that_cannot_run_says_what_is_missing() {
    let origin = Origin::start(HONEST);
    let about = |more: &[&str]| {
        let given = ["probe-origin", "--url", &origin.url, "--policy", &origin.policy];
        run(&[&given[..], more].concat())
    };
    let key = ["--key-file", &origin.key_file, "--insecure-loopback"];
    let with = |more: &[&'static str]| about(&[&key[..], more].concat());
    for (output, said) in [
        (about(&["--origin", "internal-orders"]), "--insecure-loopback"),
        (about(&["--origin", "internal-orders", "--insecure-loopback"]), "--key-file"),
        (with(&[]), "name one of"),
        (with(&["--origin", "nobody"]), "the policy has no origin `nobody`"),
        (with(&["--origin", "internal-orders", "--path", "orders"]), "is not a path in canonical form"),
    ] {
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.err.contains(said), "no `{said}` in {output:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let unreachable =
        run(&[&["probe-origin", "--url", &url, "--policy", &origin.policy], &key[..], &["--origin", "vouchers"]]
            .concat());
    assert_eq!(unreachable.code, 2, "{unreachable:?}");
    assert!(unreachable.err.contains("cannot be reached"), "{unreachable:?}");
}

#[test]
fn an_origin_that_verifies_tokens_is_shown_a_token_and_no_assertion() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let _ = stream.write_all(b"HTTP/1.1 404 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        head
    });
    let scratch = Scratch::new();
    let key = "key = \"POSTERN_KEY_INTERNAL_ORDERS\"";
    assert!(example().contains(key));
    // What only an assertion can bind is not for an origin that gets none.
    let text = example().replace(key, "verifies = \"token\"").replace("body = \"buffered\"\n", "");
    let policy = scratch.file("postern.toml", &text);
    let token_file = scratch.file("a.jwt", "a.b.c");
    let about = ["probe-origin", "--url", &url, "--policy", &policy, "--origin", "internal-orders"];
    let refused = run(&[&about[..], &["--insecure-loopback"]].concat());
    assert!(refused.err.contains("--token-file"), "{refused:?}");
    let output = run(&[&about[..], &["--insecure-loopback", "--token-file", &token_file, "--path", "/a"]].concat());
    let head = seen.join().unwrap();
    assert!(head.iter().any(|line| line == "authorization: Bearer a.b.c"), "{head:?}");
    assert!(!head.iter().any(|line| line.starts_with(HEADER)), "{head:?}");
    assert!(!output.err.contains("a.b.c") && !output.out.contains("a.b.c"), "{output:?}");
}
