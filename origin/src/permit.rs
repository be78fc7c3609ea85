//! [`Permit`]: the proof that a request may be served, which every handler takes first.
//!
//! Only this crate's layers make one: [`assertion`](crate::assertion) out of what an edge has vouched for, `authorize`
//! out of a decision that was taken here. So a service that forgets authorisation does not compile, and what its
//! handler reads of the caller is what was checked.
//!
//! Not here: any rule, and any way to make one without a decision of the core's or a verified assertion.

use std::fmt;

use http::Method;
use postern::{
    assertion::{Capability, VerifiedAssertion},
    digest::ContentDigest,
    target::CanonicalTarget,
};

/// Leave to serve one request: method, path and query are those that were decided on.
///
/// It says who calls, for which company and with which roles, whether an edge has decided that or this very process.
#[derive(Clone)]
pub struct Permit {
    method: Method,
    target: CanonicalTarget,
    proof: Proof,
}

/// What the permit rests on. Neither is made by anything but a check.
#[derive(Clone)]
enum Proof {
    /// An edge, or another service, vouches for the request.
    Asserted(VerifiedAssertion),
    /// This process has decided, by the policy.
    Decided(Box<postern::Permit>),
}

impl Permit {
    /// Out of a decision on this method and target.
    pub(crate) fn decided(permit: postern::Permit, method: Method, target: CanonicalTarget) -> Self {
        Self { method, target, proof: Proof::Decided(Box::new(permit)) }
    }

    /// Out of an assertion that was verified for this method and target.
    pub(crate) const fn asserted(assertion: VerifiedAssertion, method: Method, target: CanonicalTarget) -> Self {
        Self { method, target, proof: Proof::Asserted(assertion) }
    }

    /// The method that was decided on.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path and query that were decided on, without the platform's base path.
    #[must_use]
    pub const fn target(&self) -> &CanonicalTarget {
        &self.target
    }

    /// The caller's subject; `None` on a public route, or where a service calls on its own behalf. Personal data: not
    /// for logs.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.subject(),
            Proof::Decided(permit) => permit.subject(),
        }
    }

    /// The issuer section of the policy that the subject belongs to: subjects of two sections may be the same text.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.subject_issuer(),
            Proof::Decided(permit) => permit.issuer(),
        }
    }

    /// The company that the request is about, where the route binds one.
    #[must_use]
    pub fn company(&self) -> Option<&str> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.company(),
            Proof::Decided(permit) => permit.company(),
        }
    }

    /// The caller's roles in that company.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.roles(),
            Proof::Decided(permit) => permit.roles(),
        }
    }

    /// The scopes of the caller's token.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.scopes(),
            Proof::Decided(permit) => permit.scopes(),
        }
    }

    /// The name of the route that decided; `None` for a service's own credential.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.route(),
            Proof::Decided(permit) => Some(permit.route()),
        }
    }

    /// What a service's own credential lets it do here; `None` for a forwarded request.
    #[must_use]
    pub const fn capability(&self) -> Option<Capability> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.capability(),
            Proof::Decided(_) => None,
        }
    }

    /// The SHA-256 of the body, where the route binds it: the one that the service is handed.
    #[must_use]
    pub fn content_sha256(&self) -> Option<&ContentDigest> {
        match &self.proof {
            Proof::Asserted(assertion) => assertion.content_sha256(),
            Proof::Decided(permit) => permit.content_sha256(),
        }
    }

    /// Who vouches for the request, by the name under which its key is trusted here: an edge, an administrator. `None`
    /// where this process has decided itself.
    #[must_use]
    pub fn asserted_by(&self) -> Option<&str> {
        match &self.proof {
            Proof::Asserted(assertion) => Some(assertion.issuer()),
            Proof::Decided(_) => None,
        }
    }
}

/// Who calls and for whom stays out of debug output: it ends in logs.
impl fmt::Debug for Permit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Permit")
            .field("method", &self.method)
            .field("route", &self.route())
            .finish_non_exhaustive()
    }
}
