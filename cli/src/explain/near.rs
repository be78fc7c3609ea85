//! Which routes a path that has none was probably meant for.

use postern::{Policy, policy::Route};

/// Most routes to name.
const MOST: usize = 3;
/// A path farther from a route than this share of its segments was not meant for it.
const FARTHEST: f64 = 0.5;

/// The routes nearest to `path`, nearest first.
pub(crate) fn nearest<'p>(policy: &'p Policy, path: &str) -> Vec<&'p Route> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut found: Vec<(f64, &Route)> = Vec::new();
    for route in policy.routes().iter().filter(|route| !route.is_shadow()) {
        let template: Vec<&str> = route.path().split('/').skip(1).collect();
        #[expect(clippy::cast_precision_loss, reason = "paths have a hundred segments at most")]
        let most = template.len().max(segments.len()) as f64;
        let distance = distance(&segments, &template) / most;
        if distance <= FARTHEST {
            found.push((distance, route));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    found.into_iter().take(MOST).map(|(_, route)| route).collect()
}

/// Levenshtein distance by segments; a segment that is a little wrong costs a little.
fn distance(segments: &[&str], template: &[&str]) -> f64 {
    let mut row: Vec<f64> =
        std::iter::successors(Some(0.0), |cost| Some(cost + 1.0)).take(template.len() + 1).collect();
    for segment in segments {
        let mut diagonal = row[0];
        row[0] += 1.0;
        for (index, part) in template.iter().enumerate() {
            let substituted = diagonal + cost(segment, part);
            diagonal = row[index + 1];
            row[index + 1] = substituted.min(row[index] + 1.0).min(row[index + 1] + 1.0);
        }
    }
    row[template.len()]
}

fn cost(segment: &str, part: &str) -> f64 {
    match (part.starts_with('{'), segment.is_empty()) {
        (true, false) => 0.0,
        (true, true) => 1.0,
        (false, _) => 1.0 - strsim::normalized_levenshtein(segment, part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_route_is_the_one_that_was_meant() {
        let example = include_str!("../../../postern.toml");
        let policy = postern::policy::from_toml(example, None).unwrap();
        let first = |path: &str| nearest(&policy, path).first().map(|route| route.name());
        assert_eq!(first("/company/1111/orders"), Some("external-orders-list"));
        assert_eq!(first("/companies/1111/order"), Some("external-orders-list"));
        assert_eq!(first("/companies/1111/users/u/voucher/v"), Some("vouchers-validate"));
        assert_eq!(first("/helth"), Some("health"));
        assert_eq!(first("/companies/1111/users/u/orders/o/"), Some("internal-orders-get"));
        assert_eq!(first("/xyzzy/plugh/frobnicate/quux/1/2/3/4/5"), None);
    }
}
