//! The words against the decisions: over every combination of what a request can get right or wrong, the line that is
//! marked as failed is the reason's, and no line says that a rule held which did not.

use std::collections::BTreeMap;

use postern::{Decision, Stage, policy::TokenKind};

use super::lines::{Line, Mark};
use crate::test::Run;

const POLICY: &str = r#"
roles = ["Manager", "Standard"]

[permissions]
origin = "orders"

[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = "any"
clients = ["app"]
token_use = "access"
permissions = "service"

[issuer.staff]
url = "https://staff.example"
algorithms = ["ES256"]
audience = ["https://api.example"]
token_type = "at+jwt"
permissions = "claims"
max_lifetime = "10m"
max_age = "6m"
require.department = ["sales", "support"]

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[[route]]
name = "orders"
methods = ["GET", "POST"]
path = "/companies/{company}/users/{user}/orders"
origin = "orders"
issuer = ["users", "staff"]
subject = "{user}"
company = "{company}"
roles = ["Manager"]
scopes = { all_of = ["read"], any_of = ["write", "admin"] }
require.tier = ["gold", "silver"]
body = "declared"

[[route]]
name = "reports"
methods = ["GET"]
path = "/reports"
origin = "orders"
issuer = ["users", "staff"]
company = { header = "x-company" }
roles = ["Manager"]
scopes = ["read"]
require.tier = true

[[route]]
name = "health"
methods = ["GET"]
path = "/health"
origin = "orders"
public = true
"#;

const SCOPES: [&[&str]; 3] = [&["read", "admin"], &["read"], &[]];
/// Companies with the roles held there.
type Companies = &'static [(&'static str, &'static [&'static str])];

const COMPANIES: [Option<Companies>; 4] =
    [Some(&[("1111", &["Manager"])]), Some(&[("1111", &["Standard"]), ("2222", &["Manager"])]), Some(&[]), None];
const TIERS: [Option<&str>; 3] = [Some("gold"), Some("bronze"), None];

/// One combination.
#[derive(Clone, Copy)]
struct Case {
    target: &'static str,
    method: &'static str,
    issuer: &'static str,
    scopes: &'static [&'static str],
    companies: Option<Companies>,
    tier: Option<&'static str>,
    token: TokenKind,
    outage: &'static str,
    company_field: &'static [&'static str],
}

const TARGETS: [(&str, &str, &[&str]); 7] = [
    ("GET", "/companies/1111/users/u1/orders", &[]),
    ("POST", "/companies/1111/users/u1/orders", &[]),
    ("GET", "/companies/1111/users/u2/orders", &[]),
    ("GET", "/reports", &["1111"]),
    ("GET", "/reports", &[]),
    ("GET", "/reports", &["1111", "2222"]),
    ("DELETE", "/reports", &["1111"]),
];

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, target, company_field) in TARGETS {
        for issuer in ["users", "staff"] {
            for scopes in SCOPES {
                for companies in COMPANIES {
                    for tier in TIERS {
                        let valid = TokenKind::Valid;
                        let case = Case {
                            target,
                            method,
                            issuer,
                            scopes,
                            companies,
                            tier,
                            token: valid,
                            outage: "",
                            company_field,
                        };
                        cases.extend(["", "keys", "permissions"].map(|outage| Case { outage, ..case }));
                    }
                }
            }
            // Each kind of token on a request that is right in all else, and on one that is wrong in all else.
            for token in TokenKind::ALL.iter().copied() {
                let right = Case {
                    target,
                    method,
                    issuer,
                    scopes: SCOPES[0],
                    companies: COMPANIES[0],
                    tier: TIERS[0],
                    token,
                    outage: "",
                    company_field,
                };
                cases.push(right);
                cases.push(Case { scopes: SCOPES[2], companies: COMPANIES[2], tier: TIERS[1], ..right });
            }
        }
    }
    cases
}

fn quoted(names: &[&str]) -> String {
    format!("[{}]", names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "))
}

/// The policy with a test for each case.
fn text(cases: &[Case]) -> String {
    let mut text = POLICY.to_owned();
    for (index, case) in cases.iter().enumerate() {
        let companies = case.companies.map(|companies| {
            let entries: Vec<String> =
                companies.iter().map(|(company, roles)| format!("{company} = {}", quoted(roles))).collect();
            format!("companies = {{ {} }}\n", entries.join(", "))
        });
        let mut claims: Vec<String> = case.tier.iter().map(|tier| format!("tier = \"{tier}\"")).collect();
        if case.issuer == "users" {
            claims.push("department = \"sales\"".to_owned());
        }
        text += &format!(
            "[[test]]\nname = \"{index}\"\nmethod = \"{}\"\ntarget = \"{}\"\nissuer = \"{}\"\nsubject = \"u1\"\n\
             scopes = {}\nclaims = {{ {} }}\ntoken = \"{}\"\noutage = {}\nheaders = {{ x-company = {} }}\n\
             expect = \"permit\"\n{}",
            case.method,
            case.target,
            case.issuer,
            quoted(case.scopes),
            claims.join(", "),
            case.token.name(),
            quoted(if case.outage.is_empty() { &[] } else { std::slice::from_ref(&case.outage) }),
            quoted(case.company_field),
            companies.unwrap_or_default(),
        );
    }
    text
}

/// Whether the rule holds for the case, by a model that knows nothing of the core; `None` for steps it does not model.
fn holds(stage: Stage, case: &Case) -> Option<bool> {
    let is_orders = case.target.ends_with("/orders");
    let companies: BTreeMap<&str, &[&str]> = case.companies.unwrap_or_default().iter().copied().collect();
    let has = |scope: &str| case.scopes.contains(&scope);
    match stage {
        Stage::Scopes => Some(has("read") && (!is_orders || has("write") || has("admin"))),
        Stage::Condition if is_orders => Some(matches!(case.tier, Some("gold" | "silver"))),
        Stage::Condition => Some(case.tier.is_some()),
        Stage::SubjectRule => Some(case.target.contains("/users/u1/")),
        Stage::CompanyName => Some(case.company_field.len() == 1),
        Stage::Permissions => Some(case.outage != "permissions"),
        Stage::Company => Some(companies.contains_key("1111")),
        Stage::Role => Some(companies.get("1111").is_some_and(|roles| roles.contains(&"Manager"))),
        Stage::Key => Some(case.outage != "keys" && case.token != TokenKind::UnknownKey),
        Stage::Body => Some(false),
        _ => None,
    }
}

fn check(case: &Case, decision: &Decision, lines: &[Line], told: &str) {
    let failed: Vec<&Line> = lines.iter().filter(|line| line.mark == Mark::Failed).collect();
    match decision {
        Decision::Deny(denial) => {
            assert_eq!(failed.iter().map(|line| line.stage).collect::<Vec<_>>(), [denial.reason().stage()], "{told}");
            assert!(!failed[0].text.is_empty(), "{told}");
        }
        _ => assert!(failed.is_empty(), "{told}"),
    }
    assert!(lines.is_sorted_by_key(|line| line.stage), "{told}");
    for line in lines.iter().filter(|line| line.mark != Mark::NotReached) {
        if let Some(holds) = holds(line.stage, case) {
            assert_eq!(line.mark == Mark::Held, holds, "{}: {told}", line.stage);
        }
    }
}

#[test]
fn the_line_that_failed_is_the_reasons_and_no_line_says_what_is_not_so() {
    let cases = cases();
    let policy = postern::policy::from_toml(&text(&cases), None).unwrap_or_else(|errors| panic!("{errors}"));
    let mut run = Run::new(&policy).unwrap();
    let mut reasons = BTreeMap::new();
    for (case, test) in cases.iter().zip(policy.tests()) {
        let outcome = run.test(test).unwrap();
        let lines = &outcome.explanation.lines;
        let told = format!("{} {} {}\n{}", case.method, case.target, case.token.name(), super::lines_text(lines));
        check(case, &outcome.explanation.decision, lines, &told);
        let reason = match &outcome.explanation.decision {
            Decision::Deny(denial) => denial.reason().code(),
            _ => "permit",
        };
        *reasons.entry(reason).or_insert(0_usize) += 1;
    }
    // A table that reached few reasons would show little.
    assert!(cases.len() > 1_500 && reasons.len() >= 28, "{} cases: {reasons:?}", cases.len());
}
