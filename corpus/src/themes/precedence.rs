//! Which route decides: the one whose paths are a proper subset of the others', among those with the method.

use crate::make::{
    Theme,
    callers::{machine, person},
    who,
};

pub(super) fn cases() -> Theme {
    let mut theme = Theme::new("rules");
    let scopes = "things/read things/write";
    theme.get("the parameter", "/shop/knife").permit_anyone("shop-any");
    theme.get("the literal, which asks for more", "/shop/special").deny("credential_missing", 401, "shop-special");
    theme
        .get("the literal, satisfied", "/shop/special")
        .token(&machine("1111"))
        .permit("shop-special", who("machines", "1111", scopes));
    theme.get("a literal in another case may be meant", "/shop/Special").deny("path_ambiguous", 400, "shop-any");
    theme.get("a literal with more behind it is none", "/shop/special2").permit_anyone("shop-any");
    theme.case("the literal has not the method, the parameter has", "POST", "/shop/special").permit_anyone("shop-any");
    theme.case("HEAD of the literal follows its GET", "HEAD", "/shop/special").deny(
        "credential_missing",
        401,
        "shop-special",
    );
    theme
        .case("HEAD has a route of its own beside the parameter's GET", "HEAD", "/shop/knife")
        .permit_anyone("shop-head");
    theme.get("a closing slash is a path of its own", "/shop/").permit_anyone("shop-front");
    theme.get("no slash is another", "/shop").deny("no_route", 404, None);
    theme.get("a slash too many", "/shop/special/").deny("no_route", 404, None);
    theme.get("a segment too many", "/shop/special/x").deny("no_route", 404, None);
    theme.get("the root", "/").permit_anyone("root");
    theme.case("the root by another method", "DELETE", "/").deny("method_not_allowed", 405, None);
    theme.get("escaped literals", "/caf%C3%A9/a%20b/x").permit_anyone("menu");
    theme.get("escaped literals in another form", "/cafe%CC%81/a%20b/x").deny("no_route", 404, None);
    theme.get("escaped literals with a plus for a space", "/caf%C3%A9/a+b/x").deny("no_route", 404, None);
    theme.get("three deep: the widest", "/deep/q/y/end").deny("credential_missing", 401, "deep-one");
    theme
        .get("three deep: the widest, satisfied", "/deep/q/y/end")
        .token(&machine("1111"))
        .permit("deep-one", who("machines", "1111", scopes));
    theme.get("three deep: the middle", "/deep/x/z/end").permit_anyone("deep-two");
    theme.get("three deep: the narrowest", "/deep/x/y/end").deny("credential_missing", 401, "deep-three");
    theme
        .get("three deep: the narrowest, satisfied", "/deep/x/y/end")
        .token(&person("manager"))
        .permit("deep-three", who("people", "manager", "papers/read papers/write"));
    theme
        .get("three deep: a machine's token does not fall through", "/deep/x/y/end")
        .token(&machine("1111").of_unknown_key())
        .deny("key_unknown", 401, "deep-three");
    theme.get("three deep: without its end", "/deep/x/y").deny("no_route", 404, None);
    theme
        .get("latest is a literal beside {paper}", "/people/1111/papers/latest")
        .token(&person("standard"))
        .permit("papers-latest", who("people", "standard", "papers/read papers/write").at("1111", &["Standard"]));
    theme.get("{paper} asks for more", "/people/1111/papers/p1").token(&person("standard")).deny(
        "role_missing",
        403,
        "papers-read",
    );
    theme
        .case("PUT of latest falls to {paper}", "PUT", "/people/1111/papers/latest")
        .token(&person("editor"))
        .permit("papers-write", who("people", "editor", "papers/read papers/write").at("1111", &["Editor"]));
    theme.case("PUT of latest, and who may not", "PUT", "/people/1111/papers/latest").token(&person("standard")).deny(
        "role_missing",
        403,
        "papers-write",
    );
    theme
        .get("a company may be called like a literal", "/machines/things/things")
        .token(&machine("things"))
        .permit("things-list", who("machines", "things", scopes).at("things", &[]));
    theme.get("an empty segment is no parameter", "/people/1111/papers/").deny("no_route", 404, None);
    theme.get("me", "/me").token(&machine("1111")).permit("me", who("machines", "1111", scopes));
    theme.get("me by another name", "/me/2222").token(&machine("1111")).deny("subject_mismatch", 403, "me-by-name");
    theme
        .get("me by my name", "/me/1111")
        .token(&machine("1111"))
        .permit("me-by-name", who("machines", "1111", scopes));
    theme
}
