//! No input of n octets costs more than a stated multiple of n: families of hostile input, growing up to the caps, and
//! past the caps no work at all.
//!
//! The bounds are constants of each module with their reasons. They count octets and allocations, not time: the same
//! in every run, and what the work grows with in code that neither loops without allocating nor searches.

mod families;
mod measure;
mod policy;
mod remembered;
mod request;
mod stored;
