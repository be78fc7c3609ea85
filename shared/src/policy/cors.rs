//! Cross-origin access for browsers (WHATWG Fetch §3.2, "CORS protocol").
//!
//! CORS protects nobody from a caller with a token; it tells browsers whose pages may read answers. So
//! preflights are answered from the policy before anything else is asked, and denials carry the headers too,
//! or a page could not tell why it was refused.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::time::Duration;

use super::{
    PolicyFault,
    compile::Faults,
    duration,
    file::CorsFile,
    url::{self, Profile},
};

/// Default time browsers keep a preflight's answer: Chromium's own default is 5 s, its cap 2 h.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);

/// Which pages may call, and what they may send and read.
#[derive(Clone, Debug)]
pub(crate) struct Cors {
    origins: Vec<String>,
    any_origin: bool,
    credentials: bool,
    headers: String,
    expose: String,
    max_age: Duration,
}

/// A header field to set on an answer.
pub(crate) type Field = (&'static str, String);

pub(super) fn compile(file: &CorsFile, profile: Profile, faults: &mut Faults) -> Cors {
    let any_origin = file.origins.iter().any(|origin| origin == "*");
    for (index, origin) in file.origins.iter().enumerate() {
        let allowed = if origin == "*" { !file.credentials } else { url::is_allowed(origin, profile, false) };
        if !allowed {
            faults.add(format!("cors.origins[{index}]"), PolicyFault::CorsOrigin(origin.clone()));
        }
    }
    if file.origins.is_empty() {
        faults.add("cors.origins", PolicyFault::Empty("origin"));
    }
    for (list, names) in [("headers", &file.headers), ("expose", &file.expose)] {
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !is_field_name(name)) {
            faults.add(format!("cors.{list}[{index}]"), PolicyFault::RuleForm("header", name.clone()));
        }
    }
    let max_age = match file.max_age.as_deref().map(duration::parse) {
        None => DEFAULT_MAX_AGE,
        Some(Some(duration)) => duration,
        Some(None) => {
            faults.add("cors.max_age", PolicyFault::Duration(file.max_age.clone().unwrap_or_default()));
            DEFAULT_MAX_AGE
        }
    };
    Cors {
        origins: file.origins.clone(),
        any_origin,
        credentials: file.credentials,
        headers: with_ours(&["authorization"], &file.headers),
        expose: with_ours(&["www-authenticate", "retry-after"], &file.expose),
        max_age,
    }
}

fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn with_ours(ours: &[&str], theirs: &[String]) -> String {
    let mut names: Vec<String> = ours.iter().map(|name| (*name).to_owned()).collect();
    for name in theirs.iter().map(|name| name.to_ascii_lowercase()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

impl Cors {
    /// Fields for any answer to a request that came with this `Origin`, if with any.
    pub(crate) fn answer_fields(&self, origin: Option<&str>) -> Vec<Field> {
        let mut fields = self.allow_origin(origin);
        if !fields.is_empty() {
            fields.push(("access-control-expose-headers", self.expose.clone()));
        }
        fields
    }

    /// Fields for the answer to a preflight for a path with these methods.
    pub(crate) fn preflight_fields(&self, origin: &str, methods: &[String]) -> Vec<Field> {
        let mut fields = self.allow_origin(Some(origin));
        if !fields.is_empty() {
            fields.push(("access-control-allow-methods", methods.join(", ")));
            fields.push(("access-control-allow-headers", self.headers.clone()));
            fields.push(("access-control-max-age", format!("{}", self.max_age.as_secs())));
        }
        fields
    }

    /// Nothing for a page of an origin that the policy does not name.
    fn allow_origin(&self, origin: Option<&str>) -> Vec<Field> {
        let mut fields = Vec::new();
        let Some(origin) = origin.filter(|origin| self.any_origin || self.origins.iter().any(|own| own == origin))
        else {
            return fields;
        };
        let value = if self.any_origin { "*" } else { origin };
        fields.push(("access-control-allow-origin", value.to_owned()));
        if self.credentials {
            fields.push(("access-control-allow-credentials", "true".to_owned()));
        }
        fields
    }
}
