//! The steps of a decision, in the order in which they are taken, and the reasons that each can give.
//!
//! For tools that explain a decision: they ask which step a reason belongs to, and know by the order which steps had
//! held by then. The decision itself is taken in [`authorizer`](crate::authorizer) and asks nothing here.

use core::fmt;

use crate::{query::QueryError, reason::Reason, target::TargetError, token::TokenError};

macro_rules! stages {
    ($($(#[$doc:meta])* $stage:ident = $name:literal: [$($reason:ident $(($inner:path))?),* $(,)?],)*) => {
        /// A step of a decision; ordered as they are taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Stage {
            $($(#[$doc])* $stage,)*
        }

        impl Stage {
            /// Every step, in order.
            pub const ALL: &'static [Self] = &[$(Self::$stage),*];

            /// The step's stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$stage => $name,)*
                }
            }
        }

        impl Reason {
            /// The step that gives this reason.
            #[must_use]
            pub const fn stage(self) -> Stage {
                match self {
                    $($(Self::$reason $(($inner))? => Stage::$stage,)*)*
                }
            }
        }
    };
}

// One list for both, so that a reason without a step does not compile.
stages! {
    /// The authoriser has what it needs to serve.
    Fitness = "fitness": [Unconfigured],
    /// The request target is canonical.
    Target = "target": [
        Target(TargetError::NotAbsolutePath),
        Target(TargetError::TooLong),
        Target(TargetError::EmptyQuery),
        Target(TargetError::EmptySegment),
        Target(TargetError::DotSegment),
        Target(TargetError::ForbiddenCharacter),
        Target(TargetError::BrokenEscape),
        Target(TargetError::NeedlessEscape),
        Target(TargetError::ForbiddenEscape),
        Target(TargetError::NotUtf8),
    ],
    /// A route has this path and this method.
    Route = "route": [NoRoute, MethodNotAllowed, PathAmbiguous],
    /// The query does not override the method, unless the route allows that.
    Method = "method": [Query(QueryError::MethodOverride)],
    /// The request shows one bearer credential.
    Credential = "credential": [CredentialMissing, CredentialMalformed],
    /// The credential is a token worth a signature check.
    Token = "token": [
        Token(TokenError::TooLarge),
        Token(TokenError::Malformed),
        Token(TokenError::Critical),
        Token(TokenError::ContentType),
        Token(TokenError::Algorithm),
        Token(TokenError::KeyId),
    ],
    /// It may be a token of one of the route's issuers, signed as they sign.
    Issuer = "issuer": [IssuerUnknown, AlgorithmNotAllowed],
    /// The issuer's keys are to be had and hold the one that it names.
    Key = "key": [KeysUnavailable, KeyUnknown],
    /// The signature holds.
    Signature = "signature": [SignatureUnavailable, SignatureInvalid],
    /// The claims are well-formed, and the issuer's own.
    Claims = "claims": [ClaimsMalformed, IssuerMismatch],
    /// The token is for this interface: exactly one section accepts its audience and client.
    Audience = "audience": [AudienceMismatch, IssuerAmbiguous],
    /// It is an access token and has what the section requires.
    Kind = "kind": [NotAnAccessToken, SenderConstrained, ClaimMismatch],
    /// It is valid now.
    Dates = "dates": [
        ExpirationMissing,
        Expired,
        NotYetValid,
        IssuedInFuture,
        IssuedAtMissing,
        LifetimeTooLong,
        IssuedTooLongAgo,
    ],
    /// It names a usable subject.
    Subject = "subject": [SubjectUnusable],
    /// It has the route's scopes.
    Scopes = "scopes": [ScopesAmbiguous, TooManyScopes, ScopeMissing],
    /// It has the claims that the route requires.
    Condition = "condition": [ClaimTooLarge, ConditionUnmet],
    /// The path names its subject.
    SubjectRule = "subject_rule": [SubjectMismatch],
    /// The request names a company, where the route looks for one outside of the path.
    CompanyName = "company_name": [
        Query(QueryError::InPath),
        Query(QueryError::QuestionMark),
        Query(QueryError::Semicolon),
        Query(QueryError::TooManyParameters),
        Query(QueryError::Name),
        Query(QueryError::NotUtf8),
        Query(QueryError::Ambiguous),
        Query(QueryError::EmptyValue),
        Query(QueryError::Value),
        CompanyUnspecified,
    ],
    /// The caller's permissions are to be had.
    Permissions = "permissions": [PermissionsUnavailable],
    /// The company is one of the caller's.
    Company = "company": [CompaniesAmbiguous, TooManyCompanies, CompanyMismatch],
    /// The caller holds one of the route's roles there.
    Role = "role": [RolesAmbiguous, TooManyRoles, RoleMissing],
    /// The body is bound, where the route binds it.
    Body = "body": [BodyDigestMissing, BodyTooLarge, BodyUnreadable],
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
