//! Properties of canonical targets, over whatever a caller may send.

use postern::target::{CanonicalTarget, MAX_TARGET_BYTES, encode_path, encode_segment};
use proptest::prelude::*;

/// Texts that are mostly nearly canonical, so that both outcomes are common.
fn targets() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9._~!$&'()*+,=:@-]{0,5}",
        3 => Just("/".to_owned()),
        2 => "%[0-9A-F]{2}",
        1 => "%[0-9A-Fa-f]{0,2}",
        1 => prop::sample::select(vec!["%C3%A9", "%7C", "%20", "%2F", "%2E", "..", ".", "?", "#", ";", "\\", "%25"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A platform that hands over the decoded path leaves one way only to write it.
    #[test]
    fn an_accepted_path_is_the_only_writing_of_what_it_decodes_to(raw in targets()) {
        if let Ok(target) = CanonicalTarget::parse(&raw) {
            prop_assert_eq!(target.as_str(), &raw);
            let decoded = format!("/{}", target.segments().collect::<Vec<_>>().join("/"));
            prop_assert_eq!(encode_path(&decoded), Ok(target.path().to_owned()));
            prop_assert_eq!(CanonicalTarget::parse(target.as_str()), Ok(target.clone()));
            prop_assert!(!decoded.split('/').any(|segment| segment == "." || segment == ".."));
            prop_assert!(!decoded.contains(['?', '#', '%', ';', '\\']) && !decoded.chars().any(char::is_control));
        }
    }

    /// Two targets with one meaning are one target.
    #[test]
    fn different_accepted_paths_decode_differently(a in targets(), b in targets()) {
        if let (Ok(a), Ok(b)) = (CanonicalTarget::parse(&a), CanonicalTarget::parse(&b)) {
            prop_assert_eq!(a.path() == b.path(), a.segments().eq(b.segments()));
        }
    }

    #[test]
    fn whatever_is_decoded_encodes_to_something_canonical_or_to_nothing(decoded in "\\PC{0,20}") {
        if let Ok(path) = encode_path(&decoded) {
            let target = CanonicalTarget::parse(&path);
            // A path of empty segments alone encodes, and is then refused.
            if let Ok(target) = target {
                prop_assert_eq!(format!("/{}", target.segments().collect::<Vec<_>>().join("/")), decoded);
            } else {
                prop_assert!(decoded.contains("//"), "{}", decoded);
            }
        }
    }

    #[test]
    fn an_escaped_identifier_is_one_segment(identifier in "\\PC{1,20}") {
        if let Ok(target) = CanonicalTarget::parse(&format!("/users/{}", encode_segment(&identifier))) {
            prop_assert!(target.segments().eq(["users", &*identifier]));
        }
    }

    #[test]
    fn no_text_harms_the_parser(raw in any::<String>()) {
        let _ = CanonicalTarget::parse(&raw);
        let _ = encode_path(&raw);
    }

    /// The query is bound and forwarded as it came, and never touches the path.
    #[test]
    fn a_query_leaves_the_path_alone(path in targets(), query in "[a-zA-Z0-9=&/?%.-]{1,20}") {
        let (path, _) = path.split_once('?').unwrap_or((&path, ""));
        if let (Ok(alone), Ok(both)) = (CanonicalTarget::parse(path), CanonicalTarget::parse(&format!("{path}?{query}"))) {
            prop_assert!(alone.segments().eq(both.segments()));
            prop_assert_eq!((both.path(), both.query()), (path, Some(query.as_str())));
        }
    }
}

#[test]
fn every_octet_has_one_writing_in_a_segment() {
    for octet in 0..=127_u8 {
        let written = [format!("/a{}b", char::from(octet)), format!("/a%{octet:02X}b"), format!("/a%{octet:02x}b")];
        let accepted: Vec<&String> = written.iter().filter(|raw| CanonicalTarget::parse(raw).is_ok()).collect();
        match octet {
            // Refused in any writing, or read as what divides a target.
            b'#' | b'%' | b';' | b'\\' | 0..=31 | 127 => assert!(accepted.is_empty(), "{octet:02X}: {accepted:?}"),
            b'/' | b'?' => assert_eq!(accepted, [&written[0]]),
            _ => {
                let mut spellings = accepted.clone();
                spellings.dedup();
                assert_eq!(spellings.len(), 1, "{octet:02X}: {accepted:?}");
            }
        }
    }
}

#[test]
fn a_target_at_the_cap_is_taken_and_one_past_it_is_not() {
    let fits = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
    assert!(CanonicalTarget::parse(&fits).is_ok());
    assert!(CanonicalTarget::parse(&format!("{fits}a")).is_err());
}
