//! How long a service asks to be left alone (RFC 9110 §10.2.3).

use core::time::Duration;

use crate::time::UnixTime;

/// What is waited where the service does not say, or says it in a form that nobody can read.
const DEFAULT: Duration = Duration::from_secs(5);
/// Least wait: a `0` must not turn into a question per request.
const LEAST: Duration = Duration::from_secs(1);
/// Longest wait: a service that says hours would refuse everybody for that long, whatever it answers by then.
const MOST: Duration = Duration::from_secs(60);

const SECONDS_PER_DAY: u64 = 86_400;

/// Returns how long to wait by the field's value, which is a number of seconds or a date. `now` is when the question left.
pub(super) fn retry_after(value: Option<&str>, now: UnixTime) -> Duration {
    let value = value.map(str::trim);
    let seconds = value.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).map(|text| {
        // More digits than a number has are a long time.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    });
    let until = || value.and_then(date).map(|at| at.saturating_since(now));
    seconds.or_else(until).unwrap_or(DEFAULT).clamp(LEAST, MOST)
}

/// A date in the one form that is still sent: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
fn date(text: &str) -> Option<UnixTime> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let mut part = || parts.next();
    let (day, month, year, time, zone) = (part()?, part()?, part()?, part()?, part()?);
    let number = |text: &str, digits: usize| -> Option<u64> {
        let is_plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten()
    };
    let mut clock = time.split(':').map(|field| number(field, 2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_whole = clock.next().is_none() && parts.next().is_none() && zone == "GMT";
    let days = days_since_epoch(number(year, 4)?, month_number(month)?, number(day, 2)?)?;
    let of_day = hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let seconds = days.checked_mul(SECONDS_PER_DAY)?.checked_add(of_day)?;
    (is_whole && of_day <= SECONDS_PER_DAY).then(|| UnixTime::from_secs(seconds))
}

fn month_number(name: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    u64::try_from(MONTHS.iter().position(|own| *own == name)?).ok()?.checked_add(1)
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March (H. Hinnant, `days_from_civil`).
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) =
        if month > 2 { (year, month.checked_sub(3)?) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    let of_year = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let leaps = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    year.checked_mul(365)?.checked_add(leaps)?.checked_add(of_year)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_kept_within_bounds() {
        // Sun, 06 Nov 1994 08:49:37 GMT.
        let now = UnixTime::from_secs(784_111_777);
        for (value, seconds) in [
            (None, 5),
            (Some(""), 5),
            (Some("soon"), 5),
            (Some("-3"), 5),
            (Some("1.5"), 5),
            (Some("0"), 1),
            (Some("7"), 7),
            (Some(" 7 "), 7),
            (Some("61"), 60),
            (Some("99999999999999999999999"), 60),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 1),
            (Some("Sun, 06 Nov 1994 08:49:57 GMT"), 20),
            (Some("Sun, 06 Nov 1994 08:40:00 GMT"), 1),
            (Some("Mon, 07 Nov 1994 08:49:37 GMT"), 60),
            (Some("Sun, 06 Nov 1994 08:49:57 CET"), 5),
            (Some("Sun, 06 Nov 1994 08:49 GMT"), 5),
            (Some("Sun, 6 Nov 1994 08:49:57 GMT"), 5),
            (Some("Sunday, 06-Nov-94 08:49:57 GMT"), 5),
        ] {
            assert_eq!(retry_after(value, now), Duration::from_secs(seconds), "{value:?}");
        }
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Tue, 31 Dec 2030 23:59:59 GMT", 1_924_991_999),
        ] {
            assert_eq!(date(text), Some(UnixTime::from_secs(seconds)), "{text}");
        }
    }
}
