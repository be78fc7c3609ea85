//! `Vary` (RFC 9110 §12.5.5): no cache may give one caller's answer to another.

use postern_e2e::{session, stand_in::StandIn};

const ORDERS: &str = "/companies/1111/orders";

#[test]
fn every_answer_varies_by_the_fields_that_were_decided_on() {
    let stack = session();
    let token = stack.partner("1111");
    assert_eq!(stack.get(ORDERS).bearer(&token).send().expect(200).list("vary"), ["authorization", "origin"]);
    assert_eq!(stack.get(ORDERS).send().expect(401).list("vary"), ["authorization", "origin"]);
    assert_eq!(
        stack.get("/companies/2222/orders").bearer(&token).send().expect(403).list("vary"),
        ["authorization", "origin"]
    );
    assert_eq!(stack.get("/nothing").send().expect(404).list("vary"), ["origin"]);
    assert_eq!(stack.get("/health").send().expect(200).list("vary"), ["origin"]);
}

#[test]
fn what_an_origin_varies_by_is_kept_and_nothing_is_named_twice() {
    let stack = session();
    let token = stack.partner("1111");
    for (own, expected) in [
        ("vary: accept\r\n", &["accept", "authorization", "origin"][..]),
        ("vary: Origin, accept\r\nvary: AUTHORIZATION\r\n", &["accept", "authorization", "origin"]),
        ("vary: *\r\n", &["*"]),
    ] {
        let _services = StandIn::for_services(&stack, move |arrival| arrival.answer("200 OK", own, "[]"));
        // Twice: what became of an answer is remembered for the next like it.
        for _ in 0..2 {
            assert_eq!(stack.get(ORDERS).bearer(&token).send().expect(200).list("vary"), expected, "{own}");
        }
    }
}
