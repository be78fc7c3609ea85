//! Cross-origin access (WHATWG Fetch §3.2), as a browser would ask for it; `browser.rs` does so with a real one.

use postern_e2e::{Answer, Call, Session, session};
use serde_json::json;

const ORDERS: &str = "/companies/1111/orders";

fn preflight(stack: &Session, target: &str, origin: &str, method: &str) -> Call {
    stack.call("OPTIONS", target).header("Origin", origin).header("Access-Control-Request-Method", method)
}

/// Every answer that the page may read says this, and the same.
#[track_caller]
fn readable(answer: &Answer, stack: &Session) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(stack.page.as_str()), "{answer:?}");
    assert_eq!(answer.list("access-control-expose-headers"), ["location", "retry-after", "www-authenticate"]);
    assert!(answer.list("vary").contains(&"origin".to_owned()), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
}

/// And this to everybody else.
#[track_caller]
fn unreadable(answer: &Answer) {
    for name in ["access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
    assert!(answer.list("vary").contains(&"origin".to_owned()), "{answer:?}");
}

#[test]
fn a_preflight_from_the_page_is_answered_by_policy_and_never_by_authorisation() {
    let stack = session();
    for (target, methods) in [
        (ORDERS, &["get", "head", "post"][..]),
        ("/companies/2222/orders", &["get", "head", "post"]),
        ("/companies/1111/orders/sample-1", &["get", "head"]),
        ("/companies/1111/users/user-manager/vouchers/v", &["get", "head"]),
        ("/health", &["get", "head"]),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let call = preflight(&stack, target, &stack.page, method);
            let answer = call.header("Access-Control-Request-Headers", "authorization,content-type").send().expect(204);
            assert!(answer.body().is_empty(), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(stack.page.as_str()));
            assert_eq!(answer.list("access-control-allow-methods"), methods, "{target}");
            assert_eq!(answer.list("access-control-allow-headers"), ["authorization", "content-type"]);
            assert_eq!(answer.header("access-control-max-age"), Some("600"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(answer.list("vary").contains(&"origin".to_owned()), "{answer:?}");
            assert_eq!(answer.header("www-authenticate"), None);
        }
    }
}

#[test]
fn a_preflight_for_an_unknown_path_lets_the_page_read_the_404() {
    let stack = session();
    let answer = preflight(&stack, "/nothing", &stack.page, "GET").send().expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(stack.page.as_str()));
    assert!(answer.list("access-control-allow-methods").contains(&"get".to_owned()), "{answer:?}");
    let answer = stack.get("/nothing").header("Origin", &stack.page).send().denied(404, "not_found");
    readable(&answer, &stack);
}

#[test]
fn a_preflight_from_anywhere_else_gets_no_leave() {
    let stack = session();
    let page = &stack.page;
    for origin in [
        stack.stranger_page.clone(),
        "null".to_owned(),
        "*".to_owned(),
        String::new(),
        format!("{page}/"),
        format!("{page}.evil.example"),
        page.replace("http://", "https://"),
        page.replace("http://", "HTTP://"),
        page.replace("127.0.0.1", "localhost"),
        format!("{page}, {page}"),
        format!("{page} {}", stack.stranger_page),
    ] {
        let answer = preflight(&stack, ORDERS, &origin, "GET").send();
        assert!(answer.body().is_empty() || answer.status() >= 400, "{origin}: {answer:?}");
        unreadable(&answer);
        assert_eq!(answer.header("access-control-allow-methods"), None, "{origin}: {answer:?}");
    }
    let two = preflight(&stack, ORDERS, page, "GET").header("Origin", &stack.stranger_page).send();
    unreadable(&two);
}

#[test]
fn a_plain_options_is_no_preflight() {
    let stack = session();
    let (page, token) = (stack.page.clone(), stack.partner("1111"));
    for call in [
        stack.call("OPTIONS", ORDERS),
        stack.call("OPTIONS", ORDERS).header("Origin", &page),
        stack.call("OPTIONS", ORDERS).header("Access-Control-Request-Method", "GET"),
        stack.call("OPTIONS", ORDERS).bearer(&token),
        stack.call("OPTIONS", ORDERS).header("Access-Control-Request-Headers", "authorization").header("Origin", &page),
    ] {
        assert_eq!(call.send().denied(405, "method_not_allowed").list("allow"), ["get", "head", "post"]);
    }
    // Nor is any other method with the fields of one.
    let get = stack.get(ORDERS).header("Origin", &page).header("Access-Control-Request-Method", "GET");
    get.send().denied(401, "missing_token");
    let post = stack.post(ORDERS).header("Origin", &page).header("Access-Control-Request-Method", "GET");
    post.send().denied(401, "missing_token");
}

#[test]
fn a_preflight_for_a_target_that_is_not_canonical_is_refused() {
    let stack = session();
    let answer = preflight(&stack, "/companies//1111/orders", &stack.page, "GET").send();
    readable(&answer.denied(400, "invalid_request"), &stack);
}

#[test]
fn the_page_can_read_every_kind_of_denial() {
    let stack = session();
    let from_the_page = |call: Call| call.header("Origin", &stack.page).send();
    let token = stack.partner("1111");
    let get = |target: &str| stack.get(target).bearer(&token);
    let unscoped = stack.control().mint("partners", json!({"remove": ["scope"]}));
    for (call, status, code) in [
        (stack.get(ORDERS), 401, "missing_token"),
        (stack.get(ORDERS).bearer("x"), 401, "invalid_token"),
        (stack.get(ORDERS).bearer(&unscoped), 403, "insufficient_scope"),
        (get("/companies/2222/orders"), 403, "access_denied"),
        (get("/nothing"), 404, "not_found"),
        (stack.call("DELETE", ORDERS), 405, "method_not_allowed"),
        (get("/companies//1111"), 400, "invalid_request"),
    ] {
        readable(&from_the_page(call).denied(status, code), &stack);
    }
    readable(&from_the_page(get(ORDERS).bearer(&token)).denied_malformed_credential(), &stack);
    stack.control().line("permissions", "cut");
    let voucher = stack.get("/companies/1111/users/user-manager/vouchers/v").bearer(&stack.user("user-manager"));
    readable(&from_the_page(voucher).denied(503, "temporarily_unavailable"), &stack);
}

#[test]
fn the_page_can_read_what_is_permitted_and_what_the_service_refuses() {
    let stack = session();
    let token = stack.partner("1111");
    let from_the_page = |call: Call| call.bearer(&token).header("Origin", &stack.page).send();
    readable(&from_the_page(stack.get(ORDERS)).expect(200), &stack);
    let created = from_the_page(stack.post(ORDERS)).expect(201);
    assert!(created.header("location").is_some(), "{created:?}");
    readable(&created, &stack);
    readable(&from_the_page(stack.get("/companies/1111/orders/unknown")).expect(404), &stack);
    readable(&stack.get("/health").header("Origin", &stack.page).send().expect(200), &stack);
}

#[test]
fn a_stranger_gets_the_same_answers_and_no_leave_to_read_them() {
    let stack = session();
    let token = stack.partner("1111");
    for origin in [Some(stack.stranger_page.as_str()), Some("null"), None] {
        let from = |call: Call| origin.map_or(call.clone(), |origin| call.header("Origin", origin)).send();
        unreadable(&from(stack.get(ORDERS)).denied(401, "missing_token"));
        unreadable(&from(stack.get("/companies/2222/orders").bearer(&token)).denied(403, "access_denied"));
        unreadable(&from(stack.get(ORDERS).bearer(&token)).expect(200));
        unreadable(&from(stack.get("/nothing")).denied(404, "not_found"));
    }
}

#[test]
fn an_origin_behind_the_edge_does_not_widen_what_the_policy_says() {
    let stack = session();
    let token = stack.partner("1111");
    let fields = "access-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\n\
                  access-control-allow-methods: DELETE\r\nvary: accept\r\n";
    let _services =
        postern_e2e::stand_in::StandIn::for_services(&stack, move |arrival| arrival.answer("200 OK", fields, "[]"));
    let get = |origin: &str| stack.get(ORDERS).bearer(&token).header("Origin", origin).send().expect(200);
    let answer = get(&stack.page);
    readable(&answer, &stack);
    assert_eq!(answer.list("vary"), ["accept", "authorization", "origin"]);
    assert_eq!(answer.header("access-control-allow-methods"), None);
    unreadable(&get(&stack.stranger_page));
}
