//! `postern check --cloudfront`: a distribution that is right has no findings, and each thing that is changed in it has one.

use serde_json::{Value, json};

use crate::support::{Output, Scratch, example, example_with, run};

const DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";
const ALL_BUT_HOST: &str = "b689b0a8-53d0-40ab-baf2-68738e2966ac";
const USER_AGENT: &str = "acba4595-bd28-49b8-b9fe-13317c0390fa";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:postern-edge:7";
const VOUCHERS: &str = "abc123.lambda-url.eu-west-2.on.aws";

/// The example with vouchers behind a function URL that takes only who signs.
fn policy() -> String {
    example_with("https://vouchers.ljg-sushi.example\"", &format!("https://{VOUCHERS}\"\nauth_type = \"AWS_IAM\""))
}

fn origin(id: &str, domain: &str, access_control: &str) -> Value {
    json!({
        "Id": id, "DomainName": domain, "OriginPath": "", "OriginAccessControlId": access_control,
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    })
}

fn behaviour(target: &str, event: &str) -> Value {
    json!({
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "https-only",
        "AllowedMethods": {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]},
        "LambdaFunctionAssociations": {"Quantity": 2, "Items": [
            {"LambdaFunctionARN": FUNCTION, "EventType": event, "IncludeBody": true},
            {"LambdaFunctionARN": FUNCTION, "EventType": "origin-response", "IncludeBody": false},
        ]},
        "CachePolicyId": DISABLED,
        "OriginRequestPolicyId": ALL_BUT_HOST,
    })
}

/// A distribution for the example as it is, that keeps what internal orders answer.
pub(crate) fn keeping() -> String {
    let kept = with("/1/CachePolicyId", json!(OPTIMIZED));
    format!("{kept:#}").replace(VOUCHERS, "vouchers.ljg-sushi.example")
}

/// A distribution that is right; behaviours are 0: vouchers, 1: internal orders, 2: external orders.
fn distribution() -> Value {
    let mut behaviours = [
        behaviour("vouchers", "viewer-request"),
        behaviour("internal", "origin-request"),
        behaviour("external", "viewer-request"),
    ];
    let patterns = ["/companies/*/users/*/vouchers/*", "companies/*/users/*/orders*", "/companies/*/orders*"];
    for (behaviour, pattern) in behaviours.iter_mut().zip(patterns) {
        behaviour["PathPattern"] = json!(pattern);
    }
    json!({"ETag": "E2QWRUHAPOMQZL", "DistributionConfig": {
        "Origins": {"Quantity": 3, "Items": [
            origin("external", "external-orders.ljg-sushi.example", ""),
            origin("internal", "internal-orders.ljg-sushi.example", ""),
            origin("vouchers", VOUCHERS, "E1"),
        ]},
        "OriginGroups": {"Quantity": 0},
        "DefaultCacheBehavior": behaviour("external", "viewer-request"),
        "CacheBehaviors": {"Quantity": 3, "Items": behaviours},
        "CustomErrorResponses": {"Quantity": UNKEPT.len(), "Items": UNKEPT.map(unkept)},
    }})
}

/// Errors that CloudFront keeps unless it is told not to.
const UNKEPT: [u64; 8] = [404, 405, 414, 500, 501, 502, 503, 504];

fn unkept(code: u64) -> Value {
    json!({"ErrorCode": code, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 0})
}

fn check(policy: &str, distribution: &Value, policies: &[Value], more: &[&str]) -> Output {
    let scratch = Scratch::new();
    let file = scratch.file("postern.toml", policy);
    let distribution = scratch.file("distribution.json", &distribution.to_string());
    let mut args = vec!["check".to_owned(), file, "--cloudfront".to_owned(), distribution];
    for (index, policy) in policies.iter().enumerate() {
        args.extend(["--cloudfront-policy".to_owned(), scratch.file(&format!("{index}.json"), &policy.to_string())]);
    }
    args.extend(more.iter().map(|&text| text.to_owned()));
    run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What is found: severity, code, behaviour.
fn found(policy: &str, distribution: &Value, policies: &[Value]) -> Vec<(String, String, String)> {
    let told = check(policy, distribution, policies, &["--format", "json"]);
    let findings = told.json()["cloudfront"]["findings"].as_array().unwrap().clone();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or("-").to_owned();
    let is_error = findings.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(told.code, i32::from(is_error), "{told:?}");
    assert!(findings.iter().all(|finding| !text(finding, "message").is_empty() && !text(finding, "mend").is_empty()));
    findings
        .iter()
        .map(|finding| (text(finding, "severity"), text(finding, "code"), text(finding, "behaviour")))
        .collect()
}

const HERE: &str = "/DistributionConfig/CacheBehaviors/Items";

/// The right distribution with one value set, by its JSON pointer below the behaviours.
fn with(pointer: &str, value: Value) -> Value {
    let mut distribution = distribution();
    let (table, name) = pointer.rsplit_once('/').unwrap();
    let at = if pointer.starts_with("/DistributionConfig") { table.to_owned() } else { format!("{HERE}{table}") };
    let table = distribution.pointer_mut(&at).unwrap_or_else(|| panic!("{at}"));
    match name.parse::<usize>() {
        Ok(index) => table[index] = value,
        Err(_) => table[name] = value,
    }
    distribution
}

#[test]
fn a_distribution_that_is_right_has_no_findings() {
    assert_eq!(found(&policy(), &distribution(), &[]), []);
    assert_eq!(found(&policy(), &distribution()["DistributionConfig"], &[]), []);
    let told = check(&policy(), &distribution(), &[], &["--deny-warnings"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("distribution.json: serves the policy\n") && told.err.is_empty(), "{told:?}");
}

#[test]
fn one_change_makes_one_finding() {
    let vouchers = "/companies/*/users/*/vouchers/*";
    let (internal, external) = ("companies/*/users/*/orders*", "/companies/*/orders*");
    let arn = |arn: &str| with("/0/LambdaFunctionAssociations/Items/0/LambdaFunctionARN", json!(arn));
    let only =
        |index: usize| distribution().pointer(&format!("{HERE}/0/LambdaFunctionAssociations/Items/{index}")).cloned();
    for (severity, code, behaviour, distribution) in [
        (
            "error",
            "no_function",
            vouchers,
            with("/0/LambdaFunctionAssociations/Items/0/EventType", json!("viewer-response")),
        ),
        (
            "error",
            "no_function",
            "Default (*)",
            with("/DistributionConfig/DefaultCacheBehavior/LambdaFunctionAssociations", json!({})),
        ),
        (
            "error",
            "function_version",
            vouchers,
            arn("arn:aws:lambda:us-east-1:123456789012:function:postern-edge:$LATEST"),
        ),
        (
            "error",
            "function_version",
            vouchers,
            arn("arn:aws:lambda:us-east-1:123456789012:function:postern-edge:live"),
        ),
        ("error", "function_version", vouchers, arn("arn:aws:lambda:us-east-1:123456789012:function:postern-edge")),
        ("error", "function_version", vouchers, arn("arn:aws:lambda:eu-west-2:123456789012:function:postern-edge:7")),
        ("error", "function_version", vouchers, arn("postern-edge")),
        ("error", "caching", vouchers, with("/0/CachePolicyId", json!(OPTIMIZED))),
        ("error", "policy_unknown", vouchers, with("/0/CachePolicyId", json!("custom"))),
        ("error", "policy_unknown", vouchers, with("/0/OriginRequestPolicyId", json!("custom"))),
        ("error", "host_forwarded", vouchers, with("/0/OriginRequestPolicyId", json!(ALL_VIEWER))),
        (
            "error",
            "body_not_included",
            internal,
            with("/1/LambdaFunctionAssociations/Items/0/IncludeBody", json!(false)),
        ),
        (
            "warning",
            "body_cut",
            internal,
            with("/1/LambdaFunctionAssociations/Items/0/EventType", json!("viewer-request")),
        ),
        ("error", "plain_http", external, with("/2/ViewerProtocolPolicy", json!("allow-all"))),
        ("warning", "plain_http", external, with("/2/ViewerProtocolPolicy", json!("redirect-to-https"))),
        ("error", "method_not_allowed", external, with("/2/AllowedMethods/Items", json!(["GET", "HEAD", "OPTIONS"]))),
        ("error", "method_not_allowed", vouchers, with("/0/AllowedMethods/Items", json!(["GET", "HEAD"]))),
        (
            "error",
            "no_origin_access_control",
            vouchers,
            with("/DistributionConfig/Origins/Items/2/OriginAccessControlId", json!("")),
        ),
        ("error", "other_origin", vouchers, with("/DistributionConfig/Origins/Items/2/DomainName", json!("x.example"))),
        ("error", "other_origin", vouchers, with("/DistributionConfig/Origins/Items/2/OriginPath", json!("/prod"))),
        ("error", "other_origin", vouchers, with("/0/TargetOriginId", json!("nowhere"))),
        ("error", "cors_not_set", vouchers, with("/0/LambdaFunctionAssociations/Items", json!([only(0)]))),
        (
            "error",
            "error_page",
            "-",
            with(
                "/DistributionConfig/CustomErrorResponses/Items/0",
                json!({"ErrorCode": 404, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}),
            ),
        ),
        ("error", "error_caching", "-", with("/DistributionConfig/CustomErrorResponses", json!({"Quantity": 0}))),
        (
            "error",
            "error_caching",
            "-",
            with("/DistributionConfig/CustomErrorResponses/Items/5/ErrorCachingMinTTL", json!(10)),
        ),
    ] {
        let expected = [(severity.to_owned(), code.to_owned(), behaviour.to_owned())];
        assert_eq!(found(&policy(), &distribution, &[]), expected, "{distribution}");
        let told = check(&policy(), &distribution, &[], &[]);
        assert!(told.err.starts_with(&format!("{severity}[{code}]: ")), "{told:?}");
        assert_eq!(check(&policy(), &distribution, &[], &["--deny-warnings"]).code, 1);
    }
}

#[test]
fn errors_that_are_kept_are_a_warning_where_every_behaviour_decides_before_that() {
    let mut distribution = with("/DistributionConfig/CustomErrorResponses", json!({"Quantity": 0}));
    let place = "/DistributionConfig/CacheBehaviors/Items/1/LambdaFunctionAssociations/Items/0/EventType";
    *distribution.pointer_mut(place).unwrap() = json!("viewer-request");
    let own: Vec<_> =
        found(&policy(), &distribution, &[]).into_iter().filter(|(_, code, _)| code == "error_caching").collect();
    assert_eq!(own, [("warning".to_owned(), "error_caching".to_owned(), "-".to_owned())]);
}

/// The codes, where more than one thing follows from a change.
fn codes(policy: &str, distribution: &Value, policies: &[Value]) -> Vec<String> {
    found(policy, distribution, policies).into_iter().map(|(_, code, _)| code).collect()
}

#[test]
fn what_reaches_the_origin_is_what_both_policies_let_through() {
    let fewer = with("/0/OriginRequestPolicyId", json!(USER_AGENT));
    assert_eq!(codes(&policy(), &fewer, &[]), ["not_forwarded", "query_not_forwarded"]);
    let custom = with("/2/OriginRequestPolicyId", json!("custom"));
    let terms = |behaviour: &str, fields: &[&str], query: &str| {
        json!({"ETag": "E", "OriginRequestPolicy": {"Id": "custom", "OriginRequestPolicyConfig": {
            "HeadersConfig": {"HeaderBehavior": behaviour, "Headers": {"Quantity": fields.len(), "Items": fields}},
            "QueryStringsConfig": {"QueryStringBehavior": query},
        }}})
    };
    for (terms, expected) in [
        (terms("allExcept", &["Host"], "all"), &[][..]),
        (terms("allExcept", &["Host"], "none"), &["query_not_forwarded"]),
        (terms("allExcept", &["Host"], "whitelist"), &["query_not_forwarded"]),
        (terms("allExcept", &["Postern-Assertion"], "all"), &["not_forwarded"]),
        // The assertion alone will do.
        (terms("whitelist", &["postern-assertion"], "all"), &[]),
        (terms("whitelist", &["authorization"], "all"), &["not_forwarded"]),
        (terms("none", &[], "all"), &["not_forwarded"]),
    ] {
        assert_eq!(codes(&policy(), &custom, std::slice::from_ref(&terms)), expected, "{terms}");
    }
    let receiving = policy().replace(
        "key = \"POSTERN_KEY_EXTERNAL_ORDERS\"\n",
        "key = \"POSTERN_KEY_EXTERNAL_ORDERS\"\ntoken = \"forwarded\"\n",
    );
    let without = terms("whitelist", &["postern-assertion"], "all");
    assert_eq!(codes(&receiving, &custom, std::slice::from_ref(&without)), ["not_forwarded"]);
    let handed =
        policy().replacen("issuer = \"partners\"\n", "issuer = \"partners\"\nheaders.x-client = \"client_id\"\n", 1);
    let assertion = terms("whitelist", &["postern-assertion", "authorization"], "all");
    assert_eq!(codes(&policy(), &custom, std::slice::from_ref(&assertion)), [] as [&str; 0]);
    assert_eq!(found(&handed, &custom, &[assertion])[0].1, "not_forwarded");
    for (field, expected) in
        [("x-edge-client", &["not_settable"][..]), ("x-cache", &["not_settable"]), ("x-edged", &[])]
    {
        let handed = handed.replace("headers.x-client", &format!("headers.{field}"));
        assert_eq!(codes(&handed, &distribution(), &[]), expected, "{field}");
    }
    // A function at the origin's event sees what is forwarded, and no more.
    let custom = with("/1/OriginRequestPolicyId", json!("custom"));
    let told = check(&policy(), &custom, &[terms("whitelist", &["postern-assertion"], "all")], &[]);
    assert!(told.err.contains("the function does not get `access-control-request-headers`"), "{told:?}");
    assert!(told.err.contains("`authorization`") && told.code == 1, "{told:?}");
}

#[test]
fn who_removes_the_token_is_one_function_and_never_none() {
    let decides_twice = policy().replace("[cloudfront]\n", "[cloudfront]\ndecides_twice = true\n");
    let mut twice = distribution();
    for place in ["CacheBehaviors/Items/0", "CacheBehaviors/Items/1", "CacheBehaviors/Items/2", "DefaultCacheBehavior"]
    {
        let items =
            twice.pointer_mut(&format!("/DistributionConfig/{place}/LambdaFunctionAssociations/Items")).unwrap();
        let items = items.as_array_mut().unwrap();
        let mut second = items[0].clone();
        let is_viewer = second["EventType"] == "viewer-request";
        second["EventType"] = json!(if is_viewer { "origin-request" } else { "viewer-request" });
        // While a new version is deployed the events may have different ones.
        second["LambdaFunctionARN"] = json!(format!("{}0", FUNCTION));
        items.push(second);
    }
    let tokens = |policy: &str, distribution: &Value| {
        let codes = codes(policy, distribution, &[]);
        codes.into_iter().filter(|code| code.starts_with("token_")).collect::<Vec<_>>()
    };
    assert_eq!(tokens(&decides_twice, &twice), [] as [&str; 0]);
    assert_eq!(tokens(&policy(), &twice), ["token_missing"; 4]);
    // One behaviour has the function at `origin-request` alone, which removes the token.
    assert_eq!(tokens(&decides_twice, &distribution()), ["token_left"; 3]);
    // The second function sees what is forwarded.
    twice["DistributionConfig"]["CacheBehaviors"]["Items"][2]["OriginRequestPolicyId"] = json!(USER_AGENT);
    let told = check(&decides_twice, &twice, &[], &[]);
    assert!(told.err.contains("the function does not get") && told.err.contains("`authorization`"), "{told:?}");
}

#[test]
fn a_signature_takes_the_place_of_a_token_that_an_origin_is_to_get() {
    let key = "key = \"POSTERN_KEY_EXTERNAL_ORDERS\"\n";
    let receiving = policy().replace(key, &format!("{key}token = \"forwarded\"\n"));
    assert_eq!(found(&receiving, &distribution(), &[]), []);
    let mut signed = distribution();
    signed["DistributionConfig"]["Origins"]["Items"][0]["OriginAccessControlId"] = json!("E2");
    let own = found(&receiving, &signed, &[]);
    assert!(
        !own.is_empty() && own.iter().all(|(severity, code, _)| (&**severity, &**code) == ("error", "token_replaced"))
    );
    assert_eq!(found(&policy(), &signed, &[]), []);
}

#[test]
fn a_public_url_needs_the_function_at_the_origins_response() {
    let public = policy() + "\n[edge]\nurl = \"https://api.ljg-sushi.example\"\n";
    assert_eq!(found(&public, &distribution(), &[]), []);
    let items = "/2/LambdaFunctionAssociations/Items";
    let first = distribution().pointer(&format!("{HERE}{items}/0")).cloned();
    let own = found(&public, &with(items, json!([first])), &[]);
    let external = "/companies/*/orders*".to_owned();
    assert!(own.contains(&("error".to_owned(), "location_not_rewritten".to_owned(), external)), "{own:?}");
}

#[test]
fn a_custom_cache_policy_keeps_nothing_only_with_no_time_at_all() {
    let custom = with("/2/CachePolicyId", json!("custom"));
    let terms = |ttl: Value| {
        json!({"CachePolicy": {"Id": "custom", "CachePolicyConfig": {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": ttl,
            "ParametersInCacheKeyAndForwardedToOrigin": {"HeadersConfig": {"HeaderBehavior": "none"}}}}})
    };
    assert_eq!(codes(&policy(), &custom, &[terms(json!(0))]), [] as [&str; 0]);
    assert_eq!(codes(&policy(), &custom, &[terms(json!(1))]), ["caching"]);
    assert_eq!(codes(&policy(), &custom, &[terms(Value::Null)]), ["caching"]);
}

#[test]
fn settings_from_before_there_were_policies_are_read() {
    let legacy = |fields: &[&str], query: bool, ttl: u32| {
        let mut distribution = with("/2/CachePolicyId", Value::Null);
        let behaviour = &mut distribution["DistributionConfig"]["CacheBehaviors"]["Items"][2];
        behaviour["OriginRequestPolicyId"] = Value::Null;
        behaviour["ForwardedValues"] = json!({"QueryString": query, "Headers": {"Items": fields}});
        for name in ["MinTTL", "DefaultTTL", "MaxTTL"] {
            behaviour[name] = json!(if name == "MinTTL" { 0 } else { ttl });
        }
        distribution
    };
    let both = ["Authorization", "Postern-Assertion"];
    assert_eq!(codes(&policy(), &legacy(&both, true, 0), &[]), [] as [&str; 0]);
    assert_eq!(codes(&policy(), &legacy(&["*"], true, 60), &[]), [] as [&str; 0]);
    assert_eq!(codes(&policy(), &legacy(&both, true, 60), &[]), ["caching"]);
    assert_eq!(codes(&policy(), &legacy(&both, false, 0), &[]), ["query_not_forwarded"]);
    assert_eq!(codes(&policy(), &legacy(&[], true, 0), &[]), ["not_forwarded"]);
}

#[test]
fn a_path_that_goes_to_another_origin_is_named() {
    for (pattern, index, witness) in [
        // `*` crosses slashes, and the first pattern that matches decides.
        ("/companies/*/orders*", 0, "/companies/b/orders"),
        ("/companies/*/users*", 1, "/companies/b/users/b/vouchers/b"),
        ("/companies/????/orders*", 2, "/companies/b/orders"),
    ] {
        let mut distribution = with(&format!("/{index}/PathPattern"), json!(pattern));
        if index == 1 {
            // Before the vouchers' own.
            distribution["DistributionConfig"]["CacheBehaviors"]["Items"].as_array_mut().unwrap().swap(0, 1);
        }
        if index == 2 {
            distribution["DistributionConfig"]["DefaultCacheBehavior"]["TargetOriginId"] = json!("internal");
        }
        let told = check(&policy(), &distribution, &[], &[]);
        let lines: Vec<&str> = told.err.lines().filter(|line| line.starts_with("error[other_origin]")).collect();
        assert!(lines.iter().any(|line| line.contains(&format!("`{witness}`"))), "{witness}: {told:?}");
        assert_eq!(told.code, 1);
    }
}

#[test]
fn a_path_is_the_routes_that_decides_it_and_no_others() {
    // Of `/companies/{company}/orders/{order}` one path is another route's, to another origin.
    let special = "\n[[route]]\nname = \"special\"\nmethods = [\"GET\"]\npath = \"/companies/{company}/orders/special\"\n\
                   origin = \"vouchers\"\nissuer = \"users\"\ncompany = \"{company}\"\nroles = [\"Manager\"]\n\n[[test]]";
    let policy = policy().replacen("\n[[test]]", special, 1);
    let mut distribution = distribution();
    assert_eq!(codes(&policy, &distribution, &[]), ["other_origin"]);
    let mut own = behaviour("vouchers", "viewer-request");
    own["PathPattern"] = json!("/companies/*/orders/special");
    distribution["DistributionConfig"]["CacheBehaviors"]["Items"].as_array_mut().unwrap().insert(2, own);
    assert_eq!(codes(&policy, &distribution, &[]), [] as [&str; 0]);
    // A pattern that says less takes paths of the other route with it.
    distribution["DistributionConfig"]["CacheBehaviors"]["Items"][2]["PathPattern"] = json!("/companies/*/orders/s*");
    let told = check(&policy, &distribution, &[], &[]);
    assert!(told.err.contains("`/companies/b/orders/s` of the route `external-orders-get`"), "{told:?}");
}

#[test]
fn what_is_written_to_a_function_url_needs_its_hash() {
    let policy = policy().replacen(
        "methods = [\"GET\"]\npath = \"/companies/{company}/users/{user}/vouchers",
        "methods = [\"GET\", \"POST\"]\npath = \"/companies/{company}/users/{user}/vouchers",
        1,
    );
    assert_eq!(codes(&policy, &distribution(), &[]), [] as [&str; 0]);
    let unseen = with("/0/LambdaFunctionAssociations/Items/0/IncludeBody", json!(false));
    assert_eq!(found(&policy, &unseen, &[])[0].0, "warning");
    assert_eq!(codes(&policy, &unseen, &[]), ["body_not_included"]);
    let custom = with("/0/OriginRequestPolicyId", json!("custom"));
    let terms = json!({"OriginRequestPolicy": {"Id": "custom", "OriginRequestPolicyConfig": {
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Items": ["postern-assertion"]}},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }}});
    let told = check(&policy, &custom, &[terms], &[]);
    assert!(told.err.contains("the origin does not get `x-amz-content-sha256`"), "{told:?}");
}

#[test]
fn a_behaviour_without_routes_and_function_is_a_way_round() {
    let mut distribution = distribution();
    let mut own = behaviour("external", "viewer-request");
    own["PathPattern"] = json!("/internal/*");
    own["LambdaFunctionAssociations"] = json!({"Quantity": 0});
    distribution["DistributionConfig"]["CacheBehaviors"]["Items"].as_array_mut().unwrap().push(own);
    let told = found(&policy(), &distribution, &[]);
    assert_eq!(told, [("warning".to_owned(), "unguarded".to_owned(), "/internal/*".to_owned())]);
    // To an origin that is none of the policy's it is nobody's business here.
    distribution["DistributionConfig"]["CacheBehaviors"]["Items"][3]["TargetOriginId"] = json!("bucket");
    assert_eq!(found(&policy(), &distribution, &[]), []);
}

#[test]
fn a_group_of_origins_is_as_good_as_each_of_them() {
    let mut distribution = with("/0/TargetOriginId", json!("both"));
    distribution["DistributionConfig"]["OriginGroups"] = json!({"Quantity": 1, "Items": [
        {"Id": "both", "Members": {"Quantity": 2, "Items": [{"OriginId": "vouchers"}, {"OriginId": "external"}]}},
    ]});
    assert_eq!(codes(&policy(), &distribution, &[]), ["other_origin"]);
}

#[test]
fn what_is_no_distribution_is_unusable() {
    let scratch = Scratch::new();
    for text in ["", "[]", "{}", "{\"DistributionConfig\": {}}"] {
        let file = scratch.file("distribution.json", text);
        assert_eq!(run(&["check", "--cloudfront", &file]).code, 2, "{text}");
    }
    assert_eq!(run(&["check", "--cloudfront", "nowhere.json"]).code, 2);
    assert_eq!(run(&["check", "--cloudfront-policy", "nowhere.json"]).code, 2);
    let told = check(&example(), &distribution(), &[json!({"CachePolicyConfig": {}})], &[]);
    assert!(told.code == 2 && told.err.contains("get-…-policy"), "{told:?}");
}
