//! How long an answer is fresh (RFC 9111 §4.2.1, §5.2.2).
//!
//! Only what the key cache asks for: `max-age` less `Age`. `Expires` is not read; issuers that matter send
//! `Cache-Control`, and the key cache has a default for those that do not.

use core::time::Duration;

/// The time for which an answer with these fields stays fresh; `None` when they do not say.
///
/// `no-store` and `no-cache` make it zero; a `max-age` that is not a number too, since a broken promise of
/// freshness is none. The key cache clamps what comes out.
pub(super) fn freshness(cache_control: Option<&str>, age: Option<&str>) -> Option<Duration> {
    let directives = cache_control?.split(',').map(str::trim);
    let mut lifetime = None;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            // Repeated directives: the shortest (RFC 9111 §4.2.1 lets a cache take the stricter reading).
            let seconds = value.trim_matches('"').parse::<u64>().unwrap_or(0);
            lifetime = Some(lifetime.map_or(seconds, |shortest: u64| shortest.min(seconds)));
        }
    }
    let age = age.and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    lifetime.map(|seconds| Duration::from_secs(seconds.saturating_sub(age)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_less_age_is_what_is_left() {
        for (cache_control, age, seconds) in [
            ("max-age=300", None, 300),
            ("public, max-age=300, must-revalidate", None, 300),
            ("Max-Age=\"300\"", None, 300),
            ("max-age=300", Some("100"), 200),
            ("max-age=300", Some("400"), 0),
            ("max-age=300", Some("soon"), 300),
            ("max-age=300, max-age=60", None, 60),
            ("max-age=300, no-store", None, 0),
            ("no-cache", None, 0),
            ("max-age=", None, 0),
            ("max-age=-1", None, 0),
            ("max-age=99999999999999999999", None, 0),
        ] {
            assert_eq!(freshness(Some(cache_control), age), Some(Duration::from_secs(seconds)), "{cache_control}");
        }
    }

    #[test]
    fn silence_says_nothing() {
        for cache_control in [None, Some(""), Some("public"), Some("s-maxage=10"), Some("x-max-age=10")] {
            assert_eq!(freshness(cache_control, Some("5")), None, "{cache_control:?}");
        }
    }
}
