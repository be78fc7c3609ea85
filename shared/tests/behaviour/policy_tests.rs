//! `[[test]]` tables: checked with the file, and no part of what is embedded.

use postern::{
    Policy, Reason, Stage,
    policy::{Expectation, PolicyErrors, TokenKind, from_toml},
};

use crate::support::policies::SMALL;

/// The small policy with one test that has these members beside its name, method and target.
fn with_test(members: &str) -> Result<Policy, PolicyErrors> {
    let test = format!("[[test]]\nname = \"t\"\nmethod = \"GET\"\ntarget = \"/companies/1/orders\"\n{members}");
    from_toml(&format!("{SMALL}\n{test}"), None)
}

#[test]
fn a_test_says_who_asks_and_what_is_expected() {
    let policy = with_test(
        "issuer = \"users\"\nsubject = \"u\"\nclient = \"c\"\nscopes = [\"a\"]\ncompanies = { 1 = [\"Manager\"] }\n\
         claims = { tier = \"gold\", level = 3 }\nheaders = { x-a = [\"1\", \"2\"], x-b = \"3\" }\n\
         token = \"expired\"\noutage = [\"permissions\"]\nexpect = \"role_missing\"\nroute = \"orders\"",
    )
    .unwrap();
    let [test] = policy.tests() else { panic!("one test") };
    assert_eq!(test.expect, Expectation::Deny(Reason::RoleMissing));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(test.headers, [pair("x-a", "1"), pair("x-a", "2"), pair("x-b", "3")]);
    assert_eq!((test.keys_out, test.permissions_out, test.route.as_deref()), (false, true, Some("orders")));
    let caller = test.caller.as_ref().unwrap();
    assert_eq!((caller.issuer.as_str(), caller.subject.as_str(), caller.token), ("users", "u", TokenKind::Expired));
    assert_eq!(caller.claims["level"], 3);
    assert_eq!(caller.companies.as_ref().unwrap()["1"], ["Manager"]);
}

#[test]
fn tests_are_neither_embedded_nor_part_of_the_version() {
    let without = from_toml(SMALL, None).unwrap();
    let with = with_test("expect = \"credential_missing\"").unwrap();
    assert_eq!((with.version(), with.to_json()), (without.version(), without.to_json()));
    assert!(Policy::from_json(with.to_json()).unwrap().tests().is_empty());
}

#[test]
fn what_a_test_cannot_say_is_a_fault_at_its_place() {
    let caller = "issuer = \"users\"\nsubject = \"u\"\n";
    for (members, pointer, code, mend) in [
        ("expect = \"permitt\"".to_owned(), "test[0].expect", "test_word", "write \"permit\""),
        ("expect = \"role_mising\"".to_owned(), "test[0].expect", "test_word", "write \"role_missing\""),
        (
            "expect = \"no\"\nroute = \"oders\"".to_owned(),
            "test[0].route",
            "unknown_name",
            "write `orders`, or define the route",
        ),
        (
            "expect = \"permit\"\nissuer = \"user\"\nsubject = \"u\"".to_owned(),
            "test[0].issuer",
            "unknown_name",
            "write `users`, or define the issuer",
        ),
        (format!("{caller}expect = \"permit\"\ntoken = \"forgd\""), "test[0].token", "test_word", "write \"forged\""),
        (
            "expect = \"permit\"\noutage = [\"keys\", \"everything\"]".to_owned(),
            "test[0].outage[1]",
            "test_word",
            "write one of keys, permissions",
        ),
        (
            "expect = \"permit\"\nscopes = [\"a\"]".to_owned(),
            "test[0].scopes",
            "test_without_issuer",
            "add `issuer = \"…\"`, or remove it",
        ),
        (
            "expect = \"permit\"\nissuer = \"users\"".to_owned(),
            "test[0]",
            "test_without_subject",
            "add `subject = \"…\"`",
        ),
        (
            "expect = \"no_route\"\ncompany = \"1\"".to_owned(),
            "test[0].company",
            "test_company_of_denial",
            "remove `company`, or expect \"permit\"",
        ),
        ("expect = \"permit\"\nexpects = 1".to_owned(), "test[0].expects", "unknown_member", "write `expect`"),
    ] {
        let errors = with_test(&members).unwrap_err();
        let error = errors.0.iter().find(|error| error.pointer == pointer);
        let error = error.unwrap_or_else(|| panic!("{members}: {errors}"));
        assert_eq!((error.fault.code(), error.fault.mend().as_str()), (code, mend), "{members}");
        assert!(error.span.is_some(), "{members}");
    }
    let twice = format!(
        "{SMALL}{}",
        "\n[[test]]\nname = \"t\"\nmethod = \"GET\"\ntarget = \"/\"\nexpect = \"no_route\"".repeat(2)
    );
    let errors = from_toml(&twice, None).unwrap_err();
    assert_eq!(errors.0[0].to_string(), "test[1].name: two tests are named `t` (rename or remove one of the two)");
}

#[test]
fn every_reason_belongs_to_a_step_and_every_step_gives_one() {
    for stage in Stage::ALL {
        assert!(Reason::ALL.iter().any(|reason| reason.stage() == *stage), "{stage}");
    }
    assert!(Stage::ALL.is_sorted());
}
