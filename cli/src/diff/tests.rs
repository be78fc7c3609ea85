//! Random pairs of policies from small alphabets, so that rules collide, with random requests: whoever is decided
//! differently is told of, and policies that are the same have no difference.

use std::collections::{BTreeMap, BTreeSet};

use postern::{Decision, JwkSet, PermissionsRecord, Policy, Reason, Request, UnixTime, policy::from_toml};
use proptest::prelude::*;
use serde_json::json;

use super::{
    Differences,
    access::{Callers, Difference},
    sections::{SectionChange, SectionKind},
};
use crate::{
    draft::{Caller, Draft},
    signer::Signer,
    world::World,
};

const NOW: u64 = 1_800_000_000;

/// Two sections of machines and of people, and what may be altered of them.
fn head(people: &str, machines: &str) -> String {
    format!(
        "roles = [\"r\", \"s\"]\n[permissions]\norigin = \"o\"\n[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n\
         [issuer.people]\nurl = \"https://people.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
         token_use = \"access\"\npermissions = \"{people}\"\n\
         [issuer.machines]\nurl = \"https://machines.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
         token_use = \"access\"\npermissions = \"subject\"\n{machines}\n\
         [[route]]\nname = \"both\"\nmethods = [\"GET\"]\npath = \"/both\"\norigin = \"o\"\nissuer = [\"people\", \"machines\"]\n\
         [[route]]\nname = \"service\"\nmethods = [\"GET\"]\npath = \"/service\"\norigin = \"o\"\nissuer = \"staff\"\n\
         [issuer.staff]\nurl = \"https://staff.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
         token_use = \"access\"\npermissions = \"service\"\n"
    )
}

#[derive(Clone, Debug)]
struct RouteText {
    methods: Vec<&'static str>,
    path: &'static str,
    rules: Vec<&'static str>,
}

fn route() -> impl Strategy<Value = RouteText> {
    let path = prop_oneof![
        Just("/x/{a}/{b}"),
        Just("/x/k/{b}"),
        Just("/x/{a}/k"),
        Just("/x/k/k"),
        Just("/x/{a}"),
        Just("/x/{a}/"),
        Just("/x/{*rest}"),
        Just("/{a}/{b}"),
        Just("/x/{a}/{*rest}"),
        Just("/x/k@k/{b}"),
        Just("/x/K/{b}"),
        Just("/x/k.x"),
    ];
    let methods = prop_oneof![Just(vec!["GET"]), Just(vec!["POST"]), Just(vec!["GET", "POST"]), Just(vec!["HEAD"])];
    let some = |rules: &[&'static str]| proptest::sample::select(rules.to_vec());
    let issuer = some(&[
        "issuer = \"people\"",
        "issuer = \"people\"",
        "issuer = \"machines\"",
        "issuer = [\"people\", \"machines\"]",
        "public = true",
    ]);
    let scopes = some(&[
        "",
        "",
        "scopes = [\"p\"]",
        "scopes = [\"p\", \"q\"]",
        "scopes = { any_of = [\"p\", \"q\"] }",
        "scopes = { all_of = [\"q\"], any_of = [\"p\", \"t\"] }",
    ]);
    let subject = some(&["", "", "subject = \"{a}\"", "subject = \"{b}\""]);
    let company = some(&[
        "",
        "company = \"{a}\"",
        "company = \"{b}\"",
        "company = { header = \"x-company\" }",
        "company = { query = \"company\" }",
        "company = { query = \"Company\" }",
    ]);
    let roles = some(&["", "roles = [\"r\"]", "roles = [\"s\", \"r\"]"]);
    let require = some(&[
        "",
        "",
        "require.tier = \"gold\"",
        "require.tier = [\"gold\", \"tin\"]",
        "require.tier = true",
        "require.tier = \"false\"",
        "require.tier = [\"false\", \"gold\"]",
    ]);
    (methods, path, (issuer, scopes, subject, company, roles, require)).prop_map(|(methods, path, rules)| {
        let (issuer, scopes, subject, company, roles, require) = rules;
        RouteText { methods, path, rules: vec![issuer, scopes, subject, company, roles, require] }
    })
}

fn text(people: &str, machines: &str, routes: &[RouteText]) -> String {
    let mut text = head(people, machines);
    for (index, route) in routes.iter().enumerate() {
        let methods: Vec<String> = route.methods.iter().map(|method| format!("\"{method}\"")).collect();
        let is_public = route.rules[0].starts_with("public");
        let rules = if is_public { route.rules[0].to_owned() } else { route.rules.join("\n") };
        text += &format!(
            "[[route]]\nname = \"n{index}\"\nmethods = [{}]\npath = \"{}\"\norigin = \"o\"\n{rules}\n",
            methods.join(", "),
            route.path
        );
    }
    text
}

/// Random policies mostly do not build; a route that is at fault is left out until what is left does.
fn policy(people: &str, machines: &str, mut routes: Vec<RouteText>) -> Policy {
    loop {
        match from_toml(&text(people, machines, &routes), None) {
            Ok(policy) => return policy,
            Err(errors) => {
                let at = errors.0.iter().find_map(|error| {
                    let index = error.pointer.strip_prefix("route[")?.split(']').next()?.parse::<usize>().ok()?;
                    index.checked_sub(2)
                });
                routes.remove(at.unwrap_or_else(|| panic!("{errors}")));
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Asker {
    section: Option<&'static str>,
    subject: &'static str,
    scopes: Vec<&'static str>,
    tier: Option<serde_json::Value>,
    /// By claims and by the service: companies with roles.
    companies: [BTreeMap<&'static str, Vec<&'static str>>; 2],
}

#[derive(Clone, Debug)]
struct Asked {
    method: &'static str,
    target: String,
    header: Option<&'static str>,
}

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["k", "c", "k@k"])
}

fn asker() -> impl Strategy<Value = Asker> {
    let companies =
        || proptest::collection::btree_map(name(), proptest::sample::subsequence(vec!["r", "s"], 0..=2), 0..3);
    let tier = prop_oneof![
        Just(None),
        Just(Some(json!("gold"))),
        Just(Some(json!("tin"))),
        Just(Some(json!("clay"))),
        Just(Some(json!(false))),
        Just(Some(json!("false"))),
        Just(Some(json!(["false"]))),
        Just(Some(json!(["tin", "gold"])))
    ];
    let section =
        proptest::sample::select(vec![None, Some("people"), Some("people"), Some("people"), Some("machines")]);
    (section, name(), proptest::sample::subsequence(vec!["p", "q", "t"], 0..=3), tier, companies(), companies())
        .prop_map(|(section, subject, scopes, tier, claims, service)| Asker {
            section,
            subject,
            scopes,
            tier,
            companies: [claims, service],
        })
}

/// A segment, perhaps in another spelling.
fn segment() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => name(), 1 => proptest::sample::select(vec!["K", "C", "k%20", "k.x", "k.y", "K%20.x", "%20", ".x"])]
}

fn asked() -> impl Strategy<Value = Asked> {
    let segments = prop_oneof![
        Just("/x".to_owned()),
        segment().prop_map(|a| format!("/x/{a}")),
        segment().prop_map(|a| format!("/x/{a}/")),
        (segment(), segment()).prop_map(|(a, b)| format!("/x/{a}/{b}")),
        (segment(), segment()).prop_map(|(a, b)| format!("/x/{a}/{b}/k")),
        (segment(), segment()).prop_map(|(a, b)| format!("/{a}/{b}")),
    ];
    let query = proptest::option::of((proptest::sample::select(vec!["company", "Company"]), name()))
        .prop_map(|company| company.map(|(parameter, c)| format!("?{parameter}={c}")).unwrap_or_default());
    let method = proptest::sample::select(vec!["GET", "POST", "HEAD", "DELETE"]);
    (method, segments, query, proptest::option::of(name())).prop_map(|(method, path, query, header)| Asked {
        method,
        target: path + &query,
        header,
    })
}

fn decide(policy: &Policy, signer: &Signer, asker: &Asker, asked: &Asked) -> Decision {
    let mut world = World::new(policy.clone(), Some(NOW));
    let mut headers: Vec<(&str, String)> = Vec::new();
    headers.extend(asked.header.map(|company| ("x-company", company.to_owned())));
    if let Some(section) = asker.section {
        let issuer = policy.issuers().iter().find(|issuer| issuer.name() == section).unwrap();
        let scopes: Vec<String> = asker.scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let caller = Caller { subject: asker.subject, scopes: &scopes, ..Caller::default() };
        let mut draft = Draft::fitting(issuer, &caller, UnixTime::from_secs(NOW));
        if let Some(tier) = &asker.tier {
            draft.set("tier", tier.clone());
        }
        draft.set("companies", json!(asker.companies[0]));
        let token = signer.token(&draft.header, &draft.claims).unwrap();
        headers.push(("authorization", format!("Bearer {token}")));
        let keys = json!({ "keys": [signer.jwk().unwrap()] }).to_string();
        world.keys.insert(section.to_owned(), JwkSet::parse(keys.as_bytes()).unwrap());
        let record = json!({"id": asker.subject, "companies": asker.companies[1]}).to_string();
        let record = PermissionsRecord::parse(record.as_bytes()).unwrap();
        world.records = Some(BTreeMap::from([(asker.subject.to_owned(), record)]));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.decide(&Request { method: asked.method, target: &asked.target, headers: &headers })
}

/// What the decision was on: a route, or none.
fn route_of(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Permit(permit) => Some(permit.route().to_owned()),
        // A path that is refused is nobody's.
        Decision::Deny(denial) if denial.reason() == Reason::PathAmbiguous => None,
        Decision::Deny(denial) => denial.route().map(str::to_owned),
        Decision::Preflight(_) => None,
    }
}

fn covers(difference: &Difference, asker: &Asker, asked: &Asked, decisions: &[Decision; 2]) -> bool {
    let is_gain = matches!(decisions[1], Decision::Permit(_));
    let is_whose = match &difference.who.callers {
        Callers::Anyone => true,
        Callers::Of(section) => Some(section.as_str()) == asker.section,
    };
    is_whose
        && difference.who.is_gain == is_gain
        && difference.methods.iter().any(|method| method == asked.method)
        && difference.routes == decisions.each_ref().map(route_of)
}

/// How many pairs of policies are compared. `PROPTEST_CASES` sets another number, for a longer search.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(80)
}

/// A token that Ed25519 signs costs little; the key is one for all cases.
fn signer() -> Signer {
    Signer::generate(postern::Algorithm::EdDsa, "test").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_decided_differently_is_told_of(
        sources in prop_oneof![4 => Just(["claims", "claims"]), 1 => Just(["claims", "service"])],
        requirements in prop_oneof![4 => Just(["", ""]), 1 => Just(["", "require.tier = true"])],
        old in proptest::collection::vec(route(), 1..6),
        more in proptest::collection::vec(route(), 0..3),
        kept in proptest::collection::vec(proptest::bool::weighted(0.7), 6),
        requests in proptest::collection::vec((asker(), asked()), 40),
    ) {
        let mut new: Vec<RouteText> = old.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(route, _)| route.clone()).collect();
        new.extend(more);
        let policies = [policy(sources[0], requirements[0], old), policy(sources[1], requirements[1], new)];
        let differences = Differences::between([&policies[0], &policies[1]]).unwrap();
        // Where callers' companies come from is a matter of each route's rules, and is told there too.
        let is_of_tokens = |change: &&SectionChange| match &change.kind {
            SectionKind::Changed(members) => members.iter().any(|(at, ..)| at != "permissions"),
            _ => true,
        };
        let changed: BTreeSet<&str> =
            differences.sections.iter().filter(is_of_tokens).map(|change| change.name.as_str()).collect();
        let signer = signer();
        for (asker, asked) in requests {
            let decisions = [0, 1].map(|index| decide(&policies[index], &signer, &asker, &asked));
            let permits = decisions.each_ref().map(|decision| matches!(decision, Decision::Permit(_)));
            if permits[0] == permits[1] {
                continue;
            }
            let is_told = asker.section.is_some_and(|section| changed.contains(section))
                || differences.access.iter().any(|difference| covers(difference, &asker, &asked, &decisions));
            prop_assert!(is_told, "{:?} {:?} {:?}", asker, asked, decisions.each_ref().map(crate::explain::in_short));
        }
    }

    #[test]
    fn a_policy_does_not_differ_from_itself(routes in proptest::collection::vec(route(), 1..6)) {
        let policy = policy("claims", "", routes.clone());
        prop_assert!(Differences::between([&policy, &policy]).unwrap().are_none());
    }
}

/// The differences between two policies with the same head and these routes.
fn between(head: &str, routes: [&[(&str, &str)]; 2]) -> Vec<String> {
    let policies = routes.map(|routes| {
        let route = |(index, (path, rules)): (usize, &(&str, &str))| {
            format!(
                "[[route]]\nname = \"n{index}\"\nmethods = [\"POST\"]\npath = \"{path}\"\norigin = \"o\"\n{rules}\n"
            )
        };
        let routes: String = routes.iter().enumerate().map(route).collect();
        from_toml(&format!("{head}\n{routes}"), None).unwrap_or_else(|errors| panic!("{errors}"))
    });
    lines(&Differences::between([&policies[0], &policies[1]]).unwrap())
}

#[test]
fn two_segments_with_the_same_literal_are_one_text() {
    let people = "issuer = \"people\"";
    let between = |[old, new]: [(&str, &str); 2]| {
        let rules = [format!("{people}\n{}", old.1), format!("{people}\n{}", new.1)];
        between(&head("claims", ""), [&[(old.0, &rules[0])], &[(new.0, &rules[1])]])
    };
    let ways = ["/x/{a}/k", "/x/k/{b}"];
    // At `/x/k/k` both ask the same: that the caller is `k`, and that `k` is a company of the caller.
    for (first, second) in [
        ("subject = \"{a}\"", "subject = \"{b}\""),
        ("company = \"{a}\"", "company = \"{b}\""),
        ("company = \"{a}\"\nroles = [\"r\"]", "company = \"{b}\"\nroles = [\"r\"]"),
    ] {
        let mut told = between([(ways[0], first), (ways[1], second)]);
        told.sort();
        assert_eq!(told, ["gained POST /x/k/{b} people", "lost POST /x/{a}/k people"], "{first}");
    }
    let told = between([(ways[0], "company = \"{a}\""), (ways[1], "company = \"{b}\"\nroles = [\"r\"]")]);
    assert!(told.contains(&"lost POST /x/{a}/k people without role `r` in company {b}".to_owned()), "{told:?}");
}

#[test]
fn a_claim_that_is_false_in_words_can_be_a_value_and_count_as_absent() {
    let require = |rule: &str| format!("issuer = \"people\"\n{rule}");
    let named = [require("require.tier = true"), require("require.tier = \"false\"")];
    let told = |routes: [&String; 2]| {
        between(&head("claims", ""), routes.map(|rules| [("/x", rules.as_str())]).each_ref().map(<[_; 1]>::as_slice))
    };
    assert_eq!(
        told([&named[0], &named[1]]),
        ["gained POST /x people without claim `tier`", "lost POST /x people whose claim `tier` is not `false`"]
    );
    // A list that holds the word is there.
    let machines = "require.tier = true";
    let rules = ["issuer = \"machines\"", "issuer = \"machines\"\nrequire.tier = \"false\""];
    assert_eq!(
        between(&head("claims", machines), [&[("/x", rules[1])], &[("/x", rules[0])]]),
        ["gained POST /x machines whose claim `tier` is not `false`"]
    );
    assert_eq!(between(&head("claims", machines), [&[], &[("/x", rules[1])]]), ["gained POST /x machines"]);
}

#[test]
fn a_literal_that_a_field_can_name_is_found() {
    let own = "issuer = \"machines\"\nsubject = \"{a}\"";
    for place in ["header = \"x-company\"", "query = \"company\""] {
        let both = format!("{own}\ncompany = {{ {place} }}");
        for (literal, is_found) in [("a@b", true), ("a&b", true), ("a+b", true), ("a,b", false), ("caf%C3%A9", false)] {
            let literal = format!("/x/{literal}");
            let old = [("/x/{a}", own), (&*literal, "issuer = \"machines\"\nscopes = [\"p\"]")];
            let told = between(&head("claims", ""), [&old, &[("/x/{a}", &both)]]);
            let gain = "gained POST /x/{a} machines without scope `p`".to_owned();
            assert_eq!(told.contains(&gain), is_found, "{literal}, {place}: {told:?}");
        }
    }
}

#[test]
fn another_spelling_of_a_segment_before_the_last_is_told_of() {
    let (strict, open) = ("issuer = \"machines\"\nscopes = [\"p\"]", "issuer = \"machines\"");
    let told = between(&head("claims", ""), [&[("/k/{b}", strict), ("/{a}/{b}", open)], &[("/{a}/{b}", open)]]);
    // At `/K/x` the strict route may be meant, so the old policy refuses everybody.
    let expected = ["gained POST /{a}/{b} machines", "gained POST /{a}/{b} machines without scope `p`"];
    assert_eq!(told, expected);
}

#[test]
fn a_path_that_looks_like_a_query_names_no_company() {
    let own = "issuer = \"machines\"\ncompany = { query = \"company\" }";
    for (literal, is_permitted) in [("a", true), ("a&b", true), ("&Company=1", true), ("a&company=1", false)] {
        let (one, path) = (format!("/x/{literal}"), "issuer = \"machines\"\nscopes = [\"p\"]");
        let told = between(&head("claims", ""), [&[(&one, own)], &[(&one, path)]]);
        let lost = told.iter().any(|line| line.starts_with("lost "));
        assert_eq!(lost, is_permitted, "{literal}: {told:?}");
    }
}

#[test]
fn a_witness_names_its_company_in_one_parameter_only() {
    let company = |name: &str| format!("issuer = \"people\"\ncompany = {{ query = \"{name}\" }}");
    // All but the first two fold to one name, and the edge refuses a query with both.
    for (one, other) in [("company", "tenant"), ("company", "Company"), ("company_id", "company.id"), ("a", "a.b")] {
        let [old, new] = [company(one), company(other)];
        let told = between(&head("claims", ""), [&[("/x", &old)], &[("/x", &new)]]);
        for line in [
            format!("gained POST /x people who name no company in parameter `{one}`"),
            format!("lost POST /x people who name no company in parameter `{other}`"),
        ] {
            assert!(told.contains(&line), "{told:?}");
        }
    }
}

fn changed(from: &str, to: &str) -> Differences {
    let old = include_str!("../../../postern.toml");
    assert!(old.contains(from), "the example does not say `{from}`");
    let [old, new] = [old.to_owned(), old.replacen(from, to, 1)]
        .map(|text| from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}")));
    Differences::between([&old, &new]).unwrap()
}

/// The differences in access as lines: change, methods, path, section, who.
fn lines(differences: &Differences) -> Vec<String> {
    let line = |difference: &Difference| {
        let callers = match &difference.who.callers {
            Callers::Anyone => "anyone".to_owned(),
            Callers::Of(section) => section.clone(),
        };
        let change = if difference.who.is_gain { "gained" } else { "lost" };
        assert!(difference.is_replayed);
        format!("{change} {} {} {callers} {}", difference.methods.join(","), difference.path, difference.who.which)
    };
    differences.access.iter().map(|difference| line(difference).trim_end().to_owned()).collect()
}

#[test]
fn each_change_of_a_rule_is_the_gain_or_the_loss_that_it_means() {
    let list = "/companies/{company}/orders";
    let users = "/companies/{company}/users/{user}/orders";
    for (from, to, expected) in [
        (
            "scopes = [\"orders/list.orders\"]",
            "",
            vec![format!("gained GET,HEAD {list} partners without scope `orders/list.orders`")],
        ),
        (
            "scopes = [\"orders/list.orders\"]",
            "scopes = { any_of = [\"orders/list.orders\", \"orders/read\"] }",
            vec![format!("gained GET,HEAD {list} partners without scope `orders/list.orders`")],
        ),
        (
            "scopes = [\"orders/list.orders\"]",
            "scopes = [\"orders/list.orders\", \"orders/read\"]",
            vec![format!("lost GET,HEAD {list} partners without scope `orders/read`")],
        ),
        (
            "scopes = [\"orders/list.orders\"]",
            "scopes = [\"orders/read\"]",
            vec![
                format!("gained GET,HEAD {list} partners without scope `orders/list.orders`"),
                format!("lost GET,HEAD {list} partners without scope `orders/read`"),
            ],
        ),
        (
            "issuer = \"partners\"\ncompany = \"{company}\"\nscopes = [\"orders/list.orders\"]",
            "issuer = \"partners\"\ncompany = \"any\"\nscopes = [\"orders/list.orders\"]",
            vec![format!("gained GET,HEAD {list} partners who are not company {{company}}")],
        ),
        (
            "subject = \"{user}\"\ncompany = \"{company}\"\nroles = [\"Manager\"]\nscopes = [\"orders/list.orders\"]",
            "subject = \"any\"\ncompany = \"{company}\"\nroles = [\"Manager\", \"Standard\"]\nscopes = [\"orders/list.orders\"]",
            vec![
                format!("gained GET,HEAD {users} users who are not {{user}}"),
                format!("gained GET,HEAD {users} users without role `Manager` in company {{company}}"),
            ],
        ),
        (
            "issuer = \"users\"\nsubject = \"{user}\"\ncompany = \"{company}\"\nroles = [\"Manager\"]\nscopes = [\"orders/list.orders\"]\npermissions_max_age = \"2s\"",
            "issuer = \"users\"\nsubject = \"{user}\"\ncompany = \"{company}\"\nroles = [\"Manager\"]\nscopes = [\"orders/list.orders\"]\nrequire.tier = [\"gold\"]\npermissions_max_age = \"2s\"",
            vec![format!("lost GET,HEAD {users} users whose claim `tier` is not `gold`")],
        ),
        ("public = true", "issuer = \"partners\"", vec!["lost GET,HEAD /health anyone".to_owned()]),
        ("path = \"/health\"", "path = \"/{*rest}\"", vec!["gained GET,HEAD /{*rest} anyone".to_owned()]),
    ] {
        let differences = changed(from, to);
        let mut told = lines(&differences);
        told.sort();
        let mut expected = expected;
        expected.sort();
        assert_eq!(told, expected, "{from} -> {to}");
    }
}

#[test]
fn what_is_not_about_who_may_is_listed_as_that() {
    for (from, to, at) in [
        (
            "permissions_max_age = \"2s\"",
            "permissions_max_age = \"3s\"",
            "route.internal-orders-list.permissions_max_age",
        ),
        (
            "permissions_max_age = \"30s\"",
            "permissions_max_age = \"30s\"\npermissions_stale_if_error = \"1m\"",
            "route.internal-orders-get.permissions_stale_if_error",
        ),
        ("https://app.ljg-sushi.example", "https://web.ljg-sushi.example", "cors.origins"),
        ("https://vouchers.ljg-sushi.example", "https://coupons.ljg-sushi.example", "origin.vouchers.url"),
        (
            "company = \"{company}\"\nscopes = [\"orders/list.orders\"]",
            "company = \"{company}\"\nheaders.x-tier = \"tier\"\nscopes = [\"orders/list.orders\"]",
            "route.external-orders-list.headers",
        ),
        ("origin = \"vouchers\"\nissuer", "origin = \"external-orders\"\nissuer", ""),
    ] {
        if at.is_empty() {
            continue;
        }
        let differences = changed(from, to);
        assert_eq!(lines(&differences), Vec::<String>::new(), "{from} -> {to}");
        let told: Vec<&str> = differences.settings.iter().map(|setting| setting.at.as_str()).collect();
        assert_eq!(told, [at], "{from} -> {to}");
        assert!(differences.sections.is_empty());
    }
}

#[test]
fn a_public_route_that_binds_bodies_is_a_gain_like_any_other() {
    let differences = changed(
        "methods = [\"GET\"]\npath = \"/health\"",
        "body = \"buffered\"\nmethods = [\"GET\", \"POST\"]\npath = \"/health\"",
    );
    assert_eq!(lines(&differences), ["gained POST /health anyone"]);
}

#[test]
fn a_method_that_goes_to_a_route_with_other_settings_is_told() {
    let two = |first: &str, second: &str| {
        let example = include_str!("../../../postern.toml");
        let route = |name: &str, methods: &str, body: &str| {
            format!(
                "[[route]]\nname = \"{name}\"\nmethods = [{methods}]\npath = \"/things/{{thing}}\"\nbody = \"{body}\"\n\
                 origin = \"vouchers\"\nissuer = \"partners\"\nscopes = [\"things\"]\n"
            )
        };
        let text = format!("{example}\n{}{}", route("strict", first, "buffered"), route("loose", second, "streamed"));
        from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
    };
    let (old, new) = (two("\"PATCH\", \"POST\"", "\"PUT\""), two("\"PATCH\"", "\"POST\", \"PUT\""));
    let differences = Differences::between([&old, &new]).unwrap();
    assert_eq!(lines(&differences), Vec::<String>::new());
    let told: Vec<&str> = differences.settings.iter().map(|setting| setting.at.as_str()).collect();
    assert_eq!(told, ["route.loose.methods", "route.strict.methods"]);
}

#[test]
fn a_claim_that_must_be_there_is_not_taken_for_a_value_that_another_rule_names() {
    let partners = "company = \"{company}\"\nscopes = [\"orders/list.orders\"]";
    let with = |rule: &str| {
        let text =
            include_str!("../../../postern.toml").replacen(partners, &format!("{partners}\nrequire.tier = {rule}"), 1);
        from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}"))
    };
    for value in ["yes", "present", "true"] {
        let differences = Differences::between([&with("true"), &with(&format!("\"{value}\""))]).unwrap();
        let expected =
            format!("lost GET,HEAD /companies/{{company}}/orders partners whose claim `tier` is not `{value}`");
        assert_eq!(lines(&differences), [expected]);
    }
}

#[test]
fn sections_that_are_not_the_same_are_listed_with_their_routes() {
    let differences = changed(
        "audience = [\"https://api.ljg-sushi.example\"]",
        "audience = [\"https://api.ljg-sushi.example\", \"b\"]",
    );
    assert_eq!(lines(&differences), Vec::<String>::new());
    let [change] = differences.sections.as_slice() else { panic!("one section") };
    assert_eq!(change.name, "partners");
    assert!(change.routes.contains(&"external-orders-list".to_owned()));
}
