//! What a measuring program prints: one line of JSON for each row. `bench/src/lib.rs` and `bench/lib/rounds.mjs` are
//! the other end.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// One row's figures: in each round one of each contender.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Samples {
    /// What is measured, unique within its part.
    pub(super) row: String,
    /// What the figures count. See [`is_speed`](Self::is_speed).
    pub(super) unit: String,
    /// Each round's figure by contender's name.
    pub(super) rounds: Vec<BTreeMap<String, f64>>,
    /// What a reader must know to read the row.
    #[serde(default)]
    pub(super) notes: Vec<String>,
}

impl Samples {
    /// Reads one line. A round that lacks a contender, or a figure that is no amount of anything, is a fault of the
    /// measuring program: no ratio is made of it.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let samples: Self = serde_json::from_str(line).with_context(|| format!("no samples: `{line}`"))?;
        let row = &samples.row;
        let first = samples.rounds.first().filter(|round| !round.is_empty());
        let first = first.with_context(|| format!("`{row}` has no figures"))?;
        for round in &samples.rounds {
            ensure!(round.keys().eq(first.keys()), "the rounds of `{row}` do not have the same contenders");
            ensure!(
                round.values().all(|figure| figure.is_finite() && *figure > 0.0),
                "a figure of `{row}` is none: {round:?}"
            );
        }
        Ok(samples)
    }

    /// Whether more is better; everything else that is measured is a cost.
    pub(super) fn is_speed(&self) -> bool {
        self.unit.ends_with("/s")
    }

    /// The names of all that are compared.
    pub(super) fn contenders(&self) -> impl Iterator<Item = &str> {
        self.rounds.first().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// One contender's figures, by round; none if it is not in this row.
    pub(super) fn figures(&self, contender: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.get(contender)).copied().collect()
    }

    /// How many times `contender` costs what `peer` costs, or for speeds how many times it is as fast: by round.
    pub(super) fn ratios(&self, contender: &str, peer: &str) -> Vec<f64> {
        self.figures(contender).iter().zip(self.figures(peer)).map(|(own, other)| own / other).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_made_within_a_round() {
        let line = r#"{"row":"r","unit":"us","rounds":[{"a":1,"b":2},{"a":30,"b":20}]}"#;
        let samples = Samples::parse(line).expect("samples");
        assert_eq!(samples.ratios("a", "b"), [0.5, 1.5]);
        assert_eq!(samples.contenders().collect::<Vec<_>>(), ["a", "b"]);
        assert!(samples.ratios("a", "absent").is_empty());
        assert!(!samples.is_speed());
    }

    #[test]
    fn what_no_ratio_can_be_made_of_is_refused() {
        for rounds in
            ["[]", "[{}]", r#"[{"a":1},{"b":1}]"#, r#"[{"a":1,"b":1},{"a":1}]"#, r#"[{"a":0}]"#, r#"[{"a":null}]"#]
        {
            let line = format!(r#"{{"row":"r","unit":"us","rounds":{rounds}}}"#);
            assert!(Samples::parse(&line).is_err(), "{rounds}");
        }
    }
}
