//! The origin of every contender: the least that speaks HTTP/1.1, so that it takes as little as can be of the processors
//! that the contenders are measured on. GET alone, a thread for each connection, and an answer as a function URL gives it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};
use serde_json::json;

/// What a caller asks for to hear which fields have arrived.
const ECHO: &str = "/echo";
const BODY: &str = r#"{"id":"2a7f0c1e","state":"delivered","lines":[{"article":"maki","count":12}]}"#;
const FIELDS: &str = "content-type: application/json\r\ncache-control: no-store\r\n\
    x-amzn-requestid: 3f1c1f7e-58a6-4cf0-9d3c-8f0d6c1b9a52\r\n\
    x-amzn-trace-id: Root=1-66f0c0de-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0\r\n";

/// Serves on the loopback interface until this program ends.
pub(super) fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("cannot listen on port {port}"))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A caller that goes away is no concern of the origin's.
            thread::spawn(move || connection(stream));
        }
    });
    Ok(())
}

fn connection(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let usual = answer(BODY);
    while let Some(request) = head(&mut reader)? {
        let echo =
            request.lines().next().is_some_and(|line| line.split(' ').nth(1).is_some_and(|to| to.ends_with(ECHO)));
        if echo {
            writer.write_all(answer(&names(&request)).as_bytes())?;
        } else {
            writer.write_all(usual.as_bytes())?;
        }
    }
    Ok(())
}

/// One request up to its empty line; none once the caller has no more.
fn head(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let before = text.len();
        if reader.read_line(&mut text)? == 0 {
            return Ok(None);
        }
        if text.get(before..) == Some("\r\n") {
            return Ok(Some(text));
        }
    }
}

fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{FIELDS}content-length: {}\r\n\r\n{body}", body.len())
}

/// The names of a request's fields, in lower case, as JSON.
fn names(request: &str) -> String {
    let names = request.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name.to_lowercase());
    json!(names.collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_on_one_connection_are_told_apart_and_their_fields_named() {
        let mut sent = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b/echo HTTP/1.1\r\nPostern-Route: r\r\n\r\n".as_bytes();
        assert!(head(&mut sent).expect("a request").is_some_and(|text| text.starts_with("GET /a ")));
        let second = head(&mut sent).expect("a request").expect("another");
        assert_eq!(names(&second), r#"["postern-route"]"#);
        assert!(head(&mut sent).expect("the end").is_none());
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let text = answer("12345");
        assert!(text.contains("content-length: 5\r\n\r\n12345"), "{text}");
    }
}
