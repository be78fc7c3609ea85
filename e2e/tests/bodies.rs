//! Bodies that a route binds: read by the edge, named in the assertion, and taken by the service only as they are.

use std::sync::{Arc, Mutex, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{assertion::Assertion, digest::sha256};
use postern_e2e::{
    Call,
    assertions::{as_edge, keys},
    session,
    stand_in::StandIn,
};
use serde_json::Value;

/// Its route has `body = "buffered"`.
const ORDERS: &str = "/companies/1111/users/user-manager/orders";
const MEBIBYTE: usize = 1024 * 1024;

/// The claims of an assertion, which this test need not verify: the services do.
fn claims(compact: &str) -> Value {
    let payload = compact.split('.').nth(1).unwrap_or_default();
    let json = Base64UrlUnpadded::decode_vec(payload).expect("base64url");
    serde_json::from_slice(&json).expect("claims")
}

#[test]
fn what_was_read_is_what_is_bound_and_what_is_forwarded() {
    let stack = session();
    let token = stack.user("user-manager");
    let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let kept = Arc::clone(&bodies);
    let services = StandIn::for_services(&stack, move |mut arrival| {
        let mut whole = Vec::new();
        while let Some(piece) = arrival.body.piece()? {
            whole.extend(piece);
        }
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(whole);
        arrival.answer("201 Created", "", "{}")
    });
    let mut sent = Vec::new();
    for (_, edge) in stack.edges() {
        for body in [Vec::new(), b"{\"quantity\": 3}".to_vec(), vec![0xFF; MEBIBYTE]] {
            let call = Call::new(edge, "POST", ORDERS).bearer(&token).header("content-type", "application/json");
            call.body(body.clone()).send().expect(201);
            sent.push(body);
        }
        let call = Call::new(edge, "POST", ORDERS).bearer(&token).header("content-type", "application/json");
        let mut exchange = call.open("transfer-encoding: chunked\r\n").expect("a connection");
        exchange.send(b"d\r\n{\"quantity\": \r\n2\r\n3}\r\n0\r\n\r\n").expect("the chunks");
        exchange.answer().expect("an answer").expect(201);
        sent.push(b"{\"quantity\": 3}".to_vec());
    }
    assert!(*bodies.lock().unwrap_or_else(PoisonError::into_inner) == sent, "other octets arrived");
    let heads = services.seen();
    assert_eq!(heads.len(), sent.len());
    for (head, body) in heads.iter().zip(&sent) {
        let bound = claims(head.value("postern-assertion").expect("an assertion"))["content_sha256"].clone();
        assert_eq!(bound, Base64UrlUnpadded::encode_string(&sha256(body)));
    }
}

#[test]
fn a_body_over_the_limit_reaches_nobody_and_says_so() {
    let stack = session();
    let token = stack.user("user-manager");
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("201 Created", "", "{}"));
    for (runtime, edge) in stack.edges() {
        let answer = Call::new(edge, "POST", ORDERS).bearer(&token).body(vec![b' '; MEBIBYTE + 1]).send();
        assert_eq!(answer.status(), 413, "{runtime}");
        assert_eq!(answer.code().as_deref(), Some("content_too_large"), "{runtime}");
        // Nobody who may not order has the edge read an order.
        let other = ORDERS.replace("1111", "2222");
        let answer = Call::new(edge, "POST", other).bearer(&token).body(vec![b' '; MEBIBYTE + 1]).send();
        assert_eq!(answer.code().as_deref(), Some("access_denied"), "{runtime}");
    }
    assert!(services.seen().is_empty(), "{:?}", services.seen());
}

#[test]
fn a_body_that_breaks_off_reaches_nobody() {
    let stack = session();
    let token = stack.user("user-manager");
    let services = StandIn::for_services(&stack, |arrival| arrival.answer("201 Created", "", "{}"));
    for (_, edge) in stack.edges() {
        let call = Call::new(edge, "POST", ORDERS).bearer(&token).header("content-type", "application/json");
        let mut exchange = call.open("content-length: 100\r\n").expect("a connection");
        exchange.send(b"{\"quantity\": 3}").expect("a part");
        drop(exchange);
        // What comes after it is answered: nobody waits for the rest.
        Call::new(edge, "POST", ORDERS).bearer(&token).body("{}").send().expect(201);
    }
    assert_eq!(services.seen().len(), stack.edges().len(), "a part of a body was forwarded");
}

#[test]
fn the_service_takes_an_order_that_the_edge_has_read() {
    let stack = session();
    let token = stack.user("user-manager");
    for (_, edge) in stack.edges() {
        let call = Call::new(edge, "POST", ORDERS).bearer(&token).header("content-type", "application/json");
        call.body("{}").send().expect(201);
    }
}

#[test]
fn a_service_refuses_another_body_than_the_bound_one() {
    let stack = session();
    let keys = keys(&stack, "internal-orders");
    let show = |body: &str| {
        let assertion = Assertion {
            content_sha256: Some(sha256(b"{}")),
            scopes: vec!["orders/create.order".to_owned()],
            route: Some("internal-orders-create".to_owned()),
            ..as_edge("internal-orders", "POST", ORDERS)
        };
        stack
            .direct("internal-orders", "POST", ORDERS)
            .header("postern-assertion", &assertion.sign(&keys))
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    show("{}").expect(201);
    for body in ["{ }", "", "{\"quantity\": 9}"] {
        show(body).expect(400);
    }
}
