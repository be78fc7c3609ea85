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

#[test]
fn a_location_at_the_origins_host_becomes_the_public_url() {
    let stack = session();
    let edge = ColdEdge::start_with(&stack, |config| with_planted_panic(&stack, config));
    let token = stack.partner("1111");
    let own = stack.origins["external-orders"].replace("external-orders", "verifying");
    // Warm as cold: what a first answer with such a field held says nothing of the next.
    for (location, expected) in [
        ("/verifying/b".to_owned(), "/verifying/b".to_owned()),
        (format!("{own}/verifying/b?c"), "https://api.ljg-sushi.example/verifying/b?c".to_owned()),
        ("https://elsewhere.example/b".to_owned(), "https://elsewhere.example/b".to_owned()),
        (format!("{own}/verifying/b"), "https://api.ljg-sushi.example/verifying/b".to_owned()),
    ] {
        let fields = format!("location: {location}\r\ncontent-location: {location}\r\n");
        let _service = StandIn::for_services(&stack, move |arrival| arrival.answer("302 Found", &fields, ""));
        let answer = edge.get(PATH).bearer(&token).send().expect(302);
        assert_eq!(answer.header("location"), Some(expected.as_str()));
        assert_eq!(answer.header("content-location"), Some(expected.as_str()));
    }
}
