//! Claims as header fields, for origins that read those and no assertion.
//!
//! One encoding, so that a claim can neither break out of its field nor be read in two ways: visible ASCII other than
//! `%` stands for itself, every other octet of the UTF-8 is percent-encoded (RFC 3986 §2.1).

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};

use serde_json::Value;

/// Longest value, in octets: platforms take some 8 to 16 KiB of fields in all.
const MAX_FIELD_BYTES: usize = 2048;

/// The claim as a field's value: a string as it is, anything else as JSON. `None` for `null` and for what is too long,
/// which an origin is to miss rather than to have in part.
pub(crate) fn field_value(claim: &Value) -> Option<String> {
    let text: Cow<'_, str> = match claim {
        Value::Null => return None,
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    };
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
        if value.len() > MAX_FIELD_BYTES {
            return None;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_cannot_break_out_of_its_field() {
        for (claim, value) in [
            (json!("ann@example.com"), Some("ann@example.com")),
            (json!("Zo\u{eb} 100%"), Some("Zo%C3%AB%20100%25")),
            (json!("a\r\nX-Admin: 1"), Some("a%0D%0AX-Admin:%201")),
            (json!(7), Some("7")),
            (json!(true), Some("true")),
            (json!(["a", "b"]), Some("[\"a\",\"b\"]")),
            (json!(""), Some("")),
            (json!(null), None),
            (json!("x".repeat(MAX_FIELD_BYTES + 1)), None),
        ] {
            assert_eq!(field_value(&claim).as_deref(), value, "{claim}");
        }
    }
}
