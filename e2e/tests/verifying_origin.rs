//! Requests to an origin that verifies the caller's token itself: it gets the token and the route's name, and neither an
//! assertion nor what a caller says in Postern's name.
//!
//! The Worker here is the one built for tests, with the origin `verifying` of `policies/signed.toml`.

use std::io::{self, Write as _};

use postern_e2e::{
    cold::ColdEdge,
    planted::with_planted_panic,
    session,
    stand_in::{Arrival, StandIn},
};

const PATH: &str = "/verifying/a?b=%7C";

fn service(arrival: Arrival) -> io::Result<()> {
    let (_, _, mut stream) = arrival.whole()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn an_origin_that_verifies_the_token_is_told_the_route_and_gets_no_assertion() {
    let stack = session();
    let service = StandIn::for_services(&stack, service);
    let edge = ColdEdge::start_with(&stack, |config| with_planted_panic(&stack, config));
    let token = stack.partner("1111");
    let forged = ["postern-route", "Postern_Route", "POSTERN.ROUTE", "postern-assertion", "postern_assertion"];
    // Warm as cold, and whatever a caller says.
    for said in [&[][..], &forged, &[]] {
        let call = said.iter().fold(edge.get(PATH).bearer(&token), |call, name| call.header(name, "forged"));
        call.send().expect(200);
        let seen = service.seen();
        let head = seen.last().unwrap();
        assert!(head.start.starts_with(&format!("GET /lambda-url/verifying{PATH} ")), "{}", head.start);
        let fields = head.fields.iter().map(|(name, value)| (name.to_lowercase(), value.as_str()));
        let ours: Vec<_> = fields.filter(|(name, _)| name.starts_with("postern")).collect();
        assert_eq!(ours, [("postern-route".to_owned(), "verified-there")]);
        assert!(head.value("authorization") == Some(&format!("Bearer {token}")), "another token, or none");
    }
    let before = service.seen().len();
    edge.get(PATH).send().denied(401, "missing_token");
    assert_eq!(service.seen().len(), before, "it was forwarded");
}
