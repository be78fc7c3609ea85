//! What is wrong with a policy, where, and how to mend it.

use alloc::{format, string::String, vec::Vec};
use core::{fmt, ops::Range, time::Duration};

use super::Preset;
use crate::algorithm::Algorithm;

/// Everything found wrong with one policy; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// Where in the document, as a dotted path: `route[2].company`, `issuer.users.url`.
    pub pointer: String,
    /// The bytes of the text that hold it, when the policy was read from TOML and they are known.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub fault: PolicyFault,
}

/// The closed list of what can be wrong. `Display` says what, [`PolicyFault::mend`] how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyFault {
    /// Not the format, a member nobody knows, or a value of the wrong type; the parser's own words.
    Syntax(String),
    /// A name is used that nothing defines: its kind (`issuer`, `origin`, `role`), the name, the nearest known one.
    UnknownName(&'static str, String, Option<String>),
    /// Two entries of a kind have one name.
    DuplicateName(&'static str, String),
    /// A URL that is not `https://host[:port][/path]` without query or fragment.
    Url(String),
    /// A duration that is not a whole number followed by `ms`, `s`, `m` or `h`.
    Duration(String),
    /// A duration longer than the most that may stand there.
    TooLong(String, Duration),
    /// A limit of no time at all.
    ZeroLimit,
    /// An algorithm that is not in the table.
    Algorithm(String),
    /// An algorithm that the host the policy is built for cannot check: its name, the host.
    AlgorithmUnavailable(&'static str, &'static str),
    /// A preset that does not exist.
    Preset(String),
    /// A URL that no issuer of the preset has: the preset, and what its URLs look like.
    PresetUrl(&'static str, &'static str),
    /// A required claim that is neither `true` nor a value nor a list of values; what is written, as JSON.
    RequiredForm(String),
    /// A list that must not be empty is.
    Empty(&'static str),
    /// An issuer names neither `audience` nor `clients`.
    NoAudience,
    /// An issuer whose ID tokens differ from its access tokens by `aud` alone names no `audience`.
    NoAudienceOfApi,
    /// The same, and a client stands among the audiences.
    AudienceIsClient(String),
    /// An issuer names none of `token_use`, `token_type` and `require`, so that an ID token would pass.
    NoTokenKind,
    /// `permissions` of an issuer is none of `service`, `claims`, `subject`.
    PermissionsSource(String),
    /// An issuer says `permissions = "service"` and there is no `[permissions]` table.
    NoPermissionsService,
    /// Two issuers of one URL could both match a token.
    IssuersOverlap(String),
    /// Two issuers of one URL name different `jwks_url`s.
    IssuerKeysDiffer(String),
    /// Two origins share an assertion key.
    SharedKey(String),
    /// A name that cannot be a secret's binding; not repeated, since it may be the secret itself.
    KeyName,
    /// A limit of nothing, or over the core's own: what is written, and the most that may be.
    Limit(u64, usize),
    /// A share that does not lie between 0 and 1.
    Share(String),
    /// `body` is none of `streamed`, `declared`, `buffered`.
    BodyRule(String),
    /// A header field that a policy cannot take or give: no name in lower case, or one that belongs to others.
    HeaderName(String),
    /// `permissions_stale_if_error` where `permissions_max_age` is `0s`.
    StaleWithoutAge,
    /// A route that names no origin, and there is none in `[defaults]`.
    NoOrigin,
    /// `company = "subject"` for callers that are not companies: the issuer.
    CompanyNotSubject(String),
    /// A method that is not an upper-case token, or `CONNECT` or `TRACE`.
    Method(String),
    /// A path template that is not canonical.
    Path(String),
    /// A route is neither `public` nor has an `issuer`.
    NoIssuer,
    /// A public route asks for something that only a caller can have.
    PublicWithRule(&'static str),
    /// `{company}` is in the path and no rule binds it.
    UnboundCompany,
    /// A rule names a parameter that the path does not have.
    UndefinedParameter(String),
    /// A rule is written in a form that it has not: the rule and what it says.
    RuleForm(&'static str, String),
    /// Roles are asked for, yet no company they would be held in.
    RolesWithoutCompany,
    /// Roles are asked for from callers that never have any.
    RolesUnobtainable(String),
    /// `permissions_max_age` on a route that never asks for permissions.
    MaxAgeUnused,
    /// Two routes match the same requests, and neither is strictly more specific.
    Ambiguous(String),
    /// A CORS origin that browsers never send, or one that gives the answer to everyone.
    CorsOrigin(String),
    /// An overlay names an entry that the policy does not have.
    OverlayUnknown(String),
}

impl PolicyFault {
    /// How to put it right, as a clause that an author can act on.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Syntax(_) => "correct the entry as the message says".into(),
            Self::UnknownName(kind, _, Some(near)) => format!("write `{near}`, or define the {kind}"),
            Self::UnknownName(kind, _, None) => format!("define the {kind}, or correct the name"),
            Self::DuplicateName(..) => "rename or remove one of the two".into(),
            Self::Url(_) => {
                "write an `https://` URL without query or fragment; loopback `http://` takes a development overlay"
                    .into()
            }
            Self::Duration(_) => "write a whole number and a unit, such as \"30s\"".into(),
            Self::TooLong(_, max) => format!("write at most \"{}s\"", max.as_secs()),
            Self::ZeroLimit => "write how long, or remove the limit".into(),
            Self::Algorithm(_) => {
                let names: Vec<&str> = Algorithm::ALL.into_iter().map(Algorithm::name).collect();
                format!("use what the issuer signs with, of {}", names.join(", "))
            }
            Self::AlgorithmUnavailable(..) => {
                "have the issuer sign with another algorithm, or build for another host".into()
            }
            Self::Preset(_) => {
                let names: Vec<&str> = Preset::ALL.into_iter().map(Preset::name).collect();
                format!("use one of {}, or leave it out", names.join(", "))
            }
            Self::PresetUrl(_, expected) => {
                format!("write the `iss` of the tokens, which looks like {expected}, or leave `preset` out")
            }
            Self::RequiredForm(_) => "write `true`, a value, or a list of values of which one must be there".into(),
            Self::Empty(what) => format!("name at least one {what}"),
            Self::NoAudience => {
                "add `audience = [\"…\"]`, or `clients = [\"…\"]` for an issuer whose access tokens carry no `aud`"
                    .into()
            }
            Self::NoAudienceOfApi => {
                "add `audience = [\"…\"]` with the API's identifier, or `token_type = \"at+jwt\"` if its tokens say so"
                    .into()
            }
            Self::AudienceIsClient(_) => {
                "name the API's own identifier: an ID token's `aud` is the client".into()
            }
            Self::NoTokenKind => {
                "add a `preset`, `token_type = \"at+jwt\"` (RFC 9068), `token_use = \"access\"` (Cognito), or `require` \
                 with a claim that only access tokens have"
                    .into()
            }
            Self::PermissionsSource(_) => "write \"service\", \"claims\" or \"subject\"".into(),
            Self::NoPermissionsService => {
                "add a `[permissions]` table with the `origin` of the permissions service".into()
            }
            Self::IssuersOverlap(_) => "give the two disjoint `clients`, or disjoint `audience`s".into(),
            Self::IssuerKeysDiffer(_) => "give both the same `jwks_url`".into(),
            Self::SharedKey(_) => {
                "give each origin a key of its own: an origin could otherwise mint assertions for the other".into()
            }
            Self::KeyName => {
                "use upper-case letters, digits and `_`: the name of the secret, never the secret itself".into()
            }
            Self::Limit(_, max) => format!("write a number from 1 to {max}"),
            Self::Share(_) => "write a number from 0 for none to 1 for all".into(),
            Self::BodyRule(_) => "write \"streamed\", \"declared\" or \"buffered\"".into(),
            Self::HeaderName(_) => {
                "use a name of your own in lower case, such as \"x-user-email\", that no server takes for its own".into()
            }
            Self::StaleWithoutAge => "remove it, or let `permissions_max_age` be more than \"0s\"".into(),
            Self::NoOrigin => "add `origin = \"…\"`, or one to `[defaults]`".into(),
            Self::CompanyNotSubject(_) => {
                "name where the company stands, or use an issuer whose `permissions` is \"subject\"".into()
            }
            Self::Method(_) => {
                "write an upper-case method such as \"GET\"; HEAD follows GET, preflights are answered from `[cors]`"
                    .into()
            }
            Self::Path(_) => "write literal and `{parameter}` segments in canonical form, each parameter once".into(),
            Self::NoIssuer => "add `issuer = \"…\"`, or `public = true` if anyone may call it".into(),
            Self::PublicWithRule(_) => "remove the rule, or remove `public = true`".into(),
            Self::UnboundCompany => {
                "add `company = \"{company}\"`, or `company = \"any\"` if every caller may reach every company".into()
            }
            Self::UndefinedParameter(_) => "use a parameter of the route's path".into(),
            Self::RuleForm(..) => "name one path parameter, as in \"{company}\", or write \"any\"".into(),
            Self::RolesWithoutCompany => "add `company = \"{company}\"`: roles are held per company".into(),
            Self::RolesUnobtainable(_) => {
                "remove `roles`, or use an issuer whose `permissions` is \"service\" or \"claims\"".into()
            }
            Self::MaxAgeUnused => {
                "remove it: this route's issuer does not use the permissions service, or no company is checked".into()
            }
            Self::Ambiguous(_) => "make one of the two more specific, or give them different methods".into(),
            Self::CorsOrigin(_) => {
                "write scheme, host and port alone, such as \"https://app.example\"; `*` only without `credentials`"
                    .into()
            }
            Self::OverlayUnknown(_) => "an overlay only replaces URLs of what the policy defines".into(),
        }
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => write!(f, "{}", message.trim_end()),
            Self::UnknownName(kind, name, _) => write!(f, "no {kind} is named `{name}`"),
            Self::DuplicateName(kind, name) => write!(f, "two {kind}s are named `{name}`"),
            Self::Url(url) => write!(f, "`{url}` is not a URL that may stand here"),
            Self::Duration(text) => write!(f, "`{text}` is not a duration"),
            Self::TooLong(text, _) => write!(f, "`{text}` is too long"),
            Self::ZeroLimit => f.write_str("the limit is nothing, and would refuse every token"),
            Self::Algorithm(name) => write!(f, "`{name}` is not a signature algorithm for issuers"),
            Self::AlgorithmUnavailable(name, host) => write!(f, "`{name}` cannot be checked by {host}"),
            Self::Preset(name) => write!(f, "`{name}` is not a preset"),
            Self::PresetUrl(preset, _) => write!(f, "no issuer of the preset `{preset}` has this URL"),
            Self::RequiredForm(text) => write!(f, "a claim cannot be required to be `{text}`"),
            Self::Empty(what) => write!(f, "no {what} is named"),
            Self::NoAudience => f.write_str(
                "the issuer says neither for whom (`audience`) nor by which client (`clients`) its tokens are",
            ),
            Self::NoAudienceOfApi => f.write_str(
                "only `aud` tells this issuer's access tokens from its ID tokens, and no `audience` is named",
            ),
            Self::AudienceIsClient(name) => write!(f, "`{name}` is a client, so that its ID tokens would pass"),
            Self::NoTokenKind => f.write_str("nothing tells the issuer's access tokens from its ID tokens"),
            Self::PermissionsSource(text) => write!(f, "`{text}` is not a source of permissions"),
            Self::NoPermissionsService => {
                f.write_str("the issuer's permissions come from a service, and none is named")
            }
            Self::IssuersOverlap(other) => {
                write!(f, "a token could belong to this issuer and to `{other}`, which has the same `url`")
            }
            Self::IssuerKeysDiffer(other) => {
                write!(f, "this issuer and `{other}` have one `url` and different `jwks_url`s")
            }
            Self::SharedKey(other) => write!(f, "the origin shares its assertion key with `{other}`"),
            Self::KeyName => f.write_str("what stands here cannot name a secret"),
            Self::Limit(value, _) => write!(f, "`{value}` octets cannot be a limit here"),
            Self::Share(value) => write!(f, "`{value}` is not a share"),
            Self::BodyRule(text) => write!(f, "`{text}` is not a rule for bodies"),
            Self::HeaderName(name) => write!(f, "`{name}` cannot be a header field here"),
            Self::StaleWithoutAge => {
                f.write_str("`permissions_stale_if_error` on a route that asks for permissions anew each time")
            }
            Self::NoOrigin => f.write_str("nothing says where the route is forwarded to"),
            Self::CompanyNotSubject(issuer) => {
                write!(f, "a caller of issuer `{issuer}` is not itself a company")
            }
            Self::Method(method) => write!(f, "`{method}` is not a method that a route can have"),
            Self::Path(path) => write!(f, "`{path}` is not a path template"),
            Self::NoIssuer => f.write_str("nothing says who may call the route"),
            Self::PublicWithRule(rule) => write!(f, "the route is public and has `{rule}`"),
            Self::UnboundCompany => f.write_str("the path has `{company}`, and no rule binds it to the caller"),
            Self::UndefinedParameter(name) => write!(f, "the path has no parameter `{{{name}}}`"),
            Self::RuleForm(rule, text) => write!(f, "`{rule}` cannot be `{text}`"),
            Self::RolesWithoutCompany => {
                f.write_str("the route asks for roles, and no company is checked in which they would be held")
            }
            Self::RolesUnobtainable(issuer) => write!(f, "callers of issuer `{issuer}` never hold a role"),
            Self::MaxAgeUnused => f.write_str("`permissions_max_age` has no effect here"),
            Self::Ambiguous(other) => {
                write!(f, "this route and `{other}` match the same requests, and neither is more specific")
            }
            Self::CorsOrigin(origin) => write!(f, "`{origin}` cannot be an allowed origin"),
            Self::OverlayUnknown(name) => write!(f, "the policy has no `{name}`"),
        }
    }
}

impl PolicyError {
    /// Whether the fault is the overlay's: its span then points into the overlay's text, not the policy's.
    #[must_use]
    pub fn is_in_overlay(&self) -> bool {
        self.pointer == "overlay" || self.pointer.starts_with("overlay.")
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        write!(f, "{} ({})", self.fault, self.fault.mend())
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for PolicyFault {}
impl core::error::Error for PolicyError {}
impl core::error::Error for PolicyErrors {}
