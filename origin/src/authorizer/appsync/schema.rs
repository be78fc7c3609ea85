//! The root fields that an API has, from its schema (GraphQL §3.3.1): those that the policy does not name are closed to
//! everyone, also by a result that is used for another document. And whether they are at the root alone.

use std::{collections::BTreeSet, fmt};

use async_graphql_parser::{
    parse_schema,
    types::{BaseType, ServiceDocument, TypeKind, TypeSystemDefinition},
};
use postern::policy::OPERATION_TYPES;

/// Why a text is no schema that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// The parser's words; a schema is no secret.
    Syntax(String),
    /// A root operation type has another name than AppSync's.
    OperationType(String),
    /// There is no `Query`.
    NoQuery,
    /// A field, of this name, leads back to a root operation type: its root fields could be selected below the root.
    LeadsBack(String),
}

/// The fields of introspection (GraphQL §4.1), which no schema writes down.
const INTROSPECTION: [&str; 2] = ["Query.__schema", "Query.__type"];

/// `Type.field` of each root field that `text` defines or extends.
pub(super) fn root_fields(text: &str) -> Result<BTreeSet<String>, SchemaError> {
    let document = parse_schema(text).map_err(|error| SchemaError::Syntax(error.to_string()))?;
    let leading_back = leading_back(&document);
    let mut fields = BTreeSet::new();
    for definition in &document.definitions {
        match definition {
            TypeSystemDefinition::Schema(schema) => {
                let schema = &schema.node;
                for (named, usual) in
                    [&schema.query, &schema.mutation, &schema.subscription].iter().zip(OPERATION_TYPES)
                {
                    if let Some(named) = named.as_ref().filter(|named| named.node.as_str() != usual) {
                        return Err(SchemaError::OperationType(named.node.to_string()));
                    }
                }
            }
            TypeSystemDefinition::Type(definition) => {
                let name = definition.node.name.node.as_str();
                if let Some((field, _)) = fields_of(&definition.node.kind).find(|(_, kind)| leading_back.contains(kind))
                {
                    return Err(SchemaError::LeadsBack(format!("{name}.{field}")));
                }
                if let TypeKind::Object(object) = &definition.node.kind
                    && OPERATION_TYPES.contains(&name)
                {
                    fields.extend(object.fields.iter().map(|field| format!("{name}.{}", field.node.name.node)));
                }
            }
            TypeSystemDefinition::Directive(_) => {}
        }
    }
    if !fields.iter().any(|field: &String| field.starts_with("Query.")) {
        return Err(SchemaError::NoQuery);
    }
    fields.extend(INTROSPECTION.map(str::to_owned));
    Ok(fields)
}

/// The operation types, and the interfaces and unions by which one may be meant.
fn leading_back(document: &ServiceDocument) -> BTreeSet<&str> {
    let mut back = BTreeSet::from(OPERATION_TYPES);
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.as_str();
        match &definition.node.kind {
            TypeKind::Object(object) if OPERATION_TYPES.contains(&name) => {
                back.extend(object.implements.iter().map(|interface| interface.node.as_str()));
            }
            TypeKind::Union(union)
                if union.members.iter().any(|member| OPERATION_TYPES.contains(&member.node.as_str())) =>
            {
                back.insert(name);
            }
            _ => {}
        }
    }
    back
}

/// Each field with the name of its type, through lists and what must not be null.
fn fields_of(kind: &TypeKind) -> impl Iterator<Item = (&str, &str)> {
    let fields = match kind {
        TypeKind::Object(object) => object.fields.as_slice(),
        TypeKind::Interface(interface) => interface.fields.as_slice(),
        _ => &[],
    };
    fields.iter().map(|field| (field.node.name.node.as_str(), named(&field.node.ty.node.base)))
}

fn named(base: &BaseType) -> &str {
    match base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(of) => named(&of.base),
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => write!(formatter, "it is no schema: {message}"),
            Self::OperationType(name) => write!(formatter, "a root operation type is called `{name}`"),
            Self::LeadsBack(field) => write!(formatter, "`{field}` leads back to a root operation type"),
            Self::NoQuery => formatter.write_str("it has no type `Query`"),
        }
    }
}

impl std::error::Error for SchemaError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_fields_are_those_of_the_operation_types_and_their_extensions() {
        let fields = root_fields(
            "schema { query: Query mutation: Mutation }\n\
             \"\"\"What can be asked.\"\"\"\n\
             type Query { orders(companyId: ID!): [Order] @aws_lambda health: String }\n\
             type Mutation { placeOrder(companyId: ID!): Order }\n\
             extend type Query { vouchers: [String] }\n\
             type Subscription { placed: Order @aws_subscribe(mutations: [\"placeOrder\"]) }\n\
             type Order { id: ID! margin: Float }\n\
             directive @aws_lambda on FIELD_DEFINITION",
        )
        .unwrap();
        let all = [
            "Mutation.placeOrder",
            "Query.__schema",
            "Query.__type",
            "Query.health",
            "Query.orders",
            "Query.vouchers",
            "Subscription.placed",
        ];
        assert_eq!(fields.iter().map(String::as_str).collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_schema_that_would_be_misread_is_refused() {
        for (text, why) in [
            ("schema { query: Root } type Root { a: Int }", SchemaError::OperationType("Root".into())),
            ("type Order { id: ID }", SchemaError::NoQuery),
            ("type Query { order: Order } type Order { query: Query }", SchemaError::LeadsBack("Order.query".into())),
            (
                "type Query { a: [Order!]! } type Order { all: [[Query!]!]! }",
                SchemaError::LeadsBack("Order.all".into()),
            ),
            (
                "type Query { a: Int } type P { back: M } union M = A | Mutation",
                SchemaError::LeadsBack("P.back".into()),
            ),
            ("interface N { id: ID } type Query implements N { node: N }", SchemaError::LeadsBack("Query.node".into())),
            ("type Query { a: Int } extend type Order { query: Query }", SchemaError::LeadsBack("Order.query".into())),
        ] {
            assert_eq!(root_fields(text), Err(why), "{text}");
        }
        assert!(matches!(root_fields("query { a }"), Err(SchemaError::Syntax(_))));
    }
}
