//! From what the file says of routes to [`Route`]s, each by itself and then all beside one another.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use super::{
    BodyRule, CompanyRule, HandedClaim, PolicyFault, RequiredClaim, Route, ScopeRule,
    bindings::Bindings,
    compile::{Faults, is_name},
    contradictions,
    file::{CompanyFile, DefaultsFile, IssuerFile, OneOrMany, PolicyFile, RouteFile, ScopesFile},
    issuer,
    origin::{self, FORWARDED},
    party::PartyNames,
    pointer,
    route_file::CompanyField,
    template::Template,
};
use crate::{
    claims::ClaimPath,
    forward::names::{begins_with, class, is_plain, is_same},
};

/// Longest a permissions record may decide: the original's five minutes, which nobody should exceed.
const MAX_PERMISSIONS_AGE: Duration = Duration::from_secs(300);
/// How much longer it may be while the service cannot tell: an outage that lasts longer must be seen.
const MAX_PERMISSIONS_STALE: Duration = Duration::from_secs(900);

/// Fields that a policy can neither take a company from nor hand a claim in, next to those that do not reach an origin
/// ([`class`]): they belong to HTTP (RFC 9110), to the platforms, or to callers' credentials.
const RESERVED_FIELDS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "origin",
    "range",
    "vary",
    "via",
];
/// Beginnings of such fields.
const RESERVED_PREFIXES: [&str; 4] = ["cf-", "cloudfront-", "sec-", "x-amz"];

pub(super) fn routes(file: &PolicyFile, faults: &mut Faults) -> Vec<Route> {
    let none = DefaultsFile::default();
    let defaults = file.defaults.as_ref().unwrap_or(&none);
    let names = PartyNames::compile(file.names.as_ref(), faults);
    let mut compiled: Vec<Route> = Vec::new();
    for (index, route) in file.routes.iter().enumerate() {
        let written = Written { at: format!("route[{index}]"), route, defaults, file };
        compiled.push(written.compile(&names, faults));
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, route) in compiled.iter().enumerate() {
        if names.insert(&route.name, index).is_some() {
            faults.add(format!("route[{index}].name"), PolicyFault::DuplicateName("route", (*route.name).to_owned()));
        }
        // A route that only shadows may stand beside any that decides.
        for other in compiled.iter().take(index).filter(|other| other.is_shadow == route.is_shadow) {
            let (own, others) = (&route.template, &other.template);
            // Most pairs have no path in common, which is seen soonest.
            let is_ambiguous = own.overlaps(others)
                && share_method(route, other)
                && !own.is_more_specific_than(others)
                && !others.is_more_specific_than(own);
            if is_ambiguous {
                faults.add(format!("route[{index}].path"), PolicyFault::Ambiguous((*other.name).to_owned()));
            }
        }
    }
    compiled
}

/// Whether there is a method that both answer. HEAD follows GET, unless the very same paths have a route for it.
fn share_method(route: &Route, other: &Route) -> bool {
    let has = |route: &Route, method: &str| route.methods.iter().any(|own| own == method);
    let follows = |get: &Route, head: &Route| has(get, "GET") && has(head, "HEAD");
    route.methods.iter().any(|method| has(other, method))
        || (!route.template.has_the_paths_of(&other.template) && (follows(route, other) || follows(other, route)))
}

/// One route as it is written, and what it takes from elsewhere.
pub(super) struct Written<'a> {
    pub(super) at: String,
    pub(super) route: &'a RouteFile,
    pub(super) defaults: &'a DefaultsFile,
    pub(super) file: &'a PolicyFile,
}

/// What a route asks of a caller, wherever it lies.
pub(super) struct Conditions {
    pub(super) issuers: Vec<usize>,
    pub(super) scopes: ScopeRule,
    pub(super) required: Vec<RequiredClaim>,
    pub(super) permissions_max_age: Duration,
    pub(super) permissions_stale_if_error: Duration,
}

impl<'a> Written<'a> {
    fn sub(&self, member: &str) -> String {
        format!("{}.{member}", self.at)
    }

    /// Where the route's own or, without one, the default `member` stands.
    fn own_or_default<T>(&self, member: &str, own: Option<T>, default: Option<T>) -> (String, Option<T>) {
        match own {
            Some(own) => (self.sub(member), Some(own)),
            None if default.is_some() => (format!("defaults.{member}"), default),
            None => (self.sub(member), None),
        }
    }

    fn compile(&self, names: &PartyNames, faults: &mut Faults) -> Route {
        let route = self.route;
        if !is_name(&route.name) {
            faults.add(self.sub("name"), PolicyFault::RuleForm("name", route.name.clone()));
        }
        self.check_methods(faults);
        let template = Template::parse(&route.path).unwrap_or_else(|| {
            faults.add(self.sub("path"), PolicyFault::Path(route.path.clone()));
            Template::root()
        });
        let subject = route.subject.as_deref().filter(|text| *text != "any");
        let subject = subject.and_then(|text| self.parameter("subject", text, &template, faults));
        let company = self.company(&template, faults);
        let conditions = self.conditions(&company, faults);
        self.check_assertion(faults);
        let bindings = Bindings { at: &self.at, route, template: &template, company: &company, names };
        let free = bindings.check(faults);
        Route {
            name: route.name.as_str().into(),
            methods: route.methods.clone(),
            path: route.path.clone(),
            origin: self.origin(faults),
            issuers: conditions.issuers.into(),
            is_shadow: route.shadow,
            subject: subject.map(|(_, position)| position),
            company,
            free,
            roles: route.roles.clone(),
            scopes: conditions.scopes,
            required: conditions.required,
            permissions_max_age: conditions.permissions_max_age,
            permissions_stale_if_error: conditions.permissions_stale_if_error,
            body: self.body(faults),
            query_method_override: route.query_method_override,
            headers: self.headers(faults),
            forwards_token: self.forwards_token(faults),
            // Said once all of the policy is known.
            vary: Arc::default(),
            template,
        }
    }

    /// What is asked of a caller, checked by itself and together.
    pub(super) fn conditions(&self, company: &CompanyRule, faults: &mut Faults) -> Conditions {
        let route = self.route;
        let issuers = self.issuers(faults);
        for (index, role) in route.roles.iter().enumerate() {
            faults.place(&self.sub(&format!("roles[{index}]")), "role", role, self.file.roles.iter());
        }
        self.check_rules(company, faults);
        let scopes = scopes(route.scopes.as_ref());
        contradictions::check_lists(&self.at, route, &scopes, faults);
        let (permissions_max_age, permissions_stale_if_error) = self.permissions_ages(company, faults);
        let required = issuer::required_claims(&self.sub("require"), &route.require, faults);
        Conditions { issuers, scopes, required, permissions_max_age, permissions_stale_if_error }
    }

    fn check_methods(&self, faults: &mut Faults) {
        if self.route.methods.is_empty() {
            faults.add(self.sub("methods"), PolicyFault::Empty("method"));
        }
        for (index, method) in self.route.methods.iter().enumerate() {
            let upper = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
            if !upper || method == "CONNECT" || method == "TRACE" {
                faults.add(self.sub(&format!("methods[{index}]")), PolicyFault::Method(method.clone()));
            }
        }
    }

    /// The sections whose tokens may call it, by name; a public route takes none by default.
    fn issuer_names(&self) -> (String, &'a [String]) {
        let default = self.defaults.issuer.as_ref().filter(|_| !self.route.public);
        let (at, issuer) = self.own_or_default("issuer", self.route.issuer.as_ref(), default);
        (at, issuer.map(OneOrMany::names).unwrap_or_default())
    }

    fn sections(&self) -> impl Iterator<Item = (&'a String, &'a IssuerFile)> {
        self.issuer_names().1.iter().filter_map(|name| self.file.issuers.get_key_value(name))
    }

    fn issuers(&self, faults: &mut Faults) -> Vec<usize> {
        let (at, names) = self.issuer_names();
        names.iter().map(|name| faults.place(&at, "issuer", name, self.file.issuers.keys())).collect()
    }

    fn origin(&self, faults: &mut Faults) -> usize {
        let (at, origin) = self.own_or_default("origin", self.route.origin.as_ref(), self.defaults.origin.as_ref());
        match origin {
            Some(origin) => faults.place(&at, "origin", origin, self.file.origins.keys()),
            None => {
                faults.add(self.at.as_str(), PolicyFault::NoOrigin);
                0
            }
        }
    }

    /// What an origin would learn from an assertion alone, and this one gets none.
    fn check_assertion(&self, faults: &mut Faults) {
        let route = self.route;
        let Some(name) = route.origin.as_ref().or(self.defaults.origin.as_ref()) else { return };
        let (body_at, body) = self.own_or_default("body", route.body.as_ref(), self.defaults.body.as_ref());
        let binds_body = body.and_then(|text| BodyRule::from_name(text)).is_some_and(|rule| rule != BodyRule::Streamed);
        for (member, at, is_there) in [
            ("public", self.sub("public"), route.public),
            ("headers", self.sub("headers"), !route.headers.is_empty()),
            ("body", body_at, binds_body),
        ] {
            if is_there {
                origin::check_assertion(self.file, name, member, at, faults);
            }
        }
    }

    /// `{name}` as that parameter and its place.
    fn parameter(
        &self,
        rule: &'static str,
        text: &str,
        template: &Template,
        faults: &mut Faults,
    ) -> Option<(String, usize)> {
        let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            faults.add(self.sub(rule), PolicyFault::RuleForm(rule, text.to_owned()));
            return None;
        };
        let position = template.position(name);
        if template.rest() == Some(name) {
            faults.add(self.sub(rule), PolicyFault::RestBound(name.to_owned()));
        } else if position.is_none() {
            faults.add(self.sub(rule), PolicyFault::UndefinedParameter(name.to_owned()));
        }
        Some((name.to_owned(), position?))
    }

    fn company(&self, template: &Template, faults: &mut Faults) -> CompanyRule {
        match &self.route.company {
            None => CompanyRule::None,
            Some(CompanyFile::Text(text)) if text == "any" => CompanyRule::Any,
            Some(CompanyFile::Text(text)) if text == "subject" => CompanyRule::Subject,
            Some(CompanyFile::Text(text)) => match self.parameter("company", text, template, faults) {
                Some((name, position)) => CompanyRule::Parameter(name, position),
                None => CompanyRule::None,
            },
            Some(CompanyFile::Field(CompanyField::Header(name))) => {
                if !is_own_field(name) {
                    faults.add(self.sub("company"), PolicyFault::HeaderName(name.clone()));
                }
                CompanyRule::Header(name.clone())
            }
            Some(CompanyFile::Field(CompanyField::Query(name))) => {
                if !is_name(name) {
                    faults.add(self.sub("company"), PolicyFault::RuleForm("query", name.clone()));
                }
                CompanyRule::Query(name.clone())
            }
        }
    }

    fn body(&self, faults: &mut Faults) -> BodyRule {
        let (at, text) = self.own_or_default("body", self.route.body.as_ref(), self.defaults.body.as_ref());
        let Some(text) = text else { return BodyRule::default() };
        BodyRule::from_name(text).unwrap_or_else(|| {
            faults.add(at, PolicyFault::BodyRule(text.clone()));
            BodyRule::default()
        })
    }

    fn headers(&self, faults: &mut Faults) -> Vec<HandedClaim> {
        let mut handed = Vec::new();
        for (field, names) in &self.route.headers {
            if !is_own_field(field) {
                faults.add(pointer::entry(&self.sub("headers"), field), PolicyFault::HeaderName(field.clone()));
            }
            match ClaimPath::new(names.names()) {
                Some(path) => handed.push(HandedClaim { field: field.clone(), path }),
                None => faults.add(pointer::entry(&self.sub("headers"), field), PolicyFault::Empty("claim")),
            }
        }
        handed
    }

    /// Whether the origin of a public route gets the value of `Authorization`, which was not verified there.
    fn forwards_token(&self, faults: &mut Faults) -> bool {
        let Some(text) = self.route.token.as_deref() else { return false };
        let origin = self.route.origin.as_ref().or(self.defaults.origin.as_ref());
        let origin = origin.and_then(|name| self.file.origins.get(name));
        if text != FORWARDED {
            faults.add(self.sub("token"), PolicyFault::TokenRule);
        } else if !self.route.public {
            faults.add(self.sub("token"), PolicyFault::TokenOfRoute);
        } else if origin.is_some_and(|origin| origin.token.is_none()) {
            faults.add(self.sub("token"), PolicyFault::TokenNotTaken);
        }
        true
    }

    /// Whether some caller's record is asked of the permissions service.
    fn uses_service(&self, company: &CompanyRule) -> bool {
        company.binds() && self.sections().any(|(_, issuer)| issuer.permissions == "service")
    }

    fn permissions_ages(&self, company: &CompanyRule, faults: &mut Faults) -> (Duration, Duration) {
        let (route, defaults) = (self.route, self.defaults);
        let uses_service = self.uses_service(company);
        let taken = |default: &'a Option<String>| default.as_ref().filter(|_| uses_service);
        let (at, text) = self.own_or_default(
            "permissions_max_age",
            route.permissions_max_age.as_ref(),
            taken(&defaults.permissions_max_age),
        );
        if text.is_some() && !uses_service {
            faults.add(at.as_str(), PolicyFault::MaxAgeUnused);
        }
        let max_age = faults.duration(at, text, MAX_PERMISSIONS_AGE).unwrap_or_default();
        let (at, text) = self.own_or_default(
            "permissions_stale_if_error",
            route.permissions_stale_if_error.as_ref(),
            taken(&defaults.permissions_stale_if_error).filter(|_| !max_age.is_zero()),
        );
        if text.is_some() && !uses_service {
            faults.add(at.as_str(), PolicyFault::MaxAgeUnused);
        } else if text.is_some() && max_age.is_zero() {
            faults.add(at.as_str(), PolicyFault::StaleWithoutAge);
        }
        (max_age, faults.duration(at, text, MAX_PERMISSIONS_STALE).unwrap_or_default())
    }

    /// What the rules of one route must be to one another.
    fn check_rules(&self, company: &CompanyRule, faults: &mut Faults) {
        let route = self.route;
        if route.public {
            let rules = [
                ("issuer", route.issuer.is_some()),
                ("subject", route.subject.as_deref().is_some_and(|rule| rule != "any")),
                ("company", company.binds()),
                ("roles", !route.roles.is_empty()),
                ("scopes", route.scopes.is_some()),
                ("require", !route.require.is_empty()),
                ("headers", !route.headers.is_empty()),
            ];
            for (rule, _) in rules.iter().filter(|(_, present)| *present) {
                faults.add(self.sub(rule), PolicyFault::PublicWithRule(rule));
            }
        } else if self.issuer_names().1.is_empty() {
            faults.add(self.at.as_str(), PolicyFault::NoIssuer);
        }
        if !route.roles.is_empty() && !company.binds() {
            faults.add(self.sub("roles"), PolicyFault::RolesWithoutCompany);
        }
        let subject_is_company = |(_, issuer): &(&String, &IssuerFile)| issuer.permissions == "subject";
        if let Some((name, _)) = self.sections().find(|section| !route.roles.is_empty() && subject_is_company(section))
        {
            faults.add(self.sub("roles"), PolicyFault::RolesUnobtainable(name.clone()));
        }
        if *company == CompanyRule::Subject
            && let Some((name, _)) = self.sections().find(|section| !subject_is_company(section))
        {
            faults.add(self.sub("company"), PolicyFault::CompanyNotSubject(name.clone()));
        }
    }
}

fn scopes(written: Option<&ScopesFile>) -> ScopeRule {
    match written {
        None => ScopeRule::default(),
        Some(ScopesFile::AllOf(all_of)) => ScopeRule { all_of: all_of.clone(), any_of: Vec::new() },
        Some(ScopesFile::Both(table)) => ScopeRule { all_of: table.all_of.clone(), any_of: table.any_of.clone() },
    }
}

/// Whether it is a field's name (RFC 9110 §5.1) in lower case, of letters, digits and `-`, that nobody else sets or reads.
fn is_own_field(name: &str) -> bool {
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && is_lower && is_plain(name) && !is_reserved(name)
}

/// Whether the name, folded, belongs to somebody else.
pub(super) fn is_reserved(name: &str) -> bool {
    class(name).is_some()
        || RESERVED_FIELDS.iter().any(|own| is_same(own, name))
        || RESERVED_PREFIXES.iter().any(|prefix| begins_with(name, prefix))
}
