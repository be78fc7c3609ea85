//! Access tokens verified natively: what a driver of the core needs where no edge stands in front.
//!
//! Keys are fetched and signatures checked here; every rule is the core's, and so is when to fetch.

pub mod keys;
pub mod signature;
