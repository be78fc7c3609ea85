//! What a Worker forwards goes through the runtime's URL parser (WHATWG URL). A canonical target passes it unchanged, so
//! that what was decided on is byte for byte what is sent; the Worker does not look again.

use postern::target::CanonicalTarget;
use proptest::prelude::*;
use url::Url;

const ORIGIN: &str = "https://orders.example";

/// What the parser makes of the target at an origin.
fn sent(target: &str) -> String {
    let url = Url::parse(&[ORIGIN, target].concat()).expect("a URL");
    url.as_str().strip_prefix(ORIGIN).expect("the same origin").to_owned()
}

fn is_canonical(target: &str) -> bool {
    CanonicalTarget::parse(target).is_ok()
}

#[test]
fn every_character_of_a_canonical_target_is_sent_as_it_came() {
    let mut canonical = 0;
    for character in (0..=0x17f).filter_map(char::from_u32) {
        for place in ["/@", "/@a", "/a@", "/a@b/c", "/a/@/b", "/a?@", "/a?b=@", "/a?@=b&c"] {
            let target = place.replace('@', &character.to_string());
            if is_canonical(&target) {
                canonical += 1;
                assert_eq!(sent(&target), target);
            }
        }
    }
    // All that need no escape, in each of the places but some.
    assert!(canonical > 500, "{canonical}");
}

#[test]
fn every_escape_of_a_canonical_target_is_sent_as_it_came() {
    let mut canonical = 0;
    for octet in 0..=u8::MAX {
        for place in ["/@", "/a@b", "/.@", "/@.a", "/%C3@", "/a?@", "/a?b=@"] {
            for escape in [format!("%{octet:02X}"), format!("%{octet:02x}")] {
                let target = place.replace('@', &escape);
                if is_canonical(&target) {
                    canonical += 1;
                    assert_eq!(sent(&target), target);
                }
            }
        }
    }
    assert!(canonical > 500, "{canonical}");
}

#[test]
fn the_parser_would_change_what_is_not_canonical() {
    // Or this test would hold with any core.
    for target in ["/a/../b", "/a/%2e%2e/b", "/a\\b", "/a b", "/a?b'c", "/a?b c", "/a#b", "/a{b}"] {
        assert!(!is_canonical(target), "{target}");
        assert_ne!(sent(target).split('#').next(), Some(target), "{target}");
    }
}

proptest! {
    #[test]
    fn no_canonical_target_is_changed(target in "/([a-c./?%'|{}\\\\#&=;:@ ]|%[0-9A-F]{2}|%2[eE]){0,12}") {
        if is_canonical(&target) {
            prop_assert_eq!(sent(&target), target);
        }
    }
}
