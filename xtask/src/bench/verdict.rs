//! Ratios of a part's rows, held against the targets.

use serde::{Deserialize, Serialize};

use super::Part;
use super::samples::Samples;
use super::statistics::{Middle, WIDEST_SPREAD};
use super::targets::{Bound, TARGETS, Target};

/// What came of a comparison.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// The target is reached.
    Met,
    /// It is not.
    Missed,
    /// The rounds lie so far apart that neither can be said.
    TooWide,
    /// There is a target, and no figure for it.
    NotMeasured,
    /// No target: for the reader.
    Shown,
}

/// A figure and what it is held against.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Beside {
    /// The peer.
    pub(super) peer: String,
    /// Its median, in the row's unit.
    pub(super) median: Option<f64>,
}

/// One line of the table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Comparison {
    pub(super) row: String,
    pub(super) unit: String,
    pub(super) contender: String,
    /// The contender's median.
    pub(super) median: Option<f64>,
    pub(super) beside: Option<Beside>,
    /// With `at_least` as a target how many times as fast, else how many times the cost; the figure itself where there is
    /// no peer. None where the spread is too wide.
    pub(super) ratio: Option<f64>,
    /// How far off the median of the ratios may be, as a share of it.
    pub(super) spread: Option<f64>,
    pub(super) at_most: Option<f64>,
    pub(super) at_least: Option<f64>,
    pub(super) verdict: Verdict,
}

/// All of a part's comparisons: by its rows, those with a target before those without, and last the targets that nothing
/// was measured for.
pub(super) fn comparisons(part: Part, rows: &[Samples]) -> Vec<Comparison> {
    let targets: Vec<&Target> = TARGETS.iter().filter(|target| target.part == part).collect();
    let mut found = Vec::new();
    for row in rows {
        let of_row = targets.iter().filter(|target| target.row == row.row);
        let (measured, _): (Vec<&Target>, Vec<_>) = of_row.copied().partition(|target| can_be_made(row, target));
        found.extend(measured.iter().map(|target| compared(row, target.contender, target.peer, Some(target.bound))));
        let Some(subject) = row.contenders().find(|name| is_own(name)) else { continue };
        let peers: Vec<&str> = row.contenders().filter(|name| !is_own(name)).collect();
        let is_there =
            |peer: &str| measured.iter().any(|target| target.contender == subject && target.peer == Some(peer));
        found.extend(peers.iter().filter(|peer| !is_there(peer)).map(|peer| compared(row, subject, Some(peer), None)));
        if peers.is_empty() && measured.is_empty() {
            found.push(compared(row, subject, None, None));
        }
    }
    let is_measured = |target: &Target| rows.iter().any(|row| row.row == target.row && can_be_made(row, target));
    found.extend(targets.into_iter().filter(|target| !is_measured(target)).map(not_measured));
    found
}

/// `postern`, and what is behind a comma of it.
fn is_own(name: &str) -> bool {
    name.split(',').next() == Some("postern")
}

fn can_be_made(row: &Samples, target: &Target) -> bool {
    [Some(target.contender), target.peer].into_iter().flatten().all(|name| row.contenders().any(|found| found == name))
}

fn compared(row: &Samples, contender: &str, peer: Option<&str>, bound: Option<Bound>) -> Comparison {
    let figures = match peer {
        None => row.figures(contender),
        // A target of `at least` is about speed, one of `at most` about cost; each row counts one of the two.
        Some(peer) => match bound {
            Some(Bound::AtLeast(_)) if !row.is_speed() => row.ratios(peer, contender),
            Some(Bound::AtMost(_)) if row.is_speed() => row.ratios(peer, contender),
            _ => row.ratios(contender, peer),
        },
    };
    let middle = Middle::of(&figures);
    let meaning = middle.filter(|middle| !middle.is_too_wide());
    let verdict = match (bound, meaning) {
        (_, None) => Verdict::TooWide,
        (None, Some(_)) => Verdict::Shown,
        (Some(bound), Some(middle)) if bound.holds(middle.median) => Verdict::Met,
        (Some(_), Some(_)) => Verdict::Missed,
    };
    let median = |name: &str| Middle::of(&row.figures(name)).map(|middle| middle.median);
    Comparison {
        row: row.row.clone(),
        unit: row.unit.clone(),
        contender: contender.to_owned(),
        median: median(contender),
        beside: peer.map(|peer| Beside { peer: peer.to_owned(), median: median(peer) }),
        ratio: meaning.map(|middle| middle.median),
        spread: middle.map(|middle| middle.spread),
        verdict,
        ..without_figures(bound)
    }
}

fn not_measured(target: &Target) -> Comparison {
    Comparison {
        row: target.row.to_owned(),
        contender: target.contender.to_owned(),
        beside: target.peer.map(|peer| Beside { peer: peer.to_owned(), median: None }),
        ..without_figures(Some(target.bound))
    }
}

fn without_figures(bound: Option<Bound>) -> Comparison {
    let (at_most, at_least) = match bound {
        Some(Bound::AtMost(bound)) => (Some(bound), None),
        Some(Bound::AtLeast(bound)) => (None, Some(bound)),
        None => (None, None),
    };
    Comparison {
        row: String::new(),
        unit: String::new(),
        contender: String::new(),
        median: None,
        beside: None,
        ratio: None,
        spread: None,
        at_most,
        at_least,
        verdict: Verdict::NotMeasured,
    }
}

/// In words, for people.
pub(super) fn in_words(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::Met => "met".to_owned(),
        Verdict::Missed => "**missed**".to_owned(),
        Verdict::TooWide => {
            format!("too wide to say: off by more than {:.0} %, maybe", WIDEST_SPREAD * 100.0)
        }
        Verdict::NotMeasured => "**not measured**".to_owned(),
        Verdict::Shown => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, unit: &str, rounds: &[&[(&str, f64)]]) -> Samples {
        let rounds =
            rounds.iter().map(|round| round.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect());
        Samples { row: name.to_owned(), unit: unit.to_owned(), rounds: rounds.collect(), notes: Vec::new() }
    }

    fn line<'a>(of: &'a [Comparison], row: &str, contender: &str, peer: &str) -> &'a Comparison {
        let is_it = |line: &&Comparison| {
            (line.row.as_str(), line.contender.as_str()) == (row, contender)
                && line.beside.as_ref().is_some_and(|beside| beside.peer == peer)
        };
        of.iter().find(is_it).expect("a comparison")
    }

    #[test]
    fn a_cost_and_a_speed_are_each_held_against_their_targets_in_their_own_direction() {
        let round: &[(&str, f64)] =
            &[("postern", 100.0), ("postern, assertion", 112.0), ("no authorisation", 98.0), ("jose", 130.0)];
        let lines = comparisons(Part::Edge, &[row("one token repeated", "us cpu", &[round, round])]);
        let of = |contender, peer| {
            let line = line(&lines, "one token repeated", contender, peer);
            (line.ratio.map(|ratio| (ratio * 1000.0).round() as u32), line.verdict)
        };
        assert_eq!(of("postern", "no authorisation"), (Some(1020), Verdict::Met));
        assert_eq!(of("postern, assertion", "no authorisation"), (Some(875), Verdict::Missed));
        assert_eq!(of("postern", "jose"), (Some(1300), Verdict::Missed));

        let rates =
            row("one token repeated, throughput", "requests/s", &[&[("postern", 95.0), ("no authorisation", 100.0)]]);
        let lines = comparisons(Part::Edge, &[rates]);
        let line = line(&lines, "one token repeated, throughput", "postern", "no authorisation");
        assert_eq!((line.ratio, line.verdict), (Some(0.95), Verdict::Met));
    }

    #[test]
    fn a_spread_too_wide_leaves_neither_ratio_nor_verdict() {
        let rounds: Vec<[(&str, f64); 2]> =
            [1.0, 1.2, 0.8, 1.3, 0.7].map(|cost| [("postern", cost), ("no authorisation", 1.0)]).into();
        let rounds: Vec<&[(&str, f64)]> = rounds.iter().map(<[_; 2]>::as_slice).collect();
        let lines = comparisons(Part::Edge, &[row("one token repeated", "us cpu", &rounds)]);
        let line = line(&lines, "one token repeated", "postern", "no authorisation");
        assert_eq!((line.ratio, line.verdict), (None, Verdict::TooWide));
        assert!(line.spread.is_some_and(|spread| spread > WIDEST_SPREAD));
    }

    #[test]
    fn a_target_without_a_figure_is_told_and_not_left_out() {
        let lines = comparisons(Part::Size, &[row("Worker, gzip", "bytes", &[&[("postern", 300_001.0)]])]);
        let verdicts: Vec<_> = lines.iter().map(|line| (line.row.as_str(), line.verdict)).collect();
        assert_eq!(verdicts, [("Worker, gzip", Verdict::Missed), ("Lambda@Edge, zip", Verdict::NotMeasured)]);
    }

    #[test]
    fn what_has_no_target_is_shown_beside_postern_alone() {
        let round: &[(&str, f64)] =
            &[("aws-jwt-verify", 2.0), ("jose", 1.0), ("postern", 1.0), ("postern, assertion", 1.1)];
        let lines = comparisons(Part::Edge, &[row("something else", "ms", &[round])]);
        let shown: Vec<_> = lines.iter().filter(|line| line.verdict == Verdict::Shown).collect();
        assert_eq!(shown.len(), 2);
        assert!(shown.iter().all(|line| line.contender == "postern"));
        assert_eq!(line(&lines, "something else", "postern", "aws-jwt-verify").ratio, Some(0.5));
    }
}
