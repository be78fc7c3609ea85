//! What each step says: when it held, when it failed, and when it was not reached.
//!
//! The operator may see whose request it was; nobody may see the token. Foreign text is escaped.

use postern::{
    Decision, Reason, Stage,
    authorizer::{MAX_CLAIM_BYTES, MAX_TOKEN_COMPANIES, MAX_TOKEN_ROLES, MAX_TOKEN_SCOPES},
    policy::{AudienceRule, CompanyRule, Issuer, Route, TextForm},
};
use serde_json::Value;

use super::facts::Facts;
use crate::{
    draft,
    inspect::{relative, utc},
    output::shown,
    rules::{self, listed},
};

/// The step's name as people say it.
pub(crate) fn label(stage: Stage) -> &'static str {
    match stage {
        Stage::Kind => "kind of token",
        Stage::SubjectRule => "subject in the path",
        Stage::CompanyName => "company named",
        other => other.name(),
    }
}

/// What a step says that held.
pub(super) fn held(stage: Stage, facts: &Facts<'_>) -> String {
    let issuer = facts.section.map_or("-", Issuer::name);
    match stage {
        Stage::Target => "the target is canonical".to_owned(),
        Stage::Route => facts.route.map_or_else(String::new, |route| {
            let public = if route.is_public() { ", which is public: no token is asked for" } else { "" };
            format!("{} {} is `{}`{public}", facts.method, route.path(), route.name())
        }),
        Stage::Credential => "the request shows one bearer token".to_owned(),
        Stage::Token => {
            format!("it is a signed token: {}, key `{}`", shown(facts.header("alg")), shown(facts.header("kid")))
        }
        Stage::Issuer => format!("it comes from `{issuer}`, which signs so"),
        Stage::Key => format!("`{issuer}` publishes the key"),
        Stage::Signature => "the signature holds".to_owned(),
        Stage::Claims => "the claims are well-formed and the issuer's own".to_owned(),
        Stage::Audience => format!("it is meant for here: {}", audience(facts)),
        Stage::Kind => "it is an access token".to_owned(),
        Stage::Dates => match facts.date("exp") {
            Some(at) => format!("it is valid now, and until {} ({})", utc(at), relative(at, facts.now)),
            None => "it is valid now".to_owned(),
        },
        Stage::Subject => format!("the caller is `{}`", subject(facts)),
        Stage::Permissions => match &facts.companies {
            Some(_) => "the permissions service has a record of the caller".to_owned(),
            None => "the permissions service answered, and has no record of the caller".to_owned(),
        },
        Stage::Company => format!("the caller belongs to company {}", company(facts)),
        Stage::Body => "the body is bound by its digest".to_owned(),
        Stage::Scopes | Stage::Condition | Stage::SubjectRule | Stage::CompanyName | Stage::Role => rule(stage, facts),
        other => other.name().to_owned(),
    }
}

/// What a step would have asked that was not reached: the route's rules; the steps of every token say nothing.
pub(super) fn wanted(stage: Stage, facts: &Facts<'_>) -> Option<String> {
    let route = facts.route?;
    let text = match stage {
        Stage::Scopes => format!("the route wants {}", rules::scopes(route.scopes())),
        Stage::Condition => format!("the route wants {}", conditions(route)),
        Stage::SubjectRule => format!("the route wants {{{}}} to be the caller", route.subject_parameter()?),
        Stage::CompanyName => format!("the route wants {}", rules::company(route.company())?),
        Stage::Permissions => "the permissions service would be asked".to_owned(),
        Stage::Company => format!("the route wants the caller to belong to {}", rules::company(route.company())?),
        Stage::Role => format!("the route wants {}", listed(route.roles(), "or")),
        Stage::Body => format!("the body would be bound: {}", route.body().name()),
        _ => return None,
    };
    Some(format!("not reached; {text}"))
}

/// What a step says that failed.
pub(super) fn failed(reason: Reason, facts: &Facts<'_>, decision: &Decision) -> String {
    let issuer = facts.section.map_or("-", Issuer::name);
    let at = |name| {
        facts.date(name).map_or_else(|| "-".to_owned(), |at| format!("{} ({})", utc(at), relative(at, facts.now)))
    };
    match reason {
        Reason::Target(error) => error.to_string(),
        Reason::Query(error) => error.to_string(),
        Reason::NoRoute => format!("no route has the path of `{}`", shown(facts.target)),
        Reason::MethodNotAllowed => format!("the path has no {}, only {}", shown(facts.method), allowed(decision)),
        Reason::PathAmbiguous => {
            let rivals: Vec<String> = facts
                .route
                .iter()
                .flat_map(|route| facts.policy.rivals(route))
                .map(|(rival, _)| rival.name().to_owned())
                .collect();
            format!(
                "an origin may take `{}` for a path of a stricter route ({}), from which it differs in spelling alone",
                shown(facts.target),
                listed(&rivals, "or")
            )
        }
        Reason::CredentialMissing => "the request shows no bearer token".to_owned(),
        Reason::CredentialMalformed => {
            "the request shows more than one credential, or one that is not `Bearer` and a token".to_owned()
        }
        Reason::Token(error) => error.to_string(),
        Reason::IssuerUnknown => {
            let said = text(facts.claims.get("iss"));
            format!("the token says that it comes from {said}; the route takes tokens of {}", issuers(facts))
        }
        Reason::AlgorithmNotAllowed => {
            let own: Vec<String> = facts
                .section
                .iter()
                .flat_map(|section| section.algorithms())
                .map(|one| one.name().to_owned())
                .collect();
            format!(
                "the token is signed with {}; `{issuer}` signs with {}",
                shown(facts.header("alg")),
                listed(&own, "or")
            )
        }
        Reason::KeysUnavailable => format!("no keys of `{issuer}` can be had"),
        Reason::KeyUnknown => {
            let (key, algorithm) = (shown(facts.header("kid")), shown(facts.header("alg")));
            format!("`{issuer}` publishes no key `{key}` for {algorithm}")
        }
        Reason::SignatureUnavailable => "the signature could not be checked".to_owned(),
        Reason::SignatureInvalid => {
            format!("the signature is not that of the key `{}` of `{issuer}`", shown(facts.header("kid")))
        }
        Reason::ClaimsMalformed => "the claims are no proper object, or one is of the wrong type".to_owned(),
        Reason::IssuerMismatch => format!("the token says that it comes from {}", text(facts.claims.get("iss"))),
        Reason::AudienceMismatch => format!("{}; `{issuer}` takes {}", audience(facts), takes(facts)),
        Reason::IssuerAmbiguous => "two issuer sections of one URL take the token".to_owned(),
        Reason::NotAnAccessToken => kind(facts),
        Reason::SenderConstrained => {
            "the token is bound to its sender (`cnf`), and that binding is not checked yet".to_owned()
        }
        Reason::ClaimMismatch => {
            let required = || facts.section.iter().flat_map(|own| own.required());
            let wanted: Vec<String> = required().map(rules::required).collect();
            format!("the token says {}; `{issuer}` requires {}", said(required(), facts), listed(&wanted, "and"))
        }
        Reason::ExpirationMissing => "the token has no `exp`".to_owned(),
        Reason::Expired if is_past(facts, "exp") => format!("the token expired at {}", at("exp")),
        Reason::Expired => too_old(facts, issuer, &at("iat")),
        Reason::NotYetValid => format!("the token is not valid before {}", at("nbf")),
        Reason::IssuedInFuture => format!("the token was issued at {}", at("iat")),
        Reason::IssuedAtMissing => format!("the token has no `iat`, and `{issuer}` limits lifetime or age"),
        Reason::LifetimeTooLong => format!("from `iat` to `exp` it is longer than `{issuer}` allows"),
        Reason::IssuedTooLongAgo => too_old(facts, issuer, &at("iat")),
        Reason::SubjectUnusable => "the token names no usable subject".to_owned(),
        Reason::ScopesAmbiguous => ambiguous(facts, |own| (own.scopes_claim(), Some(own.scopes_form()))),
        Reason::CompaniesAmbiguous => ambiguous(facts, |own| (own.companies_claim(), own.claim_forms().companies)),
        Reason::RolesAmbiguous => ambiguous(facts, |own| (own.roles_claim(), own.claim_forms().roles)),
        Reason::TooManyScopes => format!("the token lists more than {MAX_TOKEN_SCOPES} scopes"),
        Reason::TooManyCompanies => format!("the token lists more than {MAX_TOKEN_COMPANIES} companies"),
        Reason::TooManyRoles => format!("the token lists more than {MAX_TOKEN_ROLES} roles"),
        Reason::ScopeMissing => rule(Stage::Scopes, facts),
        Reason::ClaimTooLarge => {
            let wanted = facts.route.map_or_else(String::new, conditions);
            format!("a claim has more than {MAX_CLAIM_BYTES} octets or too many names; the route wants {wanted}")
        }
        Reason::ConditionUnmet => rule(Stage::Condition, facts),
        Reason::SubjectMismatch => rule(Stage::SubjectRule, facts),
        Reason::CompanyUnspecified => format!("the request does not name one {}", place(facts)),
        Reason::PermissionsUnavailable => "the permissions service cannot tell".to_owned(),
        Reason::CompanyMismatch => mismatch(facts),
        Reason::RoleMissing => rule(Stage::Role, facts),
        Reason::BodyDigestMissing => "the request declares no digest of its body, or two that differ".to_owned(),
        Reason::BodyTooLarge => {
            format!("the body is longer than {} octets", facts.policy.limits().body)
        }
        Reason::BodyUnreadable => "the body broke off before its end".to_owned(),
        other => other.code().to_owned(),
    }
}

/// A claim that could be one name or several, and what the section says of its form.
fn ambiguous(facts: &Facts<'_>, claim: impl Fn(&Issuer) -> (&[String], Option<TextForm>)) -> String {
    let Some(section) = facts.section else { return String::new() };
    let (path, form) = claim(section);
    let said = text(draft::claim(&facts.claims, path));
    let (name, issuer) = (path.join(" / "), section.name());
    match form {
        None => format!("`{name}` is {said}: one name or several, and `{issuer}` does not say which by `form`"),
        Some(form) => format!("`{name}` is {said}, which does not have the form \"{form}\" that `{issuer}` names"),
    }
}

/// A rule of the route that compares two things: both, whether they agree or not.
fn rule(stage: Stage, facts: &Facts<'_>) -> String {
    let Some(route) = facts.route else { return String::new() };
    match stage {
        Stage::Scopes => {
            let held = listed(&facts.scopes(), "and");
            format!("the token has {}; the route wants {}", shown(&held), rules::scopes(route.scopes()))
        }
        Stage::Condition => {
            let required = route.required().iter().map(|claim| (claim.name.as_str(), claim.values.as_slice()));
            format!("the token says {}; the route wants {}", said(required, facts), conditions(route))
        }
        Stage::SubjectRule => {
            let parameter = route.subject_parameter().unwrap_or_default();
            let value = shown(&facts.parameter(parameter).unwrap_or_default());
            format!("{{{parameter}}} is `{value}`; the caller is `{}`", subject(facts))
        }
        Stage::CompanyName => format!("the request is about company {}", company(facts)),
        Stage::Role => {
            let held = listed(facts.roles().unwrap_or_default(), "and");
            let wanted = listed(route.roles(), "or");
            format!("the caller holds {} in company {}; the route wants {wanted}", shown(&held), company(facts))
        }
        other => other.name().to_owned(),
    }
}

fn mismatch(facts: &Facts<'_>) -> String {
    let company = company(facts);
    match &facts.companies {
        None => format!("nobody has a record of the caller, who so does not belong to company {company}"),
        Some(companies) if companies.is_empty() => {
            format!("the caller belongs to no company, and the request is about {company}")
        }
        Some(companies) => {
            let own: Vec<String> = companies.keys().map(|name| shown(name)).collect();
            format!("the caller belongs to {}, and the request is about {company}", listed(&own, "and"))
        }
    }
}

fn kind(facts: &Facts<'_>) -> String {
    let Some(section) = facts.section else { return String::new() };
    let said = [
        section.token_use().map(|wanted| ("token_use", text(facts.claims.get("token_use")), wanted)),
        section.token_type().map(|wanted| ("typ", text(facts.header.get("typ")), wanted)),
    ];
    let said: Vec<String> = said
        .into_iter()
        .flatten()
        .map(|(name, said, wanted)| format!("`{name}` is {said}, and `{}` wants `{wanted}`", section.name()))
        .collect();
    listed(&said, "and")
}

fn audience(facts: &Facts<'_>) -> String {
    let audience = facts.audience();
    let audience = (!audience.is_empty()).then(|| format!("`aud` {}", shown(&listed(&audience, "and"))));
    let client = facts.client().map(|client| format!("client {}", shown(client)));
    let said: Vec<String> = audience.into_iter().chain(client).collect();
    if said.is_empty() { "it has neither `aud` nor a client".to_owned() } else { said.join(", ") }
}

fn takes(facts: &Facts<'_>) -> String {
    let Some(section) = facts.section else { return "others".to_owned() };
    let audience = match section.audience() {
        AudienceRule::OneOf(names) => Some(format!("`aud` {}", listed(names, "or"))),
        AudienceRule::Absent => Some("no `aud`".to_owned()),
        AudienceRule::Any => None,
    };
    let clients = (!section.clients().is_empty()).then(|| format!("client {}", listed(section.clients(), "or")));
    audience.into_iter().chain(clients).collect::<Vec<_>>().join(", ")
}

/// What the token has for claims that are required.
fn said<'c>(required: impl Iterator<Item = (&'c str, &'c [String])>, facts: &Facts<'_>) -> String {
    let said: Vec<String> = required.map(|(name, _)| format!("{name} is {}", text(facts.claims.get(name)))).collect();
    listed(&said, "and")
}

fn conditions(route: &Route) -> String {
    let wanted: Vec<String> = route.required().iter().map(rules::condition).collect();
    listed(&wanted, "and")
}

fn place(facts: &Facts<'_>) -> String {
    let rule = facts.route.map(Route::company);
    match rule {
        Some(CompanyRule::Header(name)) => format!("company in the field `{name}`"),
        Some(CompanyRule::Query(name)) => format!("company in the parameter `{name}`"),
        _ => "company".to_owned(),
    }
}

fn issuers(facts: &Facts<'_>) -> String {
    let Some(route) = facts.route else { return String::new() };
    let own: Vec<String> =
        facts.policy.issuers_of(route).map(|issuer| format!("`{}` ({})", issuer.name(), issuer.url())).collect();
    listed(&own, "or")
}

fn allowed(decision: &Decision) -> String {
    let Decision::Deny(denial) = decision else { return String::new() };
    let mut fields = denial.answer().headers.iter();
    fields.find(|(name, _)| *name == "allow").map_or_else(String::new, |(_, methods)| methods.clone())
}

/// A token whose age has reached what its section allows.
fn too_old(facts: &Facts<'_>, issuer: &str, issued_at: &str) -> String {
    let limit = facts.section.and_then(Issuer::max_age).unwrap_or_default().as_secs();
    format!("the token was issued at {issued_at}; `{issuer}` accepts a token until it is {limit} s old")
}

fn is_past(facts: &Facts<'_>, name: &str) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "seconds of any date that matters fit a float exactly")]
    let now = facts.now.as_secs() as f64;
    // A fraction is cut off.
    facts.date(name).is_some_and(|at| at.floor() <= now)
}

fn subject(facts: &Facts<'_>) -> String {
    shown(facts.subject().unwrap_or("-"))
}

fn company(facts: &Facts<'_>) -> String {
    shown(facts.company.as_deref().unwrap_or("-"))
}

/// A claim as it stands, or that it is missing.
fn text(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => format!("`{}`", shown(text)),
        Some(other) => format!("`{}`", shown(&other.to_string())),
    }
}
