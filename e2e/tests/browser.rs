//! The edge as pages in a real browser see it: what they may send, what they can read, and what is kept from them.
//!
//! Where no browser is installed these tests are listed as ignored; that is known only when they run, so they bring a
//! harness of their own.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Failed, Trial};
use postern_e2e::{PARTNERS, Session, Stack, USERS, random, session, stand_in::StandIn};
use serde_json::{Value, json};

/// A browser starts within two seconds; this leaves room for a machine under load.
const PATIENCE: Duration = Duration::from_secs(90);

const ORDERS: &str = "/companies/1111/orders";

fn main() {
    let (mut arguments, filters) = arguments();
    arguments.test_threads = Some(1);
    let no_browser = Stack::is_described() && Stack::running().chromium.is_none();
    let asked_for = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let trials = TESTS.iter().filter(|(name, _)| asked_for(name)).map(|(name, test)| {
        let trial = Trial::test(*name, move || -> Result<(), Failed> {
            test(&session());
            Ok(())
        });
        if no_browser { trial.with_ignored_flag(true).with_kind("no browser is installed") } else { trial }
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// The standard harness takes several filters, this one's takes one.
fn arguments() -> (Arguments, Vec<String>) {
    let (mut options, mut filters) = (Vec::new(), Vec::new());
    let mut given = env::args();
    options.extend(given.next());
    while let Some(argument) = given.next() {
        if ["--test-threads", "--skip", "--format", "--color", "--logfile"].contains(&argument.as_str()) {
            options.push(argument);
            options.extend(given.next());
        } else if argument.starts_with('-') {
            options.push(argument);
        } else {
            filters.push(argument);
        }
    }
    (Arguments::from_iter(options), filters)
}

type Test = fn(&Session);

const TESTS: [(&str, Test); 9] = [
    ("a_page_that_the_policy_names_reads_a_permitted_answer_after_a_preflight", reads_a_permitted_answer),
    ("a_page_that_the_policy_names_places_an_order_and_reads_where_it_is", places_an_order),
    ("a_page_that_the_policy_names_reads_a_401_and_how_to_ask", reads_a_401),
    ("a_page_that_the_policy_names_reads_a_403_and_which_scope_it_lacks", reads_a_403),
    ("a_page_that_the_policy_names_reads_a_503_and_when_to_try_again", reads_a_503),
    ("a_page_that_the_policy_names_reads_a_404_and_what_the_service_refuses", reads_a_404),
    ("a_page_cannot_send_a_method_or_a_field_that_the_policy_does_not_name", is_held_to_the_policy),
    ("a_page_that_the_policy_does_not_name_is_refused_by_the_browser", a_stranger_is_refused),
    ("a_page_that_the_policy_does_not_name_sends_no_more_than_the_preflight", a_stranger_sends_nothing),
];

/// One request that the page's script makes.
fn request(stack: &Session, method: &str, target: &str, token: Option<&str>) -> Value {
    let mut init = json!({"method": method, "headers": {}});
    if let Some(token) = token {
        init["headers"]["authorization"] = format!("Bearer {token}").into();
    }
    if method == "POST" {
        init["headers"]["content-type"] = "application/json".into();
        init["body"] = "{}".into();
    }
    json!({"url": format!("{}{target}", stack.edge), "init": init})
}

/// What the script saw, and what the browser sent for it.
struct Seen {
    results: Vec<Value>,
    sent: Vec<Value>,
}

impl Seen {
    #[track_caller]
    fn answer(&self, number: usize, status: u16) -> &Value {
        let result = &self.results[number];
        assert_eq!(result["status"], status, "{result}, sent: {:?}", self.sent);
        result
    }

    fn problem(&self, number: usize, status: u16) -> Value {
        let answer = self.answer(number, status);
        serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_else(|_| panic!("{answer}"))
    }

    #[track_caller]
    fn kept_away(&self, number: usize) {
        let result = &self.results[number];
        assert!(result["error"].is_string() && result["status"].is_null(), "the page could read {result}");
    }

    fn preflights(&self) -> usize {
        self.sent.iter().filter(|sent| sent["method"] == "OPTIONS").count()
    }
}

fn in_a_browser(stack: &Session, page: &str, requests: &[Value]) -> Seen {
    let profile = env::temp_dir().join(random::word("postern-browser"));
    let task = json!({
        "modules": stack.node_modules,
        "chromium": stack.chromium,
        "profile": profile,
        "page": page,
        "requests": requests,
    });
    let mut child = Command::new(&stack.node)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/browser/page.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node starts");
    child.stdin.take().expect("a pipe").write_all(task.to_string().as_bytes()).expect("the task is taken");
    let start = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(50));
    }
    let _ = fs::remove_dir_all(&profile);
    let (mut output, mut errors) = (String::new(), String::new());
    child.stdout.take().expect("a pipe").read_to_string(&mut output).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    let seen: Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("the browser failed: {output}{errors}"));
    let list = |name: &str| seen[name].as_array().cloned().unwrap_or_default();
    Seen { results: list("results"), sent: list("sent") }
}

fn reads_a_permitted_answer(stack: &Session) {
    let (company, user) = (stack.partner("1111"), stack.user("user-manager"));
    let requests = [
        request(stack, "GET", ORDERS, Some(&company)),
        request(stack, "GET", "/companies/1111/users/user-manager/vouchers/voucher-7", Some(&user)),
        request(stack, "GET", "/health", None),
    ];
    let seen = in_a_browser(stack, &stack.page, &requests);
    let orders = seen.answer(0, 200)["body"].as_str().unwrap_or_default();
    assert!(orders.contains("\"companyId\":\"1111\""), "{orders}");
    assert_eq!(seen.answer(1, 200)["body"], "\"validated\"");
    seen.answer(2, 200);
    // One for each request with a token; the health check is simple enough to go without.
    assert_eq!(seen.preflights(), 2, "{:?}", seen.sent);
}

fn places_an_order(stack: &Session) {
    let seen = in_a_browser(stack, &stack.page, &[request(stack, "POST", ORDERS, Some(&stack.partner("1111")))]);
    let answer = seen.answer(0, 201);
    let location = answer["headers"]["location"].as_str().unwrap_or_default();
    assert!(location.starts_with("/companies/1111/orders/"), "{answer}");
}

fn reads_a_401(stack: &Session) {
    let expired = stack.control().mint(PARTNERS, json!({"claims": {"exp": 1_700_000_000}}));
    let requests = [
        request(stack, "GET", ORDERS, Some(&expired)),
        request(stack, "GET", ORDERS, None),
        request(stack, "POST", ORDERS, None),
    ];
    let seen = in_a_browser(stack, &stack.page, &requests);
    assert_eq!(seen.problem(0, 401)["code"], "invalid_token");
    let challenge = seen.answer(0, 401)["headers"]["www-authenticate"].as_str().unwrap_or_default();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    for number in [1, 2] {
        assert_eq!(seen.problem(number, 401)["code"], "missing_token");
        assert_eq!(seen.answer(number, 401)["headers"]["www-authenticate"], "Bearer realm=\"postern\"");
    }
}

fn reads_a_403(stack: &Session) {
    let unscoped = stack.control().mint(PARTNERS, json!({"claims": {"scope": "orders/get.order"}}));
    let requests = [
        request(stack, "GET", ORDERS, Some(&unscoped)),
        request(stack, "GET", "/companies/2222/orders", Some(&stack.partner("1111"))),
    ];
    let seen = in_a_browser(stack, &stack.page, &requests);
    assert_eq!(seen.problem(0, 403)["code"], "insufficient_scope");
    let challenge = seen.answer(0, 403)["headers"]["www-authenticate"].as_str().unwrap_or_default();
    assert!(challenge.contains("scope=\"orders/list.orders\""), "{challenge}");
    assert_eq!(seen.problem(1, 403)["code"], "access_denied");
}

fn reads_a_503(stack: &Session) {
    let token = stack.control().mint(USERS, json!({}));
    stack.control().line("permissions", "cut");
    let voucher = "/companies/1111/users/user-manager/vouchers/voucher-7";
    let seen = in_a_browser(stack, &stack.page, &[request(stack, "GET", voucher, Some(&token))]);
    assert_eq!(seen.problem(0, 503)["code"], "temporarily_unavailable");
    let retry_after = seen.answer(0, 503)["headers"]["retry-after"].as_str().unwrap_or_default();
    assert!(retry_after.parse::<u32>().is_ok(), "{retry_after}");
}

fn reads_a_404(stack: &Session) {
    let token = stack.partner("1111");
    let requests = [
        request(stack, "GET", "/nothing", Some(&token)),
        request(stack, "GET", "/companies/1111/orders/unknown", Some(&token)),
    ];
    let seen = in_a_browser(stack, &stack.page, &requests);
    assert_eq!(seen.problem(0, 404)["detail"], "There is nothing at this path.");
    assert_eq!(seen.problem(1, 404)["detail"], "There is no such resource.");
}

fn is_held_to_the_policy(stack: &Session) {
    let token = stack.partner("1111");
    let mut with_field = request(stack, "GET", ORDERS, Some(&token));
    with_field["init"]["headers"]["postern-assertion"] = "x".into();
    let mut with_cookies = request(stack, "GET", ORDERS, Some(&token));
    with_cookies["init"]["credentials"] = "include".into();
    let requests = [request(stack, "DELETE", ORDERS, Some(&token)), with_field, with_cookies];
    let seen = in_a_browser(stack, &stack.page, &requests);
    for number in 0..requests.len() {
        seen.kept_away(number);
    }
}

fn a_stranger_is_refused(stack: &Session) {
    let token = stack.partner("1111");
    let requests = [
        request(stack, "GET", ORDERS, Some(&token)),
        request(stack, "POST", ORDERS, Some(&token)),
        request(stack, "GET", ORDERS, None),
        request(stack, "GET", "/health", None),
    ];
    let seen = in_a_browser(stack, &stack.stranger_page, &requests);
    for number in 0..requests.len() {
        seen.kept_away(number);
    }
}

fn a_stranger_sends_nothing(stack: &Session) {
    let token = stack.partner("1111");
    let services = StandIn::for_services(stack, |arrival| arrival.answer("200 OK", "", "[]"));
    let requests = [request(stack, "GET", ORDERS, Some(&token)), request(stack, "POST", ORDERS, Some(&token))];
    let seen = in_a_browser(stack, &stack.stranger_page, &requests);
    seen.kept_away(0);
    seen.kept_away(1);
    assert_eq!(seen.preflights(), 2, "{:?}", seen.sent);
    assert!(services.seen().is_empty(), "{:?}", services.seen());
}
