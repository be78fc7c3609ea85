//! The names in our authorizer's context that are read here.

/// Which form of context this is.
pub(super) const VERSION: &str = "posternContext";
/// The one form there is.
pub(super) const VERSION_1: &str = "1";
/// The caller, as `Caller::to_json` gives it; absent on public routes.
pub(super) const CALLER: &str = "caller";
/// The caller's permissions record as JSON text; absent where nobody asked for it.
pub(super) const COMPANIES: &str = "companies";
