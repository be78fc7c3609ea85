//! Keys in the form that a host's cryptography wants, so that none is imported for each signature.
//!
//! What a host's form is, and how it is made, is the driver's; here is under which name it is kept, and how many.

use alloc::collections::BTreeMap;
use core::fmt;

use crate::{algorithm::Algorithm, jwk::Jwk};

/// Keys that are kept. Issuers have two or three each; past this all are imported anew.
const CAPACITY: usize = 64;

/// A host's forms of keys, by RFC 7638 thumbprint and algorithm: hosts bind an imported key to what it verifies.
pub struct ImportedKeys<K>(BTreeMap<([u8; 32], Algorithm), K>);

impl<K: Clone> ImportedKeys<K> {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The form of `key` for `algorithm`, if it is kept.
    #[must_use]
    pub fn of(&self, key: &Jwk, algorithm: Algorithm) -> Option<K> {
        self.0.get(&(*key.thumbprint(), algorithm)).cloned()
    }

    /// Keeps the form of `key` for `algorithm`.
    pub fn keep(&mut self, key: &Jwk, algorithm: Algorithm, imported: K) {
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert((*key.thumbprint(), algorithm), imported);
    }
}

impl<K: Clone> Default for ImportedKeys<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// A host's objects say nothing useful, if they can be shown at all.
impl<K> fmt::Debug for ImportedKeys<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ImportedKeys").field(&self.0.len()).finish()
    }
}
