//! Requests to a function URL that takes only who signs: signed by the Worker, and checked by a computation of the tests'
//! own, byte for byte as they arrive.
//!
//! The Worker here is the one built for tests, with the origin of `policies/signed.toml`.

use std::{
    io::{self, Write as _},
    thread,
    time::Duration,
};

use postern::digest::sha256;
use postern_e2e::{
    Call, PARTNERS, Session,
    assertions::now,
    cold::ColdEdge,
    message::Head,
    planted::{SIGNED_CREDENTIALS, with_planted_panic},
    session,
    stand_in::{Arrival, StandIn},
};
use serde_json::json;

const REGION: &str = "eu-west-2";
const PATH: &str = "/signed/a";

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// RFC 2104, by hand.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.iter().map(|own| own ^ byte).collect::<Vec<u8>>();
    sha256(&[pad(0x5c), sha256(&[pad(0x36), message.to_vec()].concat()).to_vec()].concat())
}

/// RFC 3986's unreserved characters bare, all else escaped.
fn escaped(text: &[u8], bare: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte if bare.contains(byte) => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.iter().map(one).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let (mut octets, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                octets.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
                after
            }
            _ => {
                octets.push(*first);
                after
            }
        };
    }
    octets
}

/// The one value of a field; something that nobody signs where there are two.
fn sole<'h>(head: &'h Head, name: &str) -> &'h str {
    let mut values = head.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let value = values.next().map_or("", String::as_str);
    if values.next().is_some() { "twice" } else { value }
}

/// Why Lambda would refuse it ("Create a signed AWS API request", IAM User Guide), if it would.
fn wrong(head: &Head, body: &[u8]) -> Option<String> {
    let [id, key, token] = SIGNED_CREDENTIALS;
    let value = |name: &str| sole(head, name);
    let (method, rest) = head.start.split_once(' ')?;
    let target = rest.split(' ').next()?;
    let authorization = value("authorization");
    let date = value("x-amz-date");
    let scope = format!("{}/{REGION}/lambda/aws4_request", date.get(..8)?);
    let Some(rest) = authorization.strip_prefix(&format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders="))
    else {
        return Some(format!("another scheme, key or scope: {authorization}"));
    };
    let (names, signature) = rest.split_once(", Signature=")?;
    let signed: Vec<&str> = names.split(';').collect();
    let must = head.fields.iter().map(|(name, _)| name.to_lowercase()).filter(|name| name.starts_with("x-amz-"));
    for name in must.chain(["host".to_owned(), "postern-assertion".to_owned(), "x-amz-content-sha256".to_owned()]) {
        if !signed.contains(&name.as_str()) {
            return Some(format!("{name} is not signed: {names}"));
        }
    }
    if value("x-amz-security-token") != token || value("x-amz-content-sha256") != hex(&sha256(body)) {
        return Some("another session, or another body".to_owned());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            format!("{}={}", escaped(&unescaped(name), b""), escaped(&unescaped(value), b""))
        })
        .collect();
    parameters.sort();
    let fields: String = signed.iter().map(|name| format!("{name}:{}\n", value(name))).collect();
    let canonical = format!(
        "{method}\n{}\n{}\n{fields}\n{names}\n{}",
        escaped(path.as_bytes(), b"/"),
        parameters.join("&"),
        value("x-amz-content-sha256")
    );
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
    let day = hmac(format!("AWS4{key}").as_bytes(), &date.as_bytes()[..8]);
    let key = hmac(&hmac(&hmac(&day, REGION.as_bytes()), b"lambda"), b"aws4_request");
    (hex(&hmac(&key, text.as_bytes())) != signature).then(|| format!("another signature than of\n{canonical}"))
}

/// Answers as Lambda does: its own refusal, or the function's answer, which says how much it was given.
fn lambda(arrival: Arrival) -> io::Result<()> {
    let (head, body, mut stream) = arrival.whole()?;
    let (status, fields, content) = match wrong(&head, &body) {
        Some(why) => ("403 Forbidden", "x-amzn-errortype: AccessDeniedException\r\n", why),
        None => ("200 OK", "", format!("{} octets", body.len())),
    };
    let length = content.len();
    write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{fields}\r\n{content}")
}

fn with<T>(test: impl FnOnce(&Session, &ColdEdge, &StandIn<'_>) -> T) -> T {
    let stack = session();
    let service = StandIn::for_services(&stack, lambda);
    let edge = ColdEdge::start_with(&stack, |config| with_planted_panic(&stack, config));
    test(&stack, &edge, &service)
}

#[test]
fn what_is_forwarded_to_a_function_url_is_signed_as_it_arrives() {
    with(|stack, edge, service| {
        let token = stack.partner("1111");
        let send = |call: Call| call.bearer(&token).send();
        for target in [PATH, "/signed/auth0%7Cjane/b@c,d+e", "/signed/%C3%A9/", "/signed/a?b=%7C&a=%C3%A9&a=/:@&c"] {
            let answer = send(edge.get(target)).expect(200);
            assert_eq!(answer.body(), b"0 octets", "{target}");
        }
        // What a caller says in fields of AWS's is not ours to vouch for; what it says of itself goes along.
        let forged = edge
            .get(PATH)
            .header("x-amz-date", "20150830T123600Z")
            .header("x-amz-security-token", "mine")
            .header("x-amz-target", "Lambda.Delete")
            .header("x-amz-content-sha256", &"0".repeat(64))
            .header("x-own", "kept");
        send(forged).expect(200);
        let seen = service.seen();
        let last = seen.last().unwrap();
        assert_eq!((last.value("x-amz-target"), last.value("x-own")), (None, Some("kept")));
        for head in &seen {
            assert_eq!(head.values("authorization").count(), 1);
            assert!(!head.fields.iter().any(|(_, value)| value.contains(&token)), "the token went along");
        }
    });
}

#[test]
fn a_body_is_hashed_by_whoever_can() {
    with(|stack, edge, service| {
        let token = stack.partner("1111");
        let post = |body: &[u8]| edge.call("POST", PATH).bearer(&token).body(body);
        // Nobody says its hash: it is read.
        assert_eq!(post(b"{\"a\":1}").send().expect(200).body(), b"7 octets");
        assert_eq!(post(b"").send().expect(200).body(), b"0 octets");
        // The caller says it: it is passed on as it comes, however long.
        let long = vec![b'x'; 2 * 1024 * 1024];
        let said = post(&long).header("x-amz-content-sha256", &hex(&sha256(&long)));
        assert_eq!(said.send().expect(200).body(), b"2097152 octets");
        // What it says is held against the octets: a refusal is the edge's fault to whoever asks, and no 403.
        let other = post(b"{}").header("x-amz-content-sha256", &hex(&sha256(b"[]"))).send();
        other.denied(502, "bad_gateway");
        // In another form it says nothing.
        let upper = post(b"{}").header("x-amz-content-sha256", &hex(&sha256(b"[]")).to_uppercase());
        assert_eq!(upper.send().expect(200).body(), b"2 octets");
        let before = service.seen().len();
        post(&long).send().denied(413, "content_too_large");
        assert_eq!(service.seen().len(), before, "it was forwarded");
    });
}

#[test]
fn a_token_that_ends_while_a_body_is_read_for_its_hash_opens_nothing() {
    with(|stack, edge, service| {
        let end = now().as_secs() + 4;
        let claims = json!({"sub": "1111", "exp": end});
        let call = edge.call("POST", PATH).bearer(&stack.control().mint(PARTNERS, json!({"claims": claims})));
        assert_eq!(call.clone().body(b"{}").send().expect(200).body(), b"2 octets");
        let before = service.seen().len();
        let mut exchange = call.open("content-length: 2\r\n").expect("a connection");
        exchange.send(b"{").expect("half of it");
        thread::sleep(Duration::from_secs(5));
        exchange.send(b"}").expect("the rest");
        exchange.answer().expect("an answer").denied(401, "invalid_token");
        assert_eq!(service.seen().len(), before, "it was forwarded");
    });
}
