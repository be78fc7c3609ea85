//! Whose a token is, once its signature holds: issuer section, dates, subject, scopes, companies. From README
//! ("Issuers"), RFC 7519 §4 and the table of attacks.

use std::collections::BTreeMap;

use super::{
    json::{self, Json},
    policy::{Issuer, OneOrMany, Policy, Required, seconds},
    token::Token,
};

/// Default forgiveness to `nbf` and `iat`, in seconds.
const LEEWAY: f64 = 5.0;
const LONGEST_SUBJECT: usize = 255;
/// No calendar goes further: a date beyond is no date.
const LAST_DATE: f64 = 8_210_266_876_799.0;

/// Company to roles.
pub type Companies = BTreeMap<String, Vec<String>>;

/// A token that is believed.
#[derive(Clone, Debug)]
pub struct Believed<'p> {
    /// All claims.
    pub claims: &'p Json,
    /// The name of its issuer section.
    pub section: &'p str,
    /// The caller.
    pub subject: String,
    /// In the token's order.
    pub scopes: Vec<String>,
    /// Where they stand in the token or follow from it; `None` where the permissions service has them.
    pub companies: Option<Companies>,
    /// Which of `scopes`, `companies` and `roles` are not read, and why: a text that may be read in several ways, or too many
    /// names.
    pub unread: BTreeMap<&'static str, &'static str>,
}

/// Most scopes, companies and roles of one token.
const MOST_NAMES: usize = 1_024;
/// Octets of the largest claim that a route may look at, as text or else as JSON.
const LARGEST_CLAIM: usize = 8_192;
const MALFORMED: &str = "claims_malformed";

/// The token's section among `sections`, or the reason why it is not believed.
pub fn believe<'p>(
    policy: &'p Policy,
    sections: &[&str],
    token: &'p Token,
    now: f64,
) -> Result<Believed<'p>, &'static str> {
    let claims = token.claims.as_ref().ok_or(MALFORMED)?;
    for date in ["exp", "nbf", "iat"] {
        date_of(claims, date)?;
    }
    let url = text(claims, &["iss".to_owned()])?.ok_or("issuer_mismatch")?;
    if !sections.iter().any(|name| policy.issuers[*name].url == url) {
        return Err("issuer_mismatch");
    }
    let mut accepting = Vec::new();
    for (name, issuer) in policy.issuers.iter().filter(|(_, issuer)| issuer.url == url) {
        if issuer.algorithms().contains(&token.algorithm) && accepts(issuer, claims)? {
            accepting.push((name, issuer));
        }
    }
    let (section, issuer) = match accepting[..] {
        [] => return Err("audience_mismatch"),
        [one] if sections.contains(&one.0.as_str()) => one,
        [_] => return Err("audience_mismatch"),
        _ => return Err("issuer_ambiguous"),
    };
    check_kind(issuer, token, claims)?;
    check_dates(issuer, claims, now)?;
    let subject = text(claims, &issuer.path("subject"))?.ok_or("subject_unusable")?;
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err("subject_unusable");
    }
    let mut unread = BTreeMap::new();
    let listed = |name: &'static str, ambiguous: &'static str, unread: &mut BTreeMap<_, _>| {
        let claim = claims.at(&issuer.path(name))?;
        let listed = in_form(claim, issuer.form(name));
        if listed.is_none() {
            unread.insert(name, ambiguous);
        }
        Some(listed.unwrap_or(Json::Array(Vec::new())))
    };
    let companies = match issuer.permissions.as_str() {
        "service" => None,
        "subject" => Some(Companies::from([(subject.to_owned(), Vec::new())])),
        _ => {
            let names = listed("companies", "companies_ambiguous", &mut unread);
            let roles = listed("roles", "roles_ambiguous", &mut unread);
            let companies = carried(names.as_ref(), roles.as_ref()).ok_or(MALFORMED)?;
            // One claim of roles is about every company.
            let held = match roles {
                Some(_) => companies.values().next().map_or(0, Vec::len),
                None => companies.values().map(Vec::len).sum(),
            };
            if companies.len() > MOST_NAMES {
                unread.insert("companies", "too_many_companies");
            }
            if held > MOST_NAMES {
                unread.insert("roles", "too_many_roles");
            }
            Some(companies)
        }
    };
    let mut scopes = names(listed("scopes", "scopes_ambiguous", &mut unread).as_ref())?;
    if scopes.len() > MOST_NAMES {
        unread.insert("scopes", "too_many_scopes");
        scopes.clear();
    }
    Ok(Believed { claims, section, subject: subject.to_owned(), scopes, companies, unread })
}

impl Believed<'_> {
    /// Whether the claim of this name at the top is over its cap, or has a list in it that is.
    pub fn is_too_large(&self, issuer: &Issuer, name: &str) -> bool {
        let lists = self.unread.iter().filter(|(_, reason)| reason.starts_with("too_many_"));
        let mut paths = lists.flat_map(|(list, _)| match *list {
            "scopes" => vec![issuer.path("scopes")],
            _ => vec![issuer.path("companies"), issuer.path("roles")],
        });
        let octets = self.claims.get(name).map_or(0, |claim| claim.text().map_or(claim.to_string().len(), str::len));
        octets > LARGEST_CLAIM || paths.any(|path| path.first().is_some_and(|first| first == name))
    }
}

/// A string, nothing, or the wrong type.
fn text<'c>(claims: &'c Json, path: &[String]) -> Result<Option<&'c str>, &'static str> {
    match claims.at(path) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(MALFORMED),
    }
}

fn date_of(claims: &Json, name: &str) -> Result<Option<f64>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        // What lies before 1970 is as good as 1970.
        Some(Json::Number(date)) if date.abs() <= LAST_DATE => Ok(Some(date.max(0.0))),
        Some(_) => Err(MALFORMED),
    }
}

/// Scopes, as RFC 6749 §3.3 allows them; others are none.
fn names(claim: Option<&Json>) -> Result<Vec<String>, &'static str> {
    let mut names = match claim {
        None => Vec::new(),
        Some(Json::String(one)) => vec![one.clone()],
        Some(other) => other.texts().ok_or(MALFORMED)?,
    };
    let allowed = |letter: char| ('!'..='~').contains(&letter) && letter != '"' && letter != '\\';
    names.retain(|name| !name.is_empty() && name.chars().all(allowed));
    Ok(names)
}

/// A claim whose text, if it has several names, is an array of them; `None` where nobody says which they are.
fn in_form(claim: &Json, form: Option<&str>) -> Option<Json> {
    let Json::String(text) = claim else { return Some(claim.clone()) };
    let list = |names: Vec<String>| Some(Json::Array(names.into_iter().map(Json::String).collect()));
    let looks_like_json = ["[", "{", "\""].iter().any(|start| text.trim_start_matches(' ').starts_with(start));
    if !looks_like_json && !text.contains(' ') && !text.contains(',') {
        return Some(claim.clone());
    }
    match form {
        Some("text") => Some(claim.clone()),
        Some("json") => match json::parse(text)? {
            Json::Array(items) => list(Json::Array(items).texts()?),
            _ => None,
        },
        Some("spaces") if !looks_like_json => list(words(text)),
        Some("commas") if !looks_like_json => {
            let names = text.split(',').map(|name| name.trim_matches(' ').to_owned());
            list(names.filter(|name| !name.is_empty()).collect())
        }
        _ => None,
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn accepts(issuer: &Issuer, claims: &Json) -> Result<bool, &'static str> {
    let audience = match claims.get("aud") {
        None => None,
        Some(Json::String(one)) => Some(vec![one.clone()]),
        Some(other) => Some(other.texts().ok_or(MALFORMED)?),
    };
    let mut client = None;
    for path in issuer.client_paths() {
        client = client.or(text(claims, &path)?);
    }
    let for_us = match &issuer.audience {
        Some(OneOrMany::One(_)) => true,
        None => audience.is_none(),
        Some(OneOrMany::Many(own)) => audience.is_some_and(|names| names.iter().any(|name| own.contains(name))),
    };
    let of_ours =
        issuer.clients.is_empty() || client.is_some_and(|client| issuer.clients.iter().any(|own| own == client));
    Ok(for_us && of_ours)
}

fn check_kind(issuer: &Issuer, token: &Token, claims: &Json) -> Result<(), &'static str> {
    let token_use = text(claims, &["token_use".to_owned()])?;
    if issuer.token_use().is_some_and(|wanted| token_use != Some(wanted)) {
        return Err("not_an_access_token");
    }
    // Compared as they are written out in full, without case.
    let full = |kind: &str| {
        if kind.contains('/') { kind.to_lowercase() } else { format!("application/{kind}").to_lowercase() }
    };
    if issuer.token_type.as_deref().is_some_and(|wanted| token.kind.as_deref().map(full) != Some(full(wanted))) {
        return Err("not_an_access_token");
    }
    if claims.get("cnf").is_some() {
        return Err("sender_constrained");
    }
    if issuer.required().iter().all(|(name, wanted)| holds(claims.get(name), wanted)) {
        Ok(())
    } else {
        Err("claim_mismatch")
    }
}

/// Whether a claim is what is wanted; `true` wants it to be there, and neither `null` nor `false`, nor either as a word.
pub fn holds(claim: Option<&Json>, wanted: &Required) -> bool {
    let values = match (claim, wanted) {
        (None | Some(Json::Null), _) => return false,
        (Some(claim), Required::Present(_)) => {
            let word = claim.text().map(str::to_lowercase);
            return *claim != Json::Bool(false) && word.as_deref() != Some("false") && word.as_deref() != Some("null");
        }
        (_, Required::One(value)) => vec![value.clone()],
        (_, Required::Many(values)) => values.clone(),
    };
    let is_one = |value: &Json| value.text().is_some_and(|text| values.iter().any(|own| own == text));
    match claim {
        Some(Json::Array(items)) => items.iter().any(is_one),
        Some(value) => is_one(value),
        None => false,
    }
}

fn check_dates(issuer: &Issuer, claims: &Json, now: f64) -> Result<(), &'static str> {
    // Whole seconds: a fraction never helps a token.
    let expires = date_of(claims, "exp")?.ok_or("expiration_missing")?.floor();
    if now >= expires {
        return Err("expired");
    }
    let leeway = issuer.leeway.as_deref().map_or(LEEWAY, seconds);
    if date_of(claims, "nbf")?.is_some_and(|date| date.ceil() > now + leeway) {
        return Err("not_yet_valid");
    }
    let issued = date_of(claims, "iat")?;
    if issued.is_some_and(|date| date.ceil() > now + leeway) {
        return Err("issued_in_future");
    }
    let issued = issued.map(f64::floor);
    if let Some(limit) = issuer.max_lifetime.as_deref().map(seconds)
        && expires > issued.ok_or("issued_at_missing")? + limit
    {
        return Err("lifetime_too_long");
    }
    if let Some(limit) = issuer.max_age.as_deref().map(seconds)
        && now >= issued.ok_or("issued_at_missing")? + limit
    {
        return Err("issued_too_long_ago");
    }
    Ok(())
}

/// Companies and roles in the token itself: domain.md lists the forms.
fn carried(companies: Option<&Json>, roles: Option<&Json>) -> Option<Companies> {
    let with_roles = |names: Vec<String>| {
        let roles = match roles {
            None => Vec::new(),
            Some(Json::String(one)) if !one.is_empty() => vec![one.clone()],
            Some(Json::Array(_)) => roles?.texts()?,
            Some(_) => return None,
        };
        Some(names.into_iter().map(|name| (name, roles.clone())).collect())
    };
    let found = match companies {
        None => with_roles(Vec::new())?,
        Some(Json::String(text)) if text.is_empty() => with_roles(Vec::new())?,
        Some(Json::String(one)) => with_roles(vec![one.clone()])?,
        Some(array @ Json::Array(_)) => with_roles(array.texts()?)?,
        // Keycloak's organisations.
        Some(Json::Object(members)) if members.iter().all(|(_, value)| matches!(value, Json::Object(_))) => {
            with_roles(members.iter().map(|(name, _)| name.clone()).collect())?
        }
        Some(object @ Json::Object(_)) if roles.is_none() => by_company(object)?,
        Some(_) => return None,
    };
    named(found)
}

/// A record of the permissions service about `subject`, in either shape.
pub fn record(text: &str, subject: &str) -> Option<Companies> {
    let record = json::parse(text)?;
    if record.get("id").and_then(Json::text) != Some(subject) || subject.is_empty() {
        return None;
    }
    let whole = |version: &Json| matches!(version, Json::Number(number) if *number >= 0.0 && number.fract() == 0.0);
    if record.get("version").is_some_and(|version| !whole(version)) {
        return None;
    }
    let found = match (record.get("companies")?, record.get("role")) {
        (names @ Json::Array(_), role) => {
            let roles = match role {
                None => Vec::new(),
                Some(Json::String(role)) if !role.is_empty() => vec![role.clone()],
                Some(_) => return None,
            };
            names.texts()?.into_iter().map(|name| (name, roles.clone())).collect()
        }
        (object @ Json::Object(_), None) => by_company(object)?,
        _ => return None,
    };
    named(found)
}

fn by_company(object: &Json) -> Option<Companies> {
    let Json::Object(members) = object else { return None };
    members.iter().map(|(name, roles)| Some((name.clone(), roles.texts()?))).collect()
}

fn named(companies: Companies) -> Option<Companies> {
    companies.keys().all(|name| !name.is_empty()).then_some(companies)
}
