//! The naive model: what must be decided, worked out in the dullest way from the documents.
//!
//! Every route is looked at for every request, nothing is remembered, nothing is shared with the core but the text of
//! the policy. It does no cryptography: a case says whether its key is published and its signature holds ([`Facts`]).

pub mod claims;
mod elsewhere;
pub mod json;
pub mod policy;
pub mod query;
pub mod routes;
pub mod spelling;
pub mod target;
pub mod token;

use std::collections::BTreeMap;

use crate::case::{Deny, Expect, Facts, Key, Permit, Reach, Request, Signature, World};
use claims::{Believed, Companies};
use json::Json;
use policy::{Company, Policy, Route, Scopes, seconds};
use routes::Found;
use token::Token;

/// Longest body that is read, unless the policy says otherwise.
const LONGEST_BODY: usize = 1024 * 1024;

/// What must be decided on `request`.
#[must_use]
pub fn decide(policy: &Policy, world: &World, request: &Request, facts: Facts) -> Expect {
    let longest = policy.limits.max_target_bytes.unwrap_or(target::LONGEST).min(target::LONGEST);
    let target = match target::parse(&request.target, longest) {
        Ok(target) => target,
        Err(reason) => return deny(reason, None),
    };
    let one = |name: &str| token::values(request, name).len() == 1;
    if policy.cors.is_some() && request.method == "OPTIONS" && one("origin") && one("access-control-request-method") {
        return Expect::Preflight {};
    }
    let (route, parameters) = match routes::find(&policy.routes, false, &target.segments, &request.method) {
        Found::Route(route, parameters) => (route, parameters),
        Found::OtherMethod => return deny("method_not_allowed", None),
        Found::Nothing => return deny("no_route", None),
    };
    if spelling::is_refused(policy, route, &target.segments) {
        return deny("path_ambiguous", Some(&route.name));
    }
    let question = Question { policy, world, request, facts, route, parameters };
    question.answer().unwrap_or_else(|reason| deny(reason, Some(&route.name)))
}

/// What the shadow route for `request` would decide, where there is one.
#[must_use]
pub fn decide_shadow(policy: &Policy, world: &World, request: &Request, facts: Facts) -> Option<Expect> {
    let longest = policy.limits.max_target_bytes.unwrap_or(target::LONGEST).min(target::LONGEST);
    let target = target::parse(&request.target, longest).ok()?;
    let Found::Route(route, parameters) = routes::find(&policy.routes, true, &target.segments, &request.method) else {
        return None;
    };
    let question = Question { policy, world, request, facts, route, parameters };
    Some(question.answer().unwrap_or_else(|reason| deny(reason, Some(&route.name))))
}

/// A request that has its route.
struct Question<'a> {
    policy: &'a Policy,
    world: &'a World,
    request: &'a Request,
    facts: Facts,
    route: &'a Route,
    parameters: BTreeMap<String, String>,
}

impl Question<'_> {
    fn answer(&self) -> Result<Expect, &'static str> {
        let may_override = self.route.query_method_override
            || ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&self.request.method.as_str());
        let query = self.request.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        if !may_override && query::overrides_method(query) {
            return Err("query_method_override");
        }
        if self.route.public {
            return self.permit(None, None, Vec::new());
        }
        let token = self.token()?;
        let caller = self.caller(&token)?;
        self.check_scopes(&caller)?;
        for (name, wanted) in &self.route.require {
            if caller.is_too_large(&self.policy.issuers[caller.section], name) {
                return Err("claim_too_large");
            }
            if !claims::holds(caller.claims.get(name), wanted) {
                return Err("condition_unmet");
            }
        }
        if let Some(name) = self.route.subject.as_deref().and_then(parameter)
            && self.parameters.get(name) != Some(&caller.subject)
        {
            return Err("subject_mismatch");
        }
        let Some(company) = self.company(&caller)? else { return self.permit(Some(&caller), None, Vec::new()) };
        let companies = match &caller.companies {
            Some(companies) => companies.clone(),
            None => self.recorded(&caller)?,
        };
        if let Some(reason) = caller.unread.get("companies") {
            return Err(reason);
        }
        let held = companies.get(&company).ok_or("company_mismatch")?;
        let no_roles = caller.unread.get("roles");
        if let Some(reason) = no_roles.filter(|_| !self.route.roles.is_empty()) {
            return Err(reason);
        }
        if !self.route.roles.is_empty() && !self.route.roles.iter().any(|role| held.contains(role)) {
            return Err("role_missing");
        }
        let held = if no_roles.is_some() { Vec::new() } else { held.clone() };
        self.permit(Some(&caller), Some(company), held)
    }

    fn token(&self) -> Result<Token, &'static str> {
        let longest = self.policy.limits.max_token_bytes.unwrap_or(token::LONGEST).min(token::LONGEST);
        token::parse(token::credential(self.request, longest)?)
    }

    /// Who calls, once all is known to be true that the token says.
    fn caller<'t>(&'t self, token: &'t Token) -> Result<Believed<'t>, &'static str> {
        let sections = self.route.issuer.as_ref().map(policy::OneOrMany::names).unwrap_or_default();
        let url_of = |name: &String| self.policy.issuers[name].url.as_str();
        let mut urls: Vec<&str> = sections.iter().map(url_of).collect();
        urls.sort_unstable();
        urls.dedup();
        // Where several issuers may call, `iss` is looked at before anything is known to be true.
        let claimed = match urls[..] {
            [one] => one.to_owned(),
            _ => claimed_issuer(token).ok_or("token_malformed")?,
        };
        let of_url: Vec<&String> = sections.iter().filter(|name| url_of(name) == claimed).collect();
        if of_url.is_empty() {
            return Err("issuer_unknown");
        }
        let able: Vec<&str> = of_url
            .into_iter()
            .filter(|name| self.policy.issuers[*name].algorithms().contains(&token.algorithm))
            .map(String::as_str)
            .collect();
        if able.is_empty() {
            return Err("algorithm_not_allowed");
        }
        match (self.world.reach_of_keys, self.facts.key) {
            (Reach::Silent, _) | (Reach::SilentFor(_) | Reach::FailsNow(_), Key::Unknown) => {
                return Err("keys_unavailable");
            }
            (Reach::Answers, Key::Unknown) => return Err("key_unknown"),
            (_, Key::Known) => {}
        }
        if self.facts.signature == Signature::Broken {
            return Err("signature_invalid");
        }
        claims::believe(self.policy, &able, token, self.world.now as f64)
    }

    fn check_scopes(&self, caller: &Believed<'_>) -> Result<(), &'static str> {
        let (all, any) = match &self.route.scopes {
            Scopes::All(all) => (all.clone(), Vec::new()),
            Scopes::Sets { all_of, any_of } => (all_of.clone(), any_of.clone()),
        };
        if let Some(reason) = caller.unread.get("scopes").filter(|_| !(all.is_empty() && any.is_empty())) {
            return Err(reason);
        }
        let has = |scope: &String| caller.scopes.contains(scope);
        let enough = all.iter().all(has) && (any.is_empty() || any.iter().any(has));
        if enough { Ok(()) } else { Err("scope_missing") }
    }

    /// The company that the request is about, where the route binds one.
    fn company(&self, caller: &Believed<'_>) -> Result<Option<String>, &'static str> {
        let found = match &self.route.company {
            None => return Ok(None),
            Some(Company::Text(rule)) if rule == "any" => return Ok(None),
            Some(Company::Text(rule)) if rule == "subject" => Some(caller.subject.clone()),
            Some(Company::Text(rule)) => self.parameters.get(parameter(rule).unwrap_or(rule)).cloned(),
            Some(Company::Elsewhere(place)) => match (place.get("header"), place.get("query")) {
                (Some(header), _) => elsewhere::in_header(self.request, header),
                (None, Some(name)) => {
                    query::read(&self.request.target, name, None)?.as_deref().and_then(elsewhere::company)
                }
                (None, None) => None,
            },
        };
        found.map(Some).ok_or("company_unspecified")
    }

    /// The caller's companies as the permissions service has them.
    fn recorded(&self, caller: &Believed<'_>) -> Result<Companies, &'static str> {
        let usable_for = |text: &Option<String>| text.as_deref().map_or(0.0, seconds);
        match self.world.reach_of_permissions {
            Reach::Silent => return Err("permissions_unavailable"),
            Reach::SilentFor(age) | Reach::FailsNow(age) => {
                let (fresh, stale) =
                    (usable_for(&self.route.permissions_max_age), usable_for(&self.route.permissions_stale_if_error));
                let is_known = matches!(self.world.reach_of_permissions, Reach::SilentFor(_));
                let stands_in = if fresh > 0.0 && is_known { stale } else { 0.0 };
                if age as f64 >= fresh + stands_in {
                    return Err("permissions_unavailable");
                }
            }
            Reach::Answers => {}
        }
        match self.world.permissions.get(&caller.subject) {
            // Whom the service does not know has no company.
            None => Err("company_mismatch"),
            Some(record) => claims::record(&record.to_string(), &caller.subject).ok_or("permissions_unavailable"),
        }
    }

    fn permit(
        &self,
        caller: Option<&Believed<'_>>,
        company: Option<String>,
        roles: Vec<String>,
    ) -> Result<Expect, &'static str> {
        let mut permit = Permit { route: self.route.name.clone(), company, roles, ..Permit::default() };
        if let Some(caller) = caller {
            permit.issuer = Some(caller.section.to_owned());
            permit.subject = Some(caller.subject.clone());
            permit.scopes.clone_from(&caller.scopes);
            for (field, path) in &self.route.headers {
                let value = caller.claims.at(&path.names()).and_then(elsewhere::field_value);
                permit.handed_on.extend(value.map(|value| (field.clone(), value)));
            }
        }
        permit.body_sha256 = self.body()?;
        Ok(Expect::Permit(permit))
    }

    /// The digest of the body, where the route binds it.
    fn body(&self) -> Result<Option<String>, &'static str> {
        let rule = self.route.body.as_deref().unwrap_or("streamed");
        let body = self.request.body.as_deref().unwrap_or_default();
        let limit = self.policy.limits.max_body_bytes.unwrap_or(LONGEST_BODY);
        match rule {
            "streamed" => Ok(None),
            // They have none.
            _ if ["GET", "HEAD"].contains(&self.request.method.as_str()) => Ok(Some(elsewhere::sha256(""))),
            "declared" => elsewhere::declared(self.request).map(Some).ok_or("body_digest_missing"),
            _ if body.len() > limit => Err("body_too_large"),
            _ => Ok(Some(elsewhere::sha256(body))),
        }
    }
}

/// `iss` where it is a string and stands once, whatever else the payload says.
fn claimed_issuer(token: &Token) -> Option<String> {
    let Json::Object(members) = json::parse_with_repeats(std::str::from_utf8(&token.payload).ok()?)? else {
        return None;
    };
    let named: Vec<&Json> = members.iter().filter(|(name, _)| name == "iss").map(|(_, value)| value).collect();
    match named[..] {
        [one] => one.text().map(str::to_owned),
        _ => None,
    }
}

/// The name in `{name}`.
fn parameter(rule: &str) -> Option<&str> {
    rule.strip_prefix('{')?.strip_suffix('}')
}

/// A refusal, with the status that README.md's table gives its reason.
pub fn deny(reason: &str, route: Option<&str>) -> Expect {
    let status = match reason {
        "no_route" => 404,
        "method_not_allowed" => 405,
        "path_ambiguous"
        | "credential_malformed"
        | "company_unspecified"
        | "body_digest_missing"
        | "body_unreadable" => 400,
        "body_too_large" => 413,
        "too_many_scopes" | "too_many_companies" | "too_many_roles" => 403,
        "scopes_ambiguous" | "companies_ambiguous" | "roles_ambiguous" => 403,
        "scope_missing" | "subject_mismatch" | "company_mismatch" | "role_missing" | "condition_unmet"
        | "claim_too_large" => 403,
        "keys_unavailable" | "signature_unavailable" | "permissions_unavailable" | "unconfigured" => 503,
        malformed if malformed.starts_with("target_") || malformed.starts_with("query_") => 400,
        _ => 401,
    };
    Expect::Deny(Deny { reason: reason.to_owned(), status, route: route.map(str::to_owned) })
}
