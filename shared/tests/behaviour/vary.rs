//! `Vary`: which fields of a request a decision depends on.

use postern::{
    Decision, Request,
    policy::{self, Policy},
};

use crate::support::{Call, Token, World, keys::PARTNERS_ED, token::PARTNERS_URL, world::field};

const PAGE: &str = "https://app.example";
/// Of the empty body, and so not of what a request has.
const DIGEST: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
const DIGEST_HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn policy(cors: bool) -> Policy {
    let cors = if cors { "[cors]\norigins = [\"https://app.example\"]\n" } else { "" };
    let text = format!(
        r#"
[issuer.partners]
url = "{PARTNERS_URL}"
algorithms = ["EdDSA"]
audience = ["https://api.ljg-sushi.example"]
token_use = "access"
permissions = "subject"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[origin.signed]
url = "https://abcdef.lambda-url.eu-west-2.on.aws"
key = "KEY_SIGNED"
auth_type = "AWS_IAM"
credentials = "AWS"

[origin.tokens]
url = "https://tokens.example"
key = "KEY_TOKENS"
token = "forwarded"

{cors}
[defaults]
issuer = "partners"
origin = "orders"

[[route]]
name = "public"
methods = ["GET"]
path = "/public"
public = true

[[route]]
name = "public-with-token"
methods = ["GET"]
path = "/public-with-token"
origin = "tokens"
public = true
token = "forwarded"

[[route]]
name = "read"
methods = ["GET"]
path = "/read"

[[route]]
name = "company"
methods = ["GET"]
path = "/company"
company = {{ header = "x-company" }}

[[route]]
name = "declared"
methods = ["POST"]
path = "/declared"
body = "declared"

[[route]]
name = "declared-read"
methods = ["GET"]
path = "/declared-read"
body = "declared"

[[route]]
name = "signed"
methods = ["POST"]
path = "/signed"
origin = "signed"

[[route]]
name = "options"
methods = ["OPTIONS"]
path = "/options"
"#
    );
    policy::from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn world(cors: bool) -> World {
    let mut world = World::new(policy(cors));
    world.publish(PARTNERS_URL, &[&PARTNERS_ED]);
    world
}

/// Method and path of a request for each route, and what it varies by but for CORS.
const ROUTES: [(&str, &str, &[&str]); 8] = [
    ("GET", "/public", &[]),
    ("GET", "/public-with-token", &["Authorization"]),
    ("GET", "/read", &["Authorization"]),
    ("GET", "/company", &["Authorization", "x-company"]),
    ("POST", "/declared", &["Authorization", "Content-Digest", "X-Amz-Content-Sha256"]),
    ("GET", "/declared-read", &["Authorization"]),
    ("POST", "/signed", &["Authorization", "X-Amz-Content-Sha256"]),
    ("OPTIONS", "/options", &["Authorization"]),
];

fn fields() -> Vec<(&'static str, String)> {
    vec![
        ("authorization", format!("Bearer {}", Token::partner("1111").compact())),
        ("origin", PAGE.to_owned()),
        ("x-company", "1111".to_owned()),
        ("content-digest", DIGEST.to_owned()),
        ("x-amz-content-sha256", DIGEST_HEX.to_owned()),
        ("cookie", "a=b".to_owned()),
        ("accept", "*/*".to_owned()),
        ("content-length", "0".to_owned()),
        ("x-forwarded-host", "other.example".to_owned()),
        ("x-http-method-override", "DELETE".to_owned()),
        ("postern-assertion", "a.b.c".to_owned()),
    ]
}

fn call(method: &str, target: &str, fields: &[(&'static str, String)]) -> Call {
    fields.iter().fold(Call::new(method, target), |call, (name, value)| call.header(name, value))
}

/// What a caller and an origin see of a decision, and what it varies by.
fn seen(decision: &Decision) -> (String, String) {
    let named = |headers: &[(&str, String)]| {
        let others: Vec<_> = headers.iter().filter(|(name, _)| *name != "vary").collect();
        format!("{others:?}")
    };
    match decision {
        Decision::Permit(permit) => {
            let said = (permit.route(), permit.subject(), permit.company(), permit.content_sha256());
            (format!("{said:?} {}", named(permit.response_headers())), permit.vary().to_owned())
        }
        Decision::Deny(denial) => {
            let answer = denial.answer();
            let vary = field(answer, "vary").unwrap_or_default().to_owned();
            (format!("{:?} {} {}", denial.reason(), answer.status, named(&answer.headers)), vary)
        }
        Decision::Preflight(answer) => (named(&answer.headers), field(answer, "vary").unwrap_or_default().to_owned()),
    }
}

fn names(vary: &str) -> Vec<&str> {
    vary.split(", ").filter(|name| !name.is_empty()).collect()
}

#[test]
fn permits_and_denials_of_a_route_name_the_same_fields() {
    for cors in [false, true] {
        let mut world = world(cors);
        for (method, target, by_route) in ROUTES {
            let mut expected = by_route.to_vec();
            if cors {
                expected.push("Origin");
            }
            if cors && method == "OPTIONS" {
                expected.push("Access-Control-Request-Method");
            }
            let permitted = world.decide(&call(method, target, &fields()));
            assert!(matches!(permitted, Decision::Permit(_)), "{target}: {permitted:?}");
            assert_eq!(names(&seen(&permitted).1), expected, "{target}");
            let denied = world.decide(&Call::new(method, target));
            assert_eq!(names(&seen(&denied).1), expected, "{target}: {denied:?}");
            // Without the decision.
            let request = Request { method, target, headers: &[] };
            assert_eq!(names(world.authorizer.policy().vary_of(&request)), expected, "{target}");
        }
    }
}

#[test]
fn a_field_that_changes_a_decision_is_named_by_vary() {
    let mut changes = 0;
    for cors in [false, true] {
        let mut world = world(cors);
        let calls = ROUTES.into_iter().map(|(method, target, _)| (method, target));
        for (method, target) in calls.chain([("GET", "/nowhere"), ("DELETE", "/read"), ("OPTIONS", "/read")]) {
            let mut all = fields();
            if method == "OPTIONS" && target == "/read" {
                all.push(("access-control-request-method", "GET".to_owned()));
            }
            let (with, vary) = seen(&world.decide(&call(method, target, &all)));
            for (index, (name, _)) in all.iter().enumerate() {
                let mut others = all.clone();
                others.remove(index);
                // Of two fields that may declare a digest, either may be missing, and both may not differ.
                let mut other = all.clone();
                other[index].1 = if *name == "content-digest" { DIGEST.replace('4', "5") } else { "other".to_owned() };
                for fields in [&others, &other] {
                    let (without, vary_without) = seen(&world.decide(&call(method, target, fields)));
                    if with == without {
                        continue;
                    }
                    changes += 1;
                    for vary in [&vary, &vary_without] {
                        let is_named = names(vary).iter().any(|own| own.eq_ignore_ascii_case(name));
                        assert!(is_named, "{method} {target}: `{name}` makes {with} of {without}, and Vary is {vary}");
                    }
                }
            }
        }
    }
    assert!(changes > 30, "{changes}");
}

#[test]
fn what_an_origin_varies_by_is_kept_and_nothing_is_named_twice() {
    let policy = policy(true);
    for (own, answered, expected) in [
        ("Authorization, Origin", &[][..], Some("Authorization, Origin")),
        ("Authorization, Origin", &["Accept"], Some("Accept, Authorization, Origin")),
        (
            "Authorization, Origin",
            &["Accept", "Accept-Language"],
            Some("Accept, Accept-Language, Authorization, Origin"),
        ),
        ("Authorization, Origin", &["accept,ORIGIN"], Some("accept, ORIGIN, Authorization")),
        ("Authorization, Origin", &["origin", " AUTHORIZATION\t, "], None),
        ("Authorization, Origin", &["*"], None),
        ("Authorization, Origin", &["Accept", "*"], None),
        ("Origin", &["X-Origin, Origins"], Some("X-Origin, Origins, Origin")),
        ("Origin", &[""], Some("Origin")),
        ("", &["Accept"], None),
        ("", &[], None),
    ] {
        let fields = answered.iter().map(|value| ("Vary", *value)).chain([("etag", "Origin")]);
        let changed = policy.answer_of(Some("orders"), own).changed(fields);
        let expected: Vec<_> = expected.into_iter().map(|value| ("vary", value.to_owned())).collect();
        assert_eq!(changed, expected, "{own} {answered:?}");
    }
}

#[test]
fn an_answer_instead_of_the_origins_varies_as_the_origins_would() {
    let mut world = world(true);
    let permit = world.permit(&call("GET", "/company", &fields()));
    for answer in [permit.unreachable(), permit.unavailable(), permit.lacks_payload_hash()] {
        assert_eq!(field(&answer, "vary"), Some("Authorization, x-company, Origin"));
    }
}
