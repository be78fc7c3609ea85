//! `postern inspect`: what a token says of itself. Nothing of it is verified, and neither the token nor its signature
//! is ever printed: what is shown proves nothing and opens nothing.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use clap::Args;
use postern::{UnixTime, bearer::MAX_TOKEN_BYTES, token};
use serde_json::{Map, Value, json};

use crate::{
    exit::Outcome,
    output::{self, BAD, DIM, Format, HEADING, WARNING, shown, styled},
};

/// Claims that are times.
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];
/// The members of a token's parts, as far as they can be read.
const PARTS: [&str; 3] = ["header", "payload", "signature"];

/// Where the token comes from, and the time to judge it by.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The file with the token; without it, standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The time to tell ages by, in seconds since 1970; without it, now.
    #[arg(long, value_name = "UNIX")]
    now: Option<u64>,
}

/// Reads a token from a file or from standard input, without the space around it and without `Bearer` before it.
///
/// `None` when there is none, or when standard input is a terminal, where nobody should paste one into the scrollback.
pub(crate) fn read_token(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    // A little more than a token may have, so that one that is too long is told as such.
    let cap = u64::try_from(MAX_TOKEN_BYTES)?.saturating_mul(2);
    let mut text = String::new();
    match file {
        Some(path) => {
            let shown = path.display();
            let file = File::open(path).with_context(|| format!("cannot read `{shown}`"))?;
            file.take(cap).read_to_string(&mut text).with_context(|| format!("cannot read `{shown}`"))?;
        }
        None if io::stdin().is_terminal() => return Ok(None),
        None => {
            io::stdin().take(cap).read_to_string(&mut text).context("cannot read standard input")?;
        }
    }
    let text = text.trim();
    let is_bearer = text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    let token = if is_bearer { text.get(7..).unwrap_or_default().trim_start() } else { text };
    Ok((!token.is_empty()).then(|| token.to_owned()))
}

/// What could be read of a token.
struct Reading {
    header: Option<Map<String, Value>>,
    claims: Option<Map<String, Value>>,
    problems: Vec<String>,
}

/// Shows the token.
pub(crate) fn run(args: &InspectArgs, format: Format) -> anyhow::Result<Outcome> {
    let Some(token) = read_token(args.token_file.as_deref())? else {
        bail!("there is no token: give it on standard input or with `--token-file`");
    };
    ensure!(token.len() <= MAX_TOKEN_BYTES, "the token is longer than the {MAX_TOKEN_BYTES} octets that are looked at");
    let now = args.now.map_or_else(crate::now, UnixTime::from_secs);
    let reading = read(&token);
    match format {
        Format::Json => output::print_json(&to_json(&reading, now))?,
        Format::Text => output::print(&to_text(&reading, now))?,
    }
    Ok(if reading.problems.is_empty() { Outcome::Done } else { Outcome::No })
}

/// The header and the claims of a compact JWS; nothing is verified.
pub(crate) fn claims_unverified(token: &str) -> Option<Map<String, Value>> {
    read(token).claims
}

/// The header of a compact JWS; nothing is verified.
pub(crate) fn header_unverified(token: &str) -> Option<Map<String, Value>> {
    read(token).header
}

fn read(token: &str) -> Reading {
    let parts: Vec<&str> = token.split('.').collect();
    let mut problems = Vec::new();
    if parts.len() == 5 {
        problems.push("it has five parts: an encrypted token (JWE), which only its audience can read".to_owned());
    } else if parts.len() != 3 {
        let count = output::counted(parts.len(), "part");
        problems.push(format!("it has {count}, and a signed token has three: header.payload.signature"));
    }
    let mut object = |index: usize| {
        let name = PARTS[index];
        let part = parts.get(index).filter(|_| parts.len() <= 3)?;
        read_part(name, part).map_err(|problem| problems.push(problem)).ok()
    };
    let (header, claims) = (object(0), object(1));
    if let Some(signature) = parts.get(2).filter(|_| parts.len() == 3) {
        if signature.is_empty() {
            problems.push("its signature is empty: the token is unsigned".to_owned());
        } else if Base64UrlUnpadded::decode_vec(signature).is_err() {
            problems.push("its signature is not base64url without padding".to_owned());
        }
    }
    // What the authoriser would say before it looks at the signature; repeated only where nothing else told.
    if let Err(error) = token::check_form(token)
        && problems.is_empty()
    {
        problems.push(error.to_string());
    }
    Reading { header, claims, problems }
}

fn read_part(name: &str, part: &str) -> Result<Map<String, Value>, String> {
    let octets =
        Base64UrlUnpadded::decode_vec(part).map_err(|_| format!("its {name} is not base64url without padding"))?;
    match serde_json::from_slice(&octets) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(format!("its {name} is JSON, but no object")),
        // The parser's message names a place and quotes nothing of an untyped value.
        Err(error) => Err(format!("its {name} is not JSON: {error}")),
    }
}

fn times(reading: &Reading) -> impl Iterator<Item = (&'static str, f64)> {
    let claims = reading.claims.as_ref();
    TIMES.into_iter().filter_map(move |name| Some((name, claims?.get(name)?.as_f64()?)))
}

fn to_json(reading: &Reading, now: UnixTime) -> Value {
    let times: Map<String, Value> = times(reading)
        .map(|(name, at)| (name.to_owned(), json!({"unix": at, "utc": utc(at), "relative": relative(at, now)})))
        .collect();
    json!({
        "verified": false,
        "header": reading.header,
        "claims": reading.claims,
        "times": times,
        "problems": reading.problems,
    })
}

fn to_text(reading: &Reading, now: UnixTime) -> String {
    let mut text = styled(WARNING, "UNVERIFIED") + ": anyone can write what follows; nothing of it was checked\n";
    for (name, members) in [("header", &reading.header), ("claims", &reading.claims)] {
        let Some(members) = members else { continue };
        let _ = writeln!(text, "\n{}", styled(HEADING, name));
        let width = members.keys().map(|name| shown(name).chars().count()).max().unwrap_or(0);
        for (name, value) in members {
            let told = times(reading).find(|(own, _)| own == name).filter(|_| Some(members) == reading.claims.as_ref());
            let told = told.map(|(_, at)| styled(DIM, format!("  {}, {}", utc(at), relative(at, now))));
            let _ = writeln!(text, "  {:width$}  {}{}", shown(name), written(value), told.unwrap_or_default());
        }
    }
    for problem in &reading.problems {
        let _ = writeln!(text, "\n{}: {problem}", styled(BAD, "malformed"));
    }
    text
}

/// A claim as people read it: a text without quotation marks unless it needs them.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && text.trim() == text => shown(text),
        other => shown(&other.to_string()),
    }
}

/// The moment as a date in UTC; `-` when no calendar has it.
pub(crate) fn utc(at: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a float out of range saturates, and has no date then")]
    let seconds = at as i64;
    time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| "-".to_owned(),
        |at| {
            let (date, clock) = (at.date(), at.time());
            let (hour, minute, second) = clock.as_hms();
            format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
        },
    )
}

/// How far the moment is from `now`, in the largest unit that it fills.
pub(crate) fn relative(at: f64, now: UnixTime) -> String {
    #[expect(clippy::cast_precision_loss, reason = "seconds of any date that matters fit a float exactly")]
    let ahead = at - now.as_secs() as f64;
    let distance = ahead.abs();
    let units = [(31_557_600.0, "y"), (86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];
    let Some((size, unit)) = units.into_iter().find(|(size, _)| distance >= *size) else { return "now".to_owned() };
    let count = (distance / size).floor();
    if ahead > 0.0 { format!("in {count} {unit}") } else { format!("{count} {unit} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_dates_and_as_distances() {
        let now = UnixTime::from_secs(1_800_000_000);
        for (at, date, distance) in [
            (1_800_000_000.0, "2027-01-15 08:00:00 UTC", "now"),
            (1_800_000_185.0, "2027-01-15 08:03:05 UTC", "in 3 min"),
            (1_799_992_800.0, "2027-01-15 06:00:00 UTC", "2 h ago"),
            (0.0, "1970-01-01 00:00:00 UTC", "57 y ago"),
            (1e300, "-", "in"),
        ] {
            assert_eq!(utc(at), date);
            assert!(relative(at, now).starts_with(distance), "{}", relative(at, now));
        }
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said_without_a_part_of_it() {
        let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        let (header, claims) = (part(r#"{"alg":"RS256"}"#), part("{}"));
        for (token, problem) in [
            ("secret".to_owned(), "it has 1 part, and a signed token has three"),
            (format!("{header}.{claims}"), "it has 2 parts"),
            (format!("{header}.a.b.c.d"), "an encrypted token (JWE)"),
            (format!("{header}.{claims}."), "the token is unsigned"),
            (format!("{header}.{claims}.c2ln="), "its signature is not base64url"),
            (format!("{header}.{}.c2ln", part("secret")), "its payload is not JSON: expected value at line 1 column 1"),
            (format!("{header}.{}.c2ln", part("[]")), "its payload is JSON, but no object"),
            (format!("{}.{claims}.c2ln", part(r#"{"alg":"none"}"#)), "names no algorithm that issuers may use"),
            (format!("{}.{claims}.c2ln", part(r#"{"alg":"ES256","crit":["a"]}"#)), "demands extensions"),
        ] {
            let problems = read(&token).problems.join("\n");
            assert!(problems.contains(problem), "{problem}: {problems}");
            assert!(!problems.contains("secret") && !problems.contains("c2ln"), "{problems}");
        }
    }
}
