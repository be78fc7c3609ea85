//! Rest parameters, and routes that only shadow: what lies beside or around the route that decides.

use crate::make::{
    Theme,
    callers::{machine, person},
    who,
};

const THINGS: &str = "things/read things/write";
const PAPERS: &str = "papers/read papers/write";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    rests(&mut theme);
    shadows(&mut theme);
    theme
}

/// A rest has all that follows its slash, which may be nothing.
fn rests(theme: &mut Theme) {
    let own = || who("machines", "1111", THINGS).at("1111", &[]);
    for target in [
        "/files/1111/a/b",
        "/files/1111/a/b/c/d/e/f",
        "/files/1111/",
        "/files/1111/a/b/",
        "/files/1111/Public/x",
        "/files/1111/caf%C3%A9/x",
        "/files/1111/a/b/.hidden",
        "/files/1111/a/b?c=d/../e",
    ] {
        theme.get(format!("rest: {target}"), target).token(&machine("1111")).permit("files", own());
    }
    for target in ["/files/1111/a", "/files/1111/a/b", "/files/1111/public/x", "/files/1111/public/readme"] {
        theme.case(format!("rest: PUT {target}"), "PUT", target).token(&machine("1111")).permit("files", own());
    }
    theme.case("rest: HEAD", "HEAD", "/files/1111/a/b").token(&machine("1111")).permit("files", own());
    theme.get("rest: another company's", "/files/2222/a/b").token(&machine("1111")).deny(
        "company_mismatch",
        403,
        "files",
    );
    theme.get("rest: a company further down is none", "/files/2222/1111/x").token(&machine("1111")).deny(
        "company_mismatch",
        403,
        "files",
    );
    theme.get("rest: without a token", "/files/1111/a/b").deny("credential_missing", 401, "files");
    for target in ["/files/1111/a/", "/files/1111/a.x/", "/files/1111/a/%20", "/files/1111/a/.hidden"] {
        theme.get(format!("rest: {target} may be one file"), target).token(&machine("1111")).deny(
            "path_ambiguous",
            400,
            "files",
        );
    }
    for target in ["/files", "/files/", "/files/1111"] {
        theme
            .case(format!("rest: {target} is above"), "PUT", target)
            .token(&machine("1111"))
            .deny("no_route", 404, None);
    }
    for (target, reason) in [
        ("/files/1111/a//b", "target_empty_segment"),
        ("/files/1111//a", "target_empty_segment"),
        ("/files/1111/../2222/a", "target_dot_segment"),
        ("/files/1111/a/../..", "target_dot_segment"),
        ("/files/1111/a/%2E%2E/%2E%2E/2222/b", "target_dot_segment"),
        ("/files/1111/a%2F..%2Fb", "target_forbidden_escape"),
        ("/files/1111/a/b%5Cc", "target_forbidden_escape"),
    ] {
        theme
            .get(format!("rest: {target}"), target)
            .attack("path tricks")
            .token(&person("manager"))
            .deny(reason, 400, None);
    }
    theme.get("rest: a narrower one is anybody's", "/files/1111/public/x").permit_anyone("files-public");
    theme.get("rest: a narrower one, further down", "/files/2222/public/x/y/z/").permit_anyone("files-public");
    theme.get("rest: a literal is narrower still", "/files/1111/public/readme").deny(
        "credential_missing",
        401,
        "files-readme",
    );
    theme
        .get("rest: a literal, satisfied", "/files/1111/public/readme")
        .token(&person("editor"))
        .permit("files-readme", who("people", "editor", PAPERS).at("1111", &["Editor"]));
    theme.get("rest: a literal and a slash may be the literal", "/files/1111/public/readme/").deny(
        "path_ambiguous",
        400,
        "files-public",
    );
    theme.get("rest: a folder may be one file", "/files/1111/public/").deny("path_ambiguous", 400, "files-public");
    theme.get("rest: one segment is the parameter's", "/files/1111/a").token(&machine("1111").of_unknown_key()).deny(
        "key_unknown",
        401,
        "files-one",
    );
    theme
        .get("rest: one segment, satisfied", "/files/1111/public")
        .token(&person("manager"))
        .permit("files-one", who("people", "manager", PAPERS).at("1111", &["Manager"]));
    theme.get("rest: one segment, and no manager", "/files/1111/a").token(&person("editor")).deny(
        "role_missing",
        403,
        "files-one",
    );
    theme.case("rest: of anything", "OPTIONS", "/anything/that/is").permit_anyone("anything-else");
    theme.case("rest: of anything, and of nothing", "OPTIONS", "/anything/").permit_anyone("anything-else");
    theme.case("rest: of anything, but not without its slash", "OPTIONS", "/anything").deny("no_route", 404, None);
    theme.get("rest: of anything, by another method", "/anything/that/is").deny("method_not_allowed", 405, None);
    theme
        .case("rest: of anything is no preflight's", "OPTIONS", "/anything/that/is")
        .header("origin", "https://app.corpus.example")
        .header("access-control-request-method", "PUT")
        .preflight();
}

/// Shadows decide nothing: what stands here is what would stand here without them.
fn shadows(theme: &mut Theme) {
    theme.get("a stricter shadow takes nothing away", "/shop/knife").permit_anyone("shop-any");
    theme
        .get("a stricter shadow with a token that it would refuse", "/shop/knife")
        .token(&machine("1111"))
        .permit_anyone("shop-any");
    theme.case("a stricter shadow, by another method", "POST", "/shop/knife").permit_anyone("shop-any");
    theme.get("a looser shadow gives nothing", "/machines/1111/things").deny("credential_missing", 401, "things-list");
    theme.get("a looser shadow gives no other company", "/machines/2222/things").token(&machine("1111")).deny(
        "company_mismatch",
        403,
        "things-list",
    );
    theme.get("a shadow where nothing is", "/future/1111").token(&machine("1111")).deny("no_route", 404, None);
    theme.case("a shadow with a method of its own", "DELETE", "/people/1111/papers").token(&person("editor")).deny(
        "method_not_allowed",
        405,
        None,
    );
}
