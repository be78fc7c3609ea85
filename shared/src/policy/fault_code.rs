//! The stable names of a policy's faults, for tools: one for each variant, never used again for anything else.

use super::PolicyFault;

impl PolicyFault {
    /// The fault's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax(..) => "syntax",
            Self::UnknownMember(..) => "unknown_member",
            Self::MissingMember(..) => "missing_member",
            Self::MemberType(..) => "member_type",
            Self::Stamp => "stamp",
            Self::Secret(..) => "secret",
            Self::UnknownName(..) => "unknown_name",
            Self::DuplicateName(..) => "duplicate_name",
            Self::Url(..) => "url",
            Self::Duration(..) => "duration",
            Self::TooLong(..) => "too_long",
            Self::ZeroLimit => "zero_limit",
            Self::Algorithm(..) => "algorithm",
            Self::AlgorithmUnavailable(..) => "algorithm_unavailable",
            Self::Preset(..) => "preset",
            Self::PresetUrl(..) => "preset_url",
            Self::RequiredForm(..) => "required_form",
            Self::Empty(..) => "empty",
            Self::NoAudience => "no_audience",
            Self::NoAudienceOfApi => "no_audience_of_api",
            Self::AudienceIsClient(..) => "audience_is_client",
            Self::NoTokenKind => "no_token_kind",
            Self::PermissionsSource(..) => "permissions_source",
            Self::NoPermissionsService => "no_permissions_service",
            Self::IssuersOverlap(..) => "issuers_overlap",
            Self::IssuerKeysDiffer(..) => "issuer_keys_differ",
            Self::SharedKey(..) => "shared_key",
            Self::KeyName => "key_name",
            Self::Limit(..) => "limit",
            Self::Share(..) => "share",
            Self::BodyRule(..) => "body_rule",
            Self::HeaderName(..) => "header_name",
            Self::StaleWithoutAge => "stale_without_age",
            Self::NoOrigin => "no_origin",
            Self::CompanyNotSubject(..) => "company_not_subject",
            Self::Method(..) => "method",
            Self::Path(..) => "path",
            Self::NoIssuer => "no_issuer",
            Self::PublicWithRule(..) => "public_with_rule",
            Self::UnboundCompany => "unbound_company",
            Self::UndefinedParameter(..) => "undefined_parameter",
            Self::RuleForm(..) => "rule_form",
            Self::RolesWithoutCompany => "roles_without_company",
            Self::RolesUnobtainable(..) => "roles_unobtainable",
            Self::MaxAgeUnused => "max_age_unused",
            Self::Ambiguous(..) => "ambiguous",
            Self::RoutesTooEntangled(..) => "routes_too_entangled",
            Self::CorsOrigin(..) => "cors_origin",
            Self::OverlayUnknown(..) => "overlay_unknown",
            Self::Test(fault) => fault.code(),
        }
    }
}
