//! Issuer sections: whose tokens are believed, by which rules, and where their keys are.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use super::{
    AudienceRule, ClaimForms, PolicyFault, Preset, RequiredClaim, TextForm,
    compile::{Faults, is_name},
    file::{ClaimsFile, IssuerFile, NamesFile, OneOrMany, PolicyFile, RequiredFile},
    pointer,
    url::{self, Profile},
};
use crate::{
    algorithm::Algorithm,
    claims::ClaimPath,
    purpose::{ByPurpose, Purpose},
};

/// Default forgiveness for an issuer's clock that runs ahead (`nbf`, `iat`). `exp` is never forgiven.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);
/// Most forgiveness a policy may ask for; beyond it a clock is broken, not skewed.
const MAX_LEEWAY: Duration = Duration::from_secs(300);
/// Longest limit on a token's life or age: past a year it limits nothing.
const MAX_TOKEN_LIFE: Duration = Duration::from_secs(366 * 24 * 3600);
/// How long keys are used while the issuer cannot be reached, unless the section says otherwise.
pub const DEFAULT_JWKS_MAX_STALE: Duration = Duration::from_secs(6 * 3600);
/// Longest that they may be: a key withdrawn during an outage is believed no longer than this.
const MAX_JWKS_MAX_STALE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Where an issuer's callers get their companies and roles from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionsSource {
    /// The permissions service, asked for each subject.
    Service,
    /// The token's own claims.
    Claims,
    /// The subject is itself the company: a machine client.
    Subject,
}

/// Where an issuer's keys are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JwksLocation {
    /// At this URL.
    Url(String),
    /// Where the issuer's own metadata says, published at this URL (OpenID Connect Discovery 1.0 §4).
    Discovery(String),
}

/// One issuer section: whose tokens are believed, and for what.
#[derive(Clone, Debug)]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    pub(crate) url: String,
    pub(crate) jwks: JwksLocation,
    pub(crate) jwks_max_stale: Duration,
    pub(crate) profile: Profile,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) audience: AudienceRule,
    pub(crate) clients: Vec<String>,
    pub(crate) token_use: Option<String>,
    pub(crate) token_type: Option<String>,
    pub(crate) required: Vec<RequiredClaim>,
    pub(crate) claims: ClaimPaths,
    /// Claims that some route looks at or hands on: what is kept of a verified token. Those of shadow routes are kept for
    /// what is only tried.
    pub(crate) kept: ByPurpose<Vec<ClaimPath>>,
    pub(crate) permissions: PermissionsSource,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) max_age: Option<Duration>,
}

/// Where the claims stand whose place differs between issuers.
#[derive(Clone, Debug)]
pub(crate) struct ClaimPaths {
    pub(crate) subject: ClaimPath,
    /// The first that a token has.
    pub(crate) client: Vec<ClaimPath>,
    pub(crate) scopes: ClaimPath,
    pub(crate) roles: ClaimPath,
    pub(crate) companies: ClaimPath,
    pub(crate) scopes_form: TextForm,
    pub(crate) forms: ClaimForms,
}

impl Issuer {
    /// The section's name in the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The exact `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its JWK set is found.
    #[must_use]
    pub const fn jwks(&self) -> &JwksLocation {
        &self.jwks
    }

    /// Hard maximum age of its JWK set while it cannot be fetched anew.
    #[must_use]
    pub const fn jwks_max_stale(&self) -> Duration {
        self.jwks_max_stale
    }

    /// The algorithms it may sign with.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Where its callers get their companies and roles from.
    #[must_use]
    pub const fn permissions(&self) -> PermissionsSource {
        self.permissions
    }

    /// Keeps of each token what stands at these `paths`.
    pub(super) fn keep(&mut self, purposes: &[Purpose], paths: impl Iterator<Item = ClaimPath>) {
        for path in paths {
            for purpose in purposes {
                let kept = self.kept.of_mut(*purpose);
                if !kept.contains(&path) {
                    kept.push(path.clone());
                }
            }
        }
    }

    /// Whether a development overlay has touched the policy.
    pub(crate) const fn is_development(&self) -> bool {
        matches!(self.profile, Profile::Development)
    }

    /// Whether `url` may be asked for this issuer's keys: https, or loopback http in development.
    pub(crate) fn allows_url(&self, url: &str) -> bool {
        url::is_allowed(url, self.profile, true)
    }
}

pub(super) fn compile(file: &PolicyFile, profile: Profile, faults: &mut Faults) -> Vec<Issuer> {
    let has_service = file.permissions.is_some();
    let mut compiled: Vec<Issuer> = Vec::new();
    for (name, issuer) in &file.issuers {
        let section = Section { at: pointer::entry("issuer", name), file: issuer, profile, faults: &mut *faults };
        compiled.push(section.compile(name, has_service));
    }
    for (index, issuer) in compiled.iter().enumerate() {
        for other in compiled.iter().take(index).filter(|other| other.url == issuer.url) {
            let at = pointer::entry("issuer", &issuer.name);
            if other.jwks != issuer.jwks {
                faults.add(format!("{at}.jwks_url"), PolicyFault::IssuerKeysDiffer((*other.name).to_owned()));
            }
            if other.jwks_max_stale != issuer.jwks_max_stale {
                let fault = PolicyFault::IssuerStalenessDiffers((*other.name).to_owned());
                faults.add(format!("{at}.jwks_max_stale"), fault);
            }
            if !disjoint(&issuer.clients, &other.clients) && !issuer.audience.is_disjoint(&other.audience) {
                faults.add(at, PolicyFault::IssuersOverlap((*other.name).to_owned()));
            }
        }
    }
    compiled
}

/// What `require` asks for, at a section or at a route.
pub(super) fn required_claims(
    at: &str,
    written: &BTreeMap<String, RequiredFile>,
    faults: &mut Faults,
) -> Vec<RequiredClaim> {
    let mut required = Vec::new();
    for (name, wanted) in written {
        let values = match wanted {
            RequiredFile::Present(true) => Vec::new(),
            RequiredFile::One(value) => Vec::from([value.clone()]),
            RequiredFile::Many(values) if !values.is_empty() => values.clone(),
            RequiredFile::Present(false) | RequiredFile::Many(_) => {
                let written = serde_json::to_string(wanted).unwrap_or_default();
                faults.add(pointer::entry(at, name), PolicyFault::RequiredForm(written));
                continue;
            }
        };
        required.push(RequiredClaim { name: name.clone(), values });
    }
    required
}

/// Whether no token can satisfy both lists; an empty list asks nothing, so it excludes nothing.
fn disjoint(a: &[String], b: &[String]) -> bool {
    !a.is_empty() && !b.is_empty() && !a.iter().any(|name| b.contains(name))
}

/// One section on its way.
struct Section<'a> {
    at: String,
    file: &'a IssuerFile,
    profile: Profile,
    faults: &'a mut Faults,
}

impl Section<'_> {
    fn fault(&mut self, member: &str, fault: PolicyFault) {
        let pointer = if member.is_empty() { self.at.clone() } else { format!("{}.{member}", self.at) };
        self.faults.add(pointer, fault);
    }

    fn compile(mut self, name: &str, has_service: bool) -> Issuer {
        if !is_name(name) {
            self.fault("", PolicyFault::RuleForm("name", name.to_owned()));
        }
        let preset = self.preset();
        let jwks = self.jwks(preset);
        let file = self.file;
        let required = self.required(preset);
        let token_use = file.token_use.clone().or_else(|| preset?.token_use().map(ToOwned::to_owned));
        let audience = self.audience();
        let is_told = token_use.is_some() || file.token_type.is_some() || !required.is_empty();
        self.check_kind(preset, &audience, is_told);
        Issuer {
            name: name.into(),
            url: file.url.clone(),
            jwks,
            jwks_max_stale: self
                .duration("jwks_max_stale", file.jwks_max_stale.as_ref(), MAX_JWKS_MAX_STALE)
                .unwrap_or(DEFAULT_JWKS_MAX_STALE),
            profile: self.profile,
            algorithms: self.algorithms(preset),
            audience,
            clients: file.clients.clone(),
            token_use,
            token_type: file.token_type.clone(),
            required,
            claims: self.claims(preset),
            kept: ByPurpose::default(),
            permissions: self.permissions(has_service),
            leeway: self.duration("leeway", file.leeway.as_ref(), MAX_LEEWAY).unwrap_or(DEFAULT_LEEWAY),
            max_lifetime: self.limit("max_lifetime", file.max_lifetime.as_ref()),
            max_age: self.limit("max_age", file.max_age.as_ref()),
        }
    }

    fn preset(&mut self) -> Option<Preset> {
        let name = self.file.preset.as_deref()?;
        let preset = Preset::from_name(name);
        match preset {
            None => self.fault("preset", PolicyFault::Preset(name.to_owned())),
            // A development overlay has put a local stand-in in the provider's place.
            Some(preset) if self.profile == Profile::Deployed => {
                if let Some(expected) = preset.expected_url(&self.file.url) {
                    self.fault("url", PolicyFault::PresetUrl(preset.name(), expected));
                }
            }
            Some(_) => {}
        }
        preset
    }

    fn jwks(&mut self, preset: Option<Preset>) -> JwksLocation {
        // An `iss` with a closing slash exists (Auth0), so it is allowed here and nowhere else.
        let without_slash = self.file.url.strip_suffix('/').unwrap_or(&self.file.url);
        if !url::is_allowed(without_slash, self.profile, true) {
            self.fault("url", PolicyFault::Url(self.file.url.clone()));
        }
        match (&self.file.jwks_url, preset) {
            (Some(jwks_url), _) => {
                if !url::is_allowed(jwks_url, self.profile, true) {
                    self.fault("jwks_url", PolicyFault::Url(jwks_url.clone()));
                }
                JwksLocation::Url(jwks_url.clone())
            }
            (None, Some(preset)) => JwksLocation::Url(preset.jwks_url(&self.file.url)),
            (None, None) => JwksLocation::Discovery(format!("{without_slash}/.well-known/openid-configuration")),
        }
    }

    fn algorithms(&mut self, preset: Option<Preset>) -> Vec<Algorithm> {
        let Some(names) = &self.file.algorithms else {
            // What all of them sign with unless told otherwise.
            if preset.is_none() {
                self.fault("", PolicyFault::Empty("algorithm"));
            }
            return Vec::from([Algorithm::Rs256]);
        };
        let mut algorithms = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match Algorithm::from_name(name) {
                Some(algorithm) => algorithms.push(algorithm),
                None => self.fault(&format!("algorithms[{index}]"), PolicyFault::Algorithm(name.clone())),
            }
        }
        if names.is_empty() {
            self.fault("algorithms", PolicyFault::Empty("algorithm"));
        }
        algorithms
    }

    /// The preset's, unless the section says something else of the same claim, and the section's.
    fn required(&mut self, preset: Option<Preset>) -> Vec<RequiredClaim> {
        let own = preset.and_then(Preset::required).filter(|claim| !self.file.require.contains_key(&claim.name));
        let mut required: Vec<RequiredClaim> = own.into_iter().collect();
        let at = format!("{}.require", self.at);
        required.extend(required_claims(&at, &self.file.require, self.faults));
        required
    }

    fn audience(&mut self) -> AudienceRule {
        match &self.file.audience {
            OneOrMany::One(text) if text == "any" => AudienceRule::Any,
            OneOrMany::One(text) => {
                self.fault("audience", PolicyFault::AudienceForm(text.clone()));
                AudienceRule::OneOf(Vec::from([text.clone()]))
            }
            OneOrMany::Many(names) if names.is_empty() => AudienceRule::Absent,
            OneOrMany::Many(names) => AudienceRule::OneOf(names.clone()),
        }
    }

    /// For whom tokens are, and what tells them from ID tokens.
    fn check_kind(&mut self, preset: Option<Preset>, audience: &AudienceRule, is_told: bool) {
        let by_audience = preset.is_some_and(Preset::is_told_by_audience) && !is_told;
        if audience.names().is_empty() && (by_audience || self.file.clients.is_empty()) {
            let fault = if by_audience { PolicyFault::NoAudienceOfApi } else { PolicyFault::NoAudience };
            self.fault("", fault);
        } else {
            // Of a misspelt preset nobody knows what it sends.
            let sends_audience = preset.map_or(self.file.preset.is_none(), Preset::sends_audience);
            if *audience == AudienceRule::Absent && sends_audience {
                self.fault("", PolicyFault::AudienceUnsaid(preset.map(Preset::default_audience)));
            }
            if !is_told && !by_audience {
                self.fault("", PolicyFault::NoTokenKind);
            }
        }
        if let Some(client) = self.file.clients.iter().find(|_| by_audience).filter(|c| audience.names().contains(c)) {
            self.fault("audience", PolicyFault::AudienceIsClient(client.clone()));
        }
    }

    fn claims(&mut self, preset: Option<Preset>) -> ClaimPaths {
        let default = ClaimsFile::default();
        let issuer = self.file;
        let file = issuer.claims.as_ref().unwrap_or(&default);
        let scopes_form = self.form("scopes", file.scopes.as_ref()).unwrap_or(TextForm::Spaces);
        // The preset's form is that of the preset's claim.
        let companies_form = preset.filter(|_| file.companies.as_ref().is_none_or(|names| names.claim().is_none()));
        let forms = ClaimForms {
            companies: self.form("companies", file.companies.as_ref()).or_else(|| companies_form?.companies_form()),
            roles: self.form("roles", file.roles.as_ref()),
        };
        let mut path = |member: &str, names: Option<&OneOrMany>| {
            let names = names?;
            let path = ClaimPath::new(names.names());
            if path.is_none() {
                self.fault(&format!("claims.{member}"), PolicyFault::Empty("claim"));
            }
            path
        };
        ClaimPaths {
            subject: path("subject", file.subject.as_ref()).unwrap_or_else(|| ClaimPath::top("sub")),
            client: match (path("client", file.client.as_ref()), preset) {
                (Some(path), _) => Vec::from([path]),
                (None, Some(preset)) => Vec::from([preset.client()]),
                // RFC 9068 §2.2 has `client_id`; OpenID Connect's `azp` is the same thing, older.
                (None, None) => Vec::from([ClaimPath::top("client_id"), ClaimPath::top("azp")]),
            },
            scopes: path("scopes", file.scopes.as_ref().and_then(NamesFile::claim))
                .unwrap_or_else(|| preset.map_or_else(|| ClaimPath::top("scope"), Preset::scopes)),
            roles: path("roles", file.roles.as_ref().and_then(NamesFile::claim))
                .or_else(|| preset?.roles())
                .unwrap_or_else(|| ClaimPath::top("role")),
            companies: path("companies", file.companies.as_ref().and_then(NamesFile::claim))
                .or_else(|| preset?.companies())
                .unwrap_or_else(|| ClaimPath::top("companies")),
            scopes_form,
            forms,
        }
    }

    fn form(&mut self, member: &str, names: Option<&NamesFile>) -> Option<TextForm> {
        let name = names?.form()?;
        let form = TextForm::from_name(name);
        if form.is_none() {
            self.fault(&format!("claims.{member}.form"), PolicyFault::TextForm(name.to_owned()));
        }
        form
    }

    fn permissions(&mut self, has_service: bool) -> PermissionsSource {
        let source = match self.file.permissions.as_str() {
            "service" => PermissionsSource::Service,
            "claims" => PermissionsSource::Claims,
            "subject" => PermissionsSource::Subject,
            other => {
                self.fault("permissions", PolicyFault::PermissionsSource(other.to_owned()));
                PermissionsSource::Service
            }
        };
        if source == PermissionsSource::Service && !has_service {
            self.fault("permissions", PolicyFault::NoPermissionsService);
        }
        source
    }

    fn duration(&mut self, member: &str, text: Option<&String>, max: Duration) -> Option<Duration> {
        self.faults.duration(format!("{}.{member}", self.at), text, max)
    }

    /// A limit of nothing would refuse every token.
    fn limit(&mut self, member: &str, text: Option<&String>) -> Option<Duration> {
        let limit = self.duration(member, text, MAX_TOKEN_LIFE);
        if limit.is_some_and(|limit| limit.is_zero()) {
            self.fault(member, PolicyFault::ZeroLimit);
        }
        limit
    }
}
