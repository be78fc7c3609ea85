//! What an issuer section asks of its tokens, for tools that show it, compare it or make tokens that fit it.
//!
//! Nothing here decides: the authoriser reads the fields themselves.

use alloc::string::String;
use core::time::Duration;

use super::{AudienceRule, ClaimForms, Issuer, TextForm};

impl Issuer {
    /// Which `aud` a token may have.
    #[must_use]
    pub const fn audience(&self) -> &AudienceRule {
        &self.audience
    }

    /// The clients it accepts tokens of; empty when any will do.
    #[must_use]
    pub fn clients(&self) -> &[String] {
        &self.clients
    }

    /// What `token_use` must be, where that is asked.
    #[must_use]
    pub fn token_use(&self) -> Option<&str> {
        self.token_use.as_deref()
    }

    /// What the header's `typ` must be, where that is asked.
    #[must_use]
    pub fn token_type(&self) -> Option<&str> {
        self.token_type.as_deref()
    }

    /// The claims that every token must have, each with its acceptable values; no values: whatever it says.
    pub fn required(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.required.iter().map(|claim| (claim.name.as_str(), claim.values.as_slice()))
    }

    /// How far ahead the issuer's clock may run.
    #[must_use]
    pub const fn leeway(&self) -> Duration {
        self.leeway
    }

    /// The longest that a token may live from `iat` to `exp`, where that is limited.
    #[must_use]
    pub const fn max_lifetime(&self) -> Option<Duration> {
        self.max_lifetime
    }

    /// How long after `iat` a token is refused, where that is limited. A token of exactly this age is refused.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The claim with the subject: the names on the way down to it.
    #[must_use]
    pub fn subject_claim(&self) -> &[String] {
        self.claims.subject.names()
    }

    /// The claims of which the first that a token has names its client.
    pub fn client_claims(&self) -> impl Iterator<Item = &[String]> {
        self.claims.client.iter().map(|path| path.names())
    }

    /// The claim with the scopes.
    #[must_use]
    pub fn scopes_claim(&self) -> &[String] {
        self.claims.scopes.names()
    }

    /// How a text in that claim is read.
    #[must_use]
    pub const fn scopes_form(&self) -> TextForm {
        self.claims.scopes_form
    }

    /// How texts in the claims with companies and roles are read.
    #[must_use]
    pub const fn claim_forms(&self) -> ClaimForms {
        self.claims.forms
    }

    /// The claim with the roles, where permissions come from claims.
    #[must_use]
    pub fn roles_claim(&self) -> &[String] {
        self.claims.roles.names()
    }

    /// The claim with the companies, where permissions come from claims.
    #[must_use]
    pub fn companies_claim(&self) -> &[String] {
        self.claims.companies.names()
    }
}
