//! The second table: behind the edge no framework reads a disguise, and the edge does with each what it should.

use std::{
    fmt::Write as _,
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use postern::Algorithm;
use postern_e2e::{Call, message::Head};
use postern_probe::{
    Aim, Answer, Attempt, Carrier, Disguise, ECHO_PATH, Origin, Outcome, Plain, Query, Request, disguises, probe_echo,
};
use serde_json::{Map, Value, json};

use crate::{
    described::{Described, described},
    relay::Relay,
    signer::Signer,
};

const MARK: &str = "postern-of-the-second-table";

/// Sends requests to the Worker, and keeps what became of them.
struct Edge<'a> {
    url: &'a str,
    token: String,
    relay: &'a Relay,
    exchanges: Vec<(Request, Exchange)>,
}

#[derive(Clone, Debug)]
struct Exchange {
    status: u16,
    /// The code of the edge's own refusal.
    code: Option<String>,
    /// What reached the framework.
    forwarded: Vec<Head>,
}

impl Origin for Edge<'_> {
    type Error = io::Error;

    fn ask(&mut self, _: &Plain, request: &Request) -> io::Result<Option<Answer>> {
        let mut call = Call::new(self.url, request.method, &request.target);
        for (name, value) in &request.fields {
            call = call.header(name, value);
        }
        // A caller who may not use the echo handler's path, except where it is asked for by its name.
        if request.target.split('?').next() == Some(ECHO_PATH) {
            call = call.bearer(&self.token);
        }
        if request.method == "POST" {
            call = call.header("content-length", "0");
        }
        let answer = call.try_send()?;
        let exchange = Exchange { status: answer.status(), code: answer.code(), forwarded: self.relay.seen() };
        self.exchanges.push((request.clone(), exchange));
        let fields = ["content-type", "location", "allow"].into_iter();
        let fields = fields.filter_map(|name| Some((name.to_owned(), answer.header(name)?.to_owned())));
        Ok(Some(Answer { status: answer.status(), fields: fields.collect(), body: answer.body().to_vec() }))
    }

    fn pause(&mut self) {}
}

fn token(described: &Described, signer: &Signer) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims = json!({
        "iss": described.issuer, "aud": "https://api.frameworks.example", "sub": Query::COMPANY, "token_use": "access",
        "iat": now, "exp": now + 3600,
    });
    let Value::Object(claims) = claims else { unreachable!("claims are an object") };
    signer.token(&Map::new(), &claims).expect("a token")
}

/// What the edge should do with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decided {
    /// Refuse it.
    Refused,
    /// Forward it, without the disguise's field.
    Forwarded,
}

fn decided(disguise: &Disguise, attempt: &Attempt) -> Decided {
    match disguise.carrier {
        Carrier::Path(_) => Decided::Refused,
        Carrier::Query(_) if disguise.aim == Aim::Company => Decided::Refused,
        // `_method` and its like are refused with unsafe methods only.
        Carrier::Query(_) if attempt.request.method != "GET" => Decided::Refused,
        Carrier::Query(_) | Carrier::Field(_) => Decided::Forwarded,
    }
}

/// Why an exchange is not what the edge should make of the attempt.
fn fault(disguise: &Disguise, attempt: &Attempt, exchange: &Exchange) -> Option<String> {
    let Exchange { status, code, forwarded } = exchange;
    match decided(disguise, attempt) {
        Decided::Refused if !forwarded.is_empty() => Some(format!("was forwarded as `{}`", forwarded[0].start)),
        // 401: the edge wrote the path in its canonical form, and the route for that form wants a token.
        Decided::Refused if ![400, 401].contains(status) || code.is_none() => {
            Some(format!("was answered with {status} ({code:?}) and not refused by the edge"))
        }
        Decided::Refused => None,
        Decided::Forwarded if forwarded.len() != 1 => Some(format!("was not forwarded: {status} ({code:?})")),
        Decided::Forwarded => {
            let (name, value) = attempt.request.fields.first()?;
            let arrived =
                forwarded[0].fields.iter().any(|(own, arrived)| folded(own) == folded(name) && arrived == value);
            arrived.then(|| format!("reached the origin: `{name}: {value}`"))
        }
    }
}

/// A field's name as CGI folds it.
fn folded(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' }).collect()
}

fn faults(framework: &str, edge: &mut Edge<'_>) -> String {
    let mut text = String::new();
    let Some(report) = probe_echo(edge, MARK, true).expect("the edge answers") else {
        return format!("{framework}: no echo through the edge: {:?}\n", edge.exchanges);
    };
    for tried in &report.tried {
        if matches!(tried.outcome, Outcome::Changed(_) | Outcome::CannotTell(_)) {
            let _ = writeln!(text, "{framework}: `{}` got through: {:?}", tried.disguise.name, tried.outcome);
        }
    }
    let mut plain = Plain::echo(MARK);
    plain.scheme = report.echo.and_then(|echo| echo.scheme);
    for disguise in disguises() {
        for attempt in disguise.attempts(&plain, true) {
            let exchange = edge.exchanges.iter().find(|(request, _)| *request == attempt.request);
            // An attempt after one with a finding is not sent.
            let Some((_, exchange)) = exchange else { continue };
            if let Some(fault) = fault(&disguise, &attempt, exchange) {
                let Request { method, target, .. } = &attempt.request;
                let _ = writeln!(text, "{framework}: `{}` ({method} {target:.80}) {fault}", disguise.name);
            }
        }
    }
    println!("{framework}: {} disguises in {} requests", report.tried.len(), edge.exchanges.len());
    text
}

#[test]
#[ignore = "takes frameworks and a Worker that run: `cargo xtask test --only frameworks`"]
fn no_framework_reads_a_disguise_behind_the_edge() {
    let described = described();
    let signer = Signer::generate(Algorithm::EdDsa, "frameworks").expect("a key");
    let keys = json!({ "keys": [signer.jwk().expect("its public half")] }).to_string();
    let relay = Relay::start(described.relay, keys).expect("the relay's port is free");
    let mut all = String::new();
    for (framework, url) in &described.frameworks {
        relay.send_to(url);
        let mut edge =
            Edge { url: &described.edge, token: token(&described, &signer), relay: &relay, exchanges: Vec::new() };
        all += &faults(framework, &mut edge);
    }
    assert!(all.is_empty(), "disguises that the edge lets through:\n{all}");
}

#[test]
fn every_field_that_the_probe_tries_is_removed() {
    let mut tried = 0;
    for disguise in disguises() {
        if let Carrier::Field(field) = disguise.carrier {
            assert_eq!(postern::forward::class(field.name), Some(postern::forward::Class::Override), "{}", field.name);
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn an_exchange_that_is_not_as_decided_is_a_fault() {
    let plain = Plain::echo(MARK);
    let named = |name: &str| disguises().find(|disguise| disguise.name == name).expect("a disguise");
    let first = |disguise: &Disguise| disguise.attempts(&plain, true).swap_remove(0);
    let exchange = |status, code: Option<&str>, forwarded: &[Head]| Exchange {
        status,
        code: code.map(str::to_owned),
        forwarded: forwarded.to_vec(),
    };
    let head = |name: &str, value: &str| Head {
        start: "GET / HTTP/1.1".to_owned(),
        fields: vec![(name.to_owned(), value.to_owned())],
    };
    let path = named("letter case");
    let of_path = |exchange: Exchange| fault(&path, &first(&path), &exchange).is_some();
    assert!(!of_path(exchange(400, Some("invalid_request"), &[])));
    assert!(of_path(exchange(404, None, &[head("a", "b")])));
    assert!(of_path(exchange(503, Some("unavailable"), &[])));
    let field = named("X-Forwarded-For");
    let of_field = |exchange: Exchange| fault(&field, &first(&field), &exchange).is_some();
    assert!(!of_field(exchange(200, None, &[head("x-forwarded-for", "198.51.100.1")])));
    assert!(of_field(exchange(200, None, &[head("x_forwarded_for", "192.0.2.77")])));
    assert!(of_field(exchange(400, Some("invalid_request"), &[])));
}
