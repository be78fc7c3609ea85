//! The two closed lists: the operator's [`Reason`] and the caller's [`PublicCode`], and the one mapping between.
//!
//! A reason says all that an operator needs; it goes to logs and tools. A public code says what the caller
//! may know; it goes into the answer. [`Reason::public_code`] is total and has no catch-all, so that a new
//! reason does not compile until someone decided what callers may learn of it.

use core::fmt;

use crate::{query::QueryError, target::TargetError, token::TokenError};

/// Why a request was not permitted, in the operator's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The request target is not canonical.
    Target(TargetError),
    /// No route has this path.
    NoRoute,
    /// The path has routes, none for this method.
    MethodNotAllowed,
    /// The query is one that parsers read in two ways, or overrides the method.
    Query(QueryError),
    /// An origin may take the path for one of another route, which asks for more.
    PathAmbiguous,
    /// No bearer credential.
    CredentialMissing,
    /// More than one credential, or one that breaks RFC 6750's grammar.
    CredentialMalformed,
    /// The credential is not a token worth a signature check.
    Token(TokenError),
    /// `iss` is none of the route's issuers.
    IssuerUnknown,
    /// The token's algorithm is none that the issuer is configured with.
    AlgorithmNotAllowed,
    /// The issuer's fresh keys have none for this `kid` and algorithm.
    KeyUnknown,
    /// The signature does not hold.
    SignatureInvalid,
    /// The claims are no proper object, or one is of the wrong type.
    ClaimsMalformed,
    /// `iss` is not the issuer whose key signed.
    IssuerMismatch,
    /// `aud` or `client_id` is none that the issuer section accepts.
    AudienceMismatch,
    /// Two issuer sections of one URL accept the token.
    IssuerAmbiguous,
    /// `token_use` or `typ` is not that of an access token.
    NotAnAccessToken,
    /// The token is bound to its sender (`cnf`), and the binding cannot be checked.
    SenderConstrained,
    /// A claim that the issuer section requires is missing or says something else.
    ClaimMismatch,
    /// `exp` is missing.
    ExpirationMissing,
    /// `exp` has come.
    Expired,
    /// `nbf` lies ahead.
    NotYetValid,
    /// `iat` lies ahead.
    IssuedInFuture,
    /// `iat` is missing, and the issuer section limits lifetime or age.
    IssuedAtMissing,
    /// From `iat` to `exp` it is longer than the issuer section allows.
    LifetimeTooLong,
    /// The issuer section's `max_age` or more has passed since `iat`.
    IssuedTooLongAgo,
    /// The subject's claim is missing, empty, too long or holds control characters.
    SubjectUnusable,
    /// The claim with the scopes is a text that the section's `form` cannot read.
    ScopesAmbiguous,
    /// The token lists more scopes than a token may have, and the route asks for one.
    TooManyScopes,
    /// A scope of the route is missing.
    ScopeMissing,
    /// A claim that the route requires is larger than a claim that is looked at may be.
    ClaimTooLarge,
    /// A claim that the route requires is missing or says something else.
    ConditionUnmet,
    /// The path names another subject.
    SubjectMismatch,
    /// The field or parameter that must name the company is missing, stands twice, or names none.
    CompanyUnspecified,
    /// The claim with the companies is a text that could be one name or several, or not of the section's `form`.
    CompaniesAmbiguous,
    /// The token lists more companies than a token may have, and the route asks for one.
    TooManyCompanies,
    /// The company in the path is none of the caller's.
    CompanyMismatch,
    /// The same of the claim with the roles.
    RolesAmbiguous,
    /// The token lists more roles than a token may have, and the route asks for one.
    TooManyRoles,
    /// The caller holds none of the route's roles in the company.
    RoleMissing,
    /// The route binds bodies, and the request declares no digest of its own, or two that differ.
    BodyDigestMissing,
    /// The route reads bodies whole, and this one is longer than the policy allows.
    BodyTooLarge,
    /// The body broke off before its end.
    BodyUnreadable,
    /// No usable keys of the issuer can be had.
    KeysUnavailable,
    /// The host could not check the signature.
    SignatureUnavailable,
    /// The permissions service could not tell.
    PermissionsUnavailable,
    /// The authoriser itself is not fit to serve: a secret is missing, say.
    Unconfigured,
}

/// What a caller may know of a denial. Stable; the `code` member of the answer's problem document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PublicCode {
    /// 400: the request itself is malformed (RFC 6750 §3.1).
    InvalidRequest,
    /// 401: no credential was shown.
    MissingToken,
    /// 401: the token is bad, malformed or expired (RFC 6750 §3.1).
    InvalidToken,
    /// 403: the token lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// 403: the caller may not do this (RFC 6749 §4.1.2.1's word).
    AccessDenied,
    /// 404: there is no such route.
    NotFound,
    /// 405: the route has other methods.
    MethodNotAllowed,
    /// 413: the body is longer than this route takes (RFC 9110 §15.5.14).
    ContentTooLarge,
    /// 502: the origin cannot be reached.
    BadGateway,
    /// 503: nobody can tell right now (RFC 6749 §4.1.2.1's word).
    TemporarilyUnavailable,
}

impl Reason {
    /// Every reason there is, in the order in which a decision may come to them.
    pub const ALL: [Self; 70] = [
        Self::Target(TargetError::NotAbsolutePath),
        Self::Target(TargetError::TooLong),
        Self::Target(TargetError::EmptyQuery),
        Self::Target(TargetError::EmptySegment),
        Self::Target(TargetError::DotSegment),
        Self::Target(TargetError::ForbiddenCharacter),
        Self::Target(TargetError::BrokenEscape),
        Self::Target(TargetError::NeedlessEscape),
        Self::Target(TargetError::ForbiddenEscape),
        Self::Target(TargetError::NotUtf8),
        Self::NoRoute,
        Self::MethodNotAllowed,
        Self::PathAmbiguous,
        Self::Query(QueryError::MethodOverride),
        Self::CredentialMissing,
        Self::CredentialMalformed,
        Self::Token(TokenError::TooLarge),
        Self::Token(TokenError::Malformed),
        Self::Token(TokenError::Critical),
        Self::Token(TokenError::ContentType),
        Self::Token(TokenError::Algorithm),
        Self::Token(TokenError::KeyId),
        Self::IssuerUnknown,
        Self::AlgorithmNotAllowed,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::ClaimsMalformed,
        Self::IssuerMismatch,
        Self::AudienceMismatch,
        Self::IssuerAmbiguous,
        Self::NotAnAccessToken,
        Self::SenderConstrained,
        Self::ClaimMismatch,
        Self::ExpirationMissing,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::IssuedAtMissing,
        Self::LifetimeTooLong,
        Self::IssuedTooLongAgo,
        Self::SubjectUnusable,
        Self::ScopesAmbiguous,
        Self::TooManyScopes,
        Self::ScopeMissing,
        Self::ClaimTooLarge,
        Self::ConditionUnmet,
        Self::SubjectMismatch,
        Self::Query(QueryError::InPath),
        Self::Query(QueryError::QuestionMark),
        Self::Query(QueryError::Semicolon),
        Self::Query(QueryError::TooManyParameters),
        Self::Query(QueryError::Name),
        Self::Query(QueryError::NotUtf8),
        Self::Query(QueryError::Ambiguous),
        Self::Query(QueryError::EmptyValue),
        Self::Query(QueryError::Value),
        Self::CompanyUnspecified,
        Self::CompaniesAmbiguous,
        Self::TooManyCompanies,
        Self::CompanyMismatch,
        Self::RolesAmbiguous,
        Self::TooManyRoles,
        Self::RoleMissing,
        Self::BodyDigestMissing,
        Self::BodyTooLarge,
        Self::BodyUnreadable,
        Self::KeysUnavailable,
        Self::SignatureUnavailable,
        Self::PermissionsUnavailable,
        Self::Unconfigured,
    ];

    /// The caller's view of this reason.
    #[must_use]
    pub const fn public_code(self) -> PublicCode {
        match self {
            Self::Target(_)
            | Self::Query(_)
            | Self::PathAmbiguous
            | Self::CredentialMalformed
            | Self::CompanyUnspecified
            | Self::BodyDigestMissing
            | Self::BodyUnreadable => PublicCode::InvalidRequest,
            Self::BodyTooLarge => PublicCode::ContentTooLarge,
            Self::NoRoute => PublicCode::NotFound,
            Self::MethodNotAllowed => PublicCode::MethodNotAllowed,
            Self::CredentialMissing => PublicCode::MissingToken,
            Self::Token(_)
            | Self::IssuerUnknown
            | Self::AlgorithmNotAllowed
            | Self::KeyUnknown
            | Self::SignatureInvalid
            | Self::ClaimsMalformed
            | Self::IssuerMismatch
            | Self::AudienceMismatch
            | Self::IssuerAmbiguous
            | Self::NotAnAccessToken
            | Self::SenderConstrained
            | Self::ClaimMismatch
            | Self::ExpirationMissing
            | Self::Expired
            | Self::NotYetValid
            | Self::IssuedInFuture
            | Self::IssuedAtMissing
            | Self::LifetimeTooLong
            | Self::IssuedTooLongAgo
            | Self::SubjectUnusable => PublicCode::InvalidToken,
            Self::ScopeMissing => PublicCode::InsufficientScope,
            // Which of them it was would tell a caller who belongs to which company.
            Self::ScopesAmbiguous
            | Self::TooManyScopes
            | Self::ClaimTooLarge
            | Self::ConditionUnmet
            | Self::SubjectMismatch
            | Self::CompaniesAmbiguous
            | Self::TooManyCompanies
            | Self::CompanyMismatch
            | Self::RolesAmbiguous
            | Self::TooManyRoles
            | Self::RoleMissing => PublicCode::AccessDenied,
            Self::KeysUnavailable | Self::SignatureUnavailable | Self::PermissionsUnavailable | Self::Unconfigured => {
                PublicCode::TemporarilyUnavailable
            }
        }
    }

    /// The reason's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Target(error) => error.code(),
            Self::Query(error) => error.code(),
            Self::NoRoute => "no_route",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PathAmbiguous => "path_ambiguous",
            Self::CredentialMissing => "credential_missing",
            Self::CredentialMalformed => "credential_malformed",
            Self::Token(error) => error.code(),
            Self::IssuerUnknown => "issuer_unknown",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::KeyUnknown => "key_unknown",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimsMalformed => "claims_malformed",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::AudienceMismatch => "audience_mismatch",
            Self::IssuerAmbiguous => "issuer_ambiguous",
            Self::NotAnAccessToken => "not_an_access_token",
            Self::SenderConstrained => "sender_constrained",
            Self::ClaimMismatch => "claim_mismatch",
            Self::ExpirationMissing => "expiration_missing",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::IssuedAtMissing => "issued_at_missing",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::IssuedTooLongAgo => "issued_too_long_ago",
            Self::SubjectUnusable => "subject_unusable",
            Self::ScopesAmbiguous => "scopes_ambiguous",
            Self::TooManyScopes => "too_many_scopes",
            Self::ScopeMissing => "scope_missing",
            Self::ClaimTooLarge => "claim_too_large",
            Self::ConditionUnmet => "condition_unmet",
            Self::SubjectMismatch => "subject_mismatch",
            Self::CompanyUnspecified => "company_unspecified",
            Self::CompaniesAmbiguous => "companies_ambiguous",
            Self::TooManyCompanies => "too_many_companies",
            Self::CompanyMismatch => "company_mismatch",
            Self::RolesAmbiguous => "roles_ambiguous",
            Self::TooManyRoles => "too_many_roles",
            Self::RoleMissing => "role_missing",
            Self::BodyDigestMissing => "body_digest_missing",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyUnreadable => "body_unreadable",
            Self::KeysUnavailable => "keys_unavailable",
            Self::SignatureUnavailable => "signature_unavailable",
            Self::PermissionsUnavailable => "permissions_unavailable",
            Self::Unconfigured => "unconfigured",
        }
    }
}

impl TargetError {
    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAbsolutePath => "target_not_absolute_path",
            Self::TooLong => "target_too_long",
            Self::EmptyQuery => "target_empty_query",
            Self::EmptySegment => "target_empty_segment",
            Self::DotSegment => "target_dot_segment",
            Self::ForbiddenCharacter => "target_forbidden_character",
            Self::BrokenEscape => "target_broken_escape",
            Self::NeedlessEscape => "target_needless_escape",
            Self::ForbiddenEscape => "target_forbidden_escape",
            Self::NotUtf8 => "target_not_utf8",
        }
    }
}

impl QueryError {
    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MethodOverride => "query_method_override",
            Self::InPath => "query_in_path",
            Self::QuestionMark => "query_question_mark",
            Self::Semicolon => "query_semicolon",
            Self::TooManyParameters => "query_too_many_parameters",
            Self::Name => "query_name",
            Self::NotUtf8 => "query_not_utf8",
            Self::Ambiguous => "query_ambiguous",
            Self::EmptyValue => "query_empty_value",
            Self::Value => "query_value",
        }
    }
}

impl TokenError {
    /// The error's stable name, for logs and tools.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::Malformed => "token_malformed",
            Self::Critical => "token_critical",
            Self::ContentType => "token_content_type",
            Self::Algorithm => "token_algorithm",
            Self::KeyId => "token_key_id",
        }
    }
}

impl PublicCode {
    /// Every public code, by status.
    pub const ALL: [Self; 10] = [
        Self::InvalidRequest,
        Self::MissingToken,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::AccessDenied,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ContentTooLarge,
        Self::BadGateway,
        Self::TemporarilyUnavailable,
    ];

    /// The code as it stands in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::MissingToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::AccessDenied => "access_denied",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ContentTooLarge => "content_too_large",
            Self::BadGateway => "bad_gateway",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::MissingToken | Self::InvalidToken => 401,
            Self::InsufficientScope | Self::AccessDenied => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ContentTooLarge => 413,
            Self::BadGateway => 502,
            Self::TemporarilyUnavailable => 503,
        }
    }

    /// One sentence for the person who reads the answer.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is malformed.",
            Self::MissingToken => "The request needs an access token in the Authorization header.",
            Self::InvalidToken => "The access token is malformed, expired or not valid here.",
            Self::InsufficientScope => "The access token lacks a scope that this request needs.",
            Self::AccessDenied => "The caller may not do this.",
            Self::NotFound => "There is nothing at this path.",
            Self::MethodNotAllowed => "This path does not have that method.",
            Self::ContentTooLarge => "The body is longer than this path takes.",
            Self::BadGateway => "The service behind this path cannot be reached.",
            Self::TemporarilyUnavailable => "The request cannot be decided right now. Try again shortly.",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Display for PublicCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// The names that the functions `code` and `as_str` in this file give.
    fn given(from: &str, to: &str) -> BTreeSet<&'static str> {
        let source = include_str!("reason.rs");
        let part = source.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_default();
        part.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn no_reason_and_no_public_code_is_missing_from_its_list() {
        let own: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(own.len(), Reason::ALL.len());
        assert_eq!(own, given("The reason's stable name", "impl PublicCode"));
        let public: BTreeSet<&str> = PublicCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(public, given("The code as it stands", "The HTTP status"));
    }
}
