//! Claims with names that come as one text: read as one name, in the form that the policy names, or not at all.

use postern::{
    Authorizer, Caller, Decision, PermissionsRecord, Progress, Reason, Request,
    authorizer::Survey,
    policy::{Policy, PolicyFault, from_toml},
};
use serde_json::{Map, Value, json};

use crate::support::{NOW, Outcome, World, at};

/// A section that takes companies and roles from claims, with `claims`, and routes that need more or less of them.
fn policy(claims: &str) -> String {
    let route = |name: &str, path: &str, rules: &str| {
        format!(
            "[[route]]\nname = \"{name}\"\nmethods = [\"GET\"]\npath = \"{path}\"\norigin = \"o\"\nissuer = \"users\"\n{rules}\n"
        )
    };
    [
        format!(
            "roles = [\"Manager\", \"Sales Manager\"]\n[issuer.users]\nurl = \"https://issuer.example\"\n\
             algorithms = [\"EdDSA\"]\naudience = [\"https://api.example\"]\ntoken_use = \"access\"\n\
             permissions = \"claims\"\n{claims}\n[origin.o]\nurl = \"https://o.example\"\nkey = \"KEY\"\n"
        ),
        route("open", "/open", ""),
        route("scoped", "/scoped", "scopes = [\"read\"]"),
        route("any-of", "/any-of", "scopes = { any_of = [\"read\", \"write\"] }"),
        route("company", "/company/{company}", "company = \"{company}\""),
        route("manager", "/manager/{company}", "company = \"{company}\"\nroles = [\"Manager\"]"),
        route("sales", "/sales/{company}", "company = \"{company}\"\nroles = [\"Sales Manager\"]"),
    ]
    .concat()
}

fn built(claims: &str) -> Policy {
    from_toml(&policy(claims), None).unwrap_or_else(|errors| panic!("{errors}"))
}

fn caller(authorizer: &Authorizer, more: Value) -> Caller {
    let mut claims = Map::new();
    for members in [
        json!({"iss": "https://issuer.example", "aud": "https://api.example", "sub": "u", "token_use": "access", "exp": NOW + 60}),
        more,
    ] {
        claims.extend(members.as_object().unwrap().clone());
    }
    authorizer.caller_of_claims(&claims, at(0)).unwrap()
}

fn outcome(authorizer: &Authorizer, caller: &Caller, target: &str) -> Outcome {
    match authorizer.begin_as(caller, &Request { method: "GET", target, headers: &[] }, at(0)) {
        Progress::Decided(decision) => World::outcome_of(&decision),
        other => panic!("{other:?}"),
    }
}

/// What becomes of each target for a caller with these claims, told by the claims and by the caller in JSON alike.
#[track_caller]
fn decided(section: &str, claims: &Value, expected: &[(&str, Outcome)]) {
    let authorizer = Authorizer::new(built(section));
    let caller = caller(&authorizer, claims.clone());
    let again = authorizer.caller_of_json(&caller.to_json(), at(0)).unwrap();
    for (target, expected) in expected {
        assert_eq!(outcome(&authorizer, &caller, target), *expected, "{claims} {target}");
        assert_eq!(outcome(&authorizer, &again, target), *expected, "{claims} {target}, handed on");
    }
}

const fn denied(reason: Reason) -> Outcome {
    Outcome::Deny(403, reason)
}

#[test]
fn a_company_of_two_words_is_permitted_for_itself_and_for_neither_word() {
    let claims = json!({"org_name": "Acme Holdings"});
    let words = |other: Outcome| {
        [("/company/Acme", other.clone()), ("/company/Holdings", other.clone()), ("/company/Acme%20Holdings", other)]
    };
    decided("claims.companies = \"org_name\"", &claims, &words(denied(Reason::CompaniesAmbiguous)));
    for form in ["commas", "text"] {
        let section = format!("claims.companies = {{ claim = \"org_name\", form = \"{form}\" }}");
        let mut expected = words(denied(Reason::CompanyMismatch));
        expected[2].1 = Outcome::Permit;
        decided(&section, &claims, &expected);
    }
    let section = "claims.companies = { claim = \"org_name\", form = \"json\" }";
    decided(section, &claims, &words(denied(Reason::CompaniesAmbiguous)));
    // An array needs no form.
    let mut expected = words(denied(Reason::CompanyMismatch));
    expected[2].1 = Outcome::Permit;
    decided("claims.companies = \"org_name\"", &json!({"org_name": ["Acme Holdings"]}), &expected);
}

#[test]
fn a_role_of_two_words_is_not_one_of_them() {
    let claims = json!({"companies": "1111", "role": "Sales Manager"});
    let expected =
        |sales, manager| [("/company/1111", Outcome::Permit), ("/sales/1111", sales), ("/manager/1111", manager)];
    let ambiguous = || denied(Reason::RolesAmbiguous);
    decided("", &claims, &expected(ambiguous(), ambiguous()));
    decided("claims.roles.form = \"text\"", &claims, &expected(Outcome::Permit, denied(Reason::RoleMissing)));
    decided("claims.roles.form = \"spaces\"", &claims, &expected(denied(Reason::RoleMissing), Outcome::Permit));
    let commas = json!({"companies": "1111", "role": "Manager, Sales Manager"});
    decided("claims.roles.form = \"commas\"", &commas, &expected(Outcome::Permit, Outcome::Permit));
}

#[test]
fn a_claim_that_is_not_read_matters_only_where_a_rule_needs_it() {
    let claims = json!({"companies": "1111 2222", "role": "Manager, Other", "scope": "[read write]"});
    decided(
        "",
        &claims,
        &[
            ("/open", Outcome::Permit),
            ("/scoped", denied(Reason::ScopesAmbiguous)),
            ("/any-of", denied(Reason::ScopesAmbiguous)),
            ("/company/1111", denied(Reason::CompaniesAmbiguous)),
            ("/company/3333", denied(Reason::CompaniesAmbiguous)),
            ("/manager/1111", denied(Reason::CompaniesAmbiguous)),
        ],
    );
    let companies = json!({"companies": ["1111"], "role": "Manager, Other"});
    decided(
        "",
        &companies,
        &[
            ("/company/1111", Outcome::Permit),
            ("/manager/1111", denied(Reason::RolesAmbiguous)),
            ("/manager/2222", denied(Reason::CompanyMismatch)),
        ],
    );
}

#[test]
fn only_the_claim_of_scopes_is_split_without_saying_so() {
    let claims = json!({"scope": "read write", "companies": "read write", "role": "read write"});
    decided(
        "",
        &claims,
        &[
            ("/scoped", Outcome::Permit),
            ("/any-of", Outcome::Permit),
            ("/company/read", denied(Reason::CompaniesAmbiguous)),
        ],
    );
    decided("claims.scopes.form = \"commas\"", &json!({"scope": "a,read"}), &[("/scoped", Outcome::Permit)]);
    decided("claims.scopes.form = \"text\"", &json!({"scope": "a read"}), &[("/scoped", denied(Reason::ScopeMissing))]);
}

/// An origin gets scopes as one text, and would read two of one with a space in it.
#[test]
fn what_is_no_scope_is_not_handed_on() {
    let authorizer = Authorizer::new(built(""));
    let caller = caller(&authorizer, json!({"scope": ["x write y", "read", "", "t\tx", "q\"x", "b\\x"]}));
    assert_eq!(caller.scopes(), ["read"]);
    assert_eq!(outcome(&authorizer, &caller, "/any-of"), Outcome::Permit);
    let request = Request { method: "GET", target: "/scoped", headers: &[] };
    let Progress::Decided(Decision::Permit(permit)) = authorizer.begin_as(&caller, &request, at(0)) else { panic!() };
    assert_eq!(permit.scopes(), ["read"]);
}

/// What an authorizer answers for many requests at once leaves out what cannot be judged.
#[test]
fn a_list_of_what_a_caller_may_do_holds_only_what_is_read() {
    let listed = |claims: Value| {
        let authorizer = Authorizer::new(built(""));
        let caller = caller(&authorizer, claims);
        let Survey::Done(Ok(entitlements)) = authorizer.survey(&caller, at(0)) else { panic!("not done") };
        entitlements.list().iter().map(|one| one.route().name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        listed(json!({"companies": "1111", "role": "Manager", "scope": "read"})),
        ["open", "scoped", "any-of", "company", "manager"]
    );
    assert_eq!(listed(json!({"companies": "1111", "role": "Manager X", "scope": "[read]"})), ["open", "company"]);
    assert_eq!(listed(json!({"companies": "1 2", "role": "Manager", "scope": "read"})), ["open", "scoped", "any-of"]);
}

#[test]
fn a_form_that_nobody_knows_is_a_fault() {
    for member in ["scopes", "roles", "companies"] {
        let errors = from_toml(&policy(&format!("claims.{member}.form = \"lines\"")), None).expect_err(member);
        let [error] = errors.0.as_slice() else { panic!("{errors}") };
        assert_eq!(error.pointer, format!("issuer.users.claims.{member}.form"));
        assert_eq!(error.fault, PolicyFault::TextForm("lines".into()));
        assert!(error.fault.mend().contains("\"spaces\""));
    }
    for section in ["claims.roles = { claim = [], form = \"text\" }", "claims.roles = { claim = \"\" }"] {
        let errors = from_toml(&policy(section), None).expect_err(section);
        assert_eq!(errors.0[0].fault, PolicyFault::Empty("claim"), "{section}");
    }
    for section in ["claims.subject = { claim = \"a\" }", "claims.roles = { form = \"text\", of = \"a\" }"] {
        assert!(from_toml(&policy(section), None).is_err(), "{section}");
    }
}

/// A caller in JSON cannot be made to look as if everything was read.
#[test]
fn what_is_not_read_is_handed_on_as_that() {
    let authorizer = Authorizer::new(built(""));
    let text = caller(&authorizer, json!({"companies": "1 2", "role": "a,b", "scope": "\"read\""})).to_json();
    let handed: Value = serde_json::from_str(&text).unwrap();
    let expected =
        json!({"scopes": "scopes_ambiguous", "companies": "companies_ambiguous", "roles": "roles_ambiguous"});
    assert_eq!(handed["unread"], expected);
    for unread in
        [json!("roles"), json!(["roles"]), json!({"roles": true}), json!({"roles": "x"}), json!({"x": "expired"})]
    {
        let mut changed = handed.clone();
        changed["unread"] = unread.clone();
        let refused = authorizer.caller_of_json(&changed.to_string(), at(0)).unwrap_err();
        assert_eq!(refused, Reason::ClaimsMalformed, "{unread}");
    }
    let read = caller(&authorizer, json!({"companies": "1", "role": "a", "scope": "read"})).to_json();
    assert!(!read.contains("unread"), "{read}");
    assert!(PermissionsRecord::parse(br#"{"id":"u","companies":["Acme Holdings"]}"#).unwrap().roles("Acme").is_none());
}
