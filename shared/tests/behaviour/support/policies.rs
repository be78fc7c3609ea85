//! The example's policy, and a way to alter it.

use std::sync::LazyLock;

use postern::{Policy, policy};

/// The repository's `postern.toml`.
pub(crate) const EXAMPLE: &str = include_str!("../../../../postern.toml");

/// The example's policy, read once for all tests of a program.
pub(crate) fn example() -> Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| policy::from_toml(EXAMPLE, None).unwrap());
    POLICY.clone()
}

/// The example with `from` replaced by `to`; fails when the example does not say `from`.
pub(crate) fn example_with(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "the example does not say `{from}`");
    EXAMPLE.replace(from, to)
}

/// A policy of one issuer and one route, small enough to be altered by hand.
pub(crate) const SMALL: &str = r#"
roles = ["Manager"]

[permissions]
origin = "orders"

[issuer.users]
url = "https://issuer.example"
algorithms = ["EdDSA"]
audience = ["https://api.example"]
token_use = "access"
permissions = "service"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[[route]]
name = "orders"
methods = ["GET"]
path = "/companies/{company}/orders"
origin = "orders"
issuer = "users"
company = "{company}"
"#;
