//! Parameters that name a company or a user need a rule under every name, or a word that frees them.

use postern::{
    Policy, Reason,
    policy::{FreedBy, Party, PolicyErrors, PolicyFault, from_toml},
};

use crate::support::{
    keys,
    policies::{SMALL, example_with},
    token::{self, Token},
    world::{Call, World},
};

const COMPANIES: [&str; 8] =
    ["company", "tenant", "org", "organisation", "organization", "account", "customer", "workspace"];
const USERS: [&str; 5] = ["user", "username", "subject", "sub", "member"];
const FORMS: [&str; 4] = ["", "Id", "_id", "ID"];

/// The smallest policy, its route with this path and these rules in the place of its company.
fn policy(path: &str, rules: &str) -> String {
    SMALL.replace("/companies/{company}/orders", path).replace("company = \"{company}\"\n", rules)
}

fn errors(text: &str) -> PolicyErrors {
    from_toml(text, None).expect_err("the policy was accepted")
}

#[track_caller]
fn one(text: &str, pointer: &str, fault: &PolicyFault) {
    let errors = errors(text);
    let [error] = errors.0.as_slice() else { panic!("not one fault:\n{errors}") };
    assert_eq!((error.pointer.as_str(), &error.fault), (pointer, fault), "{text}");
    assert!(error.span.is_some() && !fault.mend().is_empty() && fault.shows_source(), "{error}");
}

#[track_caller]
fn accepted(text: &str) -> Policy {
    from_toml(text, None).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

#[test]
fn every_name_of_a_company_needs_the_company_rule() {
    for name in COMPANIES.iter().flat_map(|name| FORMS.map(|form| format!("{name}{form}"))) {
        let path = format!("/v1/{{{name}}}/invoices/{{invoice}}");
        one(&policy(&path, ""), "route[0]", &PolicyFault::UnboundCompany(name.clone(), false));
        one(&policy(&path, "subject = \"any\"\n"), "route[0]", &PolicyFault::UnboundCompany(name.clone(), false));
        accepted(&policy(&path, &format!("company = \"{{{name}}}\"\n")));
        accepted(&policy(&path, "company = \"any\"\n"));
        // A machine that is itself the company is bound by its subject.
        accepted(&policy(&path, &format!("subject = \"{{{name}}}\"\n")));
    }
}

#[test]
fn every_name_of_a_user_needs_the_subject_rule() {
    for name in USERS.iter().flat_map(|name| FORMS.map(|form| format!("{name}{form}"))) {
        let path = format!("/v1/{{{name}}}/invoices/{{invoice}}");
        one(&policy(&path, ""), "route[0]", &PolicyFault::UnboundSubject(name.clone(), false));
        one(&policy(&path, "company = \"any\"\n"), "route[0]", &PolicyFault::UnboundSubject(name.clone(), false));
        accepted(&policy(&path, &format!("subject = \"{{{name}}}\"\n")));
        accepted(&policy(&path, "subject = \"any\"\n"));
    }
}

#[test]
fn the_document_lists_the_names() {
    let document = include_str!("../../../docs/policy.md");
    for (party, names) in [("a company", &COMPANIES[..]), ("a user", &USERS[..])] {
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        assert!(document.contains(&format!("| {party}: {}, and what", listed.join(", "))), "{party}");
    }
}

#[test]
fn the_fault_says_what_to_write() {
    let text = policy("/v1/tenants/{tenant}/invoices/{invoice}", "");
    let told = errors(&text).to_string();
    assert_eq!(
        told,
        "route[0]: the path has `{tenant}`, which names a company, and no rule binds it to the caller (add `company = \
         \"{tenant}\"`, or `company = \"any\"` if every caller may reach every company)"
    );
    let text = policy("/{tenant}/customers/{customer}", "company = \"{tenant}\"\n");
    assert!(errors(&text).to_string().contains("add `unbound = [\"customer\"]` if it names a resource"));
    let text = policy("/{tenant}/members/{member}", "company = \"{tenant}\"\n");
    assert!(
        errors(&text)
            .to_string()
            .contains("add `subject = \"{member}\"` if it is the caller, `unbound = [\"member\"]`")
    );
}

#[test]
fn literals_and_other_parameters_need_no_rule() {
    accepted(&policy("/tenants/customers/users/{order}/{invoiceId}/{tenants}/{accountNumber}", ""));
}

#[test]
fn each_of_several_names_needs_its_own_word() {
    let path = "/{company}/customers/{customer}/accounts/{account}";
    let told = errors(&policy(path, "company = \"{company}\"\n"));
    let faults: Vec<&PolicyFault> = told.0.iter().map(|error| &error.fault).collect();
    let unbound = |name: &str| PolicyFault::UnboundCompany(name.into(), true);
    assert_eq!(faults, [&unbound("customer"), &unbound("account")]);
    accepted(&policy(path, "company = \"{company}\"\nunbound = [\"account\", \"customer\"]\n"));
}

#[test]
fn the_policy_can_add_names() {
    let names = "[names]\ncompany = [\"merchant\", \"shopId\"]\nsubject = [\"buyer\"]\n";
    for name in ["merchant", "merchantId", "merchant_id", "shop", "shopId", "shop_id"] {
        let text = policy(&format!("/{{{name}}}"), "");
        accepted(&text);
        one(&format!("{text}{names}"), "route[0]", &PolicyFault::UnboundCompany(name.into(), false));
    }
    for name in ["buyer", "buyerId"] {
        let text = policy(&format!("/{{{name}}}"), "");
        accepted(&text);
        one(&format!("{text}{names}"), "route[0]", &PolicyFault::UnboundSubject(name.into(), false));
    }
}

#[test]
fn a_name_that_is_added_can_be_a_parameters_and_is_new() {
    let names = |names: &str| format!("{SMALL}[names]\n{names}\n");
    for bad in ["", "Merchant", "mer-chant", "{merchant}", "1a", "é"] {
        let text = names(&format!("company = [\"{bad}\"]"));
        one(&text, "names.company[0]", &PolicyFault::ParameterName(bad.into()));
    }
    for (list, pointer, name, known) in [
        ("company = [\"tenant\"]", "names.company[0]", "tenant", "company"),
        ("subject = [\"tenantId\"]", "names.subject[0]", "tenantId", "company"),
        ("company = [\"a\", \"member\"]", "names.company[1]", "member", "subject"),
        ("company = [\"a\", \"a_id\"]", "names.company[1]", "a_id", "company"),
        ("company = [\"a\"]\nsubject = [\"a\"]", "names.subject[0]", "a", "company"),
    ] {
        one(&names(list), pointer, &PolicyFault::NameKnown(name.into(), known));
    }
}

#[test]
fn unbound_names_a_resource_of_whom_the_route_binds() {
    let path = "/{company}/customers/{customer}";
    for rules in [
        "company = \"{company}\"\nunbound = [\"customer\"]\n",
        "company = { header = \"x-company\" }\nunbound = [\"customer\", \"company\"]\n",
        "subject = \"{company}\"\nunbound = [\"customer\"]\n",
    ] {
        accepted(&policy(path, rules));
    }
    accepted(&policy("/{company}/users/{user}/{order}", "company = \"{company}\"\nunbound = [\"user\", \"order\"]\n"));
    accepted(&policy("/{company}/{*account}", "company = \"{company}\"\nunbound = [\"account\"]\n"));
}

#[test]
fn unbound_that_is_not_so_is_a_fault() {
    let path = "/{company}/customers/{customer}";
    let with = |unbound: &str| policy(path, &format!("company = \"{{company}}\"\nunbound = [\"customer\"{unbound}]\n"));
    accepted(&with(""));
    one(&with(", \"tenant\""), "route[0].unbound[1]", &PolicyFault::UndefinedParameter("tenant".into()));
    one(&with(", \"customers\""), "route[0].unbound[1]", &PolicyFault::UndefinedParameter("customers".into()));
    one(&with(", \"{customer}\""), "route[0].unbound[1]", &PolicyFault::ParameterName("{customer}".into()));
    one(&with(", \"company\""), "route[0].unbound[1]", &PolicyFault::BoundParameter("company".into()));
    one(&with(", \"customer\""), "route[0].unbound[1]", &PolicyFault::Repeated("parameter", "customer".into()));
    // It is no way to say `"any"`: without a rule there is nobody whose resource it could be.
    let nobody = PolicyFault::UnboundOfNobody("tenant".into());
    for rules in ["", "company = \"any\"\n", "subject = \"any\"\n"] {
        one(&policy("/{tenant}", &format!("{rules}unbound = [\"tenant\"]\n")), "route[0].unbound[0]", &nobody);
    }
    let public = policy("/{tenant}", "company = \"any\"\nunbound = [\"tenant\"]\n");
    one(&public.replace("issuer = \"users\"\n", "public = true\n"), "route[0].unbound[0]", &nobody);
}

#[test]
fn a_public_route_frees_its_companies_outright_and_its_users_by_being_public() {
    let public = |path: &str, rules: &str| {
        let route = "[[route]]\nname = \"open\"\nmethods = [\"GET\"]\norigin = \"orders\"\npublic = true\n";
        format!("{SMALL}{route}path = \"{path}\"\n{rules}")
    };
    one(&public("/{orgId}", ""), "route[1]", &PolicyFault::UnboundCompany("orgId".into(), false));
    accepted(&public("/{orgId}", "company = \"any\"\n"));
    let free = accepted(&public("/{memberId}", "")).routes()[1].free_parameters().to_vec();
    assert_eq!((free[0].name.as_str(), free[0].by), ("memberId", FreedBy::Public));
}

#[test]
fn a_route_lists_what_no_rule_binds() {
    let path = "/{tenant}/{order}/{customer}/{user}/{item}/{*account}";
    let rules = "company = \"{tenant}\"\nsubject = \"any\"\nunbound = [\"account\", \"item\", \"customer\"]\n";
    let policy = accepted(&policy(path, rules));
    let free = policy.routes()[0].free_parameters();
    let listed: Vec<_> = free.iter().map(|free| (free.name.as_str(), free.position, free.party, free.by)).collect();
    assert_eq!(
        listed,
        [
            ("customer", 2, Some(Party::Company), FreedBy::Unbound),
            ("user", 3, Some(Party::Subject), FreedBy::Any),
            ("item", 4, None, FreedBy::Unbound),
            ("account", 5, Some(Party::Company), FreedBy::Unbound),
        ]
    );
}

#[test]
fn an_embedded_policy_is_held_to_it_too() {
    let text = policy("/{tenant}/{customer}", "company = \"{tenant}\"\nunbound = [\"customer\"]\n");
    let json = accepted(&text).to_json().to_owned();
    assert!(Policy::from_json(&json).is_ok());
    for (from, to) in [(",\"unbound\":[\"customer\"]", ""), ("\"company\":\"{tenant}\",", "")] {
        assert!(json.contains(from), "{json}");
        assert!(Policy::from_json(&json.replacen(from, to, 1)).is_err(), "{from}");
    }
    // A policy that says nothing of this keeps its version.
    assert!(!from_toml(SMALL, None).unwrap().to_json().contains("unbound"));
}

#[test]
fn a_parameter_in_camel_case_binds_the_company() {
    let mut world = World::new(accepted(&example_with("{company}", "{tenantId}")));
    world.publish(token::PARTNERS_URL, &[&keys::PARTNERS_ED]);
    let call =
        |tenant: &str| Call::get(&format!("/companies/{tenant}/orders")).bearer(Token::partner("1111").compact());
    assert_eq!(world.permit(&call("1111")).company(), Some("1111"));
    assert_eq!(world.deny(&call("2222")).reason(), Reason::CompanyMismatch);
}
