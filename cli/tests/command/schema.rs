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
                | PolicyFault::AudienceForm(_)
                | PolicyFault::TextForm(_)
                | PolicyFault::PermissionsSource(_)
                | PolicyFault::BodyRule(_)
                | PolicyFault::KeyName
                | PolicyFault::Method(_)
                | PolicyFault::Share(_)
                | PolicyFault::AuthType(_)
                | PolicyFault::Verifies(_)
                | PolicyFault::OriginPaths(_)
                | PolicyFault::ParameterName(_)
        )
    })
}

/// Whether `value` is valid by `schema`: of JSON Schema what this one uses, and no keyword that is not known here.
fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return schema.as_bool().unwrap() };
    let list = |said: &Value| -> Vec<Value> { said.as_array().unwrap().clone() };
    keywords.iter().all(|(keyword, said)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
        "$ref" => is_valid(root, root.pointer(said.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
        "type" => match said.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("`{other}` is not a type"),
        },
        "enum" => list(said).contains(value),
        "anyOf" => list(said).iter().any(|form| is_valid(root, form, value)),
        "oneOf" => list(said).iter().filter(|form| is_valid(root, form, value)).count() == 1,
        "required" => {
            value.as_object().is_none_or(|own| list(said).iter().all(|name| own.contains_key(name.as_str().unwrap())))
        }
        "properties" => value.as_object().is_none_or(|own| {
            said.as_object()
                .unwrap()
                .iter()
                .all(|(name, form)| own.get(name).is_none_or(|value| is_valid(root, form, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|own| {
            let is_named = |name: &str| keywords.get("properties").is_some_and(|named| named.get(name).is_some());
            own.iter().all(|(name, value)| is_named(name) || is_valid(root, said, value))
        }),
        "if" => is_valid(root, said, value) || is_valid(root, &keywords["else"], value),
        // With its `if`.
        "else" => true,
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(root, said, item))),
        "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| match said.as_str().unwrap() {
            "^/" => text.starts_with('/'),
            "^[A-Z-]+$" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-'),
            "^[a-z][A-Za-z0-9_]*$" => {
                text.starts_with(|first: char| first.is_ascii_lowercase())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            }
            "^[A-Z0-9_]+$" => {
                !text.is_empty()
                    && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            }
            "^[0-9]+(ms|s|m|h)$" => {
                let digits = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
                digits.len() < text.len() && ["ms", "s", "m", "h"].contains(&digits)
            }
            other => panic!("the pattern `{other}` is not known"),
        }),
        other => panic!("the keyword `{other}` is not known"),
    })
}

#[test]
fn the_schema_and_the_core_accept_and_reject_the_same_files() {
    let schema: Value = serde_json::from_str(&printed()).unwrap();
    let route = |lines: &str| policy("", "", lines, "");
    let issuer = |lines: &str| policy(lines, "", "", "");
    let origin = |lines: &str| policy("", lines, "", "");
    let end = |lines: &str| policy("", "", "", lines);
    for (text, accepted) in [
        (EXAMPLE.to_owned(), true),
        (policy("", "", "", ""), true),
        (issuer("require.tier = [\"gold\"]\nrequire.a = true\nrequire.b = \"c\"\nleeway = \"5s\""), true),
        (issuer("claims = { roles = [\"a\", \"b\"], client = \"azp\" }\njwks_max_stale = \"90ms\""), true),
        (issuer("clients = [\"a\"]\ntoken_type = \"at+jwt\"\nmax_age = \"1h\"\nmax_lifetime = \"2m\""), true),
        (issuer("preset = \"cognito\""), true),
        (
            issuer("claims = { companies = { claim = [\"a\", \"b\"], form = \"text\" }, scopes.form = \"commas\" }"),
            true,
        ),
        (issuer("claims.roles = {}"), true),
        (issuer("claims.roles.form = \"lines\""), false),
        (issuer("claims.roles.separator = \",\""), false),
        (issuer("claims.subject = { claim = \"a\" }"), false),
        (issuer("clients = [\"a\"]").replace("audience = [\"a\"]", "audience = \"any\""), true),
        (issuer("clients = [\"a\"]").replace("audience = [\"a\"]", "audience = \"a\""), false),
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
        (
            end("[cloudfront]\nsecret = \"arn:aws:secretsmanager:eu-west-2:123456789012:secret:postern-edge-AbCdEf\""),
            true,
        ),
        (policy("", "", "", "").replace("key = \"KEY\"", "verifies = \"token\""), true),
        (origin("verifies = \"assertion\""), true),
        (origin("verifies = \"both\""), false),
        (origin("verifies = true"), false),
        (origin("auth_type = \"NONE\""), true),
        (origin("auth_type = \"AWS_IAM\"\nregion = \"eu-west-2\"\ncredentials = \"AWS_ORDERS\""), true),
        (end("[names]\ncompany = [\"merchant\", \"shopId\"]\nsubject = [\"buyer_2\"]"), true),
        (end("[names]"), true),
        (end("[names]\ncompany = \"merchant\""), false),
        (end("[names]\ncompany = [\"{merchant}\"]"), false),
        (end("[names]\nsubject = [\"a-b\"]"), false),
        (end("[names]\nroles = [\"a\"]"), false),
        (
            route("company = { query = \"company\" }\nunbound = [\"customer\"]").replace("\"/r\"", "\"/r/{customer}\""),
            true,
        ),
        (route("unbound = []"), true),
        (route("unbound = \"customer\""), false),
        (route("unbound = [\"{customer}\"]"), false),
        (end("[cloudfront]"), false),
        (end("[cloudfront]\nsecret = 1"), false),
        (end("[cloudfront]\nsecret = \"a\"\nurl = \"https://a.example\""), false),
        (origin("auth_type = \"IAM\""), false),
        (origin("auth_type = \"AWS_IAM\"\ncredentials = \"lower\""), false),
        (origin("auth_type = \"AWS_IAM\"\nregion = 1"), false),
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
        assert_eq!(is_valid(&schema, &schema, &document), accepted, "the schema: {text}");
    }
}
