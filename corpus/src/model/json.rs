//! JSON read to the letter (RFC 8259): a member named twice is an error, at every depth.

use std::fmt;

/// A JSON value; objects keep their members in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object without two members of one name.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value at the end of a path of names.
    pub fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of an array of strings and of nothing else.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            _ => None,
        }
    }
}

impl fmt::Display for Json {
    /// The value as JSON, members in the order of their names.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::String(text) => formatter.write_str(&quoted(text)),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(formatter, "[{}]", items.join(","))
            }
            Self::Object(members) => {
                let mut members: Vec<&(String, Self)> = members.iter().collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
                write!(formatter, "{{{}}}", members.join(","))
            }
        }
    }
}

/// Reads a whole text as one JSON value in which no object names a member twice.
pub fn parse(text: &str) -> Option<Json> {
    read(text, true)
}

/// Reads a whole text as one JSON value, and keeps members that are named twice.
pub fn parse_with_repeats(text: &str) -> Option<Json> {
    read(text, false)
}

fn read(text: &str, strict: bool) -> Option<Json> {
    let mut reader = Reader { rest: text.chars().collect::<Vec<_>>().into_iter().peekable(), strict };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.peek().is_none().then_some(value)
}

/// What is nested deeper than this no claim or header is.
const DEEPEST: usize = 127;

struct Reader {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    strict: bool,
}

impl Reader {
    fn space(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest.next_if_eq(&wanted).map(|_| ())
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        word.chars().try_for_each(|c| self.take(c))?;
        Some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        match *self.rest.peek()? {
            'n' => self.word("null", Json::Null),
            't' => self.word("true", Json::Bool(true)),
            'f' => self.word("false", Json::Bool(false)),
            '"' => self.string().map(Json::String),
            '[' if depth < DEEPEST => self.array(depth),
            '{' if depth < DEEPEST => self.object(depth),
            '-' | '0'..='9' => self.number(),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.take('[')?;
        self.space();
        let mut items = Vec::new();
        if self.take(']').is_some() {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(']').is_some() {
                return Some(Json::Array(items));
            }
            self.take(',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take('{')?;
        self.space();
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.take('}').is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            if self.strict && members.iter().any(|(own, _)| *own == name) {
                return None;
            }
            self.space();
            self.take(':')?;
            members.push((name, self.value(depth + 1)?));
            self.space();
            if self.take('}').is_some() {
                return Some(Json::Object(members));
            }
            self.take(',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.unit()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                self.take('\\')?;
                self.take('u')?;
                let low = self.unit()?;
                (0xDC00..0xE000).contains(&low).then_some(())?;
                char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.rest.next()?.to_digit(16)?))
    }

    fn number(&mut self) -> Option<Json> {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_digit() || "+-.eE".contains(*c)) {
            text.push(c);
        }
        let unsigned = text.strip_prefix('-').unwrap_or(&text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let well_formed = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && digits(fraction)
            && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        let number: f64 = text.parse().ok().filter(|_| well_formed)?;
        number.is_finite().then_some(Json::Number(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_to_the_letter() {
        for text in
            ["", "{", "{,}", r#"{"a":1,"a":2}"#, r#"[{"a":1,"\u0061":2}]"#, "01", "1.", "+1", "\"\t\"", "nul", "1 2"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        let read = parse(r#" {"a" : [1, -2.5e1, "\ud83d\ude00", null, true], "b": {}} "#).unwrap();
        assert_eq!(
            read.get("a").and_then(|a| match a {
                Json::Array(items) => Some(items.clone()),
                _ => None,
            }),
            Some(vec![Json::Number(1.0), Json::Number(-25.0), Json::String("😀".into()), Json::Null, Json::Bool(true)])
        );
    }
}
