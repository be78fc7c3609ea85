//! `postern check`: faults and warnings, for people and for programs.

use crate::support::{Output, Scratch, example, example_with, run};

fn check(text: &str, more: &[&str]) -> Output {
    let scratch = Scratch::new();
    let file = scratch.file("policy.toml", text);
    run(&[&["check", &file], more].concat())
}

#[test]
fn the_example_policy_builds() {
    let told = run(&["check"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.starts_with("postern.toml: builds (8 routes, 2 issuers, 4 origins, version "), "{told:?}");
    let told = run(&["check", "--format", "json"]).json();
    assert_eq!((&told["builds"], &told["development"]), (&true.into(), &false.into()), "{told}");
    assert_eq!(told["faults"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_fault_is_told_with_line_column_excerpt_and_mend() {
    let text = example_with("issuer = \"partners\"", "issuer = \"partner\"");
    let line = 1 + text.lines().position(|line| line == "issuer = \"partner\"").unwrap();
    let told = check(&text, &[]);
    assert_eq!((told.code, told.out.as_str()), (1, ""));
    for part in [
        "error[unknown_name]: no issuer is named `partner`\n",
        &format!("policy.toml:{line}:10\n"),
        &format!("{line} | issuer = \"partner\"\n"),
        "|          ^^^^^^^^^ route[0].issuer\n",
        "= help: write `partners`, or define the issuer\n",
    ] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
    }
    assert!(told.err.ends_with("policy.toml: 1 fault\n"), "{told:?}");
    let told = check(&text, &["--format", "json"]).json();
    let fault = &told["faults"][0];
    assert_eq!(
        (&fault["line"], &fault["column"], &fault["end_line"], &fault["end_column"]),
        (&line.into(), &10.into(), &line.into(), &19.into())
    );
    assert_eq!(fault["pointer"], "route[0].issuer");
    assert_eq!(fault["mend"], "write `partners`, or define the issuer");
    assert!(fault["file"].as_str().is_some_and(|file| file.ends_with("policy.toml")));
}

#[test]
fn bad_issuers_are_told_with_line_and_mend() {
    for (from, to, line, fault, mend) in [
        (
            "https://auth.partners",
            "http://auth.partners",
            "url = \"http://auth.partners.ljg-sushi.example\"",
            "`http://auth.partners.ljg-sushi.example` is not a URL that may stand here",
            "write an `https://` URL",
        ),
        (
            "\"ES256\"",
            "\"HS256\"",
            "algorithms = [\"RS256\", \"HS256\", \"EdDSA\"]",
            "`HS256` is not a signature algorithm for issuers",
            "use what the issuer signs with, of RS256, RS384, RS512, PS256",
        ),
        (
            "audience = [\"https://api.ljg-sushi.example\"]\n",
            "",
            "[issuer.partners]",
            "the issuer says neither for whom (`audience`) nor by which client (`clients`) its tokens are",
            "add `audience = [",
        ),
    ] {
        let told = check(&example_with(from, to), &[]);
        assert_eq!(told.code, 1, "{told:?}");
        for part in [fault, &format!(" | {line}\n"), &format!("= help: {mend}")] {
            assert!(told.err.contains(part), "{part}: {}", told.err);
        }
    }
}

#[test]
fn an_overlays_faults_are_shown_in_the_overlay() {
    let scratch = Scratch::new();
    let policy = scratch.file("policy.toml", &example());
    let overlay = scratch.file("overlay.toml", "# local\n[issuer.user]\nurl = \"http://127.0.0.1:1\"\n");
    let told = run(&["check", &policy, "--overlay", &overlay]);
    assert_eq!(told.code, 1);
    assert!(told.err.contains("overlay.toml:2:"), "{}", told.err);
    assert!(told.err.contains("2 | [issuer.user]"), "{}", told.err);
    let told = run(&["check", &policy, "--overlay", &overlay, "--format", "json"]).json();
    assert!(told["faults"][0]["file"].as_str().is_some_and(|file| file.ends_with("overlay.toml")), "{told}");
}

#[test]
fn a_secret_in_the_file_is_a_fault_that_is_not_shown() {
    // The pattern of an access key, of no account: it is what documentation uses.
    let secret = ["AKIA", "IOSFODNN7EXAMPLE"].concat();
    let text = example_with("key = \"POSTERN_KEY_VOUCHERS\"", &format!("key = \"{secret}\""));
    for format in ["text", "json"] {
        let told = check(&text, &["--format", format]);
        assert_eq!(told.code, 1);
        let all = format!("{}{}", told.out, told.err);
        assert!(!all.contains(&secret) && !all.contains("IOSFODNN7"), "{all}");
        assert!(all.contains("stands in the policy"), "{all}");
    }
}

/// The example with a route after its others.
fn with_route(route: &str) -> String {
    let text = example();
    let (rules, tests) = text.split_once("\n[[test]]").unwrap();
    format!("{rules}\n[[route]]\nmethods = [\"GET\"]\norigin = \"vouchers\"\n{route}\n\n[[test]]{tests}")
}

#[test]
fn what_wants_a_second_look_is_a_warning() {
    for (code, at, text) in [
        (
            "any_company",
            "\"any\"",
            with_route(
                "name = \"n\"\npath = \"/a/{company}\"\nissuer = \"users\"\nscopes = [\"s\"]\ncompany = \"any\"",
            ),
        ),
        (
            "unbound_user",
            "\"/a/{user}\"",
            with_route("name = \"n\"\npath = \"/a/{user}\"\nissuer = \"users\"\nscopes = [\"s\"]\nsubject = \"any\""),
        ),
        (
            "several_issuers",
            "\"{user}\"",
            with_route(
                "name = \"n\"\npath = \"/a/{user}\"\nissuer = [\"partners\", \"users\"]\nscopes = [\"s\"]\nsubject = \"{user}\"",
            ),
        ),
        ("any_caller", "\"users\"", with_route("name = \"n\"\npath = \"/a\"\nissuer = \"users\"")),
        (
            "public_beside",
            "true",
            with_route("name = \"n\"\npath = \"/companies/{company}/logo\"\npublic = true\ncompany = \"any\""),
        ),
        ("looser_overlap", "\"/{*rest}\"", with_route("name = \"n\"\npath = \"/{*rest}\"\npublic = true")),
        (
            "looser_overlap",
            "\"/health/\"",
            with_route("name = \"n\"\npath = \"/health/\"\npublic = true\nbody = \"streamed\"").replace(
                "path = \"/health\"\norigin = \"external-orders\"\npublic = true",
                "path = \"/health\"\norigin = \"external-orders\"\nissuer = \"users\"\nscopes = [\"s\"]",
            ),
        ),
        ("old_permissions", "\"2m\"", example_with("permissions_max_age = \"30s\"", "permissions_max_age = \"2m\"")),
        (
            "old_keys",
            "\"48h\"",
            example_with("permissions = \"subject\"", "permissions = \"subject\"\njwks_max_stale = \"48h\""),
        ),
        (
            "function_url",
            "\"https://abc.lambda-url.eu-west-2.on.aws\"",
            example_with("https://vouchers.ljg-sushi.example", "https://abc.lambda-url.eu-west-2.on.aws"),
        ),
        ("function_url", "\"NONE\"", function_url("NONE")),
        ("edge_form", "\"west\"", format!("edge = \"west\"\n{}", example_with("", ""))),
    ] {
        let told = check(&text, &["--format", "json"]);
        assert_eq!(told.code, 0, "{code}: {told:?}");
        let told = told.json();
        let warnings = told["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{code}: {told}");
        assert_eq!(warnings[0]["code"], code, "{told}");
        let line = text.lines().nth(warnings[0]["line"].as_u64().unwrap() as usize - 1).unwrap();
        let column = warnings[0]["column"].as_u64().unwrap() as usize - 1;
        assert!(line[column..].starts_with(at), "{code}: {line}");
        let told = check(&text, &[]);
        assert_eq!(told.code, 0);
        assert!(told.err.starts_with(&format!("warning[{code}]: ")) && told.out.contains(", 1 warning\n"), "{told:?}");
        assert_eq!(check(&text, &["--deny-warnings"]).code, 1, "{code}");
    }
    assert_eq!(run(&["check", "--deny-warnings"]).code, 0);
    assert_eq!(check(&function_url("AWS_IAM"), &["--deny-warnings"]).code, 0);
}

#[test]
fn a_route_that_leaves_free_what_a_sibling_binds_draws_a_warning() {
    let route = |name: &str, path: &str, rules: &str| {
        format!("name = \"{name}\"\npath = \"{path}\"\nissuer = \"users\"\nscopes = [\"s\"]\n{rules}")
    };
    let another = "\n[[route]]\nmethods = [\"GET\"]\norigin = \"vouchers\"\n";
    let codes = |own: String, other: String| {
        let told = check(&with_route(&format!("{own}{another}{other}")), &["--format", "json"]);
        assert_eq!(told.code, 0, "{told:?}");
        let told = told.json();
        let warnings = told["warnings"].as_array().unwrap().clone();
        let one = |warning: &serde_json::Value| format!("{} {}", warning["code"], warning["pointer"]).replace('"', "");
        warnings.iter().map(one).collect::<Vec<_>>()
    };
    let bound = |rest: &str| route("bound", &format!("/shops/{{shop}}/{rest}"), "company = \"{shop}\"");
    let warned = vec!["free_beside_bound route[8].path".to_owned()];
    // Whatever it is called here, and whatever follows.
    for path in ["/shops/{shop}/refunds", "/shops/{id}/refunds/{refund}", "/shops/{id}"] {
        assert_eq!(codes(route("free", path, ""), bound("orders")), warned, "{path}");
    }
    let by_field = "company = { header = \"x-company\" }";
    assert_eq!(codes(route("free", "/shops/{shop}/refunds", by_field), bound("orders")), warned);
    // What is outright unbound is free too, and so is what another rule has left.
    let members = |rules: &str| {
        route("free", "/companies/{company}/users/{member}/log", &format!("company = \"{{company}}\"\n{rules}"))
    };
    assert_eq!(codes(members("unbound = [\"member\"]"), route("o", "/o", "")), warned);
    assert!(codes(members("subject = \"{member}\""), route("o", "/o", "")).is_empty());
    // `"any"` has warnings of its own.
    let any = codes(members("subject = \"any\""), route("o", "/o", ""));
    assert_eq!(any, ["unbound_user route[8].path"]);
    let tenant = "/companies/{tenant}/orders/{order}/lines";
    assert_eq!(
        codes(route("free", tenant, "company = \"any\""), route("o", "/o", "")),
        ["any_company route[8].company"]
    );
    // Another folder, another place, a literal, and a route that is only tried bind nothing here.
    for own in ["/stores/{shop}/refunds", "/shops/all/x/{shop}", "/shops/all", "/{kind}/{shop}/refunds"] {
        assert!(
            codes(route("free", own, ""), bound("orders")).iter().all(|told| !told.contains("free_beside")),
            "{own}"
        );
    }
    let shadow = bound("orders") + "\nshadow = true";
    assert!(codes(route("free", "/shops/{shop}/refunds", ""), shadow).is_empty());
    // A public route too, where nothing else is said of it.
    let public = "name = \"free\"\npath = \"/shops/{shop}/a/{page}\"\npublic = true".to_owned();
    assert_eq!(codes(public, bound("orders")), warned);
    let accepted = route("free", "/shops/{shop}/refunds", "allow = { free_beside_bound = \"every shop's\" }");
    assert!(codes(accepted, bound("orders")).is_empty());
}

#[test]
fn two_origins_that_receive_tokens_of_one_audience_draw_a_warning() {
    let forwards = |text: &str, origin: &str| {
        let key = format!("key = \"POSTERN_KEY_{origin}\"\n");
        assert!(text.contains(&key), "{origin}");
        text.replace(&key, &format!("{key}token = \"forwarded\"\n"))
    };
    let one = forwards(&example_with("", ""), "INTERNAL_ORDERS");
    assert_eq!(check(&one, &["--deny-warnings"]).code, 0);
    // Both are called by the same users.
    let both = forwards(&one, "VOUCHERS");
    let told = check(&both, &["--format", "json"]).json();
    let warnings = told["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{told}");
    assert_eq!(
        (&warnings[0]["code"], &warnings[0]["pointer"]),
        (&"shared_tokens".into(), &"origin.vouchers.token".into())
    );
    assert!(warnings[0]["message"].as_str().unwrap().contains("`internal-orders`"), "{told}");
    // Partners' tokens are not for internal orders.
    assert_eq!(check(&forwards(&one, "EXTERNAL_ORDERS"), &["--deny-warnings"]).code, 0);
}

/// The example with vouchers behind a function URL.
fn function_url(auth_type: &str) -> String {
    let url = "https://abc.lambda-url.eu-west-2.on.aws";
    example_with("https://vouchers.ljg-sushi.example\"", &format!("{url}\"\nauth_type = \"{auth_type}\""))
}

#[test]
fn an_accepted_warning_is_counted_apart_and_a_needless_acceptance_is_a_warning() {
    let route = |allow: &str| with_route(&format!("name = \"n\"\npath = \"/a\"\nissuer = \"users\"\n{allow}"));
    let text = route("allow = { any_caller = \"every user may\" }");
    let told = check(&text, &["--deny-warnings"]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    assert!(told.out.contains(" (1 accepted)\n"), "{told:?}");
    let told = check(&text, &["--format", "json"]).json();
    assert_eq!(told["warnings"].as_array().map(Vec::len), Some(0), "{told}");
    let accepted = &told["accepted"][0];
    assert_eq!((&accepted["code"], &accepted["reason"]), (&"any_caller".into(), &"every user may".into()), "{told}");
    // The version is that of the policy without it.
    assert_eq!(told["version"], check(&route(""), &["--format", "json"]).json()["version"]);
    for (allow, codes) in [
        ("allow = { any_company = \"x\" }", vec!["any_caller", "unused_allow"]),
        ("allow = { anything = \"x\", any_caller = \"x\" }", vec!["unused_allow"]),
        ("allow = { any_caller = \"\" }", vec!["any_caller", "unused_allow"]),
    ] {
        let text = route(allow);
        let told = check(&text, &["--format", "json", "--deny-warnings"]);
        assert_eq!(told.code, 1, "{told:?}");
        let told = told.json();
        let warnings = told["warnings"].as_array().unwrap();
        let found: Vec<&str> = warnings.iter().filter_map(|warning| warning["code"].as_str()).collect();
        assert_eq!(found, codes, "{told}");
        let line = text.lines().position(|line| line.starts_with("allow")).unwrap() + 1;
        assert_eq!(warnings.last().unwrap()["line"], line, "{told}");
    }
}
