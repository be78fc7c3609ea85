//! The setting that fixes a finding, by framework.

use crate::{Aim, Carrier, Outcome, Tried};

/// Findings that one setting fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Letter case in paths.
    LetterCase,
    /// A closing slash.
    ClosingSlash,
    /// Dot segments, empty segments, backslashes.
    Segments,
    /// Escapes in paths.
    Escapes,
    /// A suffix of the path that is ignored: a parameter, an extension, white space.
    Suffix,
    /// A method override.
    Method,
    /// A path in a header field.
    PathField,
    /// A mount point in a header field.
    Prefix,
    /// Scheme, host or client address in a header field.
    Forwarded,
    /// Parameters of the query.
    Query,
}

/// One row.
struct Setting {
    /// How the framework's name begins, as its echo handler says it.
    framework: &'static str,
    kinds: &'static [Kind],
    text: &'static str,
}

const fn row(framework: &'static str, kinds: &'static [Kind], text: &'static str) -> Setting {
    Setting { framework, kinds, text }
}

/// The first row that fits is the answer; those for all frameworks come last.
const SETTINGS: [Setting; 27] = [
    row(
        "express",
        &[Kind::LetterCase],
        "set `app.set(\"case sensitive routing\", true)`, and `caseSensitive` of each `express.Router`",
    ),
    row(
        "express",
        &[Kind::ClosingSlash],
        "set `app.set(\"strict routing\", true)`, and `strict` of each `express.Router`",
    ),
    row("express", &[Kind::Forwarded], "set `app.set(\"trust proxy\", …)` to the addresses of the edge only"),
    row("express", &[Kind::Method], "remove the middleware `method-override`"),
    row("fastify", &[Kind::LetterCase], "remove `caseSensitive: false` from `routerOptions`"),
    row("fastify", &[Kind::ClosingSlash], "remove `ignoreTrailingSlash` from `routerOptions`"),
    row("fastify", &[Kind::Suffix], "set `useSemicolonDelimiter: false` in `routerOptions`"),
    row("fastify", &[Kind::Forwarded], "set `trustProxy` to the addresses of the edge only"),
    row("hono 3", &[Kind::Query], "upgrade to Hono 4: Hono 3 searches the whole URL for the text `?company`"),
    row("hono", &[Kind::ClosingSlash], "remove `strict: false` from `new Hono(…)`"),
    row("hono", &[Kind::Method], "remove the middleware `methodOverride`"),
    row(
        "koa",
        &[Kind::LetterCase, Kind::ClosingSlash],
        "create the router with `new Router({ sensitive: true, strict: true })`",
    ),
    row("koa", &[Kind::Forwarded], "remove `app.proxy = true`, or let only the edge reach the origin"),
    row(
        "flask",
        &[Kind::Prefix],
        "start gunicorn with `--forwarder-headers NONE`; a `--forwarded-allow-ips` without the edge's addresses works too",
    ),
    row(
        "flask",
        &[Kind::Forwarded],
        "start gunicorn with `--forwarded-allow-ips` set to the addresses of the edge only, and remove `ProxyFix`",
    ),
    row(
        "fastapi",
        &[Kind::Forwarded],
        "start uvicorn with `--no-proxy-headers`, or with `--forwarded-allow-ips` set to the addresses of the edge only",
    ),
    row(
        "django",
        &[Kind::Forwarded],
        "remove `USE_X_FORWARDED_HOST`, `USE_X_FORWARDED_PORT` and `SECURE_PROXY_SSL_HEADER`",
    ),
    row("django", &[Kind::Prefix], "set `FORCE_SCRIPT_NAME` to the prefix that the application really has"),
    row(
        "php",
        &[Kind::Query],
        "compare the parameter with `REQUEST_URI`, or take the company from the path; `max_input_vars` raises the limit of pairs",
    ),
    row(
        "rack",
        &[Kind::Forwarded],
        "let only the edge reach the origin; with Rack 3, `Rack::Request.forwarded_priority = []` and `x_forwarded_proto_priority = []`",
    ),
    row(
        "rack",
        &[Kind::Method],
        "remove `Rack::MethodOverride`; Rails has it by default: `config.middleware.delete Rack::MethodOverride`",
    ),
    row(
        "",
        &[Kind::Method],
        "remove what overrides methods: `method-override` (Express), `Rack::MethodOverride` (Rails), `enableHttpMethodParameterOverride` (Symfony)",
    ),
    row(
        "",
        &[Kind::Forwarded],
        "trust forwarded fields from the addresses of the edge only (a setting of the server or of its proxy middleware)",
    ),
    row(
        "",
        &[Kind::Prefix, Kind::PathField],
        "remove what takes the path from header fields: rewriting middleware, `SCRIPT_NAME` of the server",
    ),
    row(
        "",
        &[Kind::LetterCase, Kind::ClosingSlash, Kind::Suffix],
        "make routes match exactly; until then leave the origin without `paths = \"exact\"`, so that Postern refuses such paths",
    ),
    row(
        "",
        &[Kind::Segments, Kind::Escapes],
        "no setting is known; Postern refuses such paths, so let only the edge reach the origin",
    ),
    row(
        "",
        &[Kind::Query],
        "take the company from the path; Postern refuses such queries on routes whose rules read the query",
    ),
];

/// The setting that fixes a finding: that of `framework` if there is one, else what helps with any framework.
#[must_use]
pub fn setting(tried: &Tried, framework: Option<&str>) -> &'static str {
    let kind = kind(tried);
    let framework = framework.unwrap_or_default();
    let fits = |row: &&Setting| framework.starts_with(row.framework) && row.kinds.contains(&kind);
    SETTINGS.iter().find(fits).map_or("", |row| row.text)
}

fn kind(tried: &Tried) -> Kind {
    // What was changed says more than what was aimed at: some fields change several things.
    let changed = match &tried.outcome {
        Outcome::Changed(member) => member.aim,
        _ => tried.disguise.aim,
    };
    match (tried.disguise.carrier, changed) {
        (Carrier::Path(spelling), _) => path_kind(spelling.name),
        (_, Aim::Method) => Kind::Method,
        (Carrier::Query(_), _) => Kind::Query,
        // A prefix that is taken changes the path, too.
        (Carrier::Field(field), _) if field.aim == Aim::Prefix => Kind::Prefix,
        (Carrier::Field(_), Aim::Path) => Kind::PathField,
        (Carrier::Field(_), _) => Kind::Forwarded,
    }
}

fn path_kind(name: &str) -> Kind {
    if name.contains("letter case") {
        Kind::LetterCase
    } else if name.contains("escape") {
        Kind::Escapes
    } else if name.contains("closing slash") {
        Kind::ClosingSlash
    } else if name.contains("segment") || name == "backslash" {
        Kind::Segments
    } else {
        Kind::Suffix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Member, disguises};

    fn found(name: &str, framework: Option<&str>) -> &'static str {
        let disguise = disguises().find(|disguise| disguise.name == name).expect("a disguise");
        let outcome = Outcome::Changed(Member { aim: disguise.aim, read: String::new() });
        setting(&Tried { disguise, path: "/a".to_owned(), request: None, outcome }, framework)
    }

    #[test]
    fn every_disguise_has_a_setting_for_any_framework() {
        for disguise in disguises() {
            for framework in [None, Some("express 5.3.0"), Some("rack 2.2.22"), Some("unheard-of 1")] {
                assert!(!found(disguise.name, framework).is_empty(), "{} in {framework:?}", disguise.name);
            }
        }
    }

    #[test]
    fn a_framework_has_its_own_setting() {
        assert!(found("letter case", Some("express 4.22.3")).contains("case sensitive routing"));
        assert!(found("closing slash", Some("express 4.22.3")).contains("strict routing"));
        assert!(found("SCRIPT_NAME", Some("flask 3.1.3")).contains("--forwarder-headers"));
        assert!(found("X-Forwarded-For", Some("fastapi 0.165.0")).contains("--no-proxy-headers"));
        assert!(found("second question mark", Some("hono 3.12.12")).contains("Hono 4"));
        assert!(!found("second question mark", Some("hono 4.13.19")).contains("Hono 4"));
    }
}
