//! State machines that remember, driven by whoever has a clock and a network.
//!
//! [`KeyCache`] and [`PermissionsCache`] take `now` and say what to do; they fetch nothing themselves.

mod fetch;
mod freshness;
mod generations;
mod imported;
mod keys;
mod permissions;
mod permissions_fetch;
mod reach;
mod retry_after;
mod service;
mod snapshot;
mod tokens;

pub use fetch::{FetchedKeys, KeyAnswer, KeyFetch, KeyFetchError, KeyStep, MAX_METADATA_BYTES};
pub use imported::ImportedKeys;
pub use keys::{
    KEY_COOLDOWN, KEY_DISCOVERY_TTL, KEY_FETCH_LEASE, KEY_MAX_TTL, KEY_MIN_TTL, KeyCache, KeyLookup,
    MAX_UNKNOWN_KEY_IDS,
};
pub use permissions::{
    PERMISSIONS_ABSENT_MAX_AGE, PERMISSIONS_COOLDOWN, PERMISSIONS_FETCH_LEASE, PermissionsCache, PermissionsInquiry,
    PermissionsLookup,
};
pub use permissions_fetch::{
    FetchedPermissions, PermissionsAnswer, PermissionsFailure, PermissionsFetch, PermissionsFetchError,
};
pub use reach::is_public_address;
pub use service::{OUTAGE_FAILURES, OUTAGE_SPREAD};
pub use snapshot::{KeySeeds, KeySnapshot, MAX_SNAPSHOT_BYTES, SnapshotError};

pub(crate) use tokens::TokenCache;
