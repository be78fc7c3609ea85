//! The JSON Schema (draft 2020-12) of `postern.toml`, for editors to complete and check it.
//!
//! Generated from the types that the file is read into; their documentation is its descriptions. It knows the shape of
//! the file and the form of single values. What they mean beside one another, and whether names are defined, only
//! [`super::compile`] knows: what the schema accepts may still not build, and what it rejects never builds.

use alloc::{borrow::Cow, string::String, vec::Vec};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

use super::{AuthType, BodyRule, Paths, Preset, TextForm, Verifies, file::PolicyFile, origin::FORWARDED};
use crate::algorithm::Algorithm;

/// The JSON Schema of a policy's file, as pretty JSON with a closing line break.
#[must_use]
pub fn json_schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PolicyFile>().to_value();
    tidy(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".into(), "A Postern policy".into());
    }
    // A `Value` serialises whatever it holds.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Takes out what a member that may be left out looks like in JSON: TOML has no `null`. And what is the same for all.
fn tidy(schema: &mut Value) {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|kind| kind == "null");
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            members.remove("writeOnly");
            if members.get("default").is_some_and(|default| default.as_str().is_none()) {
                members.remove("default");
            }
            for list in ["type", "enum"] {
                let Some(Value::Array(kinds)) = members.get_mut(list) else { continue };
                kinds.retain(|kind| *kind != "null" && !kind.is_null());
                if let ("type", [kind]) = (list, kinds.as_slice()) {
                    let kind = kind.clone();
                    members.insert(list.into(), kind);
                }
            }
            if let Some(Value::Array(forms)) = members.get_mut("anyOf") {
                forms.retain(|form| !is_null(form));
                if let [Value::Object(form)] = forms.as_slice() {
                    let form = form.clone();
                    members.remove("anyOf");
                    members.extend(form);
                }
            }
            members.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// A type that only says what a string may be.
macro_rules! text {
    ($name:ident, $schema:expr) => {
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

text!(Duration, json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" }));
text!(SecretName, json_schema!({ "type": "string", "pattern": "^[A-Z0-9_]+$" }));
text!(Method, json_schema!({ "type": "string", "pattern": "^[A-Z-]+$" }));
text!(FieldName, json_schema!({ "type": "string", "pattern": "^[_A-Za-z][_0-9A-Za-z]*\\.[_A-Za-z][_0-9A-Za-z]*$" }));
text!(PathTemplate, json_schema!({ "type": "string", "pattern": "^/" }));
text!(ParameterName, json_schema!({ "type": "string", "pattern": "^[a-z][A-Za-z0-9_]*$" }));
text!(
    AudienceNames,
    json_schema!({ "anyOf": [{ "enum": ["any"] }, { "type": "array", "items": { "type": "string" } }] })
);
text!(TextFormName, json_schema!({ "enum": TextForm::ALL.map(TextForm::name) }));
text!(PermissionsName, json_schema!({ "enum": ["service", "claims", "subject"] }));
text!(PresetName, json_schema!({ "enum": Preset::ALL.map(Preset::name) }));
text!(AlgorithmName, json_schema!({ "enum": Algorithm::ALL.into_iter().map(Algorithm::name).collect::<Vec<&str>>() }));
text!(AuthTypeName, json_schema!({ "enum": AuthType::ALL.map(AuthType::name) }));
text!(VerifiesName, json_schema!({ "enum": Verifies::ALL.map(Verifies::name) }));
text!(TokenName, json_schema!({ "enum": [FORWARDED] }));
text!(FieldToken, json_schema!({ "type": "string", "pattern": "[^A-Za-z0-9-]" }));
text!(PathsName, json_schema!({ "enum": Paths::ALL.map(Paths::name) }));
text!(BodyName, json_schema!({ "enum": BodyRule::ALL.map(BodyRule::name) }));

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, collections::BTreeSet, format};

    use super::{
        super::{
            members,
            shape::{Shape, Table},
        },
        *,
    };

    fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => resolved(root, root.pointer(reference.trim_start_matches('#')).unwrap()),
            None => schema,
        }
    }

    /// Every form that a value may have, `anyOf` and `oneOf` laid out.
    fn forms<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
        let schema = resolved(root, schema);
        let of = |list: &str| schema.get(list).and_then(Value::as_array).into_iter().flatten();
        let several: Vec<&Value> = of("anyOf").chain(of("oneOf")).flat_map(|form| forms(root, form)).collect();
        if several.is_empty() { Vec::from([schema]) } else { several }
    }

    fn same_members(root: &Value, schema: &Value, table: &Table) {
        let names = |list: &Value| -> BTreeSet<String> {
            list.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{}: {schema}", table.what));
        let known: BTreeSet<String> = properties.keys().cloned().collect();
        let written = table.members.iter().filter(|member| !matches!(member.shape, Shape::Stamp));
        let ours: BTreeSet<String> = written.clone().map(|member| member.name.to_owned()).collect();
        assert_eq!(known, ours, "{}", table.what);
        let needed: BTreeSet<String> =
            written.clone().filter(|member| member.is_needed).map(|member| member.name.to_owned()).collect();
        assert_eq!(names(&schema["required"]), needed, "{}", table.what);
        assert_eq!(schema["additionalProperties"], false, "{}", table.what);
        for member in written {
            same(root, &properties[member.name], &member.shape, &format!("{} of {}", member.name, table.what));
        }
    }

    fn same(root: &Value, schema: &Value, shape: &Shape, at: &str) {
        let forms = forms(root, schema);
        let of_type = |kind: &str| -> Vec<&Value> {
            forms
                .iter()
                .copied()
                .filter(|form| form["type"] == kind || (kind == "string" && form.get("enum").is_some()))
                .collect()
        };
        let one = |kind: &str| -> &Value {
            let [form] = of_type(kind)[..] else { panic!("{at} is not one {kind}: {forms:?}") };
            form
        };
        match shape {
            Shape::OneOf(shapes) => shapes.iter().for_each(|shape| same(root, schema, shape, at)),
            Shape::Text => drop(one("string")),
            Shape::Flag => drop(one("boolean")),
            Shape::Number => drop(one("integer")),
            Shape::Share => drop(one("number")),
            Shape::Texts => same(root, &one("array")["items"], &Shape::Text, at),
            Shape::Tables(table) => same_members(root, resolved(root, &one("array")["items"]), table),
            Shape::Table(table) => same_members(root, one("object"), table),
            Shape::Choice(table) => {
                let of: BTreeSet<String> = of_type("object")
                    .iter()
                    .flat_map(|form| form["properties"].as_object().unwrap().keys().cloned())
                    .collect();
                let ours: BTreeSet<String> = table.members.iter().map(|member| member.name.to_owned()).collect();
                assert_eq!(of, ours, "{at}");
            }
            Shape::Named(shape) => same(root, &one("object")["additionalProperties"], shape, at),
            Shape::Any | Shape::Stamp => {}
        }
        let expected = match shape {
            Shape::OneOf(shapes) => shapes.len(),
            Shape::Choice(table) => table.members.len(),
            _ => return,
        };
        assert!(forms.len() >= expected, "{at}");
    }

    #[test]
    fn the_types_have_the_members_that_are_looked_for_and_no_others() {
        let schema: Value = serde_json::from_str(&json_schema()).unwrap();
        same_members(&schema, &schema, &members::POLICY);
    }
}
