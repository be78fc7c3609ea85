//! A note: one place of this policy, and what a newer version decides there.

use serde_json::{Value, json};

use super::{Change, Place};

/// One change at one place.
pub(crate) struct Note {
    pub(crate) change: &'static Change,
    pub(crate) place: Place,
}

impl Note {
    /// The note's head.
    pub(crate) fn message(&self) -> String {
        let Change { version, direction, summary, .. } = self.change;
        format!("{} since {version}: {summary}", direction.name())
    }

    /// The decisions, as two sentences.
    pub(crate) fn decisions(&self) -> [String; 2] {
        let version = self.change.version;
        [format!("before {version}: {}", self.place.old), format!("since {version}: {}", self.place.new)]
    }

    /// The members that a note has in JSON in addition to those of a fault.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "version": self.change.version.number(),
            "direction": self.change.direction.name(),
            "old": self.place.old,
            "new": self.place.new,
        })
    }
}
