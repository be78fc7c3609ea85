//! Text and octets that no other run has had.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number from the seed that the standard library draws for hash tables.
pub fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// 128 bits, for a `jti`.
pub fn id() -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number().to_be_bytes());
    id[8..].copy_from_slice(&number().to_be_bytes());
    id
}

/// A word that is found again in a log.
pub fn word(prefix: &str) -> String {
    format!("{prefix}-{:016x}", number())
}
