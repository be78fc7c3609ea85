//! What a Worker forwards goes through the runtime's URL parser (WHATWG URL). A canonical target passes it unchanged behind
//! every origin that a policy may name, and so does the origin: what was decided on is byte for byte what is sent, and
//! the Worker does not look again.

use postern::{
    Policy,
    policy::from_toml,
    target::{CanonicalTarget, encode_segment},
};
use proptest::{collection::vec, prelude::*};
use url::Url;

/// Each part that an origin may have, and each character of a base path.
const ORIGINS: [&str; 8] = [
    "https://orders.example",
    "https://orders.example:8443",
    "https://10.0.0.1",
    "https://orders.example/base",
    "https://orders.example/a/.b/..c/d./...",
    "https://orders.example:1/AZaz09-._~:@$",
    "https://ab--c.xn--bcher-kva.example/c:/x",
    "https://id.lambda-url.eu-west-2.on.aws",
];

/// What the parser makes of the target at an origin, whose own text must come back as it is.
#[track_caller]
fn sent_to(origin: &str, target: &str) -> String {
    let url = Url::parse(&[origin, target].concat()).expect("a URL");
    assert_eq!(url.fragment(), None, "{origin}{target}");
    url.as_str().strip_prefix(origin).unwrap_or_else(|| panic!("`{origin}` became {url}")).to_owned()
}

#[track_caller]
fn assert_stable(target: &str) {
    for origin in ORIGINS {
        assert_eq!(sent_to(origin, target), target, "{origin}");
    }
}

fn is_canonical(target: &str) -> bool {
    CanonicalTarget::parse(target).is_ok()
}

/// A policy whose origin has this URL.
fn policy(url: &str) -> Option<Policy> {
    let text = format!(
        "[issuer.users]\nurl = \"https://issuer.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"a\"]\n\
         token_use = \"access\"\npermissions = \"claims\"\n\
         [origin.orders]\nurl = \"{url}\"\nverifies = \"token\"\n\
         [[route]]\nname = \"orders\"\nmethods = [\"GET\"]\npath = \"/orders\"\norigin = \"orders\"\nissuer = \"users\"\n"
    );
    from_toml(&text, None).ok()
}

#[test]
fn every_character_of_a_canonical_target_is_sent_as_it_came() {
    let mut canonical = 0;
    for character in (0..=0x17f).filter_map(char::from_u32) {
        for place in ["/@", "/@a", "/a@", "/a@b/c", "/a/@/b", "/a/..@", "/a?@", "/a?b=@", "/a?@=b&c"] {
            let target = place.replace('@', &character.to_string());
            if is_canonical(&target) {
                canonical += 1;
                assert_stable(&target);
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
                    assert_stable(&target);
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
        let url = Url::parse(&[ORIGINS[0], target].concat()).expect("a URL");
        let sent = url.as_str().strip_prefix(ORIGINS[0]).and_then(|sent| sent.split('#').next());
        assert_ne!(sent, Some(target), "{target}");
    }
}

#[test]
fn a_policy_may_name_each_of_the_origins_and_none_that_the_parser_changes() {
    for origin in ORIGINS {
        assert!(policy(origin).is_some(), "{origin}");
    }
    for (origin, parsed) in [
        ("https://10.1", "https://10.0.0.1/"),
        ("https://0x0a.0.0.1", "https://10.0.0.1/"),
        ("https://010.0.0.1", "https://8.0.0.1/"),
        ("https://167772161", "https://10.0.0.1/"),
        ("https://orders.example:443", "https://orders.example/"),
        ("https://orders.example:08443", "https://orders.example:8443/"),
        ("https://Orders.example", "https://orders.example/"),
        ("https://orders.example/a/..", "https://orders.example/"),
        ("https://orders.example/a/%2e%2e", "https://orders.example/"),
    ] {
        assert_eq!(Url::parse(origin).expect("a URL").as_str(), parsed);
        assert!(policy(origin).is_none(), "{origin}");
    }
}

/// A target that is canonical but for segments that may be dots.
fn target() -> impl Strategy<Value = String> {
    let segments = vec("[a-c.:@$'!*+,=&]{1,4}|\\PC{1,4}", 1..5);
    let query = proptest::option::of("([a-c./?;\\[\\]&=:@!$()*+,~-]|%[0-9A-Fa-f]{2}){1,12}");
    (segments, any::<bool>(), query).prop_map(|(segments, slash, query)| {
        let path: String = segments.iter().flat_map(|segment| ["/".to_owned(), encode_segment(segment)]).collect();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        [path.as_str(), if slash { "/" } else { "" }, &query].concat()
    })
}

/// Much of what a policy might name as an origin, right and wrong.
fn origin() -> impl Strategy<Value = String> {
    let host = "([a-z0-9]{1,3}|0x[0-9a-f]{0,2}|0?[0-9]{1,3}|a-+b)(\\.([a-z0-9]{1,3}|[0-9]{1,3}|0x[0-9a-f]{0,2})){0,4}";
    (host, "(:[0-9]{1,5})?", "(/[a-zA-Z.:@$~_-]{1,3}){0,3}")
        .prop_map(|parts| format!("https://{}{}{}", parts.0, parts.1, parts.2))
}

proptest! {
    #[test]
    fn no_canonical_target_is_changed(target in target(), origin in prop::sample::select(&ORIGINS)) {
        prop_assume!(is_canonical(&target));
        prop_assert_eq!(sent_to(origin, &target), target);
    }

    /// Whatever else is canonical.
    #[test]
    fn no_target_of_odd_characters_is_changed(target in "/([a-c./?%'|{}\\\\#&=;:@ ]|%[0-9A-F]{2}|%2[eE]){0,4}") {
        if is_canonical(&target) {
            prop_assert_eq!(sent_to(ORIGINS[0], &target), target);
        }
    }

    /// A label that is no internationalised name has no URL, and nothing is sent there.
    #[test]
    fn no_origin_that_a_policy_names_is_changed(origin in origin(), target in target()) {
        if is_canonical(&target) && policy(&origin).is_some() && Url::parse(&origin).is_ok() {
            prop_assert_eq!(sent_to(&origin, &target), target);
        }
    }
}
