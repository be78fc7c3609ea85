//! Request targets as they stand on the wire, under `wrangler dev`, whose proxy mends some of them before the Worker
//! sees them, and under plain workerd, which mends none.
//!
//! That what is permitted arrives byte for byte shows in every 200: the service compares the path and query it got
//! with those that the edge decided on.

use postern_e2e::{Answer, Call, Platform, Session, session, stand_in::StandIn};

const OWN: &str = "/companies/1111/orders";
const OTHER: &str = "/companies/2222/orders";

/// Targets that are not canonical, each of which some component reads as something else. The second is what the proxy
/// of `wrangler dev` makes of it, where it makes something else of it.
const REFUSED: [(&str, Option<&str>); 59] = [
    // Dot segments.
    ("/companies/2222/../1111/orders", Some("/companies/1111/orders")),
    ("/companies/1111/../2222/orders", Some("/companies/2222/orders")),
    ("/companies/1111/./orders", Some("/companies/1111/orders")),
    ("/../companies/1111/orders", Some("/companies/1111/orders")),
    ("/companies/2222/%2e%2e/1111/orders", Some("/companies/1111/orders")),
    ("/companies/1111/%2E%2E/2222/orders", Some("/companies/2222/orders")),
    ("/companies/1111/.%2e/2222/orders", Some("/companies/2222/orders")),
    ("/companies/1111/orders/..", Some("/companies/1111/")),
    ("/companies/1111/orders/.", Some("/companies/1111/orders/")),
    ("/companies/1111/orders/%2e", Some("/companies/1111/orders/")),
    ("/companies/1111/orders/...", None),
    ("/companies/1111/orders/sample-1.", None),
    ("/companies/1111./orders", None),
    ("/companies/1111/..;/2222/orders", None),
    ("/companies/1111/%252e%252e/2222/orders", None),
    // Empty segments.
    ("//companies/1111/orders", None),
    ("/companies//1111/orders", None),
    ("/companies/1111//orders", None),
    ("/companies/1111/orders//", None),
    ("//evil.example/companies/1111/orders", None),
    // Backslashes.
    ("/companies/1111\\orders", Some("/companies/1111/orders")),
    ("/\\companies/1111/orders", Some("//companies/1111/orders")),
    ("/companies/1111/..\\2222/orders", Some("/companies/2222/orders")),
    ("/companies/1111%5Corders", None),
    ("/companies/1111%5corders", None),
    ("/companies/2222%5C..%5C1111/orders", None),
    // Separators in disguise.
    ("/companies/1111%2Forders", None),
    ("/companies/1111%2forders", None),
    ("/companies%2F1111%2Forders", None),
    ("/companies/1111%252Forders", None),
    ("/companies/2222%2F..%2F1111/orders", None),
    ("/companies/1111%3Fx=1/orders", None),
    ("/companies/1111%23/orders", None),
    ("/companies/1111/orders%3Fpage=2", None),
    ("/companies/1111/orders%23x", None),
    ("/companies/1111/orders/%2Fetc%2Fpasswd", None),
    // Path parameters.
    ("/companies/1111;x=1/orders", None),
    ("/companies/1111/orders;jsessionid=1", None),
    ("/companies;/1111/orders", None),
    ("/companies/1111%3Bx=1/orders", None),
    // Control characters and broken escapes.
    ("/companies/1111%00/orders", None),
    ("/companies/1111%0d%0ax:y/orders", None),
    ("/companies/1111%0D%0Ax:y/orders", None),
    ("/companies/1111%7F/orders", None),
    ("/companies/1111%/orders", None),
    ("/companies/1111%2/orders", None),
    ("/companies/1111%zz/orders", None),
    ("/companies/1111%u0031/orders", None),
    // Escapes that need not be, or in lower case.
    ("/companies/%31111/orders", None),
    ("/%63ompanies/1111/orders", None),
    ("/companies/1111/%6Frders", None),
    ("/companies/1111/orders/a%7cb", None),
    ("/companies/1111/orders/caf%c3%a9", None),
    // Not UTF-8, overlong forms.
    ("/companies/1111/orders/%FF", None),
    ("/companies/1111/orders/%C0%AF", None),
    ("/companies/%C0%AE%C0%AE/1111/orders", None),
    ("/companies/1111/orders/%ED%A0%80", None),
    // In the query.
    ("/companies/1111/orders?x=%zz", None),
    ("/companies/1111/orders?", None),
];

/// Characters that the runtime may escape, refuse or pass on; whichever it is, nothing may be gained.
const BARE: [&str; 12] = [
    "/companies/1111/orders/a{b}",
    "/companies/1111/orders/a|b",
    "/companies/1111/orders/a^b",
    "/companies/1111/orders/a`b",
    "/companies/1111/orders/a\"b",
    "/companies/1111/orders/a<b>",
    "/companies/1111/orders/caf\u{e9}",
    "/companies/\u{ff11}111/orders",
    "/companies/1111/orders?x='1'",
    "/companies/1111/orders?x=\"1\"",
    "/companies/1111/orders?x={1}",
    "/companies/1111/orders?x=caf\u{e9}",
];

/// Targets in canonical form that reach the service as they are.
const PERMITTED: [&str; 14] = [
    "/companies/1111/orders",
    "/companies/1111/orders?page=2",
    "/companies/1111/orders?b=2&a=1&a=1",
    "/companies/1111/orders?q=a%20b+c",
    "/companies/1111/orders?q=%2F%2f%41%7c",
    "/companies/1111/orders?q=%00%0A",
    "/companies/1111/orders?path=/a/../b//c",
    "/companies/1111/orders?x=1?y=2",
    "/companies/1111/orders?ids[]=1&ids[]=2",
    "/companies/1111/orders?x;y=1;z",
    "/companies/1111/orders?@:!$()*,-._~",
    "/companies/1111/orders?x=%E2%82%AC",
    "/companies/1111/orders?a=%2E%2E",
    "/companies/1111/orders?&&=&",
];

/// The same for one order: none of these exists, and the service says so itself.
const UNKNOWN_ORDERS: [&str; 8] = [
    "/companies/1111/orders/a%7Cb",
    "/companies/1111/orders/a%20b",
    "/companies/1111/orders/caf%C3%A9",
    "/companies/1111/orders/%E2%82%AC",
    "/companies/1111/orders/a:b@c!$&'()*+,=",
    "/companies/1111/orders/a.hidden",
    "/companies/1111/orders/...a",
    "/companies/1111/orders/a%22%3C%3E%5B%5D%5E%60%7B%7D",
];

struct Edge<'s> {
    name: &'static str,
    url: &'s str,
    token: String,
}

fn edges(stack: &Session) -> Vec<Edge<'_>> {
    let token = stack.partner("1111");
    stack.edges().into_iter().map(|(name, url)| Edge { name, url, token: token.clone() }).collect()
}

impl Edge<'_> {
    fn get(&self, target: impl AsRef<[u8]>) -> Answer {
        Call::new(self.url, "GET", target).bearer(&self.token).send()
    }

    fn mends(&self) -> bool {
        self.name == "wrangler dev"
    }

    /// What this edge is given for a target, where that is another one.
    fn given(&self, target: &'static str, mended: Option<&'static str>) -> Option<&'static str> {
        let without_query = (!Platform::current().sees_empty_queries()).then(|| target.strip_suffix('?')).flatten();
        without_query.or_else(|| mended.filter(|_| self.mends()))
    }
}

#[test]
fn what_is_not_canonical_is_a_bad_request() {
    let stack = session();
    for edge in edges(&stack) {
        for (target, mended) in REFUSED {
            let answer = edge.get(target);
            match edge.given(target, mended) {
                None => {
                    assert_eq!(answer.status(), 400, "{} {target}: {answer:?}", edge.name);
                    answer.denied(400, "invalid_request");
                }
                // The edge never saw it: the answer must be what the mended form gets, and no better.
                Some(mended) => {
                    let expected = edge.get(mended);
                    assert_eq!((answer.status(), answer.code()), (expected.status(), expected.code()), "{target}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_canonical_is_a_bad_request_for_every_caller() {
    let stack = session();
    for (name, url) in stack.edges() {
        for target in ["/companies//1111/orders", "/companies/1111%2Forders", "/nothing%00", "/companies/1111;x/orders"]
        {
            let answer = Call::new(url, "GET", target).send();
            assert_eq!(answer.status(), 400, "{name} {target}: {answer:?}");
            answer.denied(400, "invalid_request");
        }
    }
}

#[test]
fn a_bare_character_that_ought_to_be_escaped_gains_nothing() {
    let stack = session();
    for edge in edges(&stack) {
        for target in BARE {
            let Ok(answer) = Call::new(edge.url, "GET", target).bearer(&edge.token).try_send() else {
                continue; // The server has cut the connection, which is a refusal too.
            };
            // Escaped on the way in, it is another name: an order that does not exist, or a company that is not the
            // caller's. As a query it is data.
            let data = target.contains('?') && edge.mends();
            let allowed: &[u16] = if data { &[200, 400] } else { &[400, 403, 404] };
            assert!(allowed.contains(&answer.status()), "{} {target}: {answer:?}", edge.name);
            if !edge.mends() {
                assert_eq!(answer.status(), 400, "{} {target}: {answer:?}", edge.name);
            }
        }
    }
}

#[test]
fn octets_that_are_not_ascii_gain_nothing() {
    let stack = session();
    for edge in edges(&stack) {
        for target in [
            &b"/companies/1111/orders/\xff"[..],
            b"/companies/\xc0\xae\xc0\xae/1111/orders",
            b"/companies/1111\x01/orders",
            b"/companies/1111\x7f/orders",
            b"/companies/1111\t/orders",
        ] {
            if let Ok(answer) = Call::new(edge.url, "GET", target).bearer(&edge.token).try_send() {
                assert!(
                    matches!(answer.status(), 400 | 403 | 404),
                    "{} {}: {answer:?}",
                    edge.name,
                    target.escape_ascii()
                );
            }
        }
    }
}

#[test]
fn what_is_permitted_arrives_as_it_was_sent() {
    let stack = session();
    for edge in edges(&stack) {
        for target in PERMITTED {
            let answer = edge.get(target);
            assert_eq!(answer.status(), 200, "{} {target}: {answer:?}", edge.name);
        }
        for target in UNKNOWN_ORDERS {
            let answer = edge.get(target);
            assert_eq!(answer.status(), 404, "{} {target}: {answer:?}", edge.name);
            assert_eq!(answer.json()["detail"], "There is no such resource.", "{} {target}: {answer:?}", edge.name);
        }
    }
}

#[test]
fn what_is_permitted_is_on_the_wire_byte_for_byte() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    let mut sent = Vec::new();
    for edge in edges(&stack) {
        for target in PERMITTED.iter().chain(&UNKNOWN_ORDERS) {
            edge.get(target).expect(200);
            sent.push(format!("GET /lambda-url/external-orders{target} HTTP/1.1"));
        }
    }
    let arrived: Vec<String> = services.seen().into_iter().map(|head| head.start).collect();
    for (sent, arrived) in sent.iter().zip(&arrived) {
        assert_eq!(sent, arrived);
    }
    assert_eq!(sent.len(), arrived.len());
}

#[test]
fn nothing_that_is_refused_reaches_a_service() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    for edge in edges(&stack) {
        for (target, _) in REFUSED.iter().filter(|(target, mended)| edge.given(target, *mended).is_none()) {
            edge.get(target).expect(400);
        }
    }
    assert!(services.seen().is_empty(), "{:?}", services.seen());
}

#[test]
fn method_parameters_are_refused() {
    let stack = session();
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("200 OK", "", "[]"));
    for edge in edges(&stack) {
        for query in
            ["_method=GET", "a=b&%5FMethod=DELETE", "_method[]=PUT", "_HttpMethod=PATCH", "X-HTTP-Method-Override=GET"]
        {
            let target = format!("{OWN}?{query}");
            let call = Call::new(edge.url, "POST", &target).bearer(&edge.token).body("{}");
            let answer = call.send().denied(400, "invalid_request");
            assert!(answer.json()["detail"].to_string().contains("overrides the method"), "{} {query}", edge.name);
            edge.get(&target).expect(200);
        }
        Call::new(edge.url, "POST", format!("{OWN}?method=card")).bearer(&edge.token).body("{}").send().expect(200);
    }
    let overridden =
        services.seen().into_iter().filter(|head| head.start.starts_with("POST") && !head.start.contains("?method="));
    assert_eq!(overridden.count(), 0);
}

#[test]
fn no_disguise_of_another_companys_path_opens_it() {
    let stack = session();
    for edge in edges(&stack) {
        assert_eq!(edge.get(OWN).status(), 200);
        edge.get(OTHER).denied(403, "access_denied");
        for disguise in [
            "/companies/1111/../2222/orders",
            "/companies/1111/%2e%2e/2222/orders",
            "/companies/1111/..%2F2222/orders",
            "/companies/1111%2F..%2F2222/orders",
            "/companies/1111\\..\\2222\\orders",
            "/companies/1111/..;/2222/orders",
            "/companies/1111;/../2222/orders",
            "/companies/2222;company=1111/orders",
            "/companies/2222/orders?company=1111",
            "/companies/2222/orders?/../../1111/orders",
            "/companies/2222/orders#/companies/1111/orders",
            "/companies/2222/orders%3F/companies/1111/orders",
            "//companies/2222/orders",
            "/./companies/2222/orders",
            "/COMPANIES/2222/orders",
            "/companies/2222/orders/",
            "/companies/%32222/orders",
        ] {
            if let Ok(answer) = Call::new(edge.url, "GET", disguise).bearer(&edge.token).try_send() {
                assert!(matches!(answer.status(), 400 | 403 | 404), "{} {disguise}: {answer:?}", edge.name);
            }
        }
    }
}

#[test]
fn a_fragment_is_no_part_of_a_target() {
    let stack = session();
    for edge in edges(&stack) {
        for target in
            ["/companies/1111/orders#x", "/companies/2222/orders#/../../1111/orders", "/#/companies/1111/orders"]
        {
            let bare = target.split('#').next().unwrap_or_default();
            let expected = edge.get(bare);
            // Both runtimes cut it off before a Worker sees it; what is decided on and forwarded is what is left.
            let answer = edge.get(target);
            let same = (answer.status(), answer.code()) == (expected.status(), expected.code());
            assert!(same || answer.status() == 400, "{} {target}: {answer:?}", edge.name);
        }
    }
}

#[test]
fn the_absolute_form_gains_nothing() {
    let stack = session();
    for edge in edges(&stack) {
        for host in ["evil.example", "127.0.0.1:1", edge.url.trim_start_matches("http://")] {
            for (path, allowed) in [(OWN, &[200, 400][..]), (OTHER, &[400, 403])] {
                let target = format!("http://{host}{path}");
                if let Ok(answer) = Call::new(edge.url, "GET", "").with_target(&target).bearer(&edge.token).try_send() {
                    assert!(allowed.contains(&answer.status()), "{} {target}: {answer:?}", edge.name);
                }
            }
        }
    }
}

#[test]
fn the_asterisk_and_targets_without_a_slash_are_refused() {
    let stack = session();
    for edge in edges(&stack) {
        for (method, target) in
            [("OPTIONS", "*"), ("GET", "*"), ("GET", "companies/1111/orders"), ("GET", "?x"), ("CONNECT", "x:1")]
        {
            if let Ok(answer) = Call::new(edge.url, method, target).bearer(&edge.token).try_send() {
                assert!(answer.status() >= 400, "{} {method} {target}: {answer:?}", edge.name);
            }
        }
    }
}

#[test]
fn a_target_that_is_too_long_or_too_deep_is_refused() {
    let stack = session();
    for edge in edges(&stack) {
        edge.get(format!("{OWN}?x={}", "x".repeat(7_000))).expect(200);
        let too_long = edge.get(format!("{OWN}?x={}", "x".repeat(9_000)));
        if Platform::current().sees_targets_beyond_8192() {
            too_long.denied(400, "invalid_request");
        } else {
            too_long.expect(413);
        }
        edge.get("/a".repeat(65)).denied(400, "invalid_request");
        edge.get("/a".repeat(64)).denied(404, "not_found");
    }
}

#[test]
fn a_subject_with_a_bar_is_reached_in_its_one_spelling() {
    let stack = session();
    let token = stack.user("auth0|pipe");
    for (name, url) in stack.edges() {
        let get = |user: &str| {
            let target = format!("/companies/1111/users/{user}/vouchers/voucher-7");
            Call::new(url, "GET", target).bearer(&token).send()
        };
        assert_eq!(get("auth0%7Cpipe").status(), 200, "{name}");
        get("auth0%7cpipe").denied(400, "invalid_request");
        get("auth0%257Cpipe").denied(400, "invalid_request");
        get("%61uth0%7Cpipe").denied(400, "invalid_request");
    }
}
