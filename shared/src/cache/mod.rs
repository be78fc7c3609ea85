//! State machines that remember, driven by whoever has a clock and a network.
//!
//! [`KeyCache`] and [`PermissionsCache`] take `now` and say what to do; they fetch nothing themselves.

mod generations;
mod keys;
mod permissions;
mod tokens;

pub use keys::{
    KEY_COOLDOWN, KEY_FETCH_LEASE, KEY_MAX_STALE, KEY_MAX_TTL, KEY_MIN_TTL, KeyCache, KeyLookup, MAX_UNKNOWN_KEY_IDS,
};
pub use permissions::{PERMISSIONS_FETCH_LEASE, PermissionsCache, PermissionsLookup};
pub(crate) use tokens::TokenCache;
