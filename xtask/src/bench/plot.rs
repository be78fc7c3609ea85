//! The plot: a bar for each comparison, from what the peer costs to what Postern costs, on a logarithmic scale, with the
//! target as a mark. SVG by hand; its colours follow the reader's choice of light or dark.

use std::fmt::Write;

use super::results::Results;
use super::verdict::{Comparison, Verdict};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 430.0;
const RIGHT: f64 = 90.0;
const LINE: f64 = 22.0;
const BAR: f64 = 12.0;
const TOP: f64 = 56.0;
/// The scale's ends, in the peer's cost; whatever lies beyond is drawn at the end, with its number.
const SCALE: (f64, f64) = (1.0 / 64.0, 4.0);

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.head{font-weight:600}.faint{fill:#59636e}\
    .grid{stroke:#d1d9e0}.one{stroke:#59636e}.target{stroke:#1f2328;stroke-width:2}\
    .met{fill:#2da44e}.missed{fill:#cf222e}.shown{fill:#8c959f}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}.one{stroke:#9198a1}\
    .target{stroke:#f0f6fc}.met{fill:#3fb950}.missed{fill:#f85149}.shown{fill:#6e7681}}";

/// A comparison as a bar: all as cost, so that to the left is always less.
struct Bar<'a> {
    label: String,
    cost: f64,
    target: Option<f64>,
    text: String,
    class: &'a str,
}

/// The whole plot.
pub(super) fn plot(parts: &[Results]) -> String {
    let mut y = TOP;
    let mut body = String::new();
    for part in parts {
        let bars: Vec<Bar<'_>> = part.comparisons.iter().filter_map(bar).collect();
        if bars.is_empty() {
            continue;
        }
        let _ = writeln!(body, r#"<text class="head" x="8" y="{:.0}">{}</text>"#, y + 14.0, escaped(&part.part));
        y += LINE;
        for bar in bars {
            draw(&mut body, &bar, y);
            y += LINE;
        }
        y += LINE / 2.0;
    }
    let height = y + LINE;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\">\n\
         <title>What Postern costs beside its peers</title>\n<style>{STYLE}</style>\n\
         <text class=\"head\" x=\"8\" y=\"20\">Cost beside each peer’s (1 = the same; left is less)</text>\n"
    );
    let marks =
        [(1.0 / 64.0, "1/64"), (1.0 / 16.0, "1/16"), (0.25, "1/4"), (0.5, "1/2"), (1.0, "1"), (2.0, "2"), (4.0, "4")];
    for (cost, name) in marks {
        let (x, class) = (place(cost), if cost == 1.0 { "one" } else { "grid" });
        let _ = writeln!(
            text,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"/>\
             <text class=\"faint\" x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{name}</text>",
            TOP - 8.0,
            height - LINE,
            TOP - 14.0
        );
    }
    text + &body + "</svg>\n"
}

fn bar(comparison: &Comparison) -> Option<Bar<'_>> {
    let ratio = comparison.ratio?;
    let peer = &comparison.beside.as_ref()?.peer;
    // As verdict.rs makes them: speed where that is the target or what the row counts, else cost.
    let is_speed = comparison.at_least.is_some() || (comparison.at_most.is_none() && comparison.unit.ends_with("/s"));
    let cost = if is_speed { 1.0 / ratio } else { ratio };
    let target = comparison.at_most.or(comparison.at_least.map(|at_least| 1.0 / at_least));
    let class = match comparison.verdict {
        Verdict::Met => "met",
        Verdict::Missed => "missed",
        _ => "shown",
    };
    let own = comparison.contender.strip_prefix("postern").map(|rest| rest.trim_start_matches(", "));
    let own = own.map_or(format!("{}, ", comparison.contender), |more| {
        if more.is_empty() { String::new() } else { format!("{more}, ") }
    });
    let label = format!("{}: {own}beside {peer}", comparison.row);
    Some(Bar { label, cost, target, text: format!("{cost:.2}"), class })
}

fn draw(body: &mut String, bar: &Bar<'_>, y: f64) {
    let (one, end) = (place(1.0), place(bar.cost));
    let top = y + (LINE - BAR) / 2.0;
    let _ = writeln!(
        body,
        "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{BAR:.0}\" rx=\"2\"/>",
        LEFT - 10.0,
        top + 10.5,
        escaped(&bar.label),
        bar.class,
        one.min(end),
        // A bar of no length would not be seen.
        (one - end).abs().max(1.5),
    );
    if let Some(target) = bar.target {
        let x = place(target);
        let _ = writeln!(
            body,
            "<line class=\"target\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            top - 3.0,
            top + BAR + 3.0
        );
    }
    let _ = writeln!(
        body,
        "<text class=\"faint\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
        WIDTH - RIGHT + 14.0,
        top + 10.5,
        bar.text
    );
}

/// Where a cost lies on the scale.
fn place(cost: f64) -> f64 {
    let (least, most) = SCALE;
    let share = (cost.clamp(least, most) / least).ln() / (most / least).ln();
    LEFT + share * (WIDTH - RIGHT - LEFT)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Beside;
    use super::*;

    fn comparison(ratio: Option<f64>, at_least: Option<f64>) -> Comparison {
        Comparison {
            row: "a < b".to_owned(),
            unit: "us".to_owned(),
            contender: "postern, assertion".to_owned(),
            median: Some(1.0),
            beside: Some(Beside { peer: "jose".to_owned(), median: Some(1.0) }),
            ratio,
            spread: Some(0.01),
            at_most: None,
            at_least,
            verdict: Verdict::Met,
        }
    }

    #[test]
    fn the_scale_is_logarithmic_and_ends_somewhere() {
        assert_eq!(place(1000.0), place(SCALE.1));
        assert_eq!(place(0.0), LEFT);
        let (half, one, two) = (place(0.5), place(1.0), place(2.0));
        assert!(((one - half) - (two - one)).abs() < 1e-9);
    }

    #[test]
    fn speed_is_drawn_as_cost_and_its_target_as_well() {
        let fast = comparison(Some(2.0), Some(1.25));
        let bar = bar(&fast).expect("a bar");
        assert_eq!((bar.cost, bar.target, bar.class), (0.5, Some(0.8), "met"));
        assert_eq!(bar.label, "a < b: assertion, beside jose");
    }

    #[test]
    fn what_has_no_ratio_has_no_bar() {
        assert!(bar(&comparison(None, None)).is_none());
        assert!(bar(&Comparison { beside: None, ..comparison(Some(2.0), None) }).is_none());
    }

    #[test]
    fn names_do_not_break_the_picture() {
        let mut body = String::new();
        let one = comparison(Some(1.0), None);
        draw(&mut body, &bar(&one).expect("a bar"), 0.0);
        assert!(body.contains("a &lt; b"), "{body}");
    }
}
