//! The policy's own tests: requests with the decision that their author expects.
//!
//! They stand in the policy's file, as `[[test]]` tables, and are checked with it: a test that names a route, an issuer
//! or a reason that there is not is a fault of the file. They are no part of what is embedded, nor of the policy's
//! version. What runs them is the `postern` command, which has the keys to sign tokens with.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    PolicyFault,
    compile::{Faults, distance},
    file::{OneOrMany, PolicyFile},
};
use crate::reason::Reason;

/// One `[[test]]` table: a request, who makes it, and what is expected.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TestFile {
    /// What the test shows, as a sentence.
    pub(crate) name: String,
    pub(crate) method: String,
    /// The request target: path and query.
    pub(crate) target: String,
    /// Header fields of the request; one that is sent twice has a list.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, OneOrMany>,
    /// The issuer section whose token the caller shows; without it, no token.
    #[serde(default)]
    pub(crate) issuer: Option<String>,
    #[serde(default)]
    pub(crate) subject: Option<String>,
    /// The client that the token was issued to; without it, the section's first.
    #[serde(default)]
    pub(crate) client: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// The caller's companies, each with the roles held there.
    #[serde(default)]
    pub(crate) companies: Option<BTreeMap<String, Vec<String>>>,
    /// Claims laid over those of a token that fits the section.
    #[serde(default)]
    pub(crate) claims: Map<String, Value>,
    /// What is wrong with the token, if anything.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// What cannot be reached.
    #[serde(default)]
    pub(crate) outage: Vec<String>,
    /// `permit`, `preflight`, or an operator's reason.
    pub(crate) expect: String,
    /// The route that must have decided.
    #[serde(default)]
    pub(crate) route: Option<String>,
    /// The company that the permit must be for.
    #[serde(default)]
    pub(crate) company: Option<String>,
}

/// A test of a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyTest {
    /// What the test shows.
    pub name: String,
    /// The request's method.
    pub method: String,
    /// The request's target.
    pub target: String,
    /// The request's header fields, one entry for each line.
    pub headers: Vec<(String, String)>,
    /// Who makes the request; `None`: somebody without a token.
    pub caller: Option<TestCaller>,
    /// The issuers' keys cannot be had.
    pub keys_out: bool,
    /// The permissions service cannot be had.
    pub permissions_out: bool,
    /// What must be decided.
    pub expect: Expectation,
    /// The route that must have decided, where the test says so.
    pub route: Option<String>,
    /// The company that the permit must be for, where the test says so.
    pub company: Option<String>,
}

/// The caller of a test, and the token that is shown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestCaller {
    /// The issuer section that the token is of.
    pub issuer: String,
    /// The subject.
    pub subject: String,
    /// The client, where it is not the section's first.
    pub client: Option<String>,
    /// The scopes granted.
    pub scopes: Vec<String>,
    /// Companies with the roles held there; `None`: nobody has a record of the caller.
    pub companies: Option<BTreeMap<String, Vec<String>>>,
    /// Claims laid over the token's.
    pub claims: Map<String, Value>,
    /// What is wrong with the token.
    pub token: TokenKind,
}

/// What must be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expectation {
    /// A permit.
    Permit,
    /// The answer to a CORS preflight.
    Preflight,
    /// A denial for this reason.
    Deny(Reason),
}

macro_rules! token_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What is wrong with the token of a test: what a `claims` table cannot say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum TokenKind {
            $($(#[$doc])* $kind,)*
        }

        impl TokenKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind as a policy writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

token_kinds! {
    /// Nothing: it fits its section.
    Valid = "valid",
    /// Its `exp` has come.
    Expired = "expired",
    /// Its `nbf` lies ahead.
    NotYetValid = "not_yet_valid",
    /// Its `iat` lies ahead.
    IssuedInFuture = "issued_in_future",
    /// The section's `max_age` has passed since it was issued.
    TooOld = "too_old",
    /// It lives longer than the section's `max_lifetime`.
    TooLongLived = "too_long_lived",
    /// It has no `exp`.
    WithoutExpiry = "without_expiry",
    /// It has no `iat`.
    WithoutIssueDate = "without_issue_date",
    /// It has no subject.
    WithoutSubject = "without_subject",
    /// Its signature is another key's.
    Forged = "forged",
    /// Its `kid` is none of the issuer's.
    UnknownKey = "unknown_key",
    /// It is signed with an algorithm that the section does not have.
    WrongAlgorithm = "wrong_algorithm",
    /// Its `alg` is `none`.
    Unsigned = "unsigned",
    /// It is no token at all.
    Malformed = "malformed",
    /// It is shown twice.
    Twice = "twice",
    /// Its `iss` is somebody else's.
    WrongIssuer = "wrong_issuer",
    /// It is for another interface, and was issued to another client.
    WrongAudience = "wrong_audience",
    /// It is an ID token: `token_use`, `typ` and what the section requires are not an access token's.
    IdToken = "id_token",
}

/// What is wrong with a test itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TestFault {
    /// A member that only a caller with a token can have.
    WithoutIssuer(&'static str),
    /// A token without a subject.
    NoSubject,
    /// A company is expected of a denial.
    CompanyOfDenial,
    /// A word that is none of a closed list: the member, the word, and the nearest of the list or all of it.
    Word(&'static str, String, String),
}

impl TestFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::WithoutIssuer(_) => "test_without_issuer",
            Self::NoSubject => "test_without_subject",
            Self::CompanyOfDenial => "test_company_of_denial",
            Self::Word(..) => "test_word",
        }
    }

    pub(super) fn mend(&self) -> String {
        match self {
            Self::WithoutIssuer(_) => "add `issuer = \"…\"`, or remove it".into(),
            Self::NoSubject => "add `subject = \"…\"`".into(),
            Self::CompanyOfDenial => "remove `company`, or expect \"permit\"".into(),
            Self::Word(_, _, near) => format!("write {near}"),
        }
    }
}

impl fmt::Display for TestFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutIssuer(member) => {
                write!(formatter, "the test has `{member}` and no token that it could be in")
            }
            Self::NoSubject => formatter.write_str("the test shows a token and does not say whose"),
            Self::CompanyOfDenial => formatter.write_str("only a permit is for a company"),
            Self::Word(member, word, _) => write!(formatter, "`{member}` of a test cannot be `{word}`"),
        }
    }
}

pub(super) fn compile(file: &PolicyFile, faults: &mut Faults) -> Vec<PolicyTest> {
    let mut compiled: Vec<PolicyTest> = Vec::new();
    for (index, test) in file.tests.iter().enumerate() {
        let at = format!("test[{index}]");
        if compiled.iter().any(|other| other.name == test.name) {
            faults.add(format!("{at}.name"), PolicyFault::DuplicateName("test", test.name.clone()));
        }
        if let Some(route) = &test.route {
            faults.place(&format!("{at}.route"), "route", route, file.routes.iter().map(|route| &route.name));
        }
        let expect = expectation(&at, &test.expect, faults);
        if test.company.is_some() && expect != Expectation::Permit {
            faults.add(format!("{at}.company"), PolicyFault::Test(TestFault::CompanyOfDenial));
        }
        for (index, name) in test.outage.iter().enumerate() {
            chosen(&format!("{at}.outage[{index}]"), "outage", name, &["keys", "permissions"], faults);
        }
        let headers = test.headers.iter();
        compiled.push(PolicyTest {
            name: test.name.clone(),
            method: test.method.clone(),
            target: test.target.clone(),
            headers: headers
                .flat_map(|(name, values)| values.names().iter().map(|value| (name.clone(), value.clone())))
                .collect(),
            caller: caller(&at, test, file, faults),
            keys_out: test.outage.iter().any(|name| name == "keys"),
            permissions_out: test.outage.iter().any(|name| name == "permissions"),
            expect,
            route: test.route.clone(),
            company: test.company.clone(),
        });
    }
    compiled
}

fn expectation(at: &str, text: &str, faults: &mut Faults) -> Expectation {
    let reason = Reason::ALL.iter().find(|reason| reason.code() == text);
    match (text, reason) {
        ("permit", _) => Expectation::Permit,
        ("preflight", _) => Expectation::Preflight,
        (_, Some(reason)) => Expectation::Deny(*reason),
        (_, None) => {
            let codes = Reason::ALL.iter().map(|reason| reason.code()).chain(["permit", "preflight"]);
            chosen(&format!("{at}.expect"), "expect", text, &codes.collect::<Vec<_>>(), faults);
            Expectation::Permit
        }
    }
}

/// The place of `word` in a closed list; a fault when it is not there. A long list is not repeated, only its nearest.
fn chosen(pointer: &str, member: &'static str, word: &str, known: &[&str], faults: &mut Faults) -> usize {
    known.iter().position(|own| *own == word).unwrap_or_else(|| {
        let near = known.iter().min_by_key(|own| distance(word, own)).filter(|own| distance(word, own) <= 3);
        let near = match near {
            Some(near) => format!("\"{near}\""),
            None if known.len() > 20 => "\"permit\", or an operator's reason such as \"role_missing\"".to_owned(),
            None => format!("one of {}", known.join(", ")),
        };
        faults.add(pointer, PolicyFault::Test(TestFault::Word(member, word.to_owned(), near)));
        0
    })
}

fn caller(at: &str, test: &TestFile, file: &PolicyFile, faults: &mut Faults) -> Option<TestCaller> {
    let mut fault = |member: &str, fault| faults.add(format!("{at}{member}"), PolicyFault::Test(fault));
    let Some(issuer) = &test.issuer else {
        let members = [
            ("subject", test.subject.is_some()),
            ("client", test.client.is_some()),
            ("scopes", !test.scopes.is_empty()),
            ("companies", test.companies.is_some()),
            ("claims", !test.claims.is_empty()),
            ("token", test.token.is_some()),
        ];
        for (member, _) in members.into_iter().filter(|(_, present)| *present) {
            fault(&format!(".{member}"), TestFault::WithoutIssuer(member));
        }
        return None;
    };
    if test.subject.is_none() {
        fault("", TestFault::NoSubject);
    }
    faults.place(&format!("{at}.issuer"), "issuer", issuer, file.issuers.keys());
    let names: Vec<&str> = TokenKind::ALL.iter().map(|kind| kind.name()).collect();
    let kind = test.token.as_ref().map(|name| chosen(&format!("{at}.token"), "token", name, &names, faults));
    let kind = kind.and_then(|index| TokenKind::ALL.get(index).copied()).unwrap_or(TokenKind::Valid);
    Some(TestCaller {
        issuer: issuer.clone(),
        subject: test.subject.clone().unwrap_or_default(),
        client: test.client.clone(),
        scopes: test.scopes.clone(),
        companies: test.companies.clone(),
        claims: test.claims.clone(),
        token: kind,
    })
}
