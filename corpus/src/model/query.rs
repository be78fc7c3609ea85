//! Queries that a rule reads, and parameters that override a method. From docs/policy.md ("Queries").
//!
//! Each rule of the grammar can be left out, so that a test can show what it is for (`tests/parsers`).

/// One rule of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The path has no `&` with the parameter's name after it.
    Path,
    /// There is no further `?`.
    QuestionMark,
    /// There is no `;`.
    Semicolon,
    /// There are at most 100 parameters.
    Count,
    /// Names are letters, digits, `_`, `-` and `.`.
    Names,
    /// Every value decodes to UTF-8.
    Utf8,
    /// The parameter occurs once.
    Once,
    /// No other parameter's name can be folded to its own.
    Folded,
    /// Its value is not empty.
    Empty,
    /// Its value has unreserved characters and needed escapes.
    Spelling,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 10] = [
        Self::Path,
        Self::QuestionMark,
        Self::Semicolon,
        Self::Count,
        Self::Names,
        Self::Utf8,
        Self::Once,
        Self::Folded,
        Self::Empty,
        Self::Spelling,
    ];
}

/// The value of the parameter `name` in a canonical target, by all rules but `without`; `None` where it has none.
///
/// # Errors
/// The reason why the request is refused.
pub fn read(target: &str, name: &str, without: Option<Rule>) -> Result<Option<String>, &'static str> {
    let broken = |rule: Rule, is_broken: bool| is_broken && without != Some(rule);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    if broken(Rule::Path, path.contains(&format!("&{name}"))) {
        return Err("query_in_path");
    }
    let Some(query) = query else { return Ok(None) };
    if broken(Rule::QuestionMark, query.contains('?')) {
        return Err("query_question_mark");
    }
    if broken(Rule::Semicolon, query.contains(';')) {
        return Err("query_semicolon");
    }
    let pairs: Vec<&str> = query.split('&').collect();
    if broken(Rule::Count, pairs.len() > 100) {
        return Err("query_too_many_parameters");
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    for (key, value) in &pairs {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if broken(Rule::Names, key.is_empty() || !key.chars().all(is_name)) {
            return Err("query_name");
        }
        if broken(Rule::Utf8, String::from_utf8(unescaped(value)).is_err()) {
            return Err("query_not_utf8");
        }
    }
    let values: Vec<&str> = pairs.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect();
    let fold = |text: &str| text.to_lowercase().replace(['-', '.'], "_");
    let is_folded = |key: &str| {
        let (own, after) = key.split_at_checked(name.len()).unwrap_or((key, ""));
        fold(own) == fold(name) && (after.is_empty() || after.starts_with('.'))
    };
    let others = pairs.iter().filter(|(key, _)| *key != name && is_folded(key)).count();
    if broken(Rule::Once, values.len() > 1) || broken(Rule::Folded, others > 0) {
        return Err("query_ambiguous");
    }
    let Some(value) = values.first() else { return Ok(None) };
    if broken(Rule::Empty, value.is_empty()) {
        return Err("query_empty_value");
    }
    if broken(Rule::Spelling, written(&unescaped(value)) != value.to_uppercase_escapes()) {
        return Err("query_value");
    }
    Ok(Some(String::from_utf8_lossy(&unescaped(value)).into_owned()))
}

/// Whether some framework takes another method from the query.
#[must_use]
pub fn overrides_method(query: &str) -> bool {
    const NAMES: [&str; 5] = ["_method", "_httpmethod", "x_http_method_override", "x_http_method", "x_method_override"];
    query.split(['&', ';', '?']).any(|pair| {
        let key = unescaped(pair.split('=').next().unwrap_or_default());
        let key: String = key.into_iter().map(char::from).collect();
        let key = key.trim_start_matches([' ', '[', ']', '\0']).to_ascii_lowercase();
        NAMES.iter().any(|name| {
            let (own, after) = key.split_at_checked(name.len()).unwrap_or_default();
            own.replace(|c: char| !c.is_ascii_alphanumeric(), "_") == *name
                && (after.is_empty() || after.starts_with([' ', '[', ']', '\0', '.']))
        })
    })
}

/// A value with all escaped but unreserved characters.
fn written(octets: &[u8]) -> String {
    let escape = |octet: &u8| match octet {
        b'-' | b'.' | b'_' | b'~' => char::from(*octet).to_string(),
        other if other.is_ascii_alphanumeric() => char::from(*other).to_string(),
        other => format!("%{other:02X}"),
    };
    octets.iter().map(escape).collect()
}

trait Escapes {
    /// The text with its escapes in upper case.
    fn to_uppercase_escapes(&self) -> String;
}

impl Escapes for str {
    fn to_uppercase_escapes(&self) -> String {
        let mut parts = self.split('%');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
            format!("{text}%{}{rest}", digits.to_ascii_uppercase())
        })
    }
}

/// Decodes a part of a canonical target's query.
fn unescaped(text: &str) -> Vec<u8> {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        octets.extend(u8::from_str_radix(digits, 16));
        octets.extend(rest.bytes());
    }
    octets
}
