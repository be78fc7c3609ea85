//! The JSON Schema of a policy's file: kept in the repository as the command prints it, and of one mind with the core.

use postern::policy::{PolicyFault, from_toml};
use serde_json::Value;

use crate::support::run;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../postern.schema.json");
const EXAMPLE: &str = include_str!("../../../postern.toml");

fn printed() -> String {
    run(&["schema"]).out
}

#[test]
fn the_kept_schema_is_what_the_command_prints() {
    let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
    assert!(kept == printed(), "postern.schema.json is out of date; renew it: `postern schema > postern.schema.json`");
    assert!(EXAMPLE.starts_with("#:schema ./postern.schema.json\n"), "the example does not name its schema");
}

/// A policy, its issuer, its origin, its route and its end with these lines more.
fn policy(issuer: &str, origin: &str, route: &str, end: &str) -> String {
    format!(
        "[issuer.users]\nurl = \"https://issuer.example\"\npermissions = \"claims\"\nalgorithms = [\"EdDSA\"]\n\
         audience = [\"a\"]\ntoken_use = \"access\"\n{issuer}\n[origin.orders]\nurl = \"https://orders.example\"\n\
         key = \"KEY\"\n{origin}\n[[route]]\nname = \"r\"\npath = \"/r\"\nmethods = [\"GET\"]\norigin = \"orders\"\n\
         issuer = \"users\"\n{route}\n{end}\n"
    )
}

/// Whether the core has something against the shape of the file or the form of a value.
fn is_well_formed(text: &str) -> bool {
    let Err(errors) = from_toml(text, None) else { return true };
    !errors.0.iter().any(|error| {
        matches!(
            error.fault,
            PolicyFault::Syntax(_)
                | PolicyFault::UnknownMember(..)
                | PolicyFault::MissingMember(..)
                | PolicyFault::MemberType(_)
                | PolicyFault::Stamp
                | PolicyFault::Secret(_)
                | PolicyFault::Duration(_)
                | PolicyFault::Algorithm(_)
                | PolicyFault::Preset(_)
                | PolicyFault::PermissionsSource(_)
                | PolicyFault::BodyRule(_)
                | PolicyFault::KeyName
                | PolicyFault::Method(_)
                | PolicyFault::Share(_)
        )
    })
}

#[test]
fn the_schema_and_the_core_accept_and_reject_the_same_files() {
    let schema: Value = serde_json::from_str(&printed()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let route = |lines: &str| policy("", "", lines, "");
    let issuer = |lines: &str| policy(lines, "", "", "");
    let end = |lines: &str| policy("", "", "", lines);
    for (text, accepted) in [
        (EXAMPLE.to_owned(), true),
        (policy("", "", "", ""), true),
        (issuer("require.tier = [\"gold\"]\nrequire.a = true\nrequire.b = \"c\"\nleeway = \"5s\""), true),
        (issuer("claims = { roles = [\"a\", \"b\"], client = \"azp\" }\njwks_max_stale = \"90ms\""), true),
        (issuer("clients = [\"a\"]\ntoken_type = \"at+jwt\"\nmax_age = \"1h\"\nmax_lifetime = \"2m\""), true),
        (issuer("preset = \"cognito\""), true),
        (route("scopes = [\"a\"]\nrequire.a = true\nheaders.x-a = [\"a\", \"b\"]\nbody = \"declared\""), true),
        (route("scopes = { all_of = [\"a\"], any_of = [\"b\"] }\nshadow = true"), true),
        (route("company = { header = \"x-company\" }\nroles = []"), true),
        (route("company = { query = \"company\" }\nsubject = \"any\""), true),
        (end("[limits]\nmax_token_bytes = 100\n[log]\npermits = 0\ndenials = 0.5\nsubject_key = \"A_1\""), true),
        (end("[cors]\norigins = [\"https://a.example\"]\ncredentials = true\nmax_age = \"10m\""), true),
        (end("[defaults]\nbody = \"buffered\"\npermissions_max_age = \"0s\"\nissuer = [\"users\"]"), true),
        (end("[[test]]\nname = \"t\"\nmethod = \"GET\"\ntarget = \"/r\"\nexpect = \"credential_missing\""), true),
        (
            end(
                "[[test]]\nname = \"t\"\nmethod = \"GET\"\ntarget = \"/r\"\nexpect = \"permit\"\nissuer = \"users\"\nsubject = \"u\"\nclaims = { a = [1, { b = true }] }\ncompanies = { 1111 = [\"x\"] }\nheaders = { a = \"b\" }\noutage = [\"keys\"]",
            ),
            true,
        ),
        (end("[[test]]\nname = \"t\"\nmethod = \"GET\"\ntarget = \"/r\""), false),
        (issuer("colour = 1"), false),
        (issuer("leeway = \"5 s\""), false),
        (issuer("leeway = 5"), false),
        (issuer("preset = \"cognitoo\""), false),
        (issuer("clients = \"a\""), false),
        (issuer("require.a = 1"), false),
        (issuer("claims.roles = 1"), false),
        (issuer("claims.colour = \"a\""), false),
        (policy("", "secret = \"x\"", "", ""), false),
        (policy("", "", "", "").replace("\"KEY\"", "\"key\""), false),
        (policy("", "", "", "").replace("\"EdDSA\"", "\"HS256\""), false),
        (policy("", "", "", "").replace("\"claims\"", "\"clams\""), false),
        (policy("", "", "", "").replace("methods = [\"GET\"]\n", ""), false),
        (policy("", "", "", "").replace("name = \"r\"\n", ""), false),
        (policy("", "", "", "").replace("permissions = \"claims\"\n", ""), false),
        (policy("", "", "", "").replace("key = \"KEY\"\n", ""), false),
        (route("methd = [\"GET\"]"), false),
        (policy("", "", "", "").replace("[\"GET\"]", "[\"get\"]"), false),
        (route("public = \"yes\""), false),
        (route("body = \"bufered\""), false),
        (route("company = { header = \"a\", query = \"b\" }"), false),
        (route("company = {}"), false),
        (route("company = { path = \"a\" }"), false),
        (route("company = 1"), false),
        (route("scopes = { none_of = [] }"), false),
        (route("scopes = \"a\""), false),
        (route("roles = [1]"), false),
        (end("[limits]\nmax_token_bytes = \"1\""), false),
        (end("[limits]\nmax_token_bytes = -1"), false),
        (end("[limits]\nmax_token_bytes = 1.5"), false),
        (end("[log]\npermits = 2"), false),
        (end("[log]\npermits = \"all\""), false),
        (end("[log]\nsubject_key = \"lower\""), false),
        (end("[cors]\nheaders = []"), false),
        (end("[nothing]"), false),
        (format!("development = true\n{}", policy("", "", "", "")), false),
    ] {
        let document: Value = toml::from_str(&text).unwrap();
        assert_eq!(is_well_formed(&text), accepted, "the core: {text}\n{:?}", from_toml(&text, None).err());
        assert_eq!(validator.is_valid(&document), accepted, "the schema: {text}");
    }
}
