//! Access tokens verified natively: what a driver of the core needs where no edge stands in front.
//!
//! Only the signature check is here; every rule is the core's.

pub mod signature;
