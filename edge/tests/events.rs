//! CloudFront's events as the documentation has them: what is read, what goes back, and what never does.

use postern::{
    Answer, PublicCode,
    policy::cloudfront::{DISALLOWED, DISALLOWED_PREFIXES, is_disallowed},
};
use postern_edge::event::{
    Event, EventError, EventKind, EventOrigin, MAX_ANSWER_OCTETS, MAX_EVENT_OCTETS, OriginProtocol, answer,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

fn event(kind: EventKind, request: Value) -> Value {
    let config = json!({
        "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
        "eventType": kind.as_str(), "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
    });
    let mut cf = json!({"config": config, "request": request});
    if kind.has_response() {
        cf["response"] = json!({"status": "200", "statusDescription": "OK", "headers": {}});
    }
    json!({"Records": [{"cf": cf}]})
}

fn request() -> Value {
    json!({"clientIp": "203.0.113.178", "method": "GET", "uri": "/", "querystring": "", "headers": {}})
}

fn with(name: &str, value: Value) -> Value {
    let mut request = request();
    request[name] = value;
    request
}

fn field(name: &str, values: &[&str]) -> Value {
    values.iter().map(|value| json!({"key": name, "value": value})).collect()
}

fn parsed(event: &Value) -> Event {
    Event::parse(&event.to_string()).expect("an event")
}

fn refused(event: &Value) -> EventError {
    Event::parse(&event.to_string()).expect_err("no event")
}

fn viewer(request: Value) -> Event {
    parsed(&event(EventKind::ViewerRequest, request))
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_target_is_the_path_and_behind_a_question_mark_the_query_as_they_came() {
    for (uri, query, target) in [
        ("/", "", "/"),
        ("/a%2Fb/\"c+d", "x=%2B+\"&x=?&", "/a%2Fb/\"c+d?x=%2B+\"&x=?&"),
        ("//a/../b", "", "//a/../b"),
        ("/caf\u{e9}", "q", "/caf\u{e9}?q"),
    ] {
        let mut request = request();
        request["uri"] = json!(uri);
        request["querystring"] = json!(query);
        assert_eq!(viewer(request).request().target(), target);
    }
}

#[test]
fn a_path_with_a_query_in_it_is_no_path() {
    let error = refused(&event(EventKind::ViewerRequest, with("uri", json!("/a?b"))));
    assert_eq!(error, EventError::Malformed("Records[0].cf.request.uri"));
}

#[test]
fn every_value_of_every_name_is_read_once() {
    let headers = json!({
        "authorization": field("Authorization", &["Bearer a", "Bearer b", "Basic c"]),
        "accept": field("ACCEPT", &["*/*"]),
        "x-empty": field("X-Empty", &[""]),
        "x-none": [],
        "__proto__": field("__proto__", &["a"]),
        "x-no-key": [{"value": "b"}],
    });
    let event = viewer(with("headers", headers));
    let request = event.request();
    let fields = [
        ("__proto__", "a"),
        ("accept", "*/*"),
        ("authorization", "Bearer a"),
        ("authorization", "Bearer b"),
        ("authorization", "Basic c"),
        ("x-empty", ""),
        ("x-no-key", "b"),
    ];
    assert_eq!(request.fields(), fields);
    assert_eq!((request.field("authorization"), request.sole_field("authorization")), (Some("Bearer a"), None));
    assert_eq!((request.field("accept"), request.sole_field("accept")), (Some("*/*"), Some("*/*")));
    assert_eq!((request.field("x-none"), request.field("via")), (None, None));
}

#[test]
fn a_field_stands_under_its_own_name_in_lower_case() {
    for headers in [
        json!({"accept": field("Authorization", &["Bearer a"])}),
        json!({"Accept": field("Accept", &["*/*"])}),
        json!({"": field("", &["a"])}),
        json!({"accept": [{"key": 1, "value": "*/*"}]}),
        json!({"accept": [{"key": "Accept"}]}),
        json!({"accept": [{"key": "Accept", "value": 1}]}),
        json!({"accept": ["*/*"]}),
        json!({"accept": {"value": "*/*"}}),
        json!([]),
        json!(null),
    ] {
        let error = refused(&event(EventKind::ViewerRequest, with("headers", headers.clone())));
        assert_eq!(error, EventError::Malformed("Records[0].cf.request.headers"), "{headers}");
    }
}

#[test]
fn a_body_is_read_in_either_encoding_and_says_whether_it_is_whole() {
    let octets = |truncated: bool, encoding: &str, data: &str| {
        let body = json!({"inputTruncated": truncated, "action": "read-only", "encoding": encoding, "data": data});
        let event = viewer(with("body", body));
        let body = event.request().body().expect("a body");
        (body.is_truncated(), body.is_empty(), body.octets())
    };
    let malformed = EventError::Malformed("Records[0].cf.request.body.data");
    assert_eq!(octets(false, "base64", "AP8+Pw=="), (false, false, Ok(vec![0, 255, b'>', b'?'])));
    assert_eq!(octets(false, "text", "AP8+"), (false, false, Ok(b"AP8+".to_vec())));
    assert_eq!(octets(true, "base64", "YWJj"), (true, false, Ok(b"abc".to_vec())));
    assert_eq!(octets(false, "base64", ""), (false, true, Ok(Vec::new())));
    assert_eq!(octets(true, "base64", ""), (true, false, Ok(Vec::new())));
    for data in ["AP8-Pw==", "AP8+Pw", "AP8+Pw==\n", "A", "\u{e9}"] {
        assert_eq!(octets(false, "base64", data).2, Err(malformed), "{data}");
    }
    assert!(viewer(request()).request().body().is_none());
}

#[test]
fn an_origin_is_the_one_of_its_kind() {
    let custom = json!({
        "customHeaders": {}, "domainName": "example.org", "keepaliveTimeout": 5, "path": "/base", "port": 8443,
        "protocol": "https", "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
    });
    let s3 = json!({"authMethod": "none", "customHeaders": {}, "domainName": "b.s3.amazonaws.com", "path": "", "region": ""});
    let of = |origin: Value| Event::parse(&event(EventKind::OriginRequest, with("origin", origin)).to_string());
    let event = of(json!({"custom": custom})).expect("an event");
    let expected = EventOrigin::Custom {
        protocol: OriginProtocol::Https,
        domain_name: "example.org".to_owned(),
        port: 8443,
        path: "/base".to_owned(),
    };
    assert_eq!(event.request().origin(), Some(&expected));
    assert_eq!(of(json!({"s3": s3})).expect("an event").request().origin(), Some(&EventOrigin::S3));
    let mut cases = vec![json!({"custom": custom, "s3": s3}), json!({}), json!(null), json!({"s3": 1})];
    for (name, value) in [
        ("protocol", json!("ftp")),
        ("port", json!(65536)),
        ("port", json!("443")),
        ("domainName", Value::Null),
        ("path", Value::Null),
    ] {
        let mut custom = custom.clone();
        custom[name] = value;
        cases.push(json!({"custom": custom}));
    }
    for origin in cases {
        let error = of(origin.clone()).expect_err("no origin");
        assert_eq!(error, EventError::Malformed("Records[0].cf.request.origin"), "{origin}");
    }
}

#[test]
fn what_is_no_event_is_refused_by_the_member_that_is_wrong() {
    let good = event(EventKind::ViewerResponse, request());
    let at = |pointer: &str, value: Value| {
        let mut event = good.clone();
        *event.pointer_mut(pointer).expect(pointer) = value;
        refused(&event)
    };
    for (pointer, value, error) in [
        ("/Records", json!({}), EventError::NoRecords),
        ("/Records", json!([]), EventError::NotOneRecord),
        ("/Records", json!([{}, {}]), EventError::NotOneRecord),
        ("/Records", json!([1]), EventError::NotOneRecord),
        ("/Records/0/cf/config/eventType", json!("viewer-connection"), EventError::UnknownKind),
        ("/Records/0/cf/config/eventType", json!("Viewer-Request"), EventError::UnknownKind),
        ("/Records/0/cf", json!(null), EventError::Malformed("Records[0].cf")),
        ("/Records/0/cf/config", json!([]), EventError::Malformed("Records[0].cf.config")),
        ("/Records/0/cf/config/eventType", json!(1), EventError::Malformed("Records[0].cf.config.eventType")),
        ("/Records/0/cf/config/requestId", json!(1), EventError::Malformed("Records[0].cf.config.requestId")),
        ("/Records/0/cf/config/distributionId", json!(1), EventError::Malformed("Records[0].cf.config.distributionId")),
        ("/Records/0/cf/request", json!(null), EventError::Malformed("Records[0].cf.request")),
        ("/Records/0/cf/request/method", json!(null), EventError::Malformed("Records[0].cf.request.method")),
        ("/Records/0/cf/request/querystring", json!({}), EventError::Malformed("Records[0].cf.request.querystring")),
        ("/Records/0/cf/request/clientIp", json!(1), EventError::Malformed("Records[0].cf.request.clientIp")),
        ("/Records/0/cf/response", json!(null), EventError::Malformed("Records[0].cf.response")),
        ("/Records/0/cf/response/status", json!(200), EventError::Malformed("Records[0].cf.response.status")),
        ("/Records/0/cf/response/status", json!("2e2"), EventError::Malformed("Records[0].cf.response.status")),
        ("/Records/0/cf/response/headers", json!([]), EventError::Malformed("Records[0].cf.response.headers")),
    ] {
        assert_eq!(at(pointer, value.clone()), error, "{pointer} {value}");
    }
    for body in [json!(null), json!("a"), json!({"data": "a"}), json!({"encoding": "utf8", "data": "a"})] {
        let error = refused(&event(EventKind::ViewerRequest, with("body", body)));
        assert_eq!(error, EventError::Malformed("Records[0].cf.request.body"));
    }
    let functions = json!({"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {}, "request": {}});
    assert_eq!(refused(&functions), EventError::NoRecords);
    for text in ["", "[]", "null", "{", "{}}"] {
        assert_eq!(Event::parse(text).err(), Some(EventError::NotJson), "{text}");
    }
}

#[test]
fn errors_and_debug_output_quote_nothing_of_the_event() {
    let secret = "secret-of-the-caller";
    let headers = json!({"authorization": field("Authorization", &[secret])});
    let mut whole = event(EventKind::ViewerRequest, with("headers", headers));
    whole["Records"][0]["cf"]["request"]["uri"] = json!(format!("/{secret}"));
    let event = parsed(&whole);
    assert!(!format!("{event:?} {:?}", event.request()).contains(secret));
    whole["Records"][0]["cf"]["config"]["eventType"] = json!(secret);
    let error = refused(&whole);
    assert!(!format!("{error} {error:?} {}", error.code()).contains(secret));
}

#[test]
fn a_text_that_is_too_long_is_not_parsed() {
    let text = event(EventKind::ViewerRequest, request()).to_string();
    let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    assert!(Event::parse(&padded(MAX_EVENT_OCTETS)).is_ok());
    assert_eq!(Event::parse(&padded(MAX_EVENT_OCTETS + 1)).err(), Some(EventError::TooLong));
}

#[test]
fn the_largest_body_that_cloudfront_shows_is_an_event() {
    let body =
        json!({"inputTruncated": true, "action": "read-only", "encoding": "base64", "data": "QUFB".repeat(350_000)});
    let headers = json!({"x": field("x", &["\u{1}".repeat(20_480).as_str()])});
    let mut request = with("body", body);
    request["headers"] = headers;
    assert_eq!(viewer(request).request().body().expect("a body").octets().map(|octets| octets.len()), Ok(1_050_000));
}

#[test]
fn fields_are_removed_and_set_whatever_their_spelling() {
    let headers = json!({
        "postern-assertion": field("Postern-Assertion", &["forged", "twice"]),
        "postern_assertion": field("Postern_Assertion", &["forged"]),
        "x.content_sha": field("X.Content_Sha", &["forged"]),
        "x-kept": field("X-Kept", &["a", "b"]),
    });
    let set = [("postern-assertion", "ours"), ("X-Content-Sha", "ours"), ("x-new", "c")];
    let text = viewer(with("headers", headers)).forwarded(|name| name.starts_with("postern_"), &set);
    let expected = json!({
        "postern-assertion": field("postern-assertion", &["ours"]),
        "x-content-sha": field("X-Content-Sha", &["ours"]),
        "x-kept": field("X-Kept", &["a", "b"]),
        "x-new": field("x-new", &["c"]),
    });
    assert_eq!(read(&text)["headers"], expected);
}

#[test]
fn what_is_read_only_goes_back_as_it_came_in_each_event() {
    for kind in EventKind::ALL {
        for name in kind.read_only() {
            let present = json!({*name: field(&name.to_ascii_uppercase(), &["as it came", "twice"])});
            for headers in [present, json!({})] {
                let mut event = event(kind, with("headers", headers.clone()));
                if kind.has_response() {
                    event["Records"][0]["cf"]["response"]["headers"] = headers.clone();
                }
                let set = [(*name, "ours")];
                let text = match kind.has_response() {
                    true => parsed(&event).passed_on(|_| true, &set).expect("a response"),
                    false => parsed(&event).forwarded(|_| true, &set),
                };
                assert_eq!(read(&text)["headers"], headers, "{} {name}", kind.as_str());
            }
        }
    }
}

#[test]
fn what_is_read_only_in_another_event_is_free_in_this_one() {
    let headers = json!({"range": field("Range", &["bytes=0-"]), "accept-encoding": field("Accept-Encoding", &["br"])});
    let text = viewer(with("headers", headers)).forwarded(|name| name == "range", &[("accept-encoding", "gzip")]);
    assert_eq!(read(&text)["headers"], json!({"accept-encoding": field("accept-encoding", &["gzip"])}));
}

#[test]
fn nothing_that_is_disallowed_is_ever_added() {
    let prefixed = DISALLOWED_PREFIXES.map(|prefix| format!("{prefix}anything"));
    let names: Vec<String> = DISALLOWED.iter().map(|name| (*name).to_owned()).chain(prefixed).collect();
    for name in &names {
        assert!(is_disallowed(name) && is_disallowed(&name.to_ascii_uppercase()), "{name}");
        let static_name: &'static str = name.clone().leak();
        let ours = Answer { status: 200, headers: vec![(static_name, "ours".to_owned())], body: String::new() };
        assert_eq!(read(&answer(&ours, false))["headers"], json!({}), "{name}");
        for kind in EventKind::ALL {
            let event = || parsed(&event(kind, request()));
            let set = [(name.as_str(), "ours")];
            assert_eq!(read(&event().forwarded(|_| false, &set))["headers"], json!({}), "{name}");
            if kind.has_response() {
                let text = event().passed_on(|_| false, &set).expect("a response");
                assert_eq!(read(&text)["headers"], json!({}), "{name}");
            }
        }
    }
    for name in ["postern-assertion", "x-amz-content-sha256", "x-amzn-remapped-www-authenticate", "x-edge", "vary"] {
        assert!(!is_disallowed(name), "{name}");
    }
}

#[test]
fn a_response_keeps_what_is_neither_withheld_nor_set() {
    let mut event = event(EventKind::OriginResponse, request());
    event["Records"][0]["cf"]["response"] = json!({
        "status": "404", "statusDescription": "Not Found", "unknown": {"a": [1]},
        "headers": {
            "vary": field("Vary", &["Accept"]),
            "access-control-allow-origin": field("Access-Control-Allow-Origin", &["*"]),
            "set-cookie": field("Set-Cookie", &["a", "b"]),
        },
    });
    assert_eq!(parsed(&event).response().map(|response| response.status()), Some(404));
    let set = [("vary", "Accept, Origin"), ("access-control-allow-origin", "https://app.example")];
    let text = parsed(&event).passed_on(|name| name.starts_with("access-control-"), &set).expect("a response");
    let mut expected = event["Records"][0]["cf"]["response"].clone();
    expected["headers"]["vary"] = field("vary", &["Accept, Origin"]);
    expected["headers"]["access-control-allow-origin"] = field("access-control-allow-origin", &["https://app.example"]);
    assert_eq!(read(&text), expected);
    assert_eq!(viewer(request()).passed_on(|_| false, &[]), None);
}

#[test]
fn only_an_origins_response_can_be_replaced_and_what_is_read_only_stays() {
    let refusal = Answer::of(PublicCode::BadGateway);
    for kind in EventKind::ALL {
        let mut event = event(kind, request());
        if kind.has_response() {
            event["Records"][0]["cf"]["response"]["headers"] = json!({
                "via": field("Via", &["1.1 x"]),
                "transfer-encoding": field("Transfer-Encoding", &["chunked"]),
                "content-length": field("Content-Length", &["9593"]),
                "www-authenticate": field("WWW-Authenticate", &["Postern-Assertion"]),
                "set-cookie": field("Set-Cookie", &["a"]),
            });
        }
        let Some(text) = parsed(&event).replaced(&refusal) else {
            assert_ne!(kind, EventKind::OriginResponse);
            continue;
        };
        assert_eq!(kind, EventKind::OriginResponse);
        let response = read(&text);
        assert_eq!(response["status"], "502");
        assert_eq!(response["body"], refusal.body);
        let names: Vec<&String> = response["headers"].as_object().expect("headers").keys().collect();
        assert_eq!(names, ["cache-control", "content-type", "transfer-encoding", "via"]);
    }
}

#[test]
fn a_replaced_answer_to_head_has_no_body() {
    let event = event(EventKind::OriginResponse, with("method", json!("HEAD")));
    let text = parsed(&event).replaced(&Answer::of(PublicCode::BadGateway)).expect("a response");
    assert!(read(&text).get("body").is_none());
}

#[test]
fn a_generated_answer_has_cloudfronts_shape() {
    let mut ours = Answer::of(PublicCode::MissingToken);
    ours.headers.push(("Content-Length", "9".to_owned()));
    ours.headers.push(("warning", "9".to_owned()));
    let expected = json!({
        "status": "401", "statusDescription": "Unauthorized", "body": ours.body, "bodyEncoding": "text",
        "headers": {
            "content-type": field("content-type", &["application/problem+json"]),
            "cache-control": field("cache-control", &["no-store"]),
            "www-authenticate": field("www-authenticate", &["Bearer realm=\"postern\""]),
        },
    });
    assert_eq!(read(&answer(&ours, false)), expected);
    let to_head = read(&answer(&ours, true));
    assert!(to_head.get("body").is_none() && to_head.get("bodyEncoding").is_none());
    assert_eq!(to_head["headers"], expected["headers"]);
}

#[test]
fn every_status_of_ours_has_its_phrase() {
    for code in PublicCode::ALL {
        assert_ne!(read(&answer(&Answer::of(code), false))["statusDescription"], "", "{code:?}");
    }
    let preflight = Answer { status: 204, headers: Vec::new(), body: String::new() };
    let expected = json!({"status": "204", "statusDescription": "No Content", "headers": {}});
    assert_eq!(read(&answer(&preflight, false)), expected);
}

#[test]
fn an_answer_that_is_too_large_goes_without_its_body_and_then_without_its_fields() {
    let large = |fields: usize, body: usize| Answer {
        status: 403,
        headers: vec![("x", "x".repeat(fields))],
        body: "\n".repeat(body),
    };
    // A line break is two octets in JSON, and counts as it is written.
    let fits = read(&answer(&large(100, MAX_ANSWER_OCTETS / 2 - 200), false));
    assert!(fits.get("body").is_some());
    for (text, names) in [
        (answer(&large(100, MAX_ANSWER_OCTETS / 2), false), vec!["x"]),
        (answer(&large(MAX_ANSWER_OCTETS, 1), false), vec!["cache-control"]),
    ] {
        assert!(text.len() <= MAX_ANSWER_OCTETS);
        let response = read(&text);
        assert_eq!((&response["status"], response.get("body")), (&json!("403"), None));
        assert_eq!(response["headers"].as_object().expect("headers").keys().collect::<Vec<_>>(), names);
    }
}

fn fields() -> impl Strategy<Value = Value> {
    let field = ("[a-z0-9_.-]{1,12}", vec(".{0,12}", 1..4), any::<bool>(), option::of(".{0,4}"));
    vec(field, 0..6).prop_map(|fields| {
        let mut headers = json!({});
        for (name, values, with_key, unknown) in fields {
            let entry = |value: String| {
                let mut entry = json!({"value": value});
                if with_key {
                    entry["key"] = json!(name.to_ascii_uppercase());
                }
                if let Some(unknown) = &unknown {
                    entry["unknown"] = json!(unknown);
                }
                entry
            };
            headers[&name] = values.into_iter().map(entry).collect();
        }
        headers
    })
}

proptest! {
    #[test]
    fn a_request_that_nothing_is_changed_of_goes_back_as_it_came(
        kind in prop::sample::select(&[EventKind::ViewerRequest, EventKind::OriginRequest]),
        method in "[A-Z]{3,7}",
        uri in "/[^?]{0,30}",
        query in ".{0,30}",
        headers in fields(),
        body in option::of((any::<bool>(), prop::sample::select(&["text", "base64"]), ".{0,20}")),
        unknown in option::of(".{0,8}"),
        port in option::of(any::<u16>()),
    ) {
        let mut request = json!({
            "clientIp": "::1", "method": method, "uri": uri, "querystring": query, "headers": headers,
        });
        if let Some((truncated, encoding, data)) = body {
            request["body"] = json!({
                "inputTruncated": truncated, "action": "read-only", "encoding": encoding, "data": data, "more": [null],
            });
        }
        if let Some(unknown) = unknown {
            request["later"] = json!({"a": unknown});
        }
        if let Some(port) = port {
            request["origin"] = json!({"custom": {
                "customHeaders": {"x": field("X", &["a"])}, "domainName": "o", "keepaliveTimeout": 5, "path": "",
                "port": port, "protocol": "http", "readTimeout": 30, "sslProtocols": ["TLSv1.2"],
            }});
        }
        let text = parsed(&event(kind, request.clone())).forwarded(|_| false, &[]);
        prop_assert_eq!(read(&text), request);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Event::parse(&text);
    }
}

#[test]
fn what_nothing_is_decided_on_may_be_missing() {
    let mut event = event(EventKind::ViewerRequest, request());
    let cf = &mut event["Records"][0]["cf"];
    for (table, name) in [("config", "requestId"), ("config", "distributionId"), ("request", "clientIp")] {
        cf[table].as_object_mut().unwrap().remove(name);
    }
    let came = cf["request"].clone();
    let event = parsed(&event);
    assert_eq!((event.request_id(), event.distribution_id(), event.request().client_ip()), (None, None, None));
    assert_eq!(read(&event.forwarded(|_| false, &[])), came);
}
