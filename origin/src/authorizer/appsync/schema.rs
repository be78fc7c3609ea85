//! The root fields that an API has, from its schema (GraphQL §3.3.1): those that the policy does not name are closed to
//! everyone, also by a result that is used for another document.

use std::{collections::BTreeSet, fmt};

use async_graphql_parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
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
}

/// `Type.field` of each root field that `text` defines or extends.
pub(super) fn root_fields(text: &str) -> Result<BTreeSet<String>, SchemaError> {
    let document = parse_schema(text).map_err(|error| SchemaError::Syntax(error.to_string()))?;
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
                if let TypeKind::Object(object) = &definition.node.kind
                    && OPERATION_TYPES.contains(&name)
                {
                    fields.extend(object.fields.iter().map(|field| format!("{name}.{}", field.node.name.node)));
                }
            }
            TypeSystemDefinition::Directive(_) => {}
        }
    }
    if fields.iter().any(|field| field.starts_with("Query.")) { Ok(fields) } else { Err(SchemaError::NoQuery) }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => write!(formatter, "it is no schema: {message}"),
            Self::OperationType(name) => write!(formatter, "a root operation type is called `{name}`"),
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
        let all = ["Mutation.placeOrder", "Query.health", "Query.orders", "Query.vouchers", "Subscription.placed"];
        assert_eq!(fields.iter().map(String::as_str).collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_schema_that_would_be_misread_is_refused() {
        for (text, why) in [
            ("schema { query: Root } type Root { a: Int }", SchemaError::OperationType("Root".into())),
            ("type Order { id: ID }", SchemaError::NoQuery),
        ] {
            assert_eq!(root_fields(text), Err(why), "{text}");
        }
        assert!(matches!(root_fields("query { a }"), Err(SchemaError::Syntax(_))));
    }
}
