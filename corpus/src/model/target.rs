//! Request targets: one canonical form, everything else has its reason. From README ("Paths") and ARCHITECTURE.

/// A canonical target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The path's segments, decoded; the path `/` has one, empty.
    pub segments: Vec<String>,
}

/// Longest target, unless the policy allows less.
pub const LONGEST: usize = 8192;
const DEEPEST: usize = 64;

/// The target, or the reason to refuse it.
pub fn parse(raw: &str, longest: usize) -> Result<Target, &'static str> {
    if raw.len() > longest {
        return Err("target_too_long");
    }
    let (path, query) = raw.split_once('?').map_or((raw, None), |(path, query)| (path, Some(query)));
    let relative = path.strip_prefix('/').ok_or("target_not_absolute_path")?;
    let pieces: Vec<&str> = relative.split('/').collect();
    let mut segments = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        if place == DEEPEST {
            return Err("target_too_long");
        }
        if piece.is_empty() && place + 1 < pieces.len() {
            return Err("target_empty_segment");
        }
        segments.push(segment(piece)?);
    }
    if let Some(query) = query {
        check_query(query)?;
    }
    Ok(Target { segments })
}

/// What stands for itself in a path.
fn is_bare(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&octet)
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

fn segment(piece: &str) -> Result<String, &'static str> {
    let octets = piece.as_bytes();
    if octets.iter().any(|octet| !is_bare(*octet) && *octet != b'%') {
        return Err("target_forbidden_character");
    }
    let mut decoded = Vec::new();
    let mut place = 0;
    while place < octets.len() {
        if octets[place] != b'%' {
            decoded.push(octets[place]);
            place += 1;
            continue;
        }
        let digits = octets.get(place + 1..place + 3).ok_or("target_broken_escape")?;
        let (Some(high), Some(low)) = (hex(digits[0]), hex(digits[1])) else { return Err("target_broken_escape") };
        let octet = high * 16 + low;
        if octet < 0x20 || octet == 0x7F || b"/?#%;\\".contains(&octet) {
            return Err("target_forbidden_escape");
        }
        if octet == b'.' {
            return Err("target_dot_segment");
        }
        if is_bare(octet) || digits.iter().any(u8::is_ascii_lowercase) {
            return Err("target_needless_escape");
        }
        decoded.push(octet);
        place += 3;
    }
    let text = String::from_utf8(decoded).map_err(|_| "target_not_utf8")?;
    if text.chars().any(char::is_control) {
        return Err("target_forbidden_escape");
    }
    if text.ends_with('.') { Err("target_dot_segment") } else { Ok(text) }
}

fn check_query(query: &str) -> Result<(), &'static str> {
    if query.is_empty() {
        return Err("target_empty_query");
    }
    let octets = query.as_bytes();
    for (place, octet) in octets.iter().enumerate() {
        if *octet == b'%' {
            let digits = octets.get(place + 1..place + 3).ok_or("target_broken_escape")?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err("target_broken_escape");
            }
        } else if *octet == b'\'' || !(is_bare(*octet) || b"/?;[]".contains(octet)) {
            return Err("target_forbidden_character");
        }
    }
    Ok(())
}
