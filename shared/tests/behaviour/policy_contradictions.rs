//! Rules that take something back from one another, definitions that nothing uses, routes that nothing reaches: none of
//! them builds, and each is told at its place.

use postern::policy::{PolicyErrors, PolicyFault, from_toml};

use crate::support::policies::{EXAMPLE, SMALL};

fn altered(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "the policy does not say `{from}`");
    SMALL.replace(from, to)
}

/// The smallest policy, its route with these members more.
fn with(members: &str) -> String {
    format!("{SMALL}{members}\n")
}

fn route(name: &str, methods: &str, path: &str, more: &str) -> String {
    format!(
        "[[route]]\nname = \"{name}\"\nmethods = [{methods}]\npath = \"{path}\"\norigin = \"orders\"\nissuer = \"users\"\n{more}\n"
    )
}

fn errors(text: &str) -> PolicyErrors {
    from_toml(text, None).expect_err("the policy was accepted")
}

/// The text has this one fault, at this pointer, shown at this source.
#[track_caller]
fn one(text: &str, pointer: &str, fault: PolicyFault, source: &str) {
    let errors = errors(text);
    let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, &fault), "{text}");
    let span = error.span.clone().unwrap_or_else(|| panic!("`{pointer}` has no span"));
    assert!(text[span.clone()].starts_with(source), "`{pointer}` is shown at `{}`", &text[span]);
    assert!(!fault.mend().is_empty() && fault.shows_source());
}

#[track_caller]
fn accepted(text: &str) {
    from_toml(text, None).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
}

#[test]
fn a_company_in_the_path_is_bound_by_that_parameter_and_by_nothing_else() {
    for rule in ["company = \"{shop}\"", "company = { header = \"x-company\" }", "company = { query = \"company\" }"] {
        let text = altered("/companies/{company}/orders", "/{shop}/companies/{company}")
            .replace("company = \"{company}\"", rule);
        one(&text, "route[0]", PolicyFault::UnboundCompany("company".into(), true), "[[route]]");
    }
    let machines = altered("permissions = \"service\"", "permissions = \"subject\"")
        .replace("[permissions]\norigin = \"orders\"\n", "");
    let text = machines.replace("company = \"{company}\"", "company = \"subject\"");
    one(&text, "route[0]", PolicyFault::UnboundCompany("company".into(), true), "[[route]]");
    accepted(&text.replace("/companies/{company}/orders", "/orders"));
    accepted(&machines.replace("company = \"{company}\"", "company = \"subject\"\nsubject = \"{company}\""));
}

#[test]
fn a_parameter_that_names_the_caller_is_bound_or_freed_outright() {
    for name in ["user", "subject"] {
        let text = altered("/{company}/orders", &format!("/{{company}}/{{{name}}}"));
        one(&text, "route[0]", PolicyFault::UnboundSubject(name.into(), true), "[[route]]");
        accepted(&format!("{text}subject = \"{{{name}}}\"\n"));
        accepted(&format!("{text}subject = \"any\"\n"));
    }
    // Of what has other names, the origin knows whose it is.
    accepted(&altered("/{company}/orders", "/{company}/orders/{order}"));
    accepted(&with(
        "[[route]]\nname = \"open\"\nmethods = [\"GET\"]\npath = \"/{user}\"\norigin = \"orders\"\npublic = true",
    ));
}

#[test]
fn a_rule_cannot_bind_several_segments_nor_one_segment_twice() {
    let rest = altered("/{company}/orders", "/{company}/orders/{*path}");
    accepted(&rest);
    one(
        &format!("{rest}subject = \"{{path}}\"\n"),
        "route[0].subject",
        PolicyFault::RestBound("path".into()),
        "\"{path}\"",
    );
    let text = altered("/companies/{company}/orders", "/companies/{*company}");
    one(&text, "route[0].company", PolicyFault::RestBound("company".into()), "\"{company}\"");
    let text = with("subject = \"{company}\"");
    one(&text, "route[0].subject", PolicyFault::SameParameter("company".into()), "\"{company}\"");
}

#[test]
fn a_rest_that_is_named_like_a_company_or_a_caller_promises_as_much() {
    let path = |rest: &str, rules: &str| route("rest", "\"GET\"", &format!("/rest/{{*{rest}}}"), rules);
    for (rest, fault, rule) in [
        ("company", PolicyFault::UnboundCompany("company".into(), false), "company = \"any\""),
        ("user", PolicyFault::UnboundSubject("user".into(), false), "subject = \"any\""),
        ("subject", PolicyFault::UnboundSubject("subject".into(), false), "subject = \"any\""),
    ] {
        one(&with(&path(rest, "")), "route[1]", fault, "[[route]]");
        accepted(&with(&path(rest, rule)));
    }
}

#[test]
fn scopes_that_no_token_can_have_or_that_say_nothing_are_faults() {
    let scope = |scope: &str| PolicyFault::Scope(scope.into());
    for (rule, pointer, fault, source) in [
        ("scopes = [\"a\", \"b c\"]", "scopes[1]", scope("b c"), "\"b c\""),
        ("scopes = [\"\"]", "scopes[0]", scope(""), "\"\""),
        ("scopes = [\"a\\\"\"]", "scopes[0]", scope("a\""), "\"a"),
        ("scopes = { any_of = [\"é\"] }", "scopes.any_of[0]", scope("é"), "\"é\""),
        ("scopes = { all_of = [\"a\\\\\"] }", "scopes.all_of[0]", scope("a\\"), "\"a"),
        ("scopes = {}", "scopes", PolicyFault::Empty("scope"), "{}"),
        ("scopes = { all_of = [], any_of = [] }", "scopes", PolicyFault::Empty("scope"), "{"),
        (
            "scopes = { all_of = [\"a\"], any_of = [\"b\", \"a\"] }",
            "scopes.any_of[1]",
            PolicyFault::ScopeAskedTwice("a".into()),
            "\"a\"",
        ),
        ("scopes = [\"a\", \"a\"]", "scopes[1]", PolicyFault::Repeated("scope", "a".into()), "\"a\""),
        (
            "scopes = { any_of = [\"a\", \"b\", \"a\"] }",
            "scopes.any_of[2]",
            PolicyFault::Repeated("scope", "a".into()),
            "\"a\"",
        ),
    ] {
        one(&with(rule), &format!("route[0].{pointer}"), fault, source);
    }
    accepted(&with("scopes = { all_of = [\"a\"], any_of = [\"b\", \"c\"] }"));
    accepted(&with("scopes = [\"https://api.example/orders.read\", \"orders/list.orders\", \"a:b\"]"));
}

#[test]
fn what_stands_in_a_list_twice_is_a_fault() {
    let repeated = |kind, name: &str| PolicyFault::Repeated(kind, name.into());
    one(&altered("[\"GET\"]", "[\"GET\", \"GET\"]"), "route[0].methods[1]", repeated("method", "GET"), "\"GET\"");
    one(&with("roles = [\"Manager\", \"Manager\"]"), "route[0].roles[1]", repeated("role", "Manager"), "\"Manager\"");
    let twice = altered("issuer = \"users\"", "issuer = [\"users\", \"users\"]");
    one(&twice, "route[0].issuer[1]", repeated("issuer", "users"), "\"users\"");
}

#[test]
fn a_field_that_names_the_company_is_never_one_that_this_edge_makes() {
    let by_header = altered("company = \"{company}\"", "company = { header = \"x-company\" }")
        .replace("/companies/{company}/orders", "/orders");
    accepted(&format!("{by_header}headers.x-org = \"org\"\n"));
    let fault = PolicyFault::FieldIsHanded("x-company".into());
    one(&format!("{by_header}headers.x-company = \"org\"\n"), "route[0].company", fault.clone(), "{ header");
    let other = route("other", "\"GET\"", "/other", "headers.x-company = \"org\"");
    one(&format!("{by_header}{other}"), "route[0].company", fault, "{ header");
}

#[test]
fn what_is_defined_and_used_by_nothing_is_a_fault() {
    let unused = |kind, name: &str| PolicyFault::Unused(kind, name.into());
    let issuer = "[issuer.others]\nurl = \"https://others.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
                  token_use = \"access\"\npermissions = \"service\"\n";
    one(&with(issuer), "issuer.others", unused("issuer", "others"), "[issuer.others]");
    let origin = "[origin.others]\nurl = \"https://others.example\"\nkey = \"OTHERS\"\n";
    one(&with(origin), "origin.others", unused("origin", "others"), "[origin.others]");
    // One that serves permissions alone is used.
    accepted(&with(origin).replace("[permissions]\norigin = \"orders\"", "[permissions]\norigin = \"others\""));
    let claims = altered("permissions = \"service\"", "permissions = \"claims\"");
    one(&claims, "permissions", PolicyFault::PermissionsUnused, "[permissions]");
    // A route that is only tried uses what it names.
    let shadow = route("tried", "\"GET\"", "/tried", "shadow = true").replace("\"users\"", "\"others\"");
    accepted(&with(&format!("{issuer}{shadow}")));
    // The vocabulary of roles may hold what only records hold.
    accepted(&altered("roles = [\"Manager\"]", "roles = [\"Manager\", \"Standard\"]"));
}

#[test]
fn a_name_that_is_misspelt_where_it_is_used_is_told_once() {
    for text in [
        altered("issuer = \"users\"", "issuer = \"user\""),
        altered("issuer = \"users\"", "isuer = \"users\""),
        altered("issuer = \"users\"", "whose = \"users\""),
        altered("permissions = \"service\"", "permissions = \"servce\""),
        altered("permissions = \"service\"", "permisions = \"service\""),
    ] {
        assert_eq!(errors(&text).0.len(), 1, "{}", errors(&text));
    }
}

#[test]
fn a_default_that_no_route_takes_is_a_fault() {
    for (default, member) in [
        ("origin = \"orders\"", "origin"),
        ("issuer = \"users\"", "issuer"),
        ("permissions_max_age = \"5s\"", "permissions_max_age"),
        ("permissions_stale_if_error = \"5s\"", "permissions_stale_if_error"),
        ("body = \"declared\"", "body"),
    ] {
        let text = with(&format!(
            "permissions_max_age = \"5s\"\npermissions_stale_if_error = \"5s\"\nbody = \"streamed\"\n[defaults]\n{default}"
        ));
        one(&text, &format!("defaults.{member}"), PolicyFault::Unused("default", member.into()), "\"");
        let one_takes_it: String = text
            .lines()
            .enumerate()
            .filter(|(index, line)| {
                let is_of_the_route = *index > 18 && !text.lines().take(*index).any(|line| line == "[defaults]");
                !(is_of_the_route && line.starts_with(&format!("{member} = ")))
            })
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        accepted(&one_takes_it);
    }
}

#[test]
fn a_route_that_more_specific_ones_leave_nothing_to_is_a_fault() {
    let all = |more: &[(&str, &str)]| {
        let routes: String = more
            .iter()
            .enumerate()
            .map(|(index, (methods, path))| route(&format!("r{index}"), methods, path, ""))
            .collect();
        with(&routes)
    };
    // Together they are all that the rest has: nothing, one segment, one and a slash and more.
    let text =
        all(&[("\"GET\"", "/f/{*rest}"), ("\"GET\"", "/f/{a}"), ("\"GET\"", "/f/"), ("\"GET\"", "/f/{a}/{*rest}")]);
    one(&text, "route[1].path", PolicyFault::NeverDecides("/f/{*rest}".into()), "\"/f/{*rest}\"");
    for without in 1..4 {
        let routes =
            [("\"GET\"", "/f/{*rest}"), ("\"GET\"", "/f/{a}"), ("\"GET\"", "/f/"), ("\"GET\"", "/f/{a}/{*rest}")];
        let kept: Vec<(&str, &str)> =
            routes.into_iter().enumerate().filter(|(index, _)| *index != without).map(|(_, route)| route).collect();
        accepted(&all(&kept));
    }
    // Of two methods one is left.
    let text = all(&[
        ("\"GET\", \"PUT\"", "/f/{*rest}"),
        ("\"GET\"", "/f/{a}"),
        ("\"GET\"", "/f/"),
        ("\"GET\"", "/f/{a}/{*rest}"),
    ]);
    one(&text, "route[1].methods[0]", PolicyFault::NeverDecides("GET".into()), "\"GET\"");
    // GET answers HEAD too, so that nothing is left of it.
    let text =
        all(&[("\"HEAD\"", "/f/{*rest}"), ("\"GET\"", "/f/{a}"), ("\"GET\"", "/f/"), ("\"GET\"", "/f/{a}/{*rest}")]);
    one(&text, "route[1].path", PolicyFault::NeverDecides("/f/{*rest}".into()), "\"/f/{*rest}\"");
    // A route that is only tried takes nothing from one that decides.
    accepted(&with(&route(
        "tried",
        "\"GET\"",
        "/companies/{company}/orders",
        "company = \"{company}\"\nshadow = true",
    )));
}

#[test]
fn a_path_that_no_target_has_room_for_is_a_fault() {
    let limited = |path: &str| {
        altered("/{company}/orders", &format!("/{{company}}/{path}")) + "[limits]\nmax_target_bytes = 40\n"
    };
    // `/companies/x/` are 13.
    accepted(&limited(&"a".repeat(27)));
    one(&limited(&"a".repeat(28)), "route[0].path", PolicyFault::PathTooLong(40), "\"/companies");
    let deep = altered("/{company}/orders", &format!("/{{company}}{}", "/a".repeat(64)));
    assert!(matches!(errors(&deep).0[0].fault, PolicyFault::Path(_)));
}

#[test]
fn routes_that_cross_each_other_without_end_are_a_fault_and_not_the_end_of_a_build() {
    let crossing: String = (0..40)
        .map(|own| {
            let path: String =
                (0..40).map(|at| if at == own { "/a".to_owned() } else { format!("/{{x{at}}}") }).collect();
            route(&format!("r{own}"), &format!("\"M{}\"", "A".repeat(own + 1)), &path, "")
        })
        .collect();
    let errors = errors(&with(&crossing));
    assert!(
        matches!(errors.0.as_slice(), [error] if matches!(error.fault, PolicyFault::RoutesTooEntangled(_))),
        "{errors}"
    );
}

#[test]
fn subjects_are_not_hashed_with_a_key_that_an_origin_holds() {
    let text = with("[log]\nsubject_key = \"KEY_ORDERS\"");
    one(&text, "log.subject_key", PolicyFault::SubjectKeyShared("orders".into()), "\"KEY_ORDERS\"");
    accepted(&with("[log]\nsubject_key = \"KEY_SUBJECTS\""));
}

#[test]
fn the_example_has_none_of_this() {
    accepted(EXAMPLE);
}
