//! What is wrong with a policy, where, and how to mend it.

use alloc::{string::String, vec::Vec};
use core::{fmt, ops::Range, time::Duration};

#[cfg(feature = "toml")]
use super::TestFault;

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
    /// Not the format; the parser's own words.
    Syntax(String),
    /// A member that its table does not have: its name, the table, the nearest that it has.
    UnknownMember(String, &'static str, Option<&'static str>),
    /// A member without which its table is nothing: its name, the table.
    MissingMember(&'static str, &'static str),
    /// A value of another type than what may stand there.
    MemberType(String),
    /// What a development overlay alone leaves in a policy.
    Stamp,
    /// What looks like a secret, and as what; never repeated, and its line is not to be shown.
    Secret(&'static str),
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
    /// An issuer section without `audience`, though its access tokens carry an `aud`: what the provider writes there by
    /// default, where a preset tells.
    AudienceUnsaid(Option<&'static str>),
    /// `form` of a claim is none of the forms of texts.
    TextForm(String),
    /// `audience` is a text other than `any`.
    AudienceForm(String),
    /// Only `aud` tells access tokens from ID tokens, and a client stands among the audiences.
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
    /// Two issuers of one URL, whose keys are held once, have different `jwks_max_stale`s.
    IssuerStalenessDiffers(String),
    /// Two origins share an assertion key.
    SharedKey(String),
    /// A name that cannot be a secret's binding; not repeated, since it may be the secret itself.
    KeyName,
    /// `verifies` is neither `assertion` nor `token`.
    Verifies(String),
    /// An origin that gets no assertion has a key for them.
    KeyUnused,
    /// What an origin says of the paths that it tells apart is nothing known.
    OriginPaths(String),
    /// What only an assertion brings about, and the origin that gets none: the member, the origin.
    WithoutAssertion(&'static str, String),
    /// What stands in `auth_type` is neither `NONE` nor `AWS_IAM`.
    AuthType(String),
    /// A member of an origin that only `auth_type = "AWS_IAM"` gives a meaning.
    WithoutAwsIam(&'static str),
    /// Credentials, and no region to sign for.
    NoRegion,
    /// What cannot be a region of AWS's.
    Region(String),
    /// Another region than the one in the origin's host, which is this.
    RegionDiffers(String),
    /// The secret with an origin's credentials is a key as well: where that is said.
    CredentialsShared(String),
    /// An edge that has to sign for an origin, and nothing to sign with.
    NoCredentials,
    /// What is no ARN of a secret; not repeated, since it may be the secret itself.
    SecretArn,
    /// A limit of nothing, or over the core's own: what is written, and the most that may be.
    Limit(u64, usize),
    /// A share that does not lie between 0 and 1.
    Share(String),
    /// `body` is none of `streamed`, `declared`, `buffered`.
    BodyRule(String),
    /// A header field that a policy cannot take or give: no name in lower case, or one that belongs to others.
    HeaderName(String),
    /// `token` is not `forwarded`; not repeated, since it may be a token.
    TokenRule,
    /// `token` of an origin whose requests are signed: the signature takes the token's place.
    TokenReplaced,
    /// `token` of a route that is not public.
    TokenOfRoute,
    /// `token` of a public route whose origin does not say so too.
    TokenNotTaken,
    /// A name in `request_headers` that needs no listing, or that must never reach an origin.
    RequestHeader(String),
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
    /// A name that is no `Type.field` of GraphQL.
    FieldName(String),
    /// An argument of a field of a type that no operation has at its root: the type.
    NestedArgument(String),
    /// A route is neither `public` nor has an `issuer`.
    NoIssuer,
    /// A public route asks for something that only a caller can have.
    PublicWithRule(&'static str),
    /// A parameter of the path names a company, and no rule binds it: its name, and whether the route binds somebody else.
    UnboundCompany(String, bool),
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
    /// A parameter of the path names a user, and no rule binds it: its name, and whether the route binds somebody else.
    UnboundSubject(String, bool),
    /// A parameter that `unbound` lists is bound by a rule.
    BoundParameter(String),
    /// `unbound` of a route that binds neither a company nor a user, whose resource the parameter could name.
    UnboundOfNobody(String),
    /// A name in `[names]` or in `unbound` that no path parameter can have.
    ParameterName(String),
    /// A name in `[names]` that names a party already: the name, and which (`company` or `subject`).
    NameKnown(String, &'static str),
    /// A rule names a rest parameter, which is several segments.
    RestBound(String),
    /// One parameter is to be both the caller and one of its companies.
    SameParameter(String),
    /// A scope that no token can have.
    Scope(String),
    /// A scope is among those of which one would do, and must be there anyway.
    ScopeAskedTwice(String),
    /// Something stands twice in a list: its kind, and what.
    Repeated(&'static str, String),
    /// A field that the company is taken from, and that origins are promised to be this edge's own.
    FieldIsHanded(String),
    /// A route, or a method of it, of which every request is a more specific route's: its path, or the method.
    NeverDecides(String),
    /// A path that is longer than the longest target.
    PathTooLong(usize),
    /// Something is defined and nothing uses it: its kind, its name.
    Unused(&'static str, String),
    /// `[permissions]` stands there, and no issuer asks it.
    PermissionsUnused,
    /// The secret that subjects are hashed with is an origin's assertion key.
    SubjectKeyShared(String),
    /// Two routes match the same requests, and neither is strictly more specific.
    Ambiguous(String),
    /// Routes cross each other so often that their table would be larger than this.
    RoutesTooEntangled(usize),
    /// A CORS origin that browsers never send, or one that gives the answer to everyone.
    CorsOrigin(String),
    /// An overlay names an entry that the policy does not have.
    OverlayUnknown(String),
    /// A test of the policy says something that no test can.
    #[cfg(feature = "toml")]
    Test(TestFault),
}

impl PolicyFault {
    /// Whether the line where it stands may be shown: not when it may hold a secret.
    #[must_use]
    pub const fn shows_source(&self) -> bool {
        !matches!(self, Self::Secret(_) | Self::KeyName | Self::SecretArn | Self::TokenRule)
    }
}

/// For authors, who read it where the file is. An authoriser that embeds a checked policy says the code alone.
#[cfg(feature = "toml")]
impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => write!(f, "{}", message.trim_end()),
            Self::UnknownMember(name, table, _) => write!(f, "unknown member `{name}` of {table}"),
            Self::MissingMember(name, table) => write!(f, "{table} has no `{name}`"),
            Self::MemberType(expected) => write!(f, "what stands here is not {expected}"),
            Self::Stamp => f.write_str("a policy cannot say of itself that it is for development"),
            Self::Secret(what) => write!(f, "{what} stands in the policy"),
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
            Self::AudienceUnsaid(_) => {
                f.write_str("no `audience` is named, so that nothing says for which API the issuer's tokens must be")
            }
            Self::TextForm(text) => write!(f, "`{text}` is not a form of texts in claims"),
            Self::AudienceForm(text) => write!(f, "`audience` cannot be the text `{text}`"),
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
            Self::IssuerStalenessDiffers(other) => {
                write!(
                    f,
                    "this issuer and `{other}` have one `url`, and so the same keys, and different `jwks_max_stale`s"
                )
            }
            Self::SharedKey(other) => write!(f, "the origin shares its assertion key with `{other}`"),
            Self::KeyName => f.write_str("what stands here cannot name a secret"),
            Self::Verifies(text) => write!(f, "`{text}` is nothing that an origin verifies"),
            Self::OriginPaths(text) => write!(f, "`{text}` says nothing of the paths that an origin tells apart"),
            Self::KeyUnused => f.write_str("the origin gets no assertion that a key would sign"),
            Self::WithoutAssertion(member, origin) => {
                write!(f, "`{member}` takes an assertion, and origin `{origin}` gets none: it verifies the token alone")
            }
            Self::AuthType(text) => write!(f, "`{text}` is not an `AuthType` of function URLs"),
            Self::WithoutAwsIam(member) => write!(f, "`{member}` has no effect without `auth_type = \"AWS_IAM\"`"),
            Self::NoRegion => f.write_str("neither the origin nor its host says for which region to sign"),
            Self::Region(text) => write!(f, "`{text}` is not a region"),
            Self::RegionDiffers(region) => write!(f, "the origin's host is in the region `{region}`"),
            Self::CredentialsShared(other) => write!(f, "the credentials are the secret that `{other}` names"),
            Self::NoCredentials => f.write_str("a Worker has to sign for this origin, and has nothing to sign with"),
            Self::SecretArn => f.write_str("what stands here is not the ARN of a secret"),
            Self::Limit(value, _) => write!(f, "`{value}` octets cannot be a limit here"),
            Self::Share(value) => write!(f, "`{value}` is not a share"),
            Self::BodyRule(text) => write!(f, "`{text}` is not a rule for bodies"),
            Self::HeaderName(name) => write!(f, "`{name}` cannot be a header field here"),
            Self::TokenRule => f.write_str("what stands here is not a rule for tokens"),
            Self::TokenReplaced => f.write_str("`auth_type = \"AWS_IAM\"` puts the signature in the token's place"),
            Self::TokenOfRoute => f.write_str("`token` of a route is for public routes"),
            Self::TokenNotTaken => {
                f.write_str("the route forwards the token, and its origin does not say that it gets it")
            }
            Self::RequestHeader(name) => write!(f, "`{name}` cannot be in `request_headers`"),
            Self::StaleWithoutAge => {
                f.write_str("`permissions_stale_if_error` on a route that asks for permissions anew each time")
            }
            Self::NoOrigin => f.write_str("nothing says where the route is forwarded to"),
            Self::CompanyNotSubject(issuer) => {
                write!(f, "a caller of issuer `{issuer}` is not itself a company")
            }
            Self::Method(method) => write!(f, "`{method}` is not a method that a route can have"),
            Self::Path(path) => write!(f, "`{path}` is not a path template"),
            Self::FieldName(name) => write!(f, "`{name}` is not a field of a GraphQL type"),
            Self::NestedArgument(name) => {
                write!(f, "arguments of the type `{name}` are not the caller's to say, and no rule can rest on them")
            }
            Self::NoIssuer => f.write_str("nothing says who may call the route"),
            Self::PublicWithRule(rule) => write!(f, "the route is public and has `{rule}`"),
            Self::UnboundCompany(name, _) => {
                write!(f, "the path has `{{{name}}}`, which names a company, and no rule binds it to the caller")
            }
            Self::UndefinedParameter(name) => write!(f, "the path has no parameter `{{{name}}}`"),
            Self::RuleForm(rule, text) => write!(f, "`{rule}` cannot be `{text}`"),
            Self::RolesWithoutCompany => {
                f.write_str("the route asks for roles, and no company is checked in which they would be held")
            }
            Self::RolesUnobtainable(issuer) => write!(f, "callers of issuer `{issuer}` never hold a role"),
            Self::MaxAgeUnused => f.write_str("`permissions_max_age` has no effect here"),
            Self::UnboundSubject(name, _) => {
                write!(f, "the path has `{{{name}}}`, which names a user, and no rule says that it is the caller")
            }
            Self::BoundParameter(name) => write!(f, "`{name}` is listed in `unbound`, and a rule binds it"),
            Self::UnboundOfNobody(name) => {
                write!(f, "`{name}` cannot be a resource of somebody: the route binds neither a company nor a user")
            }
            Self::ParameterName(name) => write!(f, "`{name}` cannot be the name of a path parameter"),
            Self::NameKnown(name, rule) => write!(f, "`{name}` is already a name for `{rule}`"),
            Self::RestBound(name) => write!(f, "`{{*{name}}}` is several segments, and no rule can bind it"),
            Self::SameParameter(name) => {
                write!(f, "`{{{name}}}` would be both the caller and one of the caller's companies")
            }
            Self::Scope(scope) => write!(f, "no token can have the scope `{scope}`"),
            Self::ScopeAskedTwice(scope) => write!(f, "the scope `{scope}` is asked for anyway"),
            Self::Repeated(kind, name) => write!(f, "the {kind} `{name}` stands here twice"),
            Self::FieldIsHanded(field) => {
                write!(f, "the company is taken from the caller's `{field}`, and `headers` of a route sets `{field}`")
            }
            Self::NeverDecides(what) => write!(f, "`{what}` never decides: more specific routes take all of it"),
            Self::PathTooLong(_) => f.write_str("every path of the route is longer than a target may be"),
            Self::Unused(kind, name) => write!(f, "the {kind} `{name}` is used by no route"),
            Self::PermissionsUnused => f.write_str("no issuer takes its permissions from the service"),
            Self::SubjectKeyShared(origin) => {
                write!(f, "subjects are hashed with the assertion key of origin `{origin}`")
            }
            Self::Ambiguous(other) => {
                write!(f, "this route and `{other}` match the same requests, and neither is more specific")
            }
            Self::RoutesTooEntangled(most) => {
                write!(f, "the routes cross each other so often that finding one would take more than {most} places")
            }
            Self::CorsOrigin(origin) => write!(f, "`{origin}` cannot be an allowed origin"),
            Self::Test(fault) => write!(f, "{fault}"),
            Self::OverlayUnknown(name) => write!(f, "the policy has no `{name}`"),
        }
    }
}

#[cfg(not(feature = "toml"))]
impl fmt::Display for PolicyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
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
        write!(f, "{}", self.fault)?;
        #[cfg(feature = "toml")]
        write!(f, " ({})", self.fault.mend())?;
        Ok(())
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
