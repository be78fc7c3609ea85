//! The context of an authorizer's result: what API Gateway hands on to what stands behind it.
//!
//! API Gateway takes flat values alone, and what is written here are strings. A result that is cached by the token is
//! another request's by then: its context holds what is true of the caller, and nothing of a route or a company.
//! Who reads these names must have been configured to believe that an authorizer wrote them (`origin/src/context`).
//!
//! Source: API Gateway's developer guide, "Output from an API Gateway Lambda authorizer": no objects, no arrays.

use postern::{Caller, PermissionsRecord, Permit};
use serde_json::{Map, Value};

/// Which form of context this is; whoever reads it refuses any other.
pub const VERSION: &str = "posternContext";
/// The one form there is.
pub const VERSION_1: &str = "1";
/// The caller as `Caller::to_json` gives it, for `Authorizer::caller_of_json`; absent on public routes.
pub const CALLER: &str = "caller";
/// The caller's subject, for integrations that read single values.
pub const SUBJECT: &str = "subject";
/// The issuer section of the policy that the caller's token is of.
pub const ISSUER: &str = "issuer";
/// The token's scopes, a space between two.
pub const SCOPES: &str = "scopes";
/// The version of the policy that decided.
pub const POLICY: &str = "policy";
/// The caller's companies with the roles held in each: a permissions record as JSON text, in the shape with roles per
/// company. Absent where nobody asked for it, or where it would not fit.
pub const COMPANIES: &str = "companies";
/// The route that decided. Absent in what is cached by the token.
pub const ROUTE: &str = "route";
/// The company that the request is about. Absent in what is cached by the token.
pub const COMPANY: &str = "company";
/// The caller's roles in that company, a JSON array as text. Absent in what is cached by the token.
pub const ROLES: &str = "roles";

/// A context that is being put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(Map<String, Value>);

impl Context {
    /// What is true whoever calls: the form, and the policy.
    #[must_use]
    pub fn new(policy_version: &str) -> Self {
        let mut context = Self::default();
        context.set(VERSION, VERSION_1);
        context.set(POLICY, policy_version);
        context
    }

    /// With who calls.
    #[must_use]
    pub fn with_caller(mut self, caller: &Caller) -> Self {
        self.set(CALLER, &caller.to_json());
        self.set(SUBJECT, caller.subject());
        self.set(ISSUER, caller.issuer());
        self.set(SCOPES, &caller.scopes().join(" "));
        self
    }

    /// With the companies and roles of who calls.
    #[must_use]
    pub fn with_companies(mut self, record: &PermissionsRecord) -> Self {
        self.set(COMPANIES, &record.to_json());
        self
    }

    /// Without them: where they make the result too long, who needs them asks for them.
    #[must_use]
    pub fn without_companies(mut self) -> Self {
        self.0.remove(COMPANIES);
        self
    }

    /// With what was decided on one request. Only for a result that is used for no other.
    #[must_use]
    pub fn with_permit(mut self, permit: &Permit) -> Self {
        self.set(ROUTE, permit.route());
        if let Some(company) = permit.company() {
            self.set(COMPANY, company);
            self.set(ROLES, &Value::from(permit.roles().to_vec()).to_string());
        }
        self
    }

    /// The context as a result carries it.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), Value::from(value));
    }
}
