//! Bodies that are bound to the assertion: by the digest that the caller declares, or by what was read.

use crate::make::{NOTHING, Theme, callers::machine, nobody, who};

const THINGS: &str = "things/read things/write";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    declared_bodies(&mut theme);
    buffered_bodies(&mut theme);
    theme
}

/// The digest of no octets and that of `{}`, each in either notation.
const NOTHING_BASE64: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
const BRACES: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
const BRACES_BASE64: &str = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:";

fn declared_bodies(theme: &mut Theme) {
    let at = "/bodies/declared";
    let bound = |digest: &str| who("machines", "1111", THINGS).binding(digest);
    for (name, fields) in [
        ("by Content-Digest", &[("Content-Digest", BRACES_BASE64)][..]),
        ("in hex", &[("x-amz-content-sha256", BRACES)]),
        (
            "in upper-case hex",
            &[("X-Amz-Content-Sha256", "44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A")],
        ),
        ("in both ways", &[("content-digest", BRACES_BASE64), ("x-amz-content-sha256", BRACES)]),
        ("twice and alike", &[("content-digest", BRACES_BASE64), ("content-digest", BRACES_BASE64)]),
        ("beside another algorithm's", &[("content-digest", "sha-512=:AAAA:"), ("content-digest", BRACES_BASE64)]),
        (
            "in a list beside another algorithm's",
            &[("content-digest", "md5=:AAAA:, sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")],
        ),
    ] {
        let mut draft = theme.case(format!("declared {name}"), "POST", at);
        for (field, value) in fields {
            draft = draft.header(field, *value);
        }
        draft.body("{}").token(&machine("1111")).permit("body-declared", bound(BRACES));
    }
    theme
        .case("declared: no octets", "PUT", at)
        .header("content-digest", NOTHING_BASE64)
        .token(&machine("1111"))
        .permit("body-declared", bound(NOTHING));
    let broken = "declared digest";
    for (name, fields) in [
        ("not at all", &[][..]),
        ("by another algorithm alone", &[("content-digest", "sha-512=:AAAA:")]),
        ("in another case", &[("content-digest", "SHA-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")]),
        ("without colons", &[("content-digest", "sha-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=")]),
        ("too short", &[("content-digest", "sha-256=:AAAA:")]),
        ("not in base64", &[("content-digest", "sha-256=:****:")]),
        ("twice and differing", &[("content-digest", BRACES_BASE64), ("content-digest", NOTHING_BASE64)]),
        ("in two ways that differ", &[("content-digest", BRACES_BASE64), ("x-amz-content-sha256", NOTHING)]),
        ("as unsigned", &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]),
        ("as streamed", &[("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")]),
        ("and taken back", &[("content-digest", BRACES_BASE64), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]),
        ("in half", &[("x-amz-content-sha256", "44136fa355b3678a1146ad16f7e8649e")]),
        ("by the older Digest field", &[("digest", "SHA-256=RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=")]),
        ("by MD5", &[("content-md5", "mZFLkyvTelC5g8XnyQrpOw==")]),
    ] {
        let mut draft = theme.case(format!("declared {name}: missing"), "POST", at).attack(broken);
        for (field, value) in fields {
            draft = draft.header(field, *value);
        }
        draft.body("{}").token(&machine("1111")).deny("body_digest_missing", 400, "body-declared");
    }
    theme.get("declared: a GET has no body", at).token(&machine("1111")).permit("body-declared", bound(NOTHING));
    theme
        .case("declared: a HEAD has no body", "HEAD", at)
        .token(&machine("1111"))
        .permit("body-declared", bound(NOTHING));
    theme
        .get("declared: a GET that declares one has none", at)
        .header("content-digest", BRACES_BASE64)
        .token(&machine("1111"))
        .permit("body-declared", bound(NOTHING));
    theme.case("declared: who calls is asked first", "POST", at).deny("credential_missing", 401, "body-declared");
    theme
        .case("declared on a public route", "POST", "/bodies/open/declared")
        .header("content-digest", BRACES_BASE64)
        .body("{}")
        .permit("body-open-declared", nobody().binding(BRACES));
    theme.case("declared on a public route: missing", "POST", "/bodies/open/declared").body("{}").deny(
        "body_digest_missing",
        400,
        "body-open-declared",
    );
}

fn buffered_bodies(theme: &mut Theme) {
    let own = "/bodies/buffered/1111";
    let bound = |digest: &str| who("machines", "1111", THINGS).at("1111", &[]).binding(digest);
    let sixty_four = "a0fab1377f49a759b57f63318262ebe89fabfc990e8e93ceac2984561482b9d4";
    theme
        .case("buffered: a body", "POST", own)
        .body("{}")
        .token(&machine("1111"))
        .permit("body-buffered", bound(BRACES));
    theme.case("buffered: no body", "POST", own).token(&machine("1111")).permit("body-buffered", bound(NOTHING));
    theme
        .case("buffered: DELETE without a body", "DELETE", own)
        .token(&machine("1111"))
        .permit("body-buffered", bound(NOTHING));
    theme.get("buffered: a GET has none", own).token(&machine("1111")).permit("body-buffered", bound(NOTHING));
    theme
        .case("buffered: a HEAD has none", "HEAD", own)
        .token(&machine("1111"))
        .permit("body-buffered", bound(NOTHING));
    theme
        .case("buffered: 64 octets", "POST", own)
        .body(&"b".repeat(64))
        .token(&machine("1111"))
        .permit("body-buffered", bound(sixty_four));
    theme
        .case("buffered: 65 octets", "POST", own)
        .attack("large body")
        .body(&"b".repeat(65))
        .token(&machine("1111"))
        .deny("body_too_large", 413, "body-buffered");
    theme
        .case("buffered: what the caller declares is not believed", "POST", own)
        .attack("declared digest")
        .header("content-digest", NOTHING_BASE64)
        .body("{}")
        .token(&machine("1111"))
        .permit("body-buffered", bound(BRACES));
    theme
        .case("buffered: another company's body is not read", "POST", "/bodies/buffered/2222")
        .attack("large body")
        .body(&"b".repeat(65))
        .token(&machine("1111"))
        .deny("company_mismatch", 403, "body-buffered");
    theme.case("buffered: nobody's body is not read", "POST", own).attack("large body").body(&"b".repeat(65)).deny(
        "credential_missing",
        401,
        "body-buffered",
    );
    theme
        .case("buffered on a public route", "POST", "/bodies/open")
        .body("{}")
        .permit("body-open", nobody().binding(BRACES));
    theme.case("buffered on a public route: too large", "POST", "/bodies/open").body(&"b".repeat(65)).deny(
        "body_too_large",
        413,
        "body-open",
    );
}
