//! The two closed lists, the operator's and the caller's, and the one mapping between them.

use std::collections::BTreeSet;

use postern::{
    PublicCode::{self, *},
    Reason::{self, *},
    query::QueryError,
    target::TargetError,
    token::TokenError,
};

/// Every reason, and what its caller may know of it.
const REASONS: [(Reason, PublicCode); 70] = [
    (Target(TargetError::NotAbsolutePath), InvalidRequest),
    (Target(TargetError::TooLong), InvalidRequest),
    (Target(TargetError::EmptySegment), InvalidRequest),
    (Target(TargetError::DotSegment), InvalidRequest),
    (Target(TargetError::ForbiddenCharacter), InvalidRequest),
    (Target(TargetError::BrokenEscape), InvalidRequest),
    (Target(TargetError::NeedlessEscape), InvalidRequest),
    (Target(TargetError::ForbiddenEscape), InvalidRequest),
    (Target(TargetError::NotUtf8), InvalidRequest),
    (Target(TargetError::EmptyQuery), InvalidRequest),
    (Query(QueryError::MethodOverride), InvalidRequest),
    (Query(QueryError::InPath), InvalidRequest),
    (Query(QueryError::QuestionMark), InvalidRequest),
    (Query(QueryError::Semicolon), InvalidRequest),
    (Query(QueryError::TooManyParameters), InvalidRequest),
    (Query(QueryError::Name), InvalidRequest),
    (Query(QueryError::NotUtf8), InvalidRequest),
    (Query(QueryError::Ambiguous), InvalidRequest),
    (Query(QueryError::EmptyValue), InvalidRequest),
    (Query(QueryError::Value), InvalidRequest),
    (CredentialMalformed, InvalidRequest),
    (NoRoute, NotFound),
    (Reason::MethodNotAllowed, PublicCode::MethodNotAllowed),
    (PathAmbiguous, InvalidRequest),
    (CredentialMissing, MissingToken),
    (Token(TokenError::TooLarge), InvalidToken),
    (Token(TokenError::Malformed), InvalidToken),
    (Token(TokenError::Critical), InvalidToken),
    (Token(TokenError::ContentType), InvalidToken),
    (Token(TokenError::Algorithm), InvalidToken),
    (Token(TokenError::KeyId), InvalidToken),
    (IssuerUnknown, InvalidToken),
    (AlgorithmNotAllowed, InvalidToken),
    (KeyUnknown, InvalidToken),
    (SignatureInvalid, InvalidToken),
    (ClaimsMalformed, InvalidToken),
    (IssuerMismatch, InvalidToken),
    (AudienceMismatch, InvalidToken),
    (IssuerAmbiguous, InvalidToken),
    (NotAnAccessToken, InvalidToken),
    (ExpirationMissing, InvalidToken),
    (Expired, InvalidToken),
    (NotYetValid, InvalidToken),
    (IssuedInFuture, InvalidToken),
    (SubjectUnusable, InvalidToken),
    (SenderConstrained, InvalidToken),
    (ClaimMismatch, InvalidToken),
    (IssuedAtMissing, InvalidToken),
    (LifetimeTooLong, InvalidToken),
    (IssuedTooLongAgo, InvalidToken),
    (ScopesAmbiguous, AccessDenied),
    (TooManyScopes, AccessDenied),
    (TooManyCompanies, AccessDenied),
    (TooManyRoles, AccessDenied),
    (ScopeMissing, InsufficientScope),
    (ClaimTooLarge, AccessDenied),
    (ConditionUnmet, AccessDenied),
    (CompanyUnspecified, InvalidRequest),
    (BodyDigestMissing, InvalidRequest),
    (BodyUnreadable, InvalidRequest),
    (BodyTooLarge, ContentTooLarge),
    (SubjectMismatch, AccessDenied),
    (CompaniesAmbiguous, AccessDenied),
    (CompanyMismatch, AccessDenied),
    (RolesAmbiguous, AccessDenied),
    (RoleMissing, AccessDenied),
    (KeysUnavailable, TemporarilyUnavailable),
    (SignatureUnavailable, TemporarilyUnavailable),
    (PermissionsUnavailable, TemporarilyUnavailable),
    (Unconfigured, TemporarilyUnavailable),
];

#[test]
fn each_reason_tells_its_caller_no_more_than_its_public_code() {
    for (reason, code) in REASONS {
        assert_eq!(reason.public_code(), code, "{reason}");
    }
}

#[test]
fn each_reason_is_in_the_table_and_in_the_documents() {
    assert_eq!(REASONS.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert!(REASONS.iter().any(|(other, _)| *other == reason), "{reason} is not in this table");
    }
    let document = include_str!("../../../docs/reasons.md");
    let row = |cells: &str| document.lines().filter(|line| line.starts_with(cells)).count();
    for reason in Reason::ALL {
        let code = reason.public_code();
        assert_eq!(row(&format!("| `{reason}` | `{code}` |")), 1, "{reason}, {code}");
    }
    for code in PublicCode::ALL {
        assert_eq!(row(&format!("| `{code}` | {} |", code.status())), 1, "{code}");
    }
    let rows = document.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Reason::ALL.len() + PublicCode::ALL.len(), "a row is about nothing that there is");
}

#[test]
fn each_reason_has_a_code_of_its_own() {
    let codes: BTreeSet<&str> = REASONS.iter().map(|(reason, _)| reason.code()).collect();
    assert_eq!(codes.len(), REASONS.len());
    assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || b"_8".contains(&byte))));
}

#[test]
fn each_public_code_has_its_status() {
    for (code, text, status) in [
        (InvalidRequest, "invalid_request", 400),
        (MissingToken, "missing_token", 401),
        (InvalidToken, "invalid_token", 401),
        (InsufficientScope, "insufficient_scope", 403),
        (AccessDenied, "access_denied", 403),
        (NotFound, "not_found", 404),
        (PublicCode::MethodNotAllowed, "method_not_allowed", 405),
        (BadGateway, "bad_gateway", 502),
        (TemporarilyUnavailable, "temporarily_unavailable", 503),
    ] {
        assert_eq!((code.as_str(), code.status()), (text, status));
    }
}

#[test]
fn what_cannot_be_told_is_never_the_callers_fault() {
    for (reason, code) in REASONS {
        let cannot_tell = reason.code().ends_with("unavailable") || reason == Unconfigured;
        assert_eq!(code.status() == 503, cannot_tell, "{reason}");
    }
}
