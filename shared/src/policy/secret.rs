//! Secrets that have come into a policy's text, in comments too.
//!
//! A policy names secrets and holds none: it lies in repositories, and goes into builds and into logs. What looks like a
//! secret is a fault that says where and never what.
//!
//! Two ways to tell: forms that are secrets wherever they stand (signed tokens, private keys in PEM and JWK, access keys,
//! passwords in URLs), and long texts that look drawn at random, but not where other people's identifiers stand, which
//! may look just so. Neither finds a short password; a member *named* like a secret is one to [`super::shape`].

use alloc::vec::Vec;
use core::ops::Range;

use ::toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::origin::FORWARDED;

/// Shortest random text in a value that is taken for a secret: 128 bits in hex, 192 in base64.
const MIN_IN_VALUE: usize = 32;
/// Shortest base64 in a comment: AWS's secret access keys have 40 characters, client identifiers up to 32.
const MIN_IN_COMMENT: usize = 40;
/// Shortest hex in a comment: past the 40 digits of a commit's name.
const MIN_HEX_IN_COMMENT: usize = 41;

/// Shortest value without quotation marks behind a name like a secret's in a comment: below it there are words.
const MIN_BARE: usize = 8;

pub(super) const NAMED: &str = "a member named like a secret";
const TOKEN: &str = "a signed token";
const PRIVATE_KEY: &str = "a private key";
const KEY_MEMBER: &str = "the private part of a JSON Web Key";
const ACCESS_KEY: &str = "an access key";
const PASSWORD: &str = "a URL with a password";
const RANDOM: &str = "a text that looks drawn at random, as keys are";

/// What looks like a secret, and as what; at most one a line.
/// Without a document, all of the text is as good as a comment.
pub(super) fn scan(text: &str, document: Option<&DeTable<'_>>) -> Vec<(Range<usize>, &'static str)> {
    let values = document.map(Values::of).unwrap_or_default();
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    let mut line_start = 0_usize;
    let mut in_pem: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        if let Some(index) = in_pem {
            if let (Some(end), Some((span, _))) = (line.find("-----END "), found.get_mut(index)) {
                span.end = line_start.saturating_add(end);
                in_pem = None;
            }
        } else if let Some((range, what)) = in_line(line, line_start, &values) {
            let start = line_start.saturating_add(range.start);
            if what == PRIVATE_KEY
                && !line.contains("-----END ")
                && text.get(start..).is_some_and(|rest| rest.contains("-----END "))
            {
                in_pem = Some(found.len());
            }
            found.push((start..line_start.saturating_add(range.end), what));
        }
        line_start = line_start.saturating_add(line.len());
    }
    found
}

/// Whether a member of this name would hold a secret.
pub(super) fn is_named_like_one(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    ["secret", "password", "passphrase", "passwd", "private_key", "api_key", "apikey", "access_key"]
        .iter()
        .any(|word| name.contains(word))
        || ["token", "bearer", "access_token", "refresh_token", "id_token", "jwk"].contains(&name.as_str())
}

fn in_line(line: &str, start: usize, values: &Values) -> Option<(Range<usize>, &'static str)> {
    if let Some(at) = line.find("-----BEGIN ")
        && line.get(at..).is_some_and(|rest| rest.contains("PRIVATE KEY"))
    {
        return Some((at..line.trim_end().len(), PRIVATE_KEY));
    }
    if let Some(range) = password(line) {
        return Some((range, PASSWORD));
    }
    if let Some(range) = commented_member(line, start, values) {
        return Some((range, NAMED));
    }
    words(line).find_map(|(at, word)| {
        let range = at..at.saturating_add(word.len());
        let what = if is_token(word) {
            TOKEN
        } else if word.split(['/', '.', '=', ':']).any(is_access_key) {
            ACCESS_KEY
        } else if is_private_member(line.get(..at).unwrap_or_default(), word) {
            KEY_MEMBER
        } else {
            if word.len() < MIN_IN_VALUE {
                return None;
            }
            let in_value = values.has(start.saturating_add(at))?;
            let is_random = |word: &str| {
                if in_value {
                    looks_random(word, MIN_IN_VALUE, MIN_IN_VALUE)
                } else {
                    looks_random(word, MIN_IN_COMMENT, MIN_HEX_IN_COMMENT)
                }
            };
            if !word.split('.').any(|part| is_random(part) || part.split('/').any(is_random)) {
                return None;
            }
            RANDOM
        };
        Some((range, what))
    })
}

/// The value of a member named like a secret that stands in a comment, as one that was taken out does: `# password = "…"`.
///
/// Prose has such words too (`its secrets: one for each key`), so the value must be all that is left of the line. The name
/// of a secret, an ARN and a placeholder are not secrets.
fn commented_member(line: &str, start: usize, values: &Values) -> Option<Range<usize>> {
    let mut marks = line.match_indices('#').map(|(at, _)| at);
    let mark = marks.find(|at| values.has(start.saturating_add(*at)) == Some(false))?;
    let comment = line.get(mark..)?;
    let (name, rest) = comment.split_once(['=', ':'])?;
    let name = name.trim_start_matches('#').trim().trim_matches(['"', '\'']);
    let is_one_word =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if !is_one_word || !is_named_like_one(name.rsplit('.').next().unwrap_or_default()) {
        return None;
    }
    let value = rest.trim().trim_end_matches(',');
    let bare = value.trim_matches(['"', '\'']);
    let is_quoted = bare.len() < value.len();
    let is_name =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let is_placeholder = bare.contains(['<', '$', '{', '…']) || bare.contains("...") || bare.starts_with("arn:");
    let is_value =
        if is_quoted { !bare.is_empty() } else { bare.len() >= MIN_BARE && !bare.contains(char::is_whitespace) };
    // `# token = "forwarded"` is a rule that was taken out.
    if !is_value || is_name(bare) || is_placeholder || bare == FORWARDED {
        return None;
    }
    let at = line.rfind(bare)?;
    Some(at..at.saturating_add(bare.len()))
}

/// Runs of the letters that encodings use, and where each begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest_start = 0_usize;
    line.split(|character: char| !(character.is_ascii_alphanumeric() || "-_+/=.".contains(character))).filter_map(
        move |word| {
            let start = rest_start;
            // All that separates words is of one octet or is counted by its own length in the next step.
            let after = line.get(start.saturating_add(word.len())..).and_then(|rest| rest.chars().next());
            rest_start = start.saturating_add(word.len()).saturating_add(after.map_or(0, char::len_utf8));
            (!word.is_empty()).then_some((start, word))
        },
    )
}

/// A JWS or JWE in compact form (RFC 7515 §7.1, RFC 7516 §7.1): its header is an object, and `{"` begins with `eyJ`.
fn is_token(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['.', '=', '/']).collect();
    parts.windows(2).any(|pair| match pair {
        [header, payload] => header.starts_with("eyJ") && header.len() >= 12 && payload.len() >= 12,
        _ => false,
    }) && word.matches('.').count() >= 1
}

fn is_access_key(word: &str) -> bool {
    let aws = ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| word.starts_with(prefix))
        && word.len() == 20
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let other = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "rk_live_"]
        .iter()
        .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 16));
    aws || other
}

/// `"d": "…"` and its like (RFC 7518 §6.2.2, §6.3.2, §6.4.1), as JSON or as TOML.
fn is_private_member(before: &str, word: &str) -> bool {
    let is_mark = |character: char| "\\\"' ".contains(character);
    let is_value = word.len() >= 16
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase());
    let Some(name) =
        before.trim_end_matches(is_mark).strip_suffix([':', '=']).map(|name| name.trim_end_matches(is_mark))
    else {
        return false;
    };
    let start =
        name.rfind(|character: char| !character.is_ascii_alphanumeric() && character != '-' && character != '_');
    let name = name.get(start.map_or(0, |at| at.saturating_add(1))..).unwrap_or_default();
    is_value && ["d", "p", "q", "dp", "dq", "qi", "k"].contains(&name)
}

/// `scheme://user:password@`.
fn password(line: &str) -> Option<Range<usize>> {
    let mut from = 0_usize;
    while let Some(at) = line.get(from..)?.find("://") {
        let start = from.saturating_add(at).saturating_add(3);
        let rest = line.get(start..)?;
        let end = rest.find(|character: char| {
            character == '/' || character == '"' || character == '\'' || character.is_whitespace()
        });
        let authority = rest.get(..end.unwrap_or(rest.len()))?;
        if let Some((user, _)) = authority.rsplit_once('@')
            && user.contains(':')
        {
            return Some(start..start.saturating_add(authority.len()));
        }
        from = start;
    }
    None
}

/// Whether a text of some length looks drawn at random: hex digits alone, or letters of both cases and digits that take
/// turns more often than in any word that people make up.
fn looks_random(word: &str, min: usize, min_hex: usize) -> bool {
    let word = word.trim_matches('=');
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let (digits, lower, upper) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let share = |part: usize, of: usize| part.saturating_mul(of) >= word.len();
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit()) && (lower == 0 || upper == 0);
    if is_hex {
        return word.len() >= min_hex && share(digits, 4) && share(lower.saturating_add(upper), 8);
    }
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_lowercase(), byte.is_ascii_uppercase());
    // A word that begins with a capital is no sign of chance, and neither is what stands between words.
    let plain = || word.bytes().filter(u8::is_ascii_alphanumeric);
    let is_turn = |(a, b): &(u8, u8)| kind(*a) != kind(*b) && !(a.is_ascii_uppercase() && b.is_ascii_lowercase());
    let turns = plain().zip(plain().skip(1)).filter(is_turn).count();
    word.len() >= min && share(digits, 16) && share(lower, 8) && share(upper, 8) && share(turns, 4)
}

/// Where values stand that may look random and are no secrets, and where other values stand.
#[derive(Default)]
struct Values(Vec<(Range<usize>, bool)>);

/// Members whose values are identifiers that somebody else has given, or URLs.
const IDENTIFIERS: [&str; 14] = [
    "audience",
    "claims",
    "client",
    "clients",
    "companies",
    "company",
    "headers",
    "jwks_url",
    "origins",
    "require",
    "subject",
    "target",
    "token_type",
    "url",
];

impl Values {
    fn of(document: &DeTable<'_>) -> Self {
        let mut values = Self::default();
        values.table(document, false);
        values.0.sort_unstable_by_key(|(span, _)| span.start);
        values
    }

    fn table(&mut self, table: &DeTable<'_>, is_identifier: bool) {
        for (key, value) in table {
            self.value(value, is_identifier || IDENTIFIERS.contains(&key.get_ref().as_ref()));
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, is_identifier: bool) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, is_identifier),
            DeValue::Array(items) => items.iter().for_each(|item| self.value(item, is_identifier)),
            _ => self.0.push((value.span(), is_identifier)),
        }
    }

    /// Whether a value stands at `offset`; `None` where it is an identifier.
    fn has(&self, offset: usize) -> Option<bool> {
        let after = self.0.partition_point(|(span, _)| span.start <= offset);
        match after.checked_sub(1).and_then(|index| self.0.get(index)).filter(|(span, _)| span.contains(&offset)) {
            Some((_, true)) => None,
            Some((_, false)) => Some(true),
            None => Some(false),
        }
    }
}
