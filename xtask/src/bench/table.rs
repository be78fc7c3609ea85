//! The table of a part's comparisons, in Markdown that is aligned: for a terminal as for the README.

use super::samples::Samples;
use super::verdict::{Comparison, Verdict, in_words};

const HEAD: [&str; 6] = ["row", "Postern", "beside", "ratio", "target", ""];

/// All of `comparisons`; without `verdicts` only what was measured.
fn table(comparisons: &[Comparison], verdicts: bool) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(comparisons.iter().map(|comparison| {
        let mut cells = cells(comparison);
        if !verdicts {
            // One short round makes no ratio.
            let [.., ratio, target, verdict] = &mut cells;
            for cell in [ratio, target, verdict] {
                cell.clear();
            }
        }
        cells
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |cells: &[String; 6]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.map(|width| "-".repeat(width));
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, line(&rule));
    lines.join("\n")
}

/// [`table`], and below it what a reader must know of `rows`.
pub(super) fn with_notes<'r>(
    comparisons: &[Comparison],
    verdicts: bool,
    rows: impl Iterator<Item = &'r Samples>,
) -> String {
    let (table, notes) = (table(comparisons, verdicts), notes(rows));
    if notes.is_empty() { format!("{table}\n") } else { format!("{table}\n\n{notes}") }
}

/// What a reader must know to read the rows: a list in Markdown, in which rows with the same notes stand together. Empty
/// where there is nothing to know.
fn notes<'r>(rows: impl Iterator<Item = &'r Samples>) -> String {
    let mut groups: Vec<(Vec<&str>, &[String])> = Vec::new();
    for Samples { row, notes, .. } in rows.filter(|samples| !samples.notes.is_empty()) {
        match groups.iter_mut().find(|(_, own)| own == notes) {
            Some((rows, _)) => rows.push(row),
            None => groups.push((vec![row], notes)),
        }
    }
    groups.iter().map(|(rows, notes)| format!("* {} — {}\n", rows.join("; "), notes.join("; "))).collect()
}

fn cells(comparison: &Comparison) -> [String; 6] {
    let Comparison { row, unit, contender, median, beside, ratio, spread, at_most, at_least, .. } = comparison;
    let figure = |median: Option<f64>| median.map(|median| quantity(median, unit)).unwrap_or_default();
    let name = if contender == "postern" { String::new() } else { format!("{contender}: ") };
    let peer = beside.as_ref().map(|beside| format!("{}: {}", beside.peer, figure(beside.median)));
    // What is weighed once has no spread.
    let within = spread.filter(|spread| *spread != 0.0).map(|spread| format!(" (±{:.1} %)", spread * 100.0));
    let within = within.unwrap_or_default();
    let shown = match (ratio, &beside) {
        (Some(_), None) => within,
        (Some(ratio), Some(_)) => format!("{} {} ×{within}", meaning(comparison), three_digits(*ratio)),
        (None, _) if comparison.verdict == Verdict::TooWide => within,
        (None, _) => String::new(),
    };
    let bound = |sign: &str, bound: &f64| match beside {
        None => format!("{sign} {}", quantity(*bound, unit)),
        Some(_) => format!("{sign} {bound:.2} ×"),
    };
    let at_most = at_most.as_ref().map(|at_most| bound("≤", at_most));
    let at_least = at_least.as_ref().map(|at_least| bound("≥", at_least));
    [
        row.clone(),
        format!("{name}{}", figure(*median)),
        peer.unwrap_or_default(),
        shown.trim().to_owned(),
        at_most.or(at_least).unwrap_or_default(),
        in_words(comparison),
    ]
}

/// What a ratio counts: with `at_least` as a target, and for speeds without one, it is speed.
fn meaning(comparison: &Comparison) -> &'static str {
    let is_speed = comparison.at_least.is_some() || (comparison.at_most.is_none() && comparison.unit.ends_with("/s"));
    if is_speed { "speed" } else { "cost" }
}

/// Three digits that mean something, and the unit.
pub(super) fn quantity(figure: f64, unit: &str) -> String {
    let (unit, cpu) = unit.strip_suffix(" cpu").map_or((unit, ""), |unit| (unit, " cpu"));
    let (figure, unit) = match unit {
        "ns" if figure >= 1e6 => (figure / 1e6, "ms"),
        "ns" if figure >= 1e3 => (figure / 1e3, "µs"),
        "us" if figure < 1.0 => (figure * 1e3, "ns"),
        "us" => (figure, "µs"),
        "bytes" if figure >= 1e3 => (figure / 1e3, "KB"),
        unit => (figure, unit),
    };
    format!("{} {unit}{cpu}", three_digits(figure))
}

fn three_digits(figure: f64) -> String {
    let decimals = if figure < 10.0 { 2 } else { usize::from(figure < 100.0) };
    format!("{figure:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Beside;
    use super::*;

    fn comparison() -> Comparison {
        Comparison {
            row: "one token repeated".to_owned(),
            unit: "us cpu".to_owned(),
            contender: "postern".to_owned(),
            median: Some(61.25),
            beside: Some(Beside { peer: "jose".to_owned(), median: Some(98.0) }),
            ratio: Some(1.6),
            spread: Some(0.024),
            at_most: None,
            at_least: Some(1.35),
            verdict: Verdict::Met,
        }
    }

    #[test]
    fn a_line_names_both_figures_their_ratio_the_target_and_the_verdict() {
        let table = table(&[comparison()], true);
        let line = table.lines().nth(2).expect("a line");
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(
            cells,
            ["one token repeated", "61.2 µs cpu", "jose: 98.0 µs cpu", "speed 1.60 × (±2.4 %)", "≥ 1.35 ×", "met"]
        );
        assert!(table.lines().all(|other| other.chars().count() == line.chars().count()), "{table}");
    }

    #[test]
    fn what_is_too_wide_shows_its_spread_and_no_ratio() {
        let wide = Comparison { ratio: None, spread: Some(0.3), verdict: Verdict::TooWide, ..comparison() };
        let table = table(&[wide], true);
        assert!(table.contains("| (±30.0 %) ") && table.contains("too wide to say"), "{table}");
        assert!(!table.contains("speed"), "{table}");
    }

    #[test]
    fn a_quick_run_shows_figures_and_nothing_made_of_them() {
        let table = table(&[comparison()], false);
        assert!(table.contains("61.2 µs cpu"), "{table}");
        assert!(!table.contains("1.6") && !table.contains("1.35") && !table.contains("met"), "{table}");
    }

    #[test]
    fn a_figure_without_a_peer_is_held_against_its_bound_in_its_unit() {
        let size = Comparison {
            unit: "bytes".to_owned(),
            median: Some(289_123.0),
            beside: None,
            ratio: Some(289_123.0),
            spread: Some(0.0),
            at_most: Some(300_000.0),
            at_least: None,
            ..comparison()
        };
        let table = table(&[size], true);
        assert!(table.contains("289 KB") && table.contains("≤ 300 KB"), "{table}");
    }

    #[test]
    fn rows_with_the_same_notes_share_them_and_those_without_have_none() {
        let samples = |row: &str, notes: &[&str]| Samples {
            row: row.to_owned(),
            unit: "us".to_owned(),
            rounds: Vec::new(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        };
        let rows = [samples("a", &["x", "y"]), samples("b", &[]), samples("c", &["x"]), samples("d", &["x", "y"])];
        assert_eq!(notes(rows.iter()), "* a; d — x; y\n* c — x\n");
    }

    #[test]
    fn quantities_have_three_digits_and_a_unit_that_fits() {
        for (figure, unit, expected) in [
            (0.42, "us", "420 ns"),
            (1.0, "us", "1.00 µs"),
            (12_345.0, "ns", "12.3 µs"),
            (123.4, "us cpu", "123 µs cpu"),
            (8123.4, "requests/s", "8123 requests/s"),
        ] {
            assert_eq!(quantity(figure, unit), expected);
        }
    }
}
