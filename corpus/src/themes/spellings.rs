//! Paths that an origin may take for those of a stricter route: docs/policy.md, "Paths that differ in spelling".

use crate::make::{
    Theme,
    callers::{machine, person},
    who,
};

const TRICKS: &str = "path tricks";
const AMBIGUOUS: &str = "path_ambiguous";
const THINGS: &str = "things/read things/write";

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    folders(&mut theme);
    files(&mut theme);
    users(&mut theme);
    exact(&mut theme);
    strict(&mut theme);
    theme
}

/// A strict folder in a public one.
fn folders(theme: &mut Theme) {
    for target in [
        "/site/admin",
        "/site/Admin",
        "/site/ADMIN/",
        "/site/admin%20",
        "/site/admin.php",
        "/site/Admin.php/",
        "/site/Admin/users",
        "/site/aDmin/a/b/c/",
        "/site/Admin/users?x=1",
        "/site/Admin/login",
    ] {
        theme.get(format!("spelling: {target}"), target).attack(TRICKS).deny(AMBIGUOUS, 400, "site");
        theme
            .case(format!("spelling: POST {target}"), "POST", target)
            .attack(TRICKS)
            .token(&machine("1111"))
            .deny(AMBIGUOUS, 400, "site");
    }
    theme.case("spelling: HEAD", "HEAD", "/site/Admin/users").attack(TRICKS).deny(AMBIGUOUS, 400, "site");
    theme.case("spelling: a method that the looser route lacks", "DELETE", "/site/Admin/users").attack(TRICKS).deny(
        "method_not_allowed",
        405,
        None,
    );
    for target in ["/site/admin/", "/site/admin/users", "/site/admin/users/", "/site/admin/login/", "/site/admin/Login"]
    {
        theme.get(format!("spelling: {target} is the strict route's"), target).deny(
            "credential_missing",
            401,
            "site-admin",
        );
        theme
            .get(format!("spelling: {target}, satisfied"), target)
            .token(&machine("1111"))
            .permit("site-admin", who("machines", "1111", THINGS));
    }
    theme.get("spelling: a public page in the strict folder", "/site/admin/login").permit_anyone("site-login");
    for target in ["/site/", "/site/administrator", "/site/admin%20x/y", "/site/x/admin/", "/site/admin.d/x"] {
        theme.get(format!("spelling: {target} is another path"), target).permit_anyone("site");
    }
    // The strict route has the path for other methods, and the wider one has this: as before.
    theme.case("spelling: the path itself by another method", "POST", "/site/admin/users").permit_anyone("site");
}

/// A literal with letters beyond ASCII and an extension.
fn files(theme: &mut Theme) {
    for target in [
        "/site/%C3%89T%C3%89/report.html",
        "/site/%C3%A9t%C3%A9/report",
        "/site/%C3%A9t%C3%A9/REPORT/",
        "/site/%C3%A9t%C3%A9/report.html/",
        "/site/%C3%A9t%C3%A9/report.html%20",
        "/site/%C3%A9t%C3%A9/report%20",
        "/site/%C3%A9t%C3%A9/report.html.gz",
        "/site/%C3%89t%C3%A9/Report.HTML.gz%20/",
        "/site/%C3%A9t%C3%A9/report.html/%20/",
        "/site/%C3%A9t%C3%A9/report.html/.gz",
    ] {
        theme.get(format!("spelling: {target}"), target).attack(TRICKS).deny(AMBIGUOUS, 400, "site");
    }
    for target in [
        "/site/%C3%A9t%C3%A9/report.html",
        "/site/ete/report.html",
        "/site/%C3%A9t%C3%A9/report.pdf",
        "/site/%C3%A9t%C3%A9/report%20.html",
        "/site/%C3%A9t%C3%A9%20/report.html",
    ] {
        theme.get(format!("spelling: {target} is no other spelling"), target).permit_anyone("site");
    }
}

/// Each of the strict routes lets in whom it should and nobody else.
fn strict(theme: &mut Theme) {
    for (method, target, route) in [
        ("PUT", "/site/%C3%A9t%C3%A9/report.html", "site-report"),
        ("POST", "/site/any/here", "site-any-machine-here"),
        ("POST", "/site/any/there", "site-any-machine"),
        ("GET", "/exact/admin", "exact-admin"),
    ] {
        theme
            .case(format!("spelling: {route}"), method, target)
            .token(&machine("1111"))
            .permit(route, who("machines", "1111", THINGS));
        theme.case(format!("spelling: {route} without a token"), method, target).deny("credential_missing", 401, route);
    }
    theme.get("spelling: another user", "/site/users/2222").token(&machine("1111")).deny(
        "subject_mismatch",
        403,
        "site-user",
    );
    theme.get("spelling: the literal without a token", "/site/users/me").deny("credential_missing", 401, "site-self");
}

/// Whom it turns away: a user who is called nearly as a literal next to the parameter.
fn users(theme: &mut Theme) {
    for target in ["/site/users/Me", "/site/users/me%20", "/site/users/me.json"] {
        let subject = target.rsplit('/').next().unwrap_or_default().replace("%20", " ");
        theme.get(format!("spelling: the user {subject:?}"), target).token(&machine(&subject)).deny(
            AMBIGUOUS,
            400,
            "site-user",
        );
    }
    theme
        .get("spelling: the literal", "/site/users/me")
        .token(&person("editor"))
        .permit("site-self", who("people", "editor", "papers/read papers/write"));
    theme
        .get("spelling: any other user", "/site/users/1111")
        .token(&machine("1111"))
        .permit("site-user", who("machines", "1111", THINGS));
    // The other route lets in all whom this one does, and more.
    theme
        .case("spelling: of a route that is as open", "POST", "/site/any/Here")
        .token(&machine("1111"))
        .permit("site-any-machine", who("machines", "1111", THINGS));
}

/// An origin that distinguishes all paths.
fn exact(theme: &mut Theme) {
    for target in ["/exact/Admin", "/exact/admin/", "/exact/admin.json", "/exact/admin%20"] {
        theme.get(format!("spelling: {target}"), target).permit_anyone("exact");
    }
}
