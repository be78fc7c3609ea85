//! Requests whose path an origin may take for a stricter route's.
//!
//! The property at the end says the rule of `shared/src/policy/spelling.rs` again, path by path and with no cleverness.

use std::collections::BTreeSet;

use postern::{
    Authorizer, Decision, Policy, Progress, Reason, Request, UnixTime,
    policy::{PolicyFault, from_toml},
    target::{CanonicalTarget, encode_path},
};
use proptest::prelude::*;

use crate::support::{at, policies};

const PUBLIC: &str = "public = true";
const STRICT: &str = "issuer = \"users\"";

/// A policy of these routes, `(methods, path, rules)`, named `r0`, `r1`, …
fn text(routes: &[(&str, &str, &str)]) -> String {
    let mut text = policies::SMALL.split("[[route]]").next().unwrap().to_owned();
    for (index, (methods, path, rules)) in routes.iter().enumerate() {
        let methods: Vec<String> = methods.split(' ').map(|method| format!("\"{method}\"")).collect();
        text += &format!(
            "[[route]]\nname = \"r{index}\"\nmethods = [{}]\npath = \"{path}\"\norigin = \"orders\"\n{rules}\n",
            methods.join(", ")
        );
    }
    // There must be somebody who may call, and no issuer or service without a use.
    text + "[[route]]\nname = \"used\"\nmethods = [\"GET\"]\npath = \"/used/by/{company}/alone/in/a/place/far/away\"\n\
            origin = \"orders\"\nissuer = \"users\"\ncompany = \"{company}\"\n"
}

fn policy(routes: &[(&str, &str, &str)]) -> Policy {
    let text = text(routes);
    from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// The reason to refuse a request without a token; none where it is permitted.
fn reason(policy: &Policy, method: &str, target: &str) -> Option<Reason> {
    let authorizer = Authorizer::new(policy.clone());
    let now: UnixTime = at(0);
    match authorizer.begin(&Request { method, target, headers: &[] }, now) {
        Progress::Decided(Decision::Deny(denial)) => Some(denial.reason()),
        Progress::Decided(Decision::Permit(_)) => None,
        other => panic!("{method} {target}: {other:?}"),
    }
}

#[track_caller]
fn refused(policy: &Policy, method: &str, targets: &[&str]) {
    for target in targets {
        assert_eq!(reason(policy, method, target), Some(Reason::PathAmbiguous), "{method} {target}");
    }
}

#[track_caller]
fn served(policy: &Policy, method: &str, targets: &[&str]) {
    for target in targets {
        assert_eq!(reason(policy, method, target), None, "{method} {target}");
    }
}

#[test]
fn each_spelling_of_a_stricter_routes_path_is_refused() {
    let policy = policy(&[("GET", "/{*rest}", PUBLIC), ("GET", "/admin/users", STRICT)]);
    assert_eq!(reason(&policy, "GET", "/admin/users"), Some(Reason::CredentialMissing));
    refused(
        &policy,
        "GET",
        &[
            // Alone.
            "/Admin/users",
            "/admin/USERS",
            "/admin/u%C5%BFers",
            "/admin/users/",
            "/admin/users%20",
            "/admin/users%20%20",
            "/admin/users.json",
            // In any combination.
            "/ADMIN/Users/",
            "/admin/USERS%20",
            "/admin/Users.JSON",
            "/admin/users.json/",
            "/admin/users%20/",
            "/admin/users/%20",
            "/admin/users/.json",
            "/admin/users.json%20",
            "/admin/users%20.json",
            "/admin/Users.json%20/",
            "/admin/Users%20.json%20/",
            "/Admin/users/%20/.json%20/",
        ],
    );
    served(
        &policy,
        "GET",
        &[
            "/",
            "/admin",
            "/admin/user",
            "/admin/users2",
            "/admin/users/x",
            "/admin/users.json.gz",
            "/admin%20/users",
            "/admin.json/users",
            "/admin/%20users",
            "/x/admin/users",
        ],
    );
}

#[test]
fn letters_fold_as_unicode_folds_them() {
    let policy = policy(&[("GET", "/{*rest}", PUBLIC), ("GET", "/%C3%A9t%C3%A9/stra%C3%9Fe/k", STRICT)]);
    refused(&policy, "GET", &["/%C3%89T%C3%89/stra%C3%9Fe/k", "/%C3%A9t%C3%A9/STRA%E1%BA%9Ee/%E2%84%AA"]);
    served(&policy, "GET", &["/ete/stra%C3%9Fe/k", "/%C3%A9t%C3%A9/strasse/k"]);
}

#[test]
fn a_spelling_counts_for_any_method_and_is_refused_for_any() {
    let policy = policy(&[("GET POST", "/{*rest}", PUBLIC), ("DELETE", "/admin", STRICT)]);
    for method in ["GET", "HEAD", "POST"] {
        refused(&policy, method, &["/Admin", "/admin/"]);
        // The overlap itself is a matter of specificity, as it was.
        served(&policy, method, &["/admin"]);
    }
    assert_eq!(reason(&policy, "PUT", "/Admin"), Some(Reason::MethodNotAllowed));
}

#[test]
fn a_folder_is_protected_with_and_without_its_slash() {
    let policy = policy(&[("GET", "/app/{*rest}", PUBLIC), ("GET", "/app/admin/{*rest}", STRICT)]);
    for path in ["/app/admin/", "/app/admin/x", "/app/admin/x/"] {
        assert_eq!(reason(&policy, "GET", path), Some(Reason::CredentialMissing), "{path}");
    }
    refused(
        &policy,
        "GET",
        &["/app/admin", "/app/Admin", "/app/Admin/", "/app/ADMIN/x/y", "/app/admin.php", "/app/admin%20"],
    );
    served(&policy, "GET", &["/app/", "/app/a", "/app/administrator", "/app/admin.d/x"]);
}

#[test]
fn a_templates_own_ending_may_be_left_out_but_not_be_another() {
    let policy = policy(&[
        ("GET", "/{*rest}", PUBLIC),
        ("GET", "/admin.html", STRICT),
        ("GET", "/space%20", STRICT),
        ("GET", "/slash/", STRICT),
        ("GET", "/.well-known", STRICT),
    ]);
    refused(
        &policy,
        "GET",
        &["/admin", "/Admin/", "/admin.html.gz", "/space", "/space.x", "/slash", "/slash%20", "/.well-known/"],
    );
    served(&policy, "GET", &["/admin.css", "/", "/well-known", "/.env"]);
}

#[test]
fn the_root_is_protected_too() {
    let policy = policy(&[("GET", "/{*rest}", PUBLIC), ("GET", "/", STRICT)]);
    refused(&policy, "GET", &["/%20", "/.php", "/%20/"]);
    served(&policy, "GET", &["/index.php", "/a"]);
}

#[test]
fn a_thing_that_is_nothing_but_a_space_or_an_extension_may_be_the_list_of_things() {
    let policy = policy(&[("GET", "/things/{thing}", PUBLIC), ("GET", "/things", STRICT)]);
    refused(
        &policy,
        "GET",
        &["/things/%20", "/things/%20%20", "/things/.json", "/things/%20.json", "/things/.json%20"],
    );
    served(&policy, "GET", &["/things/1", "/things/1.json", "/things/a%20", "/things/.a.b", "/things/%20a"]);
}

#[test]
fn a_path_that_the_stricter_route_has_itself_is_decided_by_specificity() {
    let policy = policy(&[("GET", "/{*rest}", STRICT), ("GET", "/health", PUBLIC), ("GET", "/open/{*rest}", PUBLIC)]);
    served(&policy, "GET", &["/health", "/open/", "/open/x", "/open/X.json/"]);
    assert_eq!(reason(&policy, "GET", "/Health"), Some(Reason::CredentialMissing));
}

#[test]
fn an_origin_that_folds_nothing_is_sent_every_spelling() {
    let routes = [("GET", "/{*rest}", PUBLIC), ("GET", "/admin", STRICT)];
    let with = |paths: &str| text(&routes).replace("key = \"KEY_ORDERS\"", &format!("key = \"KEY_ORDERS\"\n{paths}"));
    served(&from_toml(&with("paths = \"exact\""), None).unwrap(), "GET", &["/Admin", "/admin/"]);
    refused(&from_toml(&with("paths = \"folded\""), None).unwrap(), "GET", &["/Admin", "/admin/"]);
    let errors = from_toml(&with("paths = \"Exact\""), None).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("{errors}") };
    assert_eq!(
        (error.pointer.as_str(), &error.fault),
        ("origin.orders.paths", &PolicyFault::OriginPaths("Exact".into()))
    );
}

#[test]
fn a_policy_that_was_embedded_refuses_the_same_and_says_nothing_of_what_it_accepts() {
    let rules = format!("{STRICT}\nallow = {{ any_caller = \"a reason\" }}");
    let policy = policy(&[("GET", "/{*rest}", PUBLIC), ("GET", "/admin", &rules)]);
    assert!(!policy.to_json().contains("allow") && !policy.to_json().contains("a reason"));
    refused(&Policy::from_json(policy.to_json()).unwrap(), "GET", &["/Admin"]);
}

#[test]
fn a_shadow_route_is_nobodys_rival() {
    let policy = policy(&[("GET", "/{*rest}", PUBLIC), ("GET", "/admin", &format!("{STRICT}\nshadow = true"))]);
    served(&policy, "GET", &["/admin", "/Admin"]);
}

/// Whether a request of the looser-looking `own` is refused for the sake of `other`, in a policy with both.
fn is_refused(own: &str, other: &str) -> bool {
    let head =
        "roles = [\"r\", \"s\"]\n[permissions]\norigin = \"o\"\n[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n";
    let issuer = |name: &str, url: &str, permissions: &str| {
        format!(
            "[issuer.{name}]\nurl = \"https://{url}.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"{name}\"]\n\
             token_use = \"access\"\npermissions = \"{permissions}\"\n"
        )
    };
    let issuers = [issuer("a", "a", "service"), issuer("b", "b", "service"), issuer("twin", "a", "service")].concat();
    let route = |name: &str, path: &str, rules: &str| {
        format!("[[route]]\nname = \"{name}\"\nmethods = [\"POST\"]\npath = \"{path}\"\norigin = \"o\"\n{rules}\n")
    };
    let used = "issuer = [\"a\", \"b\", \"twin\"]\ncompany = { header = \"x-c\" }";
    let text = [
        head,
        &issuers,
        &route("own", "/x/{c}/{u}/", own),
        &route("other", "/x/{c}/{u}", other),
        &route("used", "/used", used),
    ]
    .concat();
    let policy = from_toml(&text, None).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let own = policy.routes().iter().find(|route| route.name() == "own").unwrap();
    policy.is_ambiguous(own, &CanonicalTarget::parse("/x/1/2/").unwrap())
}

#[test]
fn only_a_route_that_lets_in_everyone_of_the_requests_own_may_be_meant() {
    let a = "issuer = \"a\"";
    let with = |rules: &str| format!("{a}\n{rules}");
    let company = "company = \"{c}\"";
    for (own, other, is_stricter) in [
        (PUBLIC.to_owned(), PUBLIC.to_owned(), false),
        (a.to_owned(), PUBLIC.to_owned(), false),
        (PUBLIC.to_owned(), a.to_owned(), true),
        (a.to_owned(), a.to_owned(), false),
        (a.to_owned(), "issuer = \"b\"".to_owned(), true),
        (a.to_owned(), "issuer = [\"a\", \"b\"]".to_owned(), false),
        ("issuer = [\"a\", \"b\"]".to_owned(), a.to_owned(), true),
        // A token that both sections of one URL take is refused for it.
        (a.to_owned(), "issuer = [\"a\", \"twin\"]".to_owned(), true),
        (with("subject = \"{u}\""), with("subject = \"{u}\""), false),
        (a.to_owned(), with("subject = \"{u}\""), true),
        (with("subject = \"{u}\""), a.to_owned(), false),
        (with("subject = \"{c}\""), with("subject = \"{u}\""), true),
        (with(company), with(company), false),
        (a.to_owned(), with(company), true),
        (with(company), with("company = \"any\""), false),
        (with("company = \"{u}\""), with(company), true),
        (with("company = { header = \"x-c\" }"), with(company), true),
        (with("company = { header = \"x-c\" }"), with("company = { header = \"x-c\" }"), false),
        (with("company = { header = \"x-c\" }"), with("company = { header = \"x-d\" }"), true),
        (with(&format!("{company}\nroles = [\"r\"]")), with(&format!("{company}\nroles = [\"r\", \"s\"]")), false),
        (with(&format!("{company}\nroles = [\"r\", \"s\"]")), with(&format!("{company}\nroles = [\"r\"]")), true),
        (with(company), with(&format!("{company}\nroles = [\"r\"]")), true),
        (with(&format!("{company}\nroles = [\"r\"]")), with(company), false),
        (with("scopes = [\"p\", \"q\"]"), with("scopes = [\"p\"]"), false),
        (with("scopes = [\"p\"]"), with("scopes = [\"p\", \"q\"]"), true),
        (with("scopes = { any_of = [\"p\"] }"), with("scopes = { any_of = [\"p\", \"q\"] }"), false),
        (with("require.tier = \"gold\""), with("require.tier = [\"gold\", \"tin\"]"), false),
        (with("require.tier = true"), with("require.tier = \"gold\""), true),
        (with("require.tier = \"false\""), with("require.tier = true"), true),
        (a.to_owned(), with("require.tier = true"), true),
        (with("body = \"buffered\""), with("body = \"streamed\""), false),
        (a.to_owned(), with("body = \"declared\""), true),
        (with("body = \"declared\""), with("body = \"declared\""), false),
        (PUBLIC.to_owned(), format!("{PUBLIC}\nbody = \"declared\""), true),
        (
            with(&format!("{company}\npermissions_max_age = \"30s\"")),
            with(&format!("{company}\npermissions_max_age = \"10s\"")),
            true,
        ),
        (
            with(&format!("{company}\npermissions_max_age = \"10s\"")),
            with(&format!("{company}\npermissions_max_age = \"30s\"")),
            false,
        ),
        (
            with(&format!("{company}\npermissions_max_age = \"10s\"\npermissions_stale_if_error = \"60s\"")),
            with(&format!("{company}\npermissions_max_age = \"30s\"\npermissions_stale_if_error = \"10s\"")),
            true,
        ),
    ] {
        assert_eq!(is_refused(&own, &other), is_stricter, "{own} / {other}");
    }
}

/// What the documents say, on texts of decoded paths.
mod naive {
    use super::*;

    /// The path and all that is left of it, each with whether an extension was left out.
    fn left(path: &str) -> BTreeSet<(String, bool)> {
        let mut found = BTreeSet::from([(path.to_lowercase(), false)]);
        loop {
            let mut more = found.clone();
            for (text, is_stem) in &found {
                let mut add = |text: &str, is_stem| {
                    more.insert((format!("/{}", text.trim_start_matches('/')), is_stem));
                };
                if let Some(short) = text.strip_suffix('/') {
                    add(short, *is_stem);
                }
                if let Some(short) = text.strip_suffix(' ') {
                    add(short, *is_stem);
                }
                if let (false, Some((stem, extension))) = (*is_stem, text.rsplit_once('.'))
                    && !extension.contains('/')
                {
                    add(stem, true);
                }
            }
            if more == found {
                return found;
            }
            found = more;
        }
    }

    /// The template with its letter case folded, and what is left of it if it ends in a literal.
    fn forms(template: &str) -> BTreeSet<(String, bool)> {
        let plain = template.replace("%20", " ").to_lowercase();
        let last = plain.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let mut forms = BTreeSet::from([(plain.clone(), false)]);
        if !last.is_empty() && !last.starts_with('{') {
            let depth = |text: &str| text.trim_end_matches('/').matches('/').count();
            let is_named = |text: &str| !text.trim_end_matches('/').ends_with([' ']) && depth(text) == depth(&plain);
            forms.extend(left(&plain).into_iter().filter(|(text, _)| is_named(text)));
        }
        forms
    }

    fn matches(template: &str, path: &str) -> bool {
        let (mut own, mut asked) = (template.split('/').skip(1), path.split('/').skip(1));
        for part in own.by_ref() {
            let Some(segment) = asked.next() else { return false };
            if part.starts_with("{*") {
                return true;
            }
            let fits = if part.starts_with('{') { !segment.is_empty() } else { part == segment };
            if !fits {
                return false;
            }
        }
        asked.next().is_none()
    }

    pub(super) fn is_spelling(path: &str, template: &str) -> bool {
        if matches(&template.replace("%20", " "), path) {
            return false;
        }
        let slash = |text: &str| format!("{}/", text.trim_end_matches('/'));
        let forms = forms(template);
        left(path).iter().any(|(text, is_stem)| {
            let closed = |form: &str| if form.ends_with("{*rest}") { form.to_owned() } else { slash(form) };
            forms
                .iter()
                .any(|(form, form_is_stem)| !(*is_stem && *form_is_stem) && matches(&closed(form), &slash(text)))
        })
    }

    pub(super) fn has(template: &str, path: &str) -> bool {
        matches(&template.replace("%20", " "), path)
    }
}

fn template() -> impl Strategy<Value = String> {
    let part = || proptest::sample::select(vec!["a", "A", "b", "{x}", "{y}", "a.x", "b%20", ".x"]);
    let last = proptest::sample::select(vec!["a", "B", "", "{z}", "{*rest}", "a.x", "a%20", ".x", "{*rest}"]);
    (proptest::collection::vec(part(), 0..3), last).prop_map(|(parts, last)| {
        let parts: BTreeSet<(usize, &str)> = parts.into_iter().enumerate().collect();
        let named = |(index, part): (usize, &str)| {
            format!("/{}", part.replace(['x', 'y'], &format!("x{index}")).replace(".x0", ".x").replace(".x1", ".x"))
        };
        parts.into_iter().map(named).collect::<String>() + "/" + last
    })
}

fn asked() -> impl Strategy<Value = String> {
    let part =
        || proptest::sample::select(vec!["a", "A", "b", "B", "c", "a.x", "a.y", "a ", " ", ".x", "b .x ", "A.X.y"]);
    (proptest::collection::vec(part(), 0..4), proptest::bool::ANY).prop_map(|(parts, slash)| {
        let slash = if slash || parts.is_empty() { "/" } else { "" };
        parts.iter().map(|part| format!("/{part}")).collect::<String>() + slash
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_refused_if_and_only_if_it_is_a_spelling_of_a_stricter_routes_path(
        templates in proptest::collection::vec((template(), proptest::bool::ANY), 1..5),
        paths in proptest::collection::vec(asked(), 60),
    ) {
        // Each route has a method of its own, so that none needs an order; each is asked about by its own.
        let methods: Vec<String> = (0..templates.len()).map(|index| format!("M{}", "A".repeat(index))).collect();
        let routes: Vec<(&str, &str, &str)> = templates
            .iter()
            .zip(&methods)
            .map(|((template, is_public), method)| (method.as_str(), template.as_str(), if *is_public { PUBLIC } else { STRICT }))
            .collect();
        let policy = policy(&routes);
        for path in paths {
            let target = encode_path(&path).unwrap();
            for (index, (template, is_public)) in templates.iter().enumerate() {
                if !naive::has(template, &path) {
                    continue;
                }
                let expected = *is_public
                    && templates.iter().any(|(other, is_open)| !is_open && naive::is_spelling(&path, other));
                let found = match reason(&policy, &methods[index], &target) {
                    Some(Reason::PathAmbiguous) => true,
                    None | Some(Reason::CredentialMissing) => false,
                    other => panic!("{other:?}"),
                };
                prop_assert_eq!(found, expected, "{:?} of {:?} in {:?}", path, template, templates);
            }
        }
    }
}
