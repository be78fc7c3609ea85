//! A token's claims as API Gateway's authorizers write them: every value a string.
//!
//! REST APIs write the two dates of a Cognito token as text (`Thu May 04 03:50:06 UTC 2023`), HTTP APIs write numbers in
//! digits and arrays in brackets, with spaces between. Only what a rule of an issuer section reads is put back: the dates,
//! and `aud`. Of other claims that were no strings the text remains, so that a rule which wants a number, a boolean or an
//! array is not met: refused rather than guessed. A text with a separator or a leading bracket is not read as companies or
//! roles until the section names its `form`; name one only if no company and no role has the separator in its name. `require.CLAIM = true` knows `false` in words.

use serde_json::{Map, Value};
use time::{Date, Month, Time};

/// Claims that are dates (RFC 7519 §4.1).
const DATES: [&str; 3] = ["exp", "nbf", "iat"];

/// The claims as the token has them, as far as that can be told.
pub(super) fn restored<'c>(claims: impl Iterator<Item = (&'c str, &'c Value)>) -> Map<String, Value> {
    claims.map(|(name, value)| (name.to_owned(), one(name, value))).collect()
}

fn one(name: &str, value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    // What is no date stays a string, which no rule takes for one.
    let restored = match name {
        _ if DATES.contains(&name) => seconds(text).map(Value::from),
        "aud" => audiences(text),
        _ => None,
    };
    restored.unwrap_or_else(|| value.clone())
}

/// `[one two]` as an array, as far as it is sure that the spaces are between names.
///
/// `["one two"]` is written so too. A name with a colon is a URI (RFC 7519 §2) and has no spaces; what has none may be a
/// word of a longer name, and is left out.
fn audiences(text: &str) -> Option<Value> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let items: Vec<&str> = inner.split(' ').filter(|item| !item.is_empty()).collect();
    let is_whole = |item: &&&str| inner.len() == item.len() || item.contains(':');
    Some(items.iter().filter(is_whole).copied().collect())
}

/// A date in digits, or as Java's `Date` writes it, in UTC.
fn seconds(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut words = text.split(' ');
    let mut word = || words.next();
    let (_weekday, month, day, clock, zone, year) = (word()?, word()?, word()?, word()?, word()?, word()?);
    if word().is_some() || zone != "UTC" {
        return None;
    }
    let mut parts = clock.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let date = Date::from_calendar_date(year.parse().ok()?, self::month(month)?, day.parse().ok()?).ok()?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    u64::try_from(date.with_time(time).assume_utc().unix_timestamp()).ok()
}

fn month(name: &str) -> Option<Month> {
    Some(match name {
        "Jan" => Month::January,
        "Feb" => Month::February,
        "Mar" => Month::March,
        "Apr" => Month::April,
        "May" => Month::May,
        "Jun" => Month::June,
        "Jul" => Month::July,
        "Aug" => Month::August,
        "Sep" => Month::September,
        "Oct" => Month::October,
        "Nov" => Month::November,
        "Dec" => Month::December,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_back(name: &str, text: &str) -> Value {
        one(name, &Value::from(text))
    }

    #[test]
    fn dates_are_numbers_again_in_either_writing() {
        for (text, seconds) in [
            ("1683172206", 1_683_172_206_u64),
            ("Thu May 04 03:50:06 UTC 2023", 1_683_172_206),
            ("Wed Feb 29 23:59:59 UTC 2040", 2_214_172_799),
        ] {
            for name in DATES {
                assert_eq!(put_back(name, text), Value::from(seconds), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_date_is_not_made_one() {
        for text in [
            "",
            "-1",
            "1.5e9",
            "soon",
            "Thu May 04 03:50:06 PST 2023",
            "Thu May 04 03:50:06 UTC 2023 x",
            "Thu May 32 03:50:06 UTC 2023",
            "Thu Mai 04 03:50:06 UTC 2023",
            "Thu May 04 25:50:06 UTC 2023",
            "Thu May 04 03:50 UTC 2023",
            "Thu May 04 03:50:06:07 UTC 2023",
            "Thu May 04 03:50:06 UTC 1969",
            "99999999999999999999999",
        ] {
            assert_eq!(put_back("exp", text), Value::from(text), "{text}");
        }
    }

    #[test]
    fn audiences_are_an_array_again_and_other_texts_stay() {
        let two = "[https://a.example urn:b]";
        assert_eq!(put_back("aud", two), serde_json::json!(["https://a.example", "urn:b"]));
        assert_eq!(put_back("aud", "[one]"), serde_json::json!(["one"]));
        assert_eq!(put_back("aud", "one"), Value::from("one"));
        assert_eq!(put_back("scope", "[one two]"), Value::from("[one two]"));
        assert_eq!(put_back("companies", "[one two]"), Value::from("[one two]"));
        assert_eq!(put_back("auth_time", "1683085806"), Value::from("1683085806"));
    }

    #[test]
    fn an_audience_is_not_cut_out_of_a_longer_one() {
        assert_eq!(put_back("aud", "[Acme Holdings]"), serde_json::json!([]));
        assert_eq!(put_back("aud", "[Acme https://api.example]"), serde_json::json!(["https://api.example"]));
        assert_eq!(put_back("aud", "[ one ]"), serde_json::json!([]));
        assert_eq!(put_back("aud", "[]"), serde_json::json!([]));
    }
}
