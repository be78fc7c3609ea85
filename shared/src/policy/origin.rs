//! `[origin.NAME]`: the services behind the authoriser, what they verify, and how a Lambda function URL among them is
//! called.
//!
//! Signing is the driver's. Here stands what it signs for: <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};

use super::{
    PolicyFault,
    compile::{Faults, is_name, is_secret_name},
    compile_route::is_reserved,
    file::{OriginFile, PolicyFile},
    pointer,
    url::{self, Profile},
};
use crate::forward::names::{is_plain, is_token};

/// A service behind the authoriser. Each permit has a share in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Arc<Members>);

#[derive(Debug, PartialEq, Eq)]
struct Members {
    name: String,
    url: String,
    key: Option<String>,
    auth_type: Option<AuthType>,
    region: Option<String>,
    credentials: Option<String>,
    forwards_token: bool,
    request_headers: Vec<String>,
    paths: Paths,
}

/// Which paths an origin distinguishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paths {
    /// It may ignore letter case, a closing slash, a space at the end and an extension, as many do. A request that it may
    /// take for one of a stricter route is refused.
    #[default]
    Folded,
    /// Any two that differ.
    Exact,
}

impl Paths {
    /// Each of them.
    pub(crate) const ALL: [Self; 2] = [Self::Folded, Self::Exact];

    /// The name in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Folded => "folded",
            Self::Exact => "exact",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paths| paths.name() == name)
    }
}

/// What `token` says where the caller's token goes along with the assertion.
pub(super) const FORWARDED: &str = "forwarded";

/// What an origin looks at before it serves a request: one of the two, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verifies {
    /// The edge's assertion.
    #[default]
    Assertion,
    /// The caller's access token, wholly and by itself; it gets no assertion.
    Token,
}

impl Verifies {
    /// Each of them.
    pub(crate) const ALL: [Self; 2] = [Self::Assertion, Self::Token];

    /// The name in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Token => "token",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who may invoke a Lambda function by its URL; Lambda's `AuthType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// Anyone who knows the URL: only the assertion keeps others out.
    None,
    /// Who signs with AWS's Signature Version 4 and is allowed to.
    AwsIam,
}

impl AuthType {
    /// Each of them.
    pub(crate) const ALL: [Self; 2] = [Self::None, Self::AwsIam];

    /// The name that Lambda has for it, and a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::AwsIam => "AWS_IAM",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Origin {
    /// The origin's name: the audience (`aud`) of the assertions made for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Scheme, host and base path, without a closing `/`: the canonical target is appended as it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The name of the secret that holds the origin's assertion keys; none where it verifies the token itself.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What the origin looks at before it serves a request.
    #[must_use]
    pub fn verifies(&self) -> Verifies {
        // An origin without a key does not build unless it says that it verifies the token.
        if self.0.key.is_some() { Verifies::Assertion } else { Verifies::Token }
    }

    /// Which paths the origin distinguishes.
    #[must_use]
    pub fn paths(&self) -> Paths {
        self.0.paths
    }

    /// Who may invoke it, where it is said that it is a Lambda function URL.
    #[must_use]
    pub fn auth_type(&self) -> Option<AuthType> {
        self.0.auth_type
    }

    /// Whether requests to it must be signed.
    #[must_use]
    pub fn wants_signature(&self) -> bool {
        self.0.auth_type == Some(AuthType::AwsIam)
    }

    /// The region that requests are signed for: as it is said, else as the host says.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The name of the secret that holds the AWS credentials that an edge outside AWS signs with.
    #[must_use]
    pub fn credentials(&self) -> Option<&str> {
        self.0.credentials.as_deref()
    }

    /// Whether the caller's token reaches it, on routes that are not public: because it verifies the token, or because the
    /// policy says so.
    #[must_use]
    pub fn receives_token(&self) -> bool {
        self.0.forwards_token || self.verifies() == Verifies::Token
    }

    /// Names of callers' fields that reach it although they have another character than letters, digits and `-`.
    #[must_use]
    pub fn request_headers(&self) -> &[String] {
        &self.0.request_headers
    }

    /// Whether the host is that of a Lambda function URL.
    #[must_use]
    pub fn is_function_url(&self) -> bool {
        region_of(&self.0.url).is_some()
    }
}

pub(super) fn compile(file: &PolicyFile, profile: Profile, faults: &mut Faults) -> Vec<Origin> {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut compiled = Vec::new();
    for (name, origin) in &file.origins {
        let at = pointer::entry("origin", name);
        if !is_name(name) {
            faults.add(at.as_str(), PolicyFault::RuleForm("name", name.clone()));
        }
        if !url::is_allowed(&origin.url, profile, true) {
            faults.add(format!("{at}.url"), PolicyFault::Url(origin.url.clone()));
        }
        let key = key(&at, name, origin, faults);
        if let Some(other) = key.and_then(|key| keys.insert(key, name)) {
            faults.add(format!("{at}.key"), PolicyFault::SharedKey(other.to_owned()));
        }
        let auth_type = signing(file, &at, origin, faults);
        token(&at, origin, faults);
        request_headers(&at, origin, faults);
        compiled.push(Origin(Arc::new(Members {
            name: name.clone(),
            url: origin.url.clone(),
            key: key.map(ToOwned::to_owned),
            auth_type,
            region: origin.region.clone().or_else(|| region_of(&origin.url).map(ToOwned::to_owned)),
            credentials: origin.credentials.clone(),
            forwards_token: origin.token.is_some(),
            request_headers: origin.request_headers.clone(),
            paths: paths(&at, origin, faults),
        })));
    }
    compiled
}

fn paths(at: &str, origin: &OriginFile, faults: &mut Faults) -> Paths {
    let Some(said) = origin.paths.as_deref() else { return Paths::default() };
    Paths::from_name(said).unwrap_or_else(|| {
        faults.add(format!("{at}.paths"), PolicyFault::OriginPaths(said.to_owned()));
        Paths::default()
    })
}

/// The name of the key, which an origin has if it verifies assertions and only then.
fn key<'a>(at: &str, name: &str, origin: &'a OriginFile, faults: &mut Faults) -> Option<&'a str> {
    let key = origin.key.as_deref();
    let said = origin.verifies.as_deref();
    match (verifies(origin), key) {
        (None, _) => faults.add(format!("{at}.verifies"), PolicyFault::Verifies(said.unwrap_or_default().to_owned())),
        (Some(Verifies::Assertion), None) => {
            faults.add(format!("{at}.key"), PolicyFault::MissingMember("key", "an origin"));
        }
        (Some(Verifies::Assertion), Some(_)) => {}
        (Some(Verifies::Token), Some(_)) => faults.add(format!("{at}.key"), PolicyFault::KeyUnused),
        (Some(Verifies::Token), None) if origin.auth_type.as_deref() == Some(AuthType::AwsIam.name()) => {
            // The signature takes the field in which the token would come.
            faults.add(format!("{at}.auth_type"), PolicyFault::WithoutAssertion("auth_type", name.to_owned()));
        }
        (Some(Verifies::Token), None) => {}
    }
    if key.is_some_and(|key| !is_secret_name(key)) {
        faults.add(format!("{at}.key"), PolicyFault::KeyName);
    }
    key
}

/// What an origin says that it verifies; `None` for what nothing is.
fn verifies(origin: &OriginFile) -> Option<Verifies> {
    origin.verifies.as_deref().map_or(Some(Verifies::default()), Verifies::from_name)
}

/// The fault of a `member` that only an assertion brings about, at `pointer`, if the origin of this name gets none.
pub(super) fn check_assertion(
    file: &PolicyFile,
    name: &str,
    member: &'static str,
    pointer: impl Into<String>,
    faults: &mut Faults,
) {
    if file.origins.get(name).and_then(verifies) == Some(Verifies::Token) {
        faults.add(pointer, PolicyFault::WithoutAssertion(member, name.to_owned()));
    }
}

/// `token`: that the caller's token goes along.
fn token(at: &str, origin: &OriginFile, faults: &mut Faults) {
    let Some(text) = &origin.token else { return };
    if text != FORWARDED {
        faults.add(format!("{at}.token"), PolicyFault::TokenRule);
    } else if origin.auth_type.as_deref() == Some(AuthType::AwsIam.name()) {
        faults.add(format!("{at}.token"), PolicyFault::TokenReplaced);
    }
}

/// `request_headers`: names that servers fold in different ways, and none that one could take for somebody else's field.
fn request_headers(at: &str, origin: &OriginFile, faults: &mut Faults) {
    for (index, name) in origin.request_headers.iter().enumerate() {
        if !is_token(name) || is_plain(name) || is_reserved(name) {
            faults.add(format!("{at}.request_headers[{index}]"), PolicyFault::RequestHeader(name.clone()));
        }
    }
}

/// `auth_type`, and whether what stands beside it holds.
fn signing(file: &PolicyFile, at: &str, origin: &OriginFile, faults: &mut Faults) -> Option<AuthType> {
    let said = origin.auth_type.as_deref();
    let auth_type = said.and_then(AuthType::from_name);
    if let (Some(text), None) = (said, auth_type) {
        faults.add(format!("{at}.auth_type"), PolicyFault::AuthType(text.to_owned()));
    } else if auth_type != Some(AuthType::AwsIam) {
        for (member, is_said) in [("region", origin.region.is_some()), ("credentials", origin.credentials.is_some())] {
            if is_said {
                faults.add(format!("{at}.{member}"), PolicyFault::WithoutAwsIam(member));
            }
        }
    }
    let of_host = region_of(&origin.url);
    match (&origin.region, of_host) {
        (Some(region), _) if !is_region(region) => {
            faults.add(format!("{at}.region"), PolicyFault::Region(region.clone()));
        }
        (Some(region), Some(of_host)) if region != of_host => {
            faults.add(format!("{at}.region"), PolicyFault::RegionDiffers(of_host.to_owned()));
        }
        (None, None) if auth_type == Some(AuthType::AwsIam) && origin.credentials.is_some() => {
            faults.add(at, PolicyFault::NoRegion);
        }
        _ => {}
    }
    if let Some(credentials) = &origin.credentials {
        if !is_secret_name(credentials) {
            faults.add(format!("{at}.credentials"), PolicyFault::KeyName);
        } else if let Some(other) = other_use(file, credentials) {
            faults.add(format!("{at}.credentials"), PolicyFault::CredentialsShared(other));
        }
    }
    auth_type
}

/// Where the secret of this name is a key as well.
fn other_use(file: &PolicyFile, secret: &str) -> Option<String> {
    let of_origin = file.origins.iter().find(|(_, origin)| origin.key.as_deref() == Some(secret));
    let of_log = file.log.as_ref().and_then(|log| log.subject_key.as_deref()).filter(|key| *key == secret);
    of_origin
        .map(|(name, _)| format!("{}.key", pointer::entry("origin", name)))
        .or_else(|| of_log.map(|_| "log.subject_key".to_owned()))
}

/// The region in `https://ID.lambda-url.REGION.on.aws`, the form that Lambda gives function URLs.
pub(super) fn region_of(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let (id, rest) = host.split_once(".lambda-url.")?;
    rest.strip_suffix(".on.aws").filter(|region| !id.is_empty() && !id.contains('.') && is_region(region))
}

/// As AWS names regions, such as `eu-west-2` and `us-gov-west-1`.
pub(super) fn is_region(region: &str) -> bool {
    let parts = || region.split('-');
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |part: &str| part.len() <= 2 && !part.starts_with(['0', '+']) && part.parse::<u8>().is_ok();
    let words = parts().count().saturating_sub(1);
    words >= 2 && region.len() <= 32 && parts().take(words).all(is_word) && parts().next_back().is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_url_says_its_region() {
        for (url, region) in [
            ("https://abc123.lambda-url.eu-west-2.on.aws", Some("eu-west-2")),
            ("https://abc123.lambda-url.us-gov-west-1.on.aws/base", Some("us-gov-west-1")),
            ("https://abc123.lambda-url.eu-west-2.on.aws.evil.example", None),
            ("https://lambda-url.eu-west-2.on.aws", None),
            ("https://a.b.lambda-url.eu-west-2.on.aws", None),
            ("https://abc123.lambda-url.on.aws", None),
            ("https://abc123.lambda-url.eu-west.on.aws", None),
            ("https://orders.example/x.lambda-url.eu-west-2.on.aws", None),
            ("http://127.0.0.1:4010", None),
        ] {
            assert_eq!(region_of(url), region, "{url}");
        }
    }

    #[test]
    fn regions_have_the_form_that_aws_gives_them() {
        for region in ["eu-west-2", "us-gov-west-1", "ap-southeast-10"] {
            assert!(is_region(region), "{region}");
        }
        for region in
            ["", "eu", "eu-2", "EU-west-2", "eu-west-", "eu--2", "eu-west-2a", "eu-west-0", "eu-west-+1", "eu west-2"]
        {
            assert!(!is_region(region), "{region}");
        }
    }
}
