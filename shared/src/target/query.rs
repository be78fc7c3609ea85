//! What a query may hold (RFC 3986 §3.4). It is bound and forwarded verbatim, never interpreted.

use super::{TargetError, encode};

/// Refuses what a URL parser on the way would rewrite, since the bytes forwarded must be those bound:
/// anything that is not RFC 3986 `query`, and the apostrophe, which URL parsers escape. Square brackets
/// pass, as parsers leave them and common client libraries write them bare.
pub(super) fn check(query: &str) -> Result<(), TargetError> {
    if query.is_empty() {
        return Err(TargetError::EmptyQuery);
    }
    let mut bytes = query.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else {
                    return Err(TargetError::BrokenEscape);
                };
                encode::octet(high, low).ok_or(TargetError::BrokenEscape)?;
            }
            b'\'' => return Err(TargetError::ForbiddenCharacter),
            b'/' | b'?' | b';' | b'[' | b']' => {}
            other if encode::is_bare(other) => {}
            _ => return Err(TargetError::ForbiddenCharacter),
        }
    }
    Ok(())
}
