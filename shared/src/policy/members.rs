//! The members that a policy and an overlay may have.
//!
//! The same as the types of [`super::file`] say, for [`super::shape`] to look at; a test of the JSON Schema that the
//! types give holds the two together.

use super::shape::{Member, Shape, Table};

const fn needed(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_needed: true }
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, is_needed: false }
}

/// One name or several.
const NAMES: Shape = Shape::OneOf(&[Shape::Text, Shape::Texts]);
/// A claim that must be there, be this, or be one of these.
const REQUIRED: Shape = Shape::Named(&Shape::OneOf(&[Shape::Flag, Shape::Text, Shape::Texts]));
/// Codes of warnings, each with the reason why it is accepted.
const ALLOW: Shape = Shape::Named(&Shape::Text);

/// `postern.toml`, whole.
pub(super) const POLICY: Table = Table {
    what: "the policy",
    members: &[
        may("edge", Shape::OneOf(&[Shape::Text, Shape::Table(&EDGE)])),
        may("roles", Shape::Texts),
        may("names", Shape::Table(&PARTY_NAMES)),
        may("defaults", Shape::Table(&DEFAULTS)),
        may("limits", Shape::Table(&LIMITS)),
        may("log", Shape::Table(&LOG)),
        may("permissions", Shape::Table(&PERMISSIONS)),
        may("cors", Shape::Table(&CORS)),
        may("cloudfront", Shape::Table(&CLOUDFRONT)),
        may("issuer", Shape::Named(&Shape::Table(&ISSUER))),
        may("origin", Shape::Named(&Shape::Table(&ORIGIN))),
        may("route", Shape::Tables(&ROUTE)),
        may("field", Shape::Tables(&FIELD)),
        may("test", Shape::Tables(&TEST)),
        may("development", Shape::Stamp),
    ],
};

const EDGE: Table = Table { what: "`[edge]`", members: &[may("name", Shape::Text), may("url", Shape::Text)] };

const PARTY_NAMES: Table =
    Table { what: "`[names]`", members: &[may("company", Shape::Texts), may("subject", Shape::Texts)] };

const DEFAULTS: Table = Table {
    what: "`[defaults]`",
    members: &[
        may("origin", Shape::Text),
        may("issuer", NAMES),
        may("permissions_max_age", Shape::Text),
        may("permissions_stale_if_error", Shape::Text),
        may("body", Shape::Text),
    ],
};

const LIMITS: Table = Table {
    what: "`[limits]`",
    members: &[
        may("max_token_bytes", Shape::Number),
        may("max_target_bytes", Shape::Number),
        may("max_body_bytes", Shape::Number),
    ],
};

const LOG: Table = Table {
    what: "`[log]`",
    members: &[
        may("permits", Shape::Share),
        may("denials", Shape::Share),
        may("unidentified_denials_per_second", Shape::Number),
        may("shadow", Shape::Share),
        may("subject_key", Shape::Text),
    ],
};

const PERMISSIONS: Table = Table { what: "`[permissions]`", members: &[needed("origin", Shape::Text)] };

const CLOUDFRONT: Table =
    Table { what: "`[cloudfront]`", members: &[needed("secret", Shape::Text), may("decides_twice", Shape::Flag)] };

const CORS: Table = Table {
    what: "`[cors]`",
    members: &[
        needed("origins", Shape::Texts),
        may("headers", Shape::Texts),
        may("expose", Shape::Texts),
        may("credentials", Shape::Flag),
        may("max_age", Shape::Text),
    ],
};

const ISSUER: Table = Table {
    what: "an issuer",
    members: &[
        needed("url", Shape::Text),
        may("preset", Shape::Text),
        may("jwks_url", Shape::Text),
        may("jwks_max_stale", Shape::Text),
        may("algorithms", Shape::Texts),
        may("audience", NAMES),
        may("clients", Shape::Texts),
        may("token_use", Shape::Text),
        may("token_type", Shape::Text),
        may("require", REQUIRED),
        may("claims", Shape::Table(&CLAIMS)),
        needed("permissions", Shape::Text),
        may("leeway", Shape::Text),
        may("max_lifetime", Shape::Text),
        may("max_age", Shape::Text),
        may("allow", ALLOW),
    ],
};

const CLAIMS: Table = Table {
    what: "an issuer's `claims`",
    members: &[
        may("subject", NAMES),
        may("client", NAMES),
        may("scopes", CLAIM),
        may("roles", CLAIM),
        may("companies", CLAIM),
    ],
};

const CLAIM: Shape = Shape::OneOf(&[Shape::Text, Shape::Texts, Shape::Table(&FORMED)]);
const FORMED: Table = Table { what: "a claim with names", members: &[may("claim", NAMES), may("form", Shape::Text)] };

const ORIGIN: Table = Table {
    what: "an origin",
    members: &[
        needed("url", Shape::Text),
        may("verifies", Shape::Text),
        may("key", Shape::Text),
        may("auth_type", Shape::Text),
        may("region", Shape::Text),
        may("credentials", Shape::Text),
        may("token", Shape::Text),
        may("request_headers", Shape::Texts),
        may("paths", Shape::Text),
        may("allow", ALLOW),
    ],
};

const ROUTE: Table = Table {
    what: "a route",
    members: &[
        needed("name", Shape::Text),
        needed("methods", Shape::Texts),
        needed("path", Shape::Text),
        may("origin", Shape::Text),
        may("public", Shape::Flag),
        may("shadow", Shape::Flag),
        may("issuer", NAMES),
        may("subject", Shape::Text),
        may("company", Shape::OneOf(&[Shape::Text, Shape::Choice(&COMPANY)])),
        may("unbound", Shape::Texts),
        may("roles", Shape::Texts),
        may("scopes", Shape::OneOf(&[Shape::Texts, Shape::Table(&SCOPES)])),
        may("require", REQUIRED),
        may("permissions_max_age", Shape::Text),
        may("permissions_stale_if_error", Shape::Text),
        may("body", Shape::Text),
        may("query_method_override", Shape::Flag),
        may("headers", Shape::Named(&NAMES)),
        may("token", Shape::Text),
        may("allow", ALLOW),
    ],
};

const FIELD: Table = Table {
    what: "a field",
    members: &[
        needed("name", Shape::Text),
        may("issuer", NAMES),
        may("subject", Shape::Table(&ARGUMENT)),
        may("company", Shape::OneOf(&[Shape::Text, Shape::Table(&ARGUMENT)])),
        may("roles", Shape::Texts),
        may("scopes", Shape::OneOf(&[Shape::Texts, Shape::Table(&SCOPES)])),
        may("require", REQUIRED),
        may("permissions_max_age", Shape::Text),
        may("permissions_stale_if_error", Shape::Text),
    ],
};

const ARGUMENT: Table = Table { what: "an argument", members: &[needed("argument", Shape::Text)] };

const COMPANY: Table =
    Table { what: "a route's `company`", members: &[may("header", Shape::Text), may("query", Shape::Text)] };

const SCOPES: Table =
    Table { what: "a route's `scopes`", members: &[may("all_of", Shape::Texts), may("any_of", Shape::Texts)] };

const TEST: Table = Table {
    what: "a test",
    members: &[
        needed("name", Shape::Text),
        needed("method", Shape::Text),
        needed("target", Shape::Text),
        may("headers", Shape::Named(&NAMES)),
        may("issuer", Shape::Text),
        may("subject", Shape::Text),
        may("client", Shape::Text),
        may("scopes", Shape::Texts),
        may("companies", Shape::Named(&Shape::Texts)),
        may("claims", Shape::Named(&Shape::Any)),
        may("token", Shape::Text),
        may("outage", Shape::Texts),
        needed("expect", Shape::Text),
        may("route", Shape::Text),
        may("company", Shape::Text),
    ],
};

/// A development overlay, whole.
pub(super) const OVERLAY: Table = Table {
    what: "an overlay, which replaces URLs alone",
    members: &[
        may("issuer", Shape::Named(&Shape::Table(&ISSUER_OVERLAY))),
        may("origin", Shape::Named(&Shape::Table(&ORIGIN_OVERLAY))),
        may("edge", Shape::Table(&EDGE_OVERLAY)),
        may("cors", Shape::Table(&CORS_OVERLAY)),
        may("cloudfront", Shape::Table(&CLOUDFRONT_OVERLAY)),
    ],
};

const ISSUER_OVERLAY: Table = Table {
    what: "an issuer in an overlay, which replaces URLs alone",
    members: &[may("url", Shape::Text), may("jwks_url", Shape::Text)],
};

const ORIGIN_OVERLAY: Table =
    Table { what: "an origin in an overlay, which replaces URLs alone", members: &[needed("url", Shape::Text)] };

const EDGE_OVERLAY: Table =
    Table { what: "`[edge]` in an overlay, which replaces `url` alone", members: &[needed("url", Shape::Text)] };

const CORS_OVERLAY: Table = Table {
    what: "`[cors]` in an overlay, which replaces `origins` alone",
    members: &[needed("origins", Shape::Texts)],
};

const CLOUDFRONT_OVERLAY: Table =
    Table { what: "`[cloudfront]` in an overlay, which says `url` alone", members: &[needed("url", Shape::Text)] };
