//! Fields of a GraphQL API: who may select them, by the rules that routes have.
//!
//! A field has no path. Whose company a selection is about, and whose it must be, its arguments say: those of fields of
//! the operation types alone ([`OPERATION_TYPES`]), since only these are asked by the caller. What a nested field is
//! about its parent has decided.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    CompanyRule, PolicyFault, RequiredClaim, ScopeRule,
    compile::Faults,
    compile_route::Written,
    file::{DefaultsFile, OneOrMany, PolicyFile, RequiredFile, RouteFile, ScopesFile},
};

/// The root operation types by their usual names (GraphQL §3.3.1), which AppSync's schemas have.
pub const OPERATION_TYPES: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// One field and its rules.
#[derive(Clone, Debug)]
pub struct Field {
    pub(crate) name: String,
    /// Issuer sections whose tokens may select it; never empty.
    pub(crate) issuers: Vec<usize>,
    /// The argument that must be the token's subject.
    pub(crate) subject: Option<String>,
    pub(crate) company: CompanyRule,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: ScopeRule,
    pub(crate) required: Vec<RequiredClaim>,
    pub(crate) permissions_max_age: Duration,
    pub(crate) permissions_stale_if_error: Duration,
}

/// One `[[field]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldFile {
    /// `Type.field`, as in `Query.order`.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::FieldName"))]
    pub(crate) name: String,
    /// The issuer section, or several, whose tokens may select it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<OneOrMany>,
    /// The argument that must be the caller's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<ArgumentFile>,
    /// What must be one of the caller's companies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) company: Option<FieldCompanyFile>,
    /// Roles of which the caller must hold one in the company.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// Scopes that the token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scopes: Option<ScopesFile>,
    /// Claims that the token must have, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) require: BTreeMap<String, RequiredFile>,
    /// How old a permissions record may be that decides here; `"0s"` asks anew each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_max_age: Option<String>,
    /// How much older it may be while the permissions service cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::Duration>"))]
    pub(crate) permissions_stale_if_error: Option<String>,
}

/// Where the company stands that must be one of the caller's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum FieldCompanyFile {
    /// `"subject"`: the caller itself.
    Text(String),
    /// An argument of the field.
    Argument(ArgumentFile),
}

/// An argument of the field.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ArgumentFile {
    /// Its name.
    pub(crate) argument: String,
}

impl Field {
    /// `Type.field`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that has the field.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.name.split_once('.').map_or("", |(name, _)| name)
    }

    /// The field without its type.
    #[must_use]
    pub fn field_name(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, name)| name)
    }

    /// The argument that must be the caller's subject.
    #[must_use]
    pub fn subject_argument(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Which company a selection is about.
    #[must_use]
    pub const fn company(&self) -> &CompanyRule {
        &self.company
    }

    /// Whether the answer depends on what a selection says, and not on the caller alone.
    #[must_use]
    pub const fn looks_at_arguments(&self) -> bool {
        self.subject.is_some() || matches!(self.company, CompanyRule::Argument(_))
    }

    /// Roles of which the caller must hold one in the company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Scopes that the token must have.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeRule {
        &self.scopes
    }

    /// Claims that the token must have.
    #[must_use]
    pub fn required(&self) -> &[RequiredClaim] {
        &self.required
    }

    /// How old a permissions record may be that decides here.
    #[must_use]
    pub const fn permissions_max_age(&self) -> Duration {
        self.permissions_max_age
    }

    /// How much older it may be while the permissions service cannot tell; zero: it may not.
    #[must_use]
    pub const fn permissions_stale_if_error(&self) -> Duration {
        self.permissions_stale_if_error
    }
}

pub(super) fn fields(file: &PolicyFile, faults: &mut Faults) -> Vec<Field> {
    let none = DefaultsFile::default();
    let defaults = file.defaults.as_ref().unwrap_or(&none);
    let mut compiled: Vec<Field> = Vec::new();
    for (index, field) in file.fields.iter().enumerate() {
        let at = format!("field[{index}]");
        if compiled.iter().any(|other| other.name == field.name) {
            faults.add(format!("{at}.name"), PolicyFault::DuplicateName("field", field.name.clone()));
        }
        compiled.push(compile(field, &at, defaults, file, faults));
    }
    compiled
}

fn compile(field: &FieldFile, at: &str, defaults: &DefaultsFile, file: &PolicyFile, faults: &mut Faults) -> Field {
    let type_name = match field.name.split_once('.') {
        Some((type_name, name)) if is_graphql_name(type_name) && is_graphql_name(name) => type_name,
        _ => {
            faults.add(format!("{at}.name"), PolicyFault::FieldName(field.name.clone()));
            ""
        }
    };
    let mut argument = |member: &str, said: &ArgumentFile| {
        if !is_graphql_name(&said.argument) {
            faults.add(format!("{at}.{member}"), PolicyFault::RuleForm("argument", said.argument.clone()));
        } else if !type_name.is_empty() && !OPERATION_TYPES.contains(&type_name) {
            faults.add(format!("{at}.{member}"), PolicyFault::NestedArgument(type_name.to_owned()));
        }
        said.argument.clone()
    };
    let subject = field.subject.as_ref().map(|said| argument("subject", said));
    let company = match &field.company {
        None => CompanyRule::None,
        Some(FieldCompanyFile::Argument(said)) => CompanyRule::Argument(argument("company", said)),
        Some(FieldCompanyFile::Text(text)) if text == "subject" => CompanyRule::Subject,
        Some(FieldCompanyFile::Text(text)) => {
            faults.add(format!("{at}.company"), PolicyFault::RuleForm("company", text.clone()));
            CompanyRule::None
        }
    };
    if subject.is_some() && company == subject.clone().map_or(CompanyRule::None, CompanyRule::Argument) {
        faults.add(format!("{at}.subject"), PolicyFault::SameParameter(subject.clone().unwrap_or_default()));
    }
    // What a field shares with a route is checked by the same code, on a route without a place.
    let route = RouteFile {
        name: field.name.clone(),
        methods: Vec::new(),
        path: String::new(),
        origin: None,
        public: false,
        shadow: false,
        issuer: field.issuer.clone(),
        subject: None,
        company: None,
        unbound: Vec::new(),
        roles: field.roles.clone(),
        scopes: field.scopes.clone(),
        require: field.require.clone(),
        permissions_max_age: field.permissions_max_age.clone(),
        permissions_stale_if_error: field.permissions_stale_if_error.clone(),
        body: None,
        query_method_override: false,
        headers: BTreeMap::new(),
        token: None,
        allow: BTreeMap::new(),
    };
    let conditions = Written { at: at.to_owned(), route: &route, defaults, file }.conditions(&company, faults);
    Field {
        name: field.name.clone(),
        issuers: conditions.issuers,
        subject,
        company,
        roles: field.roles.clone(),
        scopes: conditions.scopes,
        required: conditions.required,
        permissions_max_age: conditions.permissions_max_age,
        permissions_stale_if_error: conditions.permissions_stale_if_error,
    }
}

/// GraphQL §2.1.9.
fn is_graphql_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(rest)
}
