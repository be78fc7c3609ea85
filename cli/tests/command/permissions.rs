//! `postern permissions`, against a service that keeps records in memory and checks every credential with the core.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use postern::{
    UnixTime,
    assertion::{AssertionVerifier, Capability, HEADER},
};
use serde_json::{Value, json};

use crate::support::{Output, Scratch, run, run_with};

#[derive(Default)]
struct State {
    records: BTreeMap<String, Value>,
    /// Requests answered, writes alone.
    writes: Vec<String>,
    /// Changes that somebody else makes, each just before the next write.
    meanwhile: Vec<(String, Value)>,
    /// The next write is made and answered with 503, and somebody else's may come on top of it.
    loses_its_answer: bool,
    on_top: Option<(String, Value)>,
    /// Writes left before the service is out of order.
    writes_left: Option<usize>,
}

struct Service {
    url: String,
    state: Arc<Mutex<State>>,
    key_file: String,
    scratch: Scratch,
}

impl Service {
    fn start() -> Self {
        let scratch = Scratch::new();
        let key = run(&["assertion-key", "new", "--kid", "a"]).out;
        let trusted =
            run_with(&["assertion-key", "trust", "admin", "--capability", "read", "--capability", "write"], &key).out;
        let verifier = AssertionVerifier::from_json("permissions", &trusted).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &verifier, &shared);
            }
        });
        let key_file = scratch.file("admin.key", &key);
        Self { url, state, key_file, scratch }
    }

    fn set(&self, user: &str, record: Value) {
        self.state.lock().unwrap().records.insert(user.to_owned(), record);
    }

    fn record(&self, user: &str) -> Value {
        self.state.lock().unwrap().records.get(user).cloned().unwrap_or_default()
    }

    fn writes(&self) -> usize {
        self.state.lock().unwrap().writes.len()
    }

    fn run(&self, args: &[&str]) -> Output {
        let connection = ["--url", &self.url, "--key-file", &self.key_file, "--issuer", "users", "--insecure-loopback"];
        run(&[&["permissions"], args, &connection[..]].concat())
    }
}

/// One request on a connection of its own.
fn answer(mut stream: TcpStream, verifier: &AssertionVerifier, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let (method, target) =
        line.split_once(' ').map(|(m, rest)| (m.to_owned(), rest.split(' ').next().unwrap().to_owned())).unwrap();
    let mut fields = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        fields.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = fields.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let (status, tag, text) =
        match verifier.verify(fields.get(HEADER).map_or("", String::as_str), &method, &target, now) {
            Ok(verified) if verified.subject_issuer() == Some("users") => {
                served(&method, &target, &fields, &body, verified.capability(), &mut state.lock().unwrap())
            }
            _ => (401, String::new(), json!({"detail": "no"}).to_string()),
        };
    let etag = if tag.is_empty() { tag } else { format!("etag: {tag}\r\n") };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{etag}retry-after: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    let _ = stream.write_all((head + &text).as_bytes());
}

fn served(
    method: &str,
    target: &str,
    fields: &BTreeMap<String, String>,
    body: &[u8],
    capability: Option<Capability>,
    state: &mut State,
) -> (u16, String, String) {
    let tag = |record: &Value| format!("\"{}-{}\"", record["version"], record.to_string().len());
    let wanted = if method == "GET" && target.starts_with("/users/") && !target.ends_with("/history") {
        Capability::Read
    } else {
        Capability::Write
    };
    if capability != Some(wanted) {
        return (403, String::new(), "{}".to_owned());
    }
    if target.split('?').next() == Some("/users") {
        let users: Vec<&Value> = state.records.values().collect();
        let (page, next) = match target.split_once("cursor=") {
            None => (&users[..users.len().min(2)], (users.len() > 2).then_some("AAAA")),
            Some(_) => (&users[2..], None),
        };
        return (200, String::new(), json!({"users": page, "next": next}).to_string());
    }
    let user = target.trim_start_matches("/users/").to_owned();
    if let Some(user) = user.strip_suffix("/history") {
        let entry = json!({"at": 1_800_000_000, "by": "admin", "what": "set", "from": 1, "to": 2, "was": "{}"});
        return match state.records.get(user) {
            Some(_) => (200, String::new(), json!({"changes": [entry]}).to_string()),
            None => (404, String::new(), "{}".to_owned()),
        };
    }
    if method == "GET" {
        return match state.records.get(&user) {
            Some(record) => (200, tag(record), record.to_string()),
            None => (404, String::new(), "{}".to_owned()),
        };
    }
    if state.writes_left == Some(0) {
        return (503, String::new(), json!({"detail": "out of order"}).to_string());
    }
    if !state.meanwhile.is_empty() {
        let (user, record) = state.meanwhile.remove(0);
        state.records.insert(user, record);
    }
    let current = state.records.get(&user);
    let holds = match (fields.get("if-match"), fields.get("if-none-match")) {
        (Some(wanted), None) => current.is_some_and(|record| tag(record) == *wanted),
        (None, Some(any)) => any == "*" && current.is_none(),
        _ => return (428, String::new(), "{}".to_owned()),
    };
    if !holds {
        return (409, String::new(), "{}".to_owned());
    }
    let version = current.and_then(|record| record["version"].as_u64()).unwrap_or(0) + 1;
    let mut record =
        if method == "DELETE" { json!({"id": user, "companies": []}) } else { serde_json::from_slice(body).unwrap() };
    if record["role"] == "Forbidden" {
        return (400, String::new(), json!({"detail": "no such role"}).to_string());
    }
    record["version"] = json!(version);
    state.writes.push(format!("{method} {user}"));
    state.writes_left = state.writes_left.map(|left| left - 1);
    state.records.insert(user, record.clone());
    if std::mem::take(&mut state.loses_its_answer) {
        state.records.extend(state.on_top.take());
        return (503, String::new(), "{}".to_owned());
    }
    (200, tag(&record), record.to_string())
}

#[test]
fn a_role_is_given_in_one_company_and_the_others_stay() {
    let service = Service::start();
    let told = service.run(&["get", "jane"]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (1, "", "there is no record of `jane`\n"));
    let told = service.run(&["set", "jane", "--company", "1111=Manager,Standard"]);
    assert_eq!((told.code, told.out.as_str()), (0, "+ 1111: Manager, Standard\njane: version 1\n"), "{told:?}");
    let told = service.run(&["set", "jane", "--company", "2222=Standard", "--company", "1111=Manager"]);
    assert_eq!(told.out, "~ 1111: Manager, Standard -> Manager\n+ 2222: Standard\njane: version 2\n");
    assert_eq!(
        service.record("jane"),
        json!({"id": "jane", "companies": {"1111": ["Manager"], "2222": ["Standard"]}, "version": 2})
    );
    let told = service.run(&["get", "jane"]);
    assert_eq!(told.out, "COMPANY  ROLES\n1111     Manager\n2222     Standard\njane: version 2\n");
    assert_eq!(service.run(&["get", "jane", "--format", "json"]).json()["version"], 2);
    let told = service.run(&["get", "jane", "--history"]);
    assert!(told.out.contains("2027-01-15 08:00:00 UTC  admin  set   1 -> 2"), "{}", told.out);
}

#[test]
fn what_is_so_already_is_not_written_and_a_dry_run_writes_nothing() {
    let service = Service::start();
    service.set("jane", json!({"id": "jane", "companies": ["1111"], "role": "Manager"}));
    let told = service.run(&["set", "jane", "--company", "1111=Manager"]);
    assert_eq!((told.code, told.out.as_str()), (0, "jane: nothing changes\n"));
    let told = service.run(&["set", "jane", "--company", "2222=Manager", "--dry-run"]);
    assert_eq!((told.code, told.out.as_str()), (0, "+ 2222: Manager\nnothing was written: this was a dry run\n"));
    assert_eq!(service.run(&["revoke", "jane", "--dry-run"]).code, 0);
    assert_eq!(service.writes(), 0);
}

#[test]
fn the_older_shape_is_written_by_role_and_kept_by_revoke() {
    let service = Service::start();
    assert_eq!(service.run(&["set", "jane", "--company", "1111", "--company", "2222", "--role", "Manager"]).code, 0);
    assert_eq!(
        service.record("jane"),
        json!({"id": "jane", "companies": ["1111", "2222"], "role": "Manager", "version": 1})
    );
    let told = service.run(&["revoke", "jane", "--company", "1111"]);
    assert_eq!((told.code, told.out.as_str()), (0, "- 1111: Manager\njane: version 2\n"));
    assert_eq!(service.record("jane"), json!({"id": "jane", "companies": ["2222"], "role": "Manager", "version": 2}));
    assert_eq!(service.run(&["revoke", "jane"]).out, "- 2222: Manager\njane: version 3\n");
    assert_eq!(service.run(&["revoke", "jane"]).out, "jane: nothing changes\n");
    assert_eq!(service.run(&["set", "jane", "--company", "1=A", "--role", "B"]).code, 2);
    assert_eq!(service.run(&["set", "jane", "--company", "1"]).code, 2);
}

#[test]
fn whoever_is_overtaken_is_told_and_overwrites_nothing() {
    let service = Service::start();
    service.set("jane", json!({"id": "jane", "companies": {"1111": ["Manager"]}, "version": 1}));
    let other = json!({"id": "jane", "companies": {"3333": ["Standard"]}, "version": 2});
    service.state.lock().unwrap().meanwhile.push(("jane".to_owned(), other.clone()));
    let told = service.run(&["set", "jane", "--company", "2222=Standard"]);
    assert_eq!(told.code, 1);
    assert!(told.err.contains("nothing was written") && told.err.contains("postern permissions get"), "{told:?}");
    assert_eq!(service.record("jane"), other);
}

#[test]
fn a_write_whose_answer_was_lost_is_told_as_written() {
    let service = Service::start();
    service.set("jane", json!({"id": "jane", "companies": {"1111": ["Manager"]}, "version": 1}));
    for (args, says) in [
        (&["set", "jane", "--company", "2222=Standard"][..], "+ 2222: Standard\njane: version 2\n"),
        (&["revoke", "jane"], "- 1111: Manager\n- 2222: Standard\njane: version 3\n"),
    ] {
        service.state.lock().unwrap().loses_its_answer = true;
        let told = service.run(args);
        assert_eq!((told.code, told.out.as_str()), (0, says), "{told:?}");
    }
    assert_eq!(service.writes(), 2);
}

#[test]
fn a_write_whose_answer_was_lost_under_somebody_elses_is_not_told_as_unwritten() {
    for (format, says) in [("text", None), ("json", Some(Value::Null))] {
        let service = Service::start();
        let other = json!({"id": "jane", "companies": {"3333": ["Standard"]}, "version": 2});
        {
            let mut state = service.state.lock().unwrap();
            (state.loses_its_answer, state.on_top) = (true, Some(("jane".to_owned(), other.clone())));
        }
        let told = service.run(&["set", "jane", "--company", "2222=Standard", "--format", format]);
        let text = format!("{}{}", told.out, told.err);
        assert_eq!(told.code, 1, "{told:?}");
        assert!(text.contains("cannot be told") && text.contains("--history"), "{told:?}");
        assert!(!text.contains("nothing was written"), "{told:?}");
        assert_eq!(says.is_some().then(|| told.json()["changed"].clone()), says);
        assert_eq!((service.record("jane"), service.writes()), (other, 1));
    }
}

const FILE: &str = r#"{"id":"a","companies":["1"],"role":"Manager"}
{"id":"b","companies":{"1":["Manager"]},"version":9}

{"id":"c","companies":["2"]}
"#;

#[test]
fn an_import_writes_what_differs_and_a_second_run_nothing() {
    let service = Service::start();
    service.set("b", json!({"id": "b", "companies": {"1": ["Manager"]}, "version": 4}));
    let file = service.scratch.file("records.jsonl", FILE);
    let told = service.run(&["import", &file, "--dry-run"]);
    assert_eq!(
        (told.code, told.out.as_str()),
        (0, "3 records: 2 would be written, 1 unchanged, 0 differing, 0 failed\n"),
        "{told:?}"
    );
    assert_eq!(service.writes(), 0);
    let told = service.run(&["import", &file]);
    assert_eq!((told.code, told.out.as_str()), (0, "3 records: 2 written, 1 unchanged, 0 differing, 0 failed\n"));
    assert!(told.err.contains("3 of 3: 2 written, 1 unchanged, 0 differing, 0 failed"), "{told:?}");
    let told = service.run(&["import", &file, "--format", "json"]);
    assert_eq!(
        told.json(),
        json!({"records": 3, "written": 0, "unchanged": 3, "differing": [], "failed": [], "dry_run": false})
    );
    assert_eq!(service.writes(), 2);
    // What the list prints can be read back.
    let told = service.run(&["list"]);
    assert_eq!((told.code, told.out.lines().count()), (0, 3), "{told:?}");
    let again = service.scratch.file("again.jsonl", &told.out);
    assert_eq!(service.run(&["import", &again]).out, "3 records: 0 written, 3 unchanged, 0 differing, 0 failed\n");
}

#[test]
fn an_import_that_was_cut_off_goes_on_where_it_ended() {
    let service = Service::start();
    let file = service.scratch.file("records.jsonl", FILE);
    service.state.lock().unwrap().writes_left = Some(2);
    let told = service.run(&["import", &file]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("records.jsonl:4: stopped here, 2 written; run this again"), "{told:?}");
    service.state.lock().unwrap().writes_left = None;
    assert_eq!(service.run(&["import", &file]).out, "3 records: 1 written, 2 unchanged, 0 differing, 0 failed\n");
    assert_eq!(service.state.lock().unwrap().writes, ["PUT a", "PUT b", "PUT c"]);
}

/// Between the two runs an administrator has taken away what the first has written.
#[test]
fn an_import_that_goes_on_gives_nobody_back_what_was_taken_away_meanwhile() {
    let service = Service::start();
    let file = service.scratch.file("records.jsonl", FILE);
    service.state.lock().unwrap().writes_left = Some(2);
    assert_eq!(service.run(&["import", &file]).code, 2);
    service.state.lock().unwrap().writes_left = None;
    assert_eq!(service.run(&["revoke", "a"]).code, 0);
    let revoked = service.record("a");
    for dry_run in [&["--dry-run"][..], &[]] {
        let told = service.run(&[&["import", file.as_str()], dry_run].concat());
        assert_eq!(told.code, 1, "{told:?}");
        assert!(told.out.contains(", 1 unchanged, 1 differing, 0 failed"), "{told:?}");
        assert!(told.err.contains("records.jsonl:1: `a` has another record already"), "{told:?}");
        assert_eq!(service.record("a"), revoked);
    }
    assert_eq!(service.record("c")["companies"], json!(["2"]));
    let told = service.run(&["import", &file, "--format", "json"]);
    assert_eq!((&told.json()["differing"], &told.json()["unchanged"]), (&json!([1]), &json!(2)), "{told:?}");
    // Whoever says so has it the file's way.
    let told = service.run(&["import", &file, "--replace"]);
    assert_eq!((told.code, told.out.as_str()), (0, "3 records: 1 written, 2 unchanged, 0 differing, 0 failed\n"));
    assert_eq!(service.record("a")["role"], "Manager");
}

#[test]
fn an_import_that_is_overtaken_overwrites_nobody_and_says_so() {
    let other = json!({"id": "a", "companies": ["3"], "role": "Standard", "version": 7});
    for (before, replace) in
        [(None, &[][..]), (Some(json!({"id": "a", "companies": [], "version": 1})), &["--replace"])]
    {
        let service = Service::start();
        if let Some(before) = before {
            service.set("a", before);
        }
        service.state.lock().unwrap().meanwhile.push(("a".to_owned(), other.clone()));
        let file = service.scratch.file("records.jsonl", FILE);
        let told = service.run(&[&["import", file.as_str()], replace].concat());
        assert_eq!((told.code, told.out.as_str()), (1, "3 records: 2 written, 0 unchanged, 0 differing, 1 failed\n"));
        assert!(told.err.contains("records.jsonl:1: somebody else has changed the record of `a`"), "{told:?}");
        assert_eq!(service.record("a"), other);
    }
}

#[test]
fn a_file_with_a_fault_is_told_by_line_and_none_of_it_is_written() {
    let service = Service::start();
    let file =
        service.scratch.file("records.jsonl", &format!("{FILE}{{\"id\":\"d\"}}\n{{\"id\":\"a\",\"companies\":[]}}\n"));
    let told = service.run(&["import", &file]);
    assert_eq!(told.code, 2);
    for says in [
        "records.jsonl:5: `companies`",
        "records.jsonl:6: `a` has a record in line 1 already",
        "2 faults; nothing was written",
    ] {
        assert!(told.err.contains(says), "{says}: {told:?}");
    }
    assert_eq!(service.writes(), 0);
}

#[test]
fn a_record_that_the_service_does_not_take_is_told_by_line_and_the_others_are_written() {
    let service = Service::start();
    let file = service.scratch.file(
        "records.json",
        "[\n{\"id\":\"a\",\"companies\":[],\"role\":\"Forbidden\"},\n{\"id\":\"b\",\"companies\":[]}\n]",
    );
    let told = service.run(&["import", &file]);
    assert_eq!((told.code, told.out.as_str()), (1, "2 records: 1 written, 0 unchanged, 0 differing, 1 failed\n"));
    assert!(told.err.contains("records.json:2: ") && told.err.contains("no such role"), "{told:?}");
}

#[test]
fn what_cannot_be_asked_is_told_and_no_secret_is_shown() {
    let service = Service::start();
    let secret = std::fs::read_to_string(&service.key_file).unwrap();
    let secret = serde_json::from_str::<Value>(&secret).unwrap()["keys"][0]["k"].as_str().unwrap().to_owned();
    let other = service.scratch.file("other.key", &run(&["assertion-key", "new", "--kid", "b"]).out);
    let none = service.scratch.file("none.key", r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#);
    let (url, key) = (service.url.as_str(), service.key_file.as_str());
    for (url, key, more, says) in [
        (url, other.as_str(), &["--insecure-loopback"][..], "answers 401: no; does it trust this key"),
        (url, key, &["--insecure-loopback", "--as", "edge"], "answers 401"),
        (url, key, &["--insecure-loopback", "--audience", "vouchers"], "answers 401"),
        (url, key, &[], "by `https://` alone"),
        ("http://permissions.example", key, &["--insecure-loopback"], "is for 127.0.0.1"),
        ("http://127.0.0.1:1", key, &["--insecure-loopback"], "cannot be reached"),
        (url, none.as_str(), &["--insecure-loopback"], "postern assertion-key new"),
        (url, "no-such.key", &["--insecure-loopback"], "cannot read `no-such.key`"),
    ] {
        let args =
            [&["permissions", "get", "jane", "--url", url, "--key-file", key, "--issuer", "users"], more].concat();
        let told = run(&args);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.err.contains(says), "{says}: {told:?}");
        assert!(!told.err.contains(&secret) && !told.err.contains("c2VjcmV0"), "{told:?}");
    }
    assert!(service.run(&["get", "a/b"]).err.contains("no path holds this user"));
}
