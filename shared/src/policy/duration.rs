//! Durations as policies write them: a whole number and a unit.

use core::time::Duration;

/// Reads `250ms`, `30s`, `5m` or `1h`.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match text.strip_prefix(digits)? {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => count.checked_mul(60).map(Duration::from_secs),
        "h" => count.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_durations() {
        for (text, seconds) in [("0s", 0), ("30s", 30), ("5m", 300), ("1h", 3600), ("2000ms", 2)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "30", "-1s", "1.5s", "30 s", "30S", "1d", "99999999999999999999s", "6000000000000000h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
