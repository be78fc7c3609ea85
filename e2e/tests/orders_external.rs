//! External orders: a company, machine to machine, and its own orders.

use postern_e2e::{Answer, Call, Session, session};
use serde_json::{Value, json};

const LIST: &str = "/companies/1111/orders";
const ORDER: &str = "/companies/1111/orders/sample-1";

const LIST_SCOPE: &str = "orders/list.orders";
const GET_SCOPE: &str = "orders/get.order";
const CREATE_SCOPE: &str = "orders/create.order";

/// Every endpoint for one company, with the scope it takes.
fn endpoints(stack: &Session, company: &str) -> [(Call, &'static str); 3] {
    [
        (stack.get(format!("/companies/{company}/orders")), LIST_SCOPE),
        (stack.get(format!("/companies/{company}/orders/sample-1")), GET_SCOPE),
        (stack.post(format!("/companies/{company}/orders")), CREATE_SCOPE),
    ]
}

#[track_caller]
fn check_order(order: &Value, company: &str) {
    let members: Vec<&str> = order.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(members, ["companyId", "orderId", "orderStatus"], "{order}");
    assert_eq!(order["companyId"], company, "{order}");
    assert_eq!(order["orderStatus"], "PENDING", "{order}");
    assert!(order["orderId"].is_string(), "{order}");
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[track_caller]
fn json_of(answer: Answer, status: u16) -> Value {
    let answer = answer.expect(status);
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    answer.json()
}

#[test]
fn a_company_lists_its_orders() {
    let stack = session();
    let orders = json_of(stack.get(LIST).bearer(&stack.partner("1111")).send(), 200);
    let orders = orders.as_array().expect("an array of orders");
    assert!(orders.len() >= 2, "{orders:?}");
    for order in orders {
        check_order(order, "1111");
    }
}

#[test]
fn a_company_reads_one_of_its_orders() {
    let stack = session();
    let order = json_of(stack.get(ORDER).bearer(&stack.partner("1111")).send(), 200);
    check_order(&order, "1111");
    assert_eq!(order["orderId"], "sample-1");
}

#[test]
fn a_company_places_an_order_and_finds_it_again() {
    let stack = session();
    let token = stack.partner("1111");
    let answer = stack.post(LIST).bearer(&token).send();
    let location = answer.header("location").expect("a location").to_owned();
    let order = json_of(answer, 201);
    check_order(&order, "1111");
    let id = order["orderId"].as_str().unwrap_or_default();
    assert!(is_uuid(id), "{order}");
    assert_eq!(location, format!("{LIST}/{id}"));
    assert_eq!(json_of(stack.get(&location).bearer(&token).send(), 200), order);
    let listed = json_of(stack.get(LIST).bearer(&token).send(), 200);
    assert!(listed.as_array().is_some_and(|orders| orders.contains(&order)), "{listed}");
}

#[test]
fn every_company_reaches_its_own_orders_and_no_others() {
    let stack = session();
    for (own, other) in [("1111", "2222"), ("2222", "1111")] {
        let token = stack.partner(own);
        for (call, _) in endpoints(&stack, own) {
            let answer = call.bearer(&token).send();
            assert!(matches!(answer.status(), 200 | 201), "{answer:?}");
        }
        for (call, _) in endpoints(&stack, other) {
            call.bearer(&token).send().denied(403, "access_denied");
        }
    }
}

#[test]
fn a_companys_name_is_compared_whole() {
    let stack = session();
    let token = stack.partner("1111");
    for company in ["111", "11111", "1111%201111", "%EF%BC%91111", "1111,2222", "1111@2222", "companies"] {
        for (call, _) in endpoints(&stack, company) {
            call.bearer(&token).send().denied(403, "access_denied");
        }
    }
}

#[test]
fn an_order_of_another_company_is_not_found_among_ones_own() {
    let stack = session();
    let placed = json_of(stack.post("/companies/2222/orders").bearer(&stack.partner("2222")).send(), 201);
    let id = placed["orderId"].as_str().unwrap_or_default();
    stack.get(format!("{LIST}/{id}")).bearer(&stack.partner("1111")).send().expect(404);
}

#[test]
fn without_a_token_every_endpoint_answers_401_and_says_how_to_ask() {
    let stack = session();
    for company in ["1111", "2222", "nobody"] {
        for (call, _) in endpoints(&stack, company) {
            call.send().denied(401, "missing_token");
        }
    }
}

#[test]
fn each_endpoint_takes_its_own_scope_and_names_it_when_it_lacks() {
    let stack = session();
    for held in [LIST_SCOPE, GET_SCOPE, CREATE_SCOPE] {
        let token = stack.control().partner_token("1111", Some(held));
        for (call, needed) in endpoints(&stack, "1111") {
            let answer = call.bearer(&token).send();
            if needed == held {
                assert!(matches!(answer.status(), 200 | 201), "{answer:?}");
            } else {
                let answer = answer.denied(403, "insufficient_scope");
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{answer:?}");
            }
        }
    }
}

#[test]
fn a_client_that_may_have_one_scope_gets_no_further() {
    let stack = session();
    let token = stack.partner("3333");
    let [(list, _), (get, _), (create, _)] = endpoints(&stack, "3333");
    list.bearer(&token).send().expect(200);
    get.bearer(&token).send().denied(403, "insufficient_scope");
    create.bearer(&token).send().denied(403, "insufficient_scope");
}

#[test]
fn a_scope_is_compared_whole() {
    let stack = session();
    for scope in ["orders/list.orders2", "orders/list", "ORDERS/LIST.ORDERS", "xorders/list.orders", ""] {
        let token = stack.control().mint("partners", json!({"claims": {"scope": scope}}));
        stack.get(LIST).bearer(&token).send().denied(403, "insufficient_scope");
    }
    let none = stack.control().mint("partners", json!({"remove": ["scope"]}));
    stack.get(LIST).bearer(&none).send().denied(403, "insufficient_scope");
}

#[test]
fn what_is_missing_is_told_in_order_token_then_scope_then_company() {
    let stack = session();
    let unscoped = stack.control().mint("partners", json!({"claims": {"scope": "openid"}}));
    stack.get("/companies/2222/orders").send().denied(401, "missing_token");
    stack.get("/companies/2222/orders").bearer(&unscoped).send().denied(403, "insufficient_scope");
    stack.get("/companies/2222/orders").bearer(&stack.partner("1111")).send().denied(403, "access_denied");
}

#[test]
fn a_users_token_opens_no_partners_endpoint() {
    let stack = session();
    let token = stack.user("user-manager");
    for (call, _) in endpoints(&stack, "1111") {
        call.bearer(&token).send().denied(401, "invalid_token");
    }
}

#[test]
fn head_follows_get_and_has_no_body() {
    let stack = session();
    let token = stack.partner("1111");
    let head = |target: &str, token: Option<&str>| {
        let call = stack.call("HEAD", target);
        let answer = token.map_or(call.clone(), |token| call.bearer(token)).send();
        assert!(answer.body().is_empty(), "{answer:?}");
        answer
    };
    for target in [LIST, ORDER] {
        let answer = head(target, Some(&token)).expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    }
    assert_eq!(head(LIST, None).expect(401).header("www-authenticate"), Some("Bearer realm=\"postern\""));
    head("/companies/2222/orders", Some(&token)).expect(403);
    head("/nothing", Some(&token)).expect(404);
    head("/companies//orders", None).expect(400);
}

#[test]
fn a_path_that_no_route_has_is_404_alike_for_every_caller() {
    let stack = session();
    let tokens = [stack.partner("1111"), stack.user("user-manager"), "not.a.token".to_owned()];
    for target in [
        "/",
        "/companies",
        "/companies/1111",
        "/companies/1111/orders/",
        "/companies/1111/orders/sample-1/",
        "/companies/1111/orders/sample-1/lines",
        "/Companies/1111/orders",
        "/companies/1111/Orders",
        "/companies/1111/orders2",
        "/health/",
        "/favicon.ico",
    ] {
        let anonymous = stack.get(target).send().denied(404, "not_found");
        for token in &tokens {
            assert_eq!(stack.get(target).bearer(token).send().denied(404, "not_found").json(), anonymous.json());
        }
    }
}

#[test]
fn a_method_that_the_path_has_not_is_405_with_those_it_has_alike_for_every_caller() {
    let stack = session();
    let token = stack.partner("1111");
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
        for (target, allowed) in [(LIST, &["get", "head", "post"][..]), (ORDER, &["get", "head"])] {
            for call in [stack.call(method, target), stack.call(method, target).bearer(&token)] {
                assert_eq!(call.send().denied(405, "method_not_allowed").list("allow"), allowed, "{call}");
            }
        }
    }
    assert_eq!(
        stack.post(ORDER).bearer(&token).send().denied(405, "method_not_allowed").list("allow"),
        ["get", "head"]
    );
}

#[test]
fn method_override_fields_change_nothing() {
    let stack = session();
    let list_only = stack.control().partner_token("1111", Some(LIST_SCOPE));
    for field in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        for method in ["POST", "DELETE", "OPTIONS"] {
            let call = stack.get(LIST).bearer(&list_only).header(field, method);
            assert!(json_of(call.send(), 200).is_array(), "{call}");
        }
    }
    let post = stack.post(LIST).header("X-HTTP-Method-Override", "GET");
    post.bearer(&list_only).send().denied(403, "insufficient_scope");
}

#[test]
fn what_the_service_itself_refuses_comes_through_as_it_is() {
    let stack = session();
    let token = stack.partner("1111");
    let answer = stack.get(format!("{LIST}/unknown")).bearer(&token).send().expect(404);
    assert_eq!(answer.json()["detail"], "There is no such resource.", "{answer:?}");
    let order = stack.call("POST", LIST).bearer(&token).header("content-type", "application/json");
    let answer = order.clone().body(r#"{"quantity":0}"#).send().expect(400);
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("`quantity`")), "{answer:?}");
    order.clone().body(r#"{"companyId":"2222"}"#).send().expect(400);
    check_order(&json_of(order.body(r#"{"quantity":3}"#).send(), 201), "1111");
}

#[test]
fn the_health_check_is_open_to_anyone_and_looks_at_no_token() {
    let stack = session();
    for call in [stack.get("/health"), stack.get("/health").bearer("not.a.token"), stack.get("/health?x=1")] {
        assert_eq!(json_of(call.send(), 200), json!({"status": "ok"}));
    }
    assert_eq!(stack.post("/health").send().denied(405, "method_not_allowed").list("allow"), ["get", "head"]);
}
