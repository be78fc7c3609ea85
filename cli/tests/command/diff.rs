//! `postern diff`: two policies through the real binary.

use crate::support::{Scratch, example, output, postern};

/// Compares the example with itself after `from` was replaced by `to`, once.
fn diff(from: &str, to: &str, more: &[&str]) -> crate::support::Output {
    assert!(example().contains(from), "the example does not say `{from}`");
    let scratch = Scratch::new();
    scratch.file("old.toml", &example());
    scratch.file("new.toml", &example().replacen(from, to, 1));
    let args = [&["diff", "old.toml", "new.toml"], more].concat();
    output(postern(&args).current_dir(scratch.path()).write_stdin(""))
}

#[test]
fn policies_that_are_the_same_have_no_difference() {
    // Another text of the same policy.
    let told = diff("roles = [\"Manager\", \"Standard\"]", "roles = ['Manager', 'Standard'] # both", &[]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.ends_with("\n0 gained, 0 lost, 0 other changes\n"), "{}", told.out);
    let told =
        diff("roles = [\"Manager\", \"Standard\"]", "roles = ['Manager', 'Standard'] # both", &["--format", "json"]);
    assert_eq!((told.code, &told.json()["differences"]), (0, &0.into()));
}

#[test]
fn a_gain_has_a_request_that_both_policies_decide() {
    let (from, to) = ("company = \"{company}\"\nscopes = [\"orders/list.orders\"]", "company = \"{company}\"");
    let told = diff(from, to, &["--format", "json"]);
    assert_eq!((told.code, told.err.as_str()), (3, ""), "{told:?}");
    let document = told.json();
    let [gain] = document["access"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    assert_eq!(gain["change"], "gained");
    assert_eq!(gain["methods"], serde_json::json!(["GET", "HEAD"]));
    assert_eq!(gain["path"], "/companies/{company}/orders");
    assert_eq!(gain["issuer"], "partners");
    assert_eq!(gain["who"], "callers of `partners` without scope `orders/list.orders`");
    assert_eq!(
        (&gain["old"]["decision"], &gain["old"]["reason"], &gain["old"]["status"]),
        (&"deny".into(), &"scope_missing".into(), &403.into())
    );
    assert_eq!((&gain["new"]["decision"], &gain["new"]["route"]), (&"permit".into(), &"external-orders-list".into()));
    assert_eq!(gain["replayed"], true);
    let witness = &gain["witness"];
    let subject = witness["claims"]["sub"].as_str().unwrap();
    assert_eq!(witness["target"], format!("/companies/{subject}/orders"));
    assert_eq!(witness["claims"]["scope"], serde_json::Value::Null);
    let text = diff(from, to, &[]).out;
    assert!(
        text.contains("\ngained GET, HEAD /companies/{company}/orders by callers of `partners` without scope"),
        "{text}"
    );
    assert!(text.contains("  old: deny by `external-orders-list`: scope_missing\n"), "{text}");
    assert!(text.ends_with("\n1 gained, 0 lost, 0 other changes\n"), "{text}");
}

#[test]
fn who_loses_and_what_else_differs_is_told_apart() {
    let told = diff(
        "permissions_max_age = \"2s\"",
        "permissions_max_age = \"2s\"\nrequire.tier = [\"gold\"]\nheaders.x-tier = \"tier\"",
        &["--format", "json"],
    );
    let document = told.json();
    assert_eq!(told.code, 3);
    assert_eq!(document["access"][0]["change"], "lost");
    assert_eq!(document["access"][0]["new"]["reason"], "condition_unmet");
    let settings: Vec<&str> =
        document["settings"].as_array().unwrap().iter().map(|setting| setting["at"].as_str().unwrap()).collect();
    assert_eq!(settings, ["route.internal-orders-list.headers"]);
    assert_eq!(document["differences"], 2);
}

#[test]
fn a_section_that_accepts_other_clients_is_told_with_its_routes() {
    let told = diff("clients = [\"p4iondtoa9aljeoultesa4nvc\"]", "clients = [\"another\"]", &["--format", "json"]);
    let document = told.json();
    assert_eq!((told.code, &document["access"]), (3, &serde_json::json!([])), "{document:#}");
    let [section] = document["issuers"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    assert_eq!((&section["name"], &section["change"]), (&"users".into(), &"changed".into()));
    assert_eq!(section["members"][0]["at"], "clients");
    assert!(section["routes"].as_array().unwrap().contains(&"vouchers-validate".into()));
}

#[test]
fn a_policy_that_does_not_build_is_told_as_check_tells_it() {
    let told = diff("issuer = \"partners\"", "isuer = \"partners\"", &[]);
    assert_eq!((told.code, told.out.as_str()), (1, ""));
    assert!(told.err.contains("new.toml:") && told.err.contains("write `issuer`"), "{}", told.err);
    let told = output(postern(&["diff", "postern.toml", "nothing-here.toml"]).write_stdin(""));
    assert_eq!(told.code, 2);
    assert!(told.err.contains("nothing-here.toml"));
}

#[test]
fn what_no_request_can_show_is_told_and_said_to_be_so() {
    let scope = "company = \"{company}\"\nscopes = [\"orders/list.orders\"]";
    let rule_about_the_client = format!("{scope}\nrequire.client_id = [\"another\"]");
    let limit = format!("{}\n[limits]\nmax_token_bytes = 60\n\n[[route]]\n", "company = \"{company}\"");
    for (from, to) in [
        (scope, rule_about_the_client.as_str()),
        ("company = \"{company}\"\nscopes = [\"orders/list.orders\"]\n\n[[route]]\n", limit.as_str()),
    ] {
        let told = diff(from, to, &[]);
        assert_eq!((told.code, told.err.as_str()), (3, ""), "{told:?}");
        assert!(told.out.contains("by callers of `partners`"), "{}", told.out);
        if to.contains("limits") {
            assert!(told.out.contains("not replayed: "), "{}", told.out);
        }
    }
}

#[test]
fn no_token_is_ever_shown() {
    for format in ["text", "json"] {
        let told = diff("roles = [\"Manager\"]\n", "", &["--format", format]);
        assert_eq!(told.code, 3, "{told:?}");
        assert!(!told.out.contains("eyJ") && !told.out.contains("Bearer"), "{}", told.out);
    }
}

#[test]
fn a_gain_or_a_loss_comes_with_the_fields_by_which_callers_of_a_worker_choose_a_version() {
    let fields = ["`Cloudflare-Workers-Version-Overrides`", "`Cloudflare-Workers-Version-Key`"];
    let scopes = ("company = \"{company}\"\nscopes = [\"orders/list.orders\"]", "company = \"{company}\"");
    let loss = (scopes.0, "company = \"{company}\"\nscopes = [\"orders/list.orders\"]\nrequire.tier = true");
    let issuer = ("token_use = \"access\"", "token_use = \"access\"\nmax_age = \"1h\"");
    for (from, to) in [scopes, loss, issuer] {
        let told = diff(from, to, &[]);
        assert_eq!(told.code, 3, "{told:?}");
        assert!(told.out.contains("\non Workers: ") && fields.iter().all(|field| told.out.contains(field)), "{told:?}");
        let told = diff(from, to, &["--format", "json"]).json();
        let said = told["gradual_deployment"].as_str().unwrap();
        assert!(fields.iter().all(|field| said.contains(field)), "{said}");
    }
    // Whoever may, may as before: which version decides does not matter to callers.
    let setting = ("permissions_max_age = \"2s\"", "permissions_max_age = \"3s\"");
    for (from, to) in [setting, ("roles = [\"Manager\", \"Standard\"]", "roles = ['Manager', 'Standard']")] {
        let told = diff(from, to, &[]).out;
        assert!(!told.contains("on Workers"), "{told}");
        assert!(diff(from, to, &["--format", "json"]).json()["gradual_deployment"].is_null());
    }
}

#[test]
fn a_parameter_that_becomes_unbound_is_reported_as_looser() {
    // Another parameter is bound in its place, so that callers both gain and lose.
    let scratch = Scratch::new();
    let route = |rules: &str| {
        let tests = example();
        let (policy, _) = tests.split_once("\n[[test]]").unwrap();
        format!(
            "{policy}\n[[route]]\nname = \"customers\"\nmethods = [\"GET\"]\norigin = \"vouchers\"\nissuer = \"users\"\n\
             path = \"/t/{{tenant}}/{{customer}}\"\n{rules}\n"
        )
    };
    scratch.file("tenant.toml", &route("company = \"{tenant}\"\nunbound = [\"customer\"]"));
    scratch.file("customer.toml", &route("company = \"{customer}\"\nunbound = [\"tenant\"]"));
    scratch.file("any.toml", &route("company = \"any\""));
    scratch.file("none.toml", &example());
    let told = |old: &str, new: &str| {
        let text = output(postern(&["diff", old, new]).current_dir(scratch.path()).write_stdin(""));
        let json = output(postern(&["diff", old, new, "--format", "json"]).current_dir(scratch.path()).write_stdin(""));
        assert_eq!((text.code, json.code), (3, 3), "{text:?}");
        (text.out, json.json()["free_parameters"].clone())
    };
    let one = |name: &str, change: &str| serde_json::json!({"route": "customers", "parameter": name, "change": change});
    let (text, free) = told("tenant.toml", "customer.toml");
    assert_eq!(free, serde_json::json!([one("tenant", "looser"), one("customer", "stricter")]));
    assert!(text.contains("  looser: `{tenant}` of route `customers` becomes unbound\n"), "{text}");
    assert!(text.contains("  stricter: `{customer}` of route `customers` is unbound no longer\n"), "{text}");
    assert!(
        text.contains("\ngained GET, HEAD /t/{tenant}/{customer} by callers of `users` without company {tenant}"),
        "{text}"
    );
    assert_eq!(told("tenant.toml", "any.toml").1, serde_json::json!([one("tenant", "looser")]));
    assert_eq!(told("any.toml", "tenant.toml").1, serde_json::json!([one("tenant", "stricter")]));
    // A route that is new says what it leaves free.
    assert_eq!(told("none.toml", "tenant.toml").1, serde_json::json!([one("customer", "looser")]));
    assert_eq!(told("tenant.toml", "none.toml").1, serde_json::json!([]));
}
