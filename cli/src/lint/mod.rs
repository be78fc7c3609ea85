//! What builds and yet wants a second look: the warnings of `postern check`, a closed list.
//!
//! A warning is about what a rule lets happen, not about taste, and each can be answered by changing the policy.

mod neighbours;

use std::{collections::BTreeSet, ops::Range, time::Duration};

use postern::{
    Policy,
    policy::{
        CompanyRule, FreeParameter, FreedBy, Issuer, Origin, Party, PolicyError, PolicyErrors, PolicyFault, Route,
    },
};

/// Beyond this a withdrawn permission is believed for long.
const LONG_PERMISSIONS: Duration = Duration::from_secs(60);
/// Beyond this a withdrawn key is believed for long.
const LONG_KEYS: Duration = Duration::from_secs(24 * 3600);

/// The closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lint {
    /// Every caller may reach every company.
    AnyCompany,
    /// The path names a user, and no rule says that it must be the caller.
    UnboundUser,
    /// A rule compares subjects of several issuers, which may give one name to two people.
    SeveralIssuers,
    /// A protected route asks for nothing but a token of the issuer.
    AnyCaller,
    /// A public route lies beside protected ones.
    PublicBeside,
    /// Paths of a route are also those of a stricter one, or an origin may take them for those.
    LooserOverlap,
    /// A route leaves a parameter free that a sibling binds at the same place.
    FreeBesideBound,
    /// Permissions are believed for long.
    OldPermissions,
    /// Keys are believed for long.
    OldKeys,
    /// An origin is a Lambda function URL that anyone may invoke, or for all the policy says may.
    FunctionUrl,
    /// The edge is named as earlier versions of Postern had it.
    EdgeForm,
    /// A token that one origin receives is accepted by another one.
    SharedTokens,
    /// `allow` accepts a warning that does not arise there.
    UnusedAllow,
}

impl Lint {
    /// Each of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::AnyCompany,
        Self::UnboundUser,
        Self::SeveralIssuers,
        Self::AnyCaller,
        Self::PublicBeside,
        Self::LooserOverlap,
        Self::FreeBesideBound,
        Self::OldPermissions,
        Self::OldKeys,
        Self::FunctionUrl,
        Self::EdgeForm,
        Self::SharedTokens,
        Self::UnusedAllow,
    ];

    /// The lint's stable name.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::AnyCompany => "any_company",
            Self::UnboundUser => "unbound_user",
            Self::SeveralIssuers => "several_issuers",
            Self::AnyCaller => "any_caller",
            Self::PublicBeside => "public_beside",
            Self::LooserOverlap => "looser_overlap",
            Self::FreeBesideBound => "free_beside_bound",
            Self::OldPermissions => "old_permissions",
            Self::OldKeys => "old_keys",
            Self::FunctionUrl => "function_url",
            Self::EdgeForm => "edge_form",
            Self::SharedTokens => "shared_tokens",
            Self::UnusedAllow => "unused_allow",
        }
    }

    /// How to answer it, as a clause that an author can act on.
    pub(crate) const fn mend(self) -> &'static str {
        match self {
            Self::AnyCompany => "bind the company, or leave it if the route is meant for operators of all companies",
            Self::UnboundUser => {
                "add `subject = \"{…}\"` with the parameter, or leave it if callers may reach what is other users'"
            }
            Self::SeveralIssuers => {
                "make a route for each issuer with a path of its own, or make sure that the issuers give the same subject to \
                 the same person only"
            }
            Self::AnyCaller => {
                "add the scopes or roles that callers need; if every caller of the issuer may, write \
                 `allow = { any_caller = \"why\" }`"
            }
            Self::PublicBeside => "make sure that it says nothing about the resource, or move it to a path of its own",
            Self::LooserOverlap => {
                "ask here for what the other route asks for, move one of them to a path of its own, or accept it: \
                 `allow = { looser_overlap = \"why\" }`"
            }
            Self::FreeBesideBound => {
                "bind the parameter as the other route does, or accept it: `allow = { free_beside_bound = \"why\" }`"
            }
            Self::UnusedAllow => "remove it, or write the code of a warning that arises here, with the reason",
            Self::OldPermissions => "write at most \"1m\", or \"0s\" where a withdrawn role must count at once",
            Self::OldKeys => {
                "write at most \"24h\": so long a withdrawn key is believed while the issuer is out of reach"
            }
            Self::FunctionUrl => {
                "set the function's auth type to AWS_IAM, write `auth_type = \"AWS_IAM\"`, and let origin access control \
                 sign for it, or the Worker by `credentials`"
            }
            Self::EdgeForm => "write a table `[edge]` with the member `name`, behind the members that are in no table",
            Self::SharedTokens => {
                "have the origins verify assertions without the token, or give them audiences of their own"
            }
        }
    }
}

/// One thing to look at.
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    pub(crate) lint: Lint,
    /// Where, as a fault would say it.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// Everything to look at in `policy`.
pub(crate) fn warnings(policy: &Policy) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |lint, pointer: String, message: String| found.push(Warning { lint, pointer, message });
    for issuer in policy.issuers().iter().filter(|issuer| issuer.jwks_max_stale() > LONG_KEYS) {
        let hours = issuer.jwks_max_stale().as_secs() / 3600;
        let message = format!("a key that the issuer withdrew may be believed for {hours} h");
        warn(Lint::OldKeys, format!("issuer.{}.jwks_max_stale", issuer.name()), message);
    }
    let is_open = |origin: &&Origin| origin.is_function_url() && !origin.wants_signature();
    for origin in policy.origins().iter().filter(is_open) {
        let (member, message) = match origin.auth_type() {
            Some(_) => ("auth_type", "anyone may invoke this function by its URL, past the edge"),
            None => ("url", "nothing says that not anyone may invoke this function by its URL, past the edge"),
        };
        warn(Lint::FunctionUrl, format!("origin.{}.{member}", origin.name()), message.to_owned());
    }
    if policy.has_bare_edge() {
        let message = format!("`edge = \"{0}\"` is now `[edge]` with `name = \"{0}\"`", policy.edge());
        warn(Lint::EdgeForm, "edge".to_owned(), message);
    }
    for (index, origin) in policy.origins().iter().enumerate().filter(|(_, origin)| origin.receives_token()) {
        let others = policy.origins().iter().take(index).filter(|other| other.receives_token());
        if let Some((other, audience)) =
            others.into_iter().find_map(|other| Some((other, shared(policy, origin, other)?)))
        {
            let member = if origin.key().is_some() { "token" } else { "verifies" };
            let message = format!(
                "a token that the origin receives is accepted by `{}` too, which receives tokens for {audience}",
                other.name()
            );
            warn(Lint::SharedTokens, format!("origin.{}.{member}", origin.name()), message);
        }
    }
    for (index, route) in policy.routes().iter().enumerate().filter(|(_, route)| !route.is_shadow()) {
        let at = |member: &str| {
            if member.is_empty() { format!("route[{index}]") } else { format!("route[{index}].{member}") }
        };
        // A parameter that `"any"` frees, or a public route next to protected ones, has a warning already.
        let is_told = |name: &str| {
            let mut free = route.free_parameters().iter();
            !route.is_public() && free.any(|free| free.name == name && free.by == FreedBy::Any)
        };
        let sibling = neighbours::bound_elsewhere(policy, route, |name| !is_told(name));
        if let Some(message) = neighbours::overlap(policy, route) {
            warn(Lint::LooserOverlap, at("path"), message);
        } else if route.is_public()
            && let Some(other) = neighbours::beside(policy, route)
        {
            let message = format!("anyone may call this, and `{}` beside it is protected", other.name());
            warn(Lint::PublicBeside, at("public"), message);
        } else if route.is_public()
            && let Some((name, other)) = sibling
        {
            warn(Lint::FreeBesideBound, at("path"), free_beside(name, other));
        }
        if route.is_public() {
            continue;
        }
        if let Some((name, other)) = sibling {
            warn(Lint::FreeBesideBound, at("path"), free_beside(name, other));
        }
        if *route.company() == CompanyRule::Any {
            warn(Lint::AnyCompany, at("company"), "every caller may reach every company here".to_owned());
        }
        let is_any_user = |free: &&FreeParameter| free.party == Some(Party::Subject) && free.by == FreedBy::Any;
        if let Some(user) = route.free_parameters().iter().find(is_any_user) {
            let message = format!("the path has `{{{}}}`, and no rule says that it must be the caller", user.name);
            warn(Lint::UnboundUser, at("path"), message);
        }
        if let Some(parameter) = route.subject_parameter() {
            // Sections of one URL are of one issuer, which names each subject once.
            let urls: BTreeSet<&str> = policy.issuers_of(route).map(Issuer::url).collect();
            if urls.len() > 1 {
                let message = format!(
                    "`{{{parameter}}}` is compared with subjects of {} issuers: whoever has the same `sub` at another one may \
                     use it too",
                    urls.len()
                );
                warn(Lint::SeveralIssuers, at("subject"), message);
            }
        }
        if asks_for_nothing(route) {
            warn(Lint::AnyCaller, at("issuer"), "every caller of the issuer may call this".to_owned());
        }
        let age = route.permissions_max_age().saturating_add(route.permissions_stale_if_error());
        if age > LONG_PERMISSIONS + LONG_PERMISSIONS || route.permissions_max_age() > LONG_PERMISSIONS {
            let seconds = age.as_secs();
            let message = format!("whoever loses a role may use it here for another {seconds} s");
            warn(Lint::OldPermissions, at("permissions_max_age"), message);
        }
    }
    found
}

/// The audience of tokens that the routes of both origins accept.
fn shared(policy: &Policy, one: &Origin, other: &Origin) -> Option<String> {
    let issuers = |origin: &Origin| {
        let routes = policy.routes().iter().filter(|route| !route.is_shadow());
        let own = routes.filter(|route| policy.origin_of(route).is_some_and(|own| own.name() == origin.name()));
        own.flat_map(|route| policy.issuers_of(route)).collect::<Vec<&Issuer>>()
    };
    let (ones, others) = (issuers(one), issuers(other));
    let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| one.url() == other.url()).find_map(|(one, other)| {
        let accepted = |names: &Issuer, by: &Issuer| {
            let mut names = names.audience().names().iter();
            names.find(|name| by.audience().accepts(Some(&[name.as_str()]))).cloned()
        };
        let audience = accepted(one, other).or_else(|| accepted(other, one));
        match audience {
            Some(audience) => Some(format!("`{audience}`")),
            // Tokens without an audience are for everyone who accepts their client.
            None => (one.name() == other.name()).then(|| format!("the clients of the issuer `{}`", one.name())),
        }
    })
}

/// The place of each pointer in the policy's text.
pub(crate) fn places<'p>(pointers: impl Iterator<Item = &'p str>, text: &str) -> Vec<Option<Range<usize>>> {
    // The core finds places of faults; what the fault is does not matter to it.
    let as_fault = |pointer: &str| PolicyError {
        pointer: pointer.to_owned(),
        span: None,
        fault: PolicyFault::Syntax(String::new()),
    };
    let located = PolicyErrors(pointers.map(as_fault).collect()).located_in(text);
    located.0.into_iter().map(|error| error.span).collect()
}

fn free_beside(name: &str, other: &Route) -> String {
    format!("no rule binds `{{{name}}}` here, and `{}` binds the same place of the path to the caller", other.name())
}

fn asks_for_nothing(route: &Route) -> bool {
    route.subject_parameter().is_none()
        && !route.company().binds()
        && route.roles().is_empty()
        && route.scopes().is_empty()
        && route.required().is_empty()
}
