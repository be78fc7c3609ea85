//! AppSync's authorizer. Not here yet: everything is denied.

use serde_json::{Map, Value};

use super::{Decider, Settings, verdict::Failure};

/// Answers an event of AppSync.
pub(super) async fn answer(_: &impl Decider, _: Settings, _: Map<String, Value>) -> Result<Value, Failure> {
    Err(Failure::Unavailable)
}
