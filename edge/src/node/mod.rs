//! What an edge in real Node offers (a Lambda@Edge function): so far the signature check.
//!
//! Not for workerd, which has a `node:crypto` too, and one that ignores PSS padding.

pub mod signature;
