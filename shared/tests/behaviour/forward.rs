//! What goes to an origin of a permitted request, and what comes back.

use postern::{
    Permit, Policy,
    forward::{Driver, UnusualNames, Vouched},
    policy::{PolicyFault, from_toml},
};

use crate::support::{Call, Token, World, keys, policies, policies::SMALL, token};

const ORDERS: &str = "/companies/1111/orders";
const DRIVERS: [Driver; 4] = [Driver::Worker, Driver::ViewerRequest, Driver::OriginRequest, Driver::Layer];
/// The section that partners' requests go to.
const SECTION: &str = "url = \"https://external-orders.ljg-sushi.example\"";

fn world(addition: &str) -> World {
    let text = policies::example_with(SECTION, &format!("{SECTION}\n{addition}"));
    with_keys(from_toml(&text, None).unwrap())
}

fn with_keys(policy: Policy) -> World {
    let mut world = World::new(policy);
    world.publish(token::PARTNERS_URL, &[&keys::PARTNERS_RSA, &keys::PARTNERS_EC, &keys::PARTNERS_ED]);
    world
}

fn permit(world: &mut World) -> Permit {
    world.permit(&Call::get(ORDERS).bearer(Token::partner("1111").compact()))
}

fn removes(world: &mut World, driver: Driver, connection: &str, name: &str) -> bool {
    let permit = permit(world);
    permit.forward(world.authorizer.policy(), driver, connection).removes(name)
}

#[test]
fn a_field_by_which_some_server_reads_another_request_reaches_no_origin() {
    let mut world = world("");
    let permit = permit(&mut world);
    for driver in DRIVERS {
        let forward = permit.forward(world.authorizer.policy(), driver, "");
        for name in [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Anything",
            "X-Original-URL",
            "X-Original-Method",
            "X-Rewrite-URL",
            "X-Envoy-Original-Path",
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X-Method-Override",
            "X-Host",
            "True-Client-IP",
            "X-Real-IP",
            "Script-Name",
            "SCRIPT_NAME",
            "PATH_INFO",
            "path-info",
            "X-Middleware-Subrequest",
            "Postern-Assertion",
            "Connection",
            "TE",
            "Proxy",
        ] {
            for spelling in [name.to_owned(), name.to_ascii_lowercase(), name.replace('-', "_"), name.replace('-', ".")]
            {
                assert!(forward.removes(&spelling), "{driver:?} {spelling}");
            }
        }
        for name in ["accept", "cookie", "via", "cf-ray", "cloudfront-viewer-address", "x-amz-cf-id", "X-Own"] {
            assert!(!forward.removes(name), "{driver:?} {name}");
        }
    }
}

#[test]
fn a_field_that_connection_names_in_any_spelling_ends_at_the_edge() {
    let mut world = world("request_headers = [\"x_hop\"]");
    for connection in ["close, X-Hop", "X_HOP", " x.hop ,close"] {
        for name in ["x-hop", "X-HOP", "x_hop"] {
            assert!(removes(&mut world, Driver::Worker, connection, name), "{connection}: {name}");
        }
        assert!(!removes(&mut world, Driver::Worker, connection, "x-hop-2"));
    }
}

#[test]
fn a_name_that_servers_fold_reaches_only_an_origin_that_lists_it() {
    for name in ["legacy_id", "legacy.id", "legacy!id", "legacy~", ""] {
        assert!(removes(&mut world(""), Driver::Worker, "", name), "{name}");
    }
    let mut listed = world("request_headers = [\"legacy_id\", \"X.Own\"]");
    for (name, is_removed) in
        [("legacy_id", false), ("Legacy_ID", false), ("x.own", false), ("legacy.id", true), ("x_own", true)]
    {
        assert_eq!(removes(&mut listed, Driver::Layer, "", name), is_removed, "{name}");
    }
}

#[test]
fn a_list_of_fields_holds_only_names_that_need_it_and_belong_to_nobody() {
    let with = |name: &str| {
        SMALL.replace("key = \"KEY_ORDERS\"", &format!("key = \"KEY_ORDERS\"\nrequest_headers = [\"{name}\"]"))
    };
    for name in ["legacy_id", "Legacy.Id", "a!"] {
        from_toml(&with(name), None).unwrap();
    }
    for name in [
        "",
        "x-own",
        "X_Forwarded_For",
        "x.forwarded.host",
        "SCRIPT_NAME",
        "PATH_INFO",
        "postern_assertion",
        "x_real_ip",
        "content_length",
        "cf_connecting_ip",
        "x_amz_date",
        "proxy_authorization",
        "a b",
        "a,b",
        "caf\u{e9}",
    ] {
        let errors = from_toml(&with(name), None).expect_err(name);
        let found: Vec<_> = errors.0.iter().map(|error| (error.pointer.as_str(), &error.fault)).collect();
        assert_eq!(found, [("origin.orders.request_headers[0]", &PolicyFault::RequestHeader(name.to_owned()))]);
    }
}

#[test]
fn no_rule_takes_or_sets_a_field_that_servers_fold_or_that_is_removed() {
    for name in
        ["x_company", "x.company", "x-real-ip", "x-original-company", "x-http-method-x", "true-client-ip", "x-remote-x"]
    {
        for (text, pointer) in [
            (
                SMALL.replace("company = \"{company}\"", &format!("company = {{ header = \"{name}\" }}")),
                "route[0].company",
            ),
            (format!("{SMALL}headers.\"{name}\" = \"tier\"\n"), "route[0].headers"),
        ] {
            let text = text.replace(
                "/companies/{company}/orders",
                if pointer.ends_with("company") { "/orders" } else { "/companies/{company}/orders" },
            );
            let errors = from_toml(&text, None).expect_err(name);
            let fault = PolicyFault::HeaderName(name.to_owned());
            assert!(
                errors.0.iter().any(|error| error.fault == fault && error.pointer.starts_with(pointer)),
                "{errors}"
            );
        }
    }
}

#[test]
fn fields_removed_by_their_names_are_counted_by_class() {
    let mut world = world("request_headers = [\"kept_one\"]");
    let token = Token::partner("1111").compact();
    let names = ["a_b", "X_Forwarded_For", "kept_one", "a.b", "a_b.c", "a!b", "a-b"];
    let call = names.iter().fold(Call::get(ORDERS).bearer(token), |call, name| call.header(name, "1"));
    assert_eq!(world.permit(&call).unusual_names(), UnusualNames { underscore: 2, dot: 2, other: 1 });
    assert_eq!(permit(&mut world).unusual_names(), UnusualNames::default());
}

#[test]
fn an_origin_is_told_what_the_platform_knows_as_far_as_the_driver_may() {
    let mut world = world("");
    let permit = permit(&mut world);
    let vouched = Vouched { host: Some("api.example"), scheme: Some("https"), address: Some("192.0.2.1") };
    let (host, proto, address) =
        (("x-forwarded-host", "api.example"), ("x-forwarded-proto", "https"), ("x-forwarded-for", "192.0.2.1"));
    for (driver, expected) in [
        (Driver::Worker, &[host, proto, address, ("x-real-ip", "192.0.2.1")][..]),
        (Driver::ViewerRequest, &[host]),
        (Driver::OriginRequest, &[host]),
        (Driver::Layer, &[host, proto, address]),
    ] {
        let forward = permit.forward(world.authorizer.policy(), driver, "");
        let fields = forward.fields(&vouched);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, value.as_str())).collect();
        assert_eq!(fields, expected, "{driver:?}");
        assert!(forward.fields(&Vouched::default()).is_empty());
    }
    assert!(!format!("{vouched:?}").contains("192.0.2.1"));
}

#[test]
fn the_callers_token_reaches_only_an_origin_whose_section_says_so() {
    for driver in DRIVERS {
        assert!(removes(&mut world(""), driver, "", "Authorization"), "{driver:?}");
        assert!(!removes(&mut world("token = \"forwarded\""), driver, "", "Authorization"), "{driver:?}");
        assert!(removes(&mut world("token = \"forwarded\""), driver, "", "Proxy-Authorization"), "{driver:?}");
    }
}

#[test]
fn a_public_route_forwards_a_token_only_if_it_says_so_itself() {
    let health = "name = \"health\"\n";
    let text = policies::example_with(SECTION, &format!("{SECTION}\ntoken = \"forwarded\""));
    let says = text.replace(health, &format!("{health}token = \"forwarded\"\n"));
    for (text, is_removed) in [(&text, true), (&says, false)] {
        let mut world = with_keys(from_toml(text, None).unwrap());
        let permit = world.permit(&Call::get("/health"));
        for driver in DRIVERS {
            assert_eq!(permit.forward(world.authorizer.policy(), driver, "").removes("authorization"), is_removed);
        }
    }
}

#[test]
fn the_first_of_two_functions_leaves_the_token_to_the_second() {
    let secret = "secret = \"arn:";
    let text = policies::example_with(secret, &format!("decides_twice = true\n{secret}"));
    let mut world = with_keys(from_toml(&text, None).unwrap());
    for (driver, is_removed) in
        [(Driver::ViewerRequest, false), (Driver::OriginRequest, true), (Driver::Worker, true), (Driver::Layer, true)]
    {
        assert_eq!(removes(&mut world, driver, "", "authorization"), is_removed, "{driver:?}");
    }
}

#[test]
fn what_is_said_of_tokens_and_cannot_be_does_not_build() {
    let key = "key = \"KEY_ORDERS\"";
    let origin = |addition: &str| SMALL.replace(key, &format!("{key}\n{addition}"));
    let public = |addition: &str| {
        format!(
            "\n[[route]]\nname = \"open\"\nmethods = [\"GET\"]\npath = \"/open\"\norigin = \"orders\"\n{addition}\n"
        )
    };
    for (text, pointer, fault) in [
        (origin("token = \"kept\""), "origin.orders.token", PolicyFault::TokenRule),
        (origin("token = \"forwarded\"\nauth_type = \"AWS_IAM\""), "origin.orders.token", PolicyFault::TokenReplaced),
        (SMALL.to_owned() + "token = \"forwarded\"\n", "route[0].token", PolicyFault::TokenOfRoute),
        (
            SMALL.to_owned() + &public("public = true\ntoken = \"forwarded\""),
            "route[1].token",
            PolicyFault::TokenNotTaken,
        ),
        (SMALL.to_owned() + &public("public = true\ntoken = \"yes\""), "route[1].token", PolicyFault::TokenRule),
    ] {
        let errors = from_toml(&text, None).expect_err(pointer);
        let found: Vec<_> = errors.0.iter().map(|error| (error.pointer.as_str(), &error.fault)).collect();
        assert_eq!(found, [(pointer, &fault)], "{text}");
        assert!(errors.0.iter().all(|error| error.span.is_some() && !error.fault.mend().is_empty()));
    }
    from_toml(&(origin("token = \"forwarded\"") + &public("public = true\ntoken = \"forwarded\"")), None).unwrap();
}

#[test]
fn a_signed_request_has_no_field_of_aws_from_the_caller() {
    let mut world = world("auth_type = \"AWS_IAM\"");
    for name in ["x-amz-date", "X_Amz_Security_Token"] {
        assert!(removes(&mut world, Driver::Worker, "", name), "{name}");
    }
    assert!(!removes(&mut world, Driver::Worker, "", "x-amzn-trace-id"));
    assert!(!removes(&mut self::world(""), Driver::Worker, "", "x-amz-date"));
}

#[test]
fn a_location_at_an_origins_host_is_rewritten_where_the_policy_says_the_public_url() {
    let text = policies::EXAMPLE.to_owned() + "\n[edge]\nurl = \"https://api.ljg-sushi.example\"\n";
    let policy = from_toml(&text, None).unwrap();
    let own = "https://external-orders.ljg-sushi.example/a?b";
    let public = Some("https://api.ljg-sushi.example/a?b".to_owned());
    let answer = policy.answer_of(Some("external-orders"), "");
    for name in ["location", "Content-Location"] {
        assert_eq!(answer.rewritten(name, own), public, "{name}");
        assert!(answer.looks_at(name));
    }
    assert_eq!(answer.rewritten("link", own), None);
    assert_eq!(answer.rewritten("location", "https://vouchers.ljg-sushi.example/a"), None);
    assert_eq!(policy.answer_of(Some("vouchers"), "").rewritten("location", own), None);
    assert_eq!(policy.answer_of(None, "").rewritten("location", own), public);
    let unsaid = policies::example();
    assert_eq!(unsaid.answer_of(Some("external-orders"), "").rewritten("location", own), None);
}

#[test]
fn what_an_origin_says_to_postern_and_of_cors_does_not_reach_the_caller() {
    let policy = policies::example();
    let answer = policy.answer_of(None, "");
    for (name, is_withheld) in [
        ("Postern_Internal", true),
        ("postern-assertion", true),
        ("Access-Control-Allow-Origin", true),
        ("access_control_max_age", true),
        ("vary", false),
        ("set-cookie", false),
        ("x-forwarded-for", false),
    ] {
        assert_eq!(answer.withholds(name), is_withheld, "{name}");
    }
    for (status, name, value, is_refusal) in [
        (401, "WWW-Authenticate", "postern-assertion realm=\"vouchers\"", true),
        (401, "x-amzn-remapped-www-authenticate", "Postern-Assertion", true),
        (403, "www-authenticate", "postern-assertion", false),
        (401, "www-authenticate", "Bearer realm=\"postern-assertion\"", false),
        (401, "www-authenticate", "postern-assertions", false),
        (401, "x-other", "postern-assertion", false),
    ] {
        assert_eq!(answer.refuses_assertion(status, [(name, value)]), is_refusal, "{status} {name} {value}");
    }
}

#[test]
fn the_edge_is_a_table_and_its_old_form_means_the_same() {
    let with = |edge: &str| from_toml(&format!("{edge}\n{SMALL}"), None).unwrap();
    let (old, new) =
        (with("edge = \"west\""), from_toml(&format!("{SMALL}\n[edge]\nname = \"west\"\n"), None).unwrap());
    assert_eq!((old.edge(), new.edge(), with("").edge()), ("west", "west", "edge"));
    assert_eq!((old.has_bare_edge(), new.has_bare_edge(), with("").has_bare_edge()), (true, false, false));
    assert_eq!(old.version(), new.version(), "the same policy has the same version");
    let url = from_toml(&format!("{SMALL}\n[edge]\nurl = \"https://api.example\"\n"), None).unwrap();
    let again = Policy::from_json(url.to_json()).unwrap();
    assert_eq!((again.edge(), again.edge_url()), ("edge", Some("https://api.example")));
    for url in ["http://api.example", "https://api.example/v1", "https://api.example/", "api.example"] {
        let errors = from_toml(&format!("{SMALL}\n[edge]\nurl = \"{url}\"\n"), None).expect_err(url);
        assert_eq!((errors.0[0].pointer.as_str(), &errors.0[0].fault), ("edge.url", &PolicyFault::Url(url.to_owned())));
    }
    let text = format!("{SMALL}\n[edge]\nurl = \"https://api.example\"\n");
    let overlaid = from_toml(&text, Some("[edge]\nurl = \"http://127.0.0.1:8787\"")).unwrap();
    assert_eq!(overlaid.edge_url(), Some("http://127.0.0.1:8787"));
    assert!(from_toml(SMALL, Some("[edge]\nurl = \"http://127.0.0.1:8787\"")).is_err());
}
