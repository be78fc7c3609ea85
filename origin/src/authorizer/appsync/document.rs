//! What a GraphQL document selects at its root, with the arguments that rules may look at (GraphQL §2, §6.1, §6.3).
//!
//! Only the operation that is to be executed is looked at, with every fragment that its root spreads; `@skip` and
//! `@include` are read over, so that what they leave out is judged all the same. Nested selections are AppSync's to
//! refuse, by their type, which a document does not say.

use std::{collections::HashSet, fmt};

use async_graphql_parser::{
    parse_query,
    types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet},
};
use serde_json::{Map, Value};

/// Longest document, in octets: far beyond what people and code generators write, and a bound on the work of one event.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;
/// Deepest nesting of braces, brackets and parentheses. The parser's own bound is looked at when it has descended.
const MAX_DEPTH: usize = 48;
/// Most selections at the root, each of them judged.
const MAX_SELECTIONS: usize = 256;

/// One selection at the root.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Selected {
    /// `Type.field`.
    pub(super) name: String,
    /// The texts of arguments, by their names; what is no text is not there.
    arguments: Vec<(String, String)>,
}

/// Why a document cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentError {
    /// Longer, deeper or of more selections than is looked at.
    TooLarge,
    /// Not an executable document.
    Syntax,
    /// It does not say which of its operations is meant, or has not the one that is.
    Operation,
    /// A fragment that it spreads is not in it.
    Fragment,
}

impl Selected {
    /// The argument's text, if it is one.
    pub(super) fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str())
    }
}

/// What `document` selects at its root when `operation` is executed with `variables`.
pub(super) fn selected(
    document: &str,
    operation: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<Vec<Selected>, DocumentError> {
    if document.len() > MAX_DOCUMENT_BYTES || depth(document).ok_or(DocumentError::Syntax)? > MAX_DEPTH {
        return Err(DocumentError::TooLarge);
    }
    let document = parse_query(document).map_err(|_| DocumentError::Syntax)?;
    let operation = chosen(&document, operation).ok_or(DocumentError::Operation)?;
    let mut reader = Reader { document: &document, operation, variables, spread: HashSet::new(), found: Vec::new() };
    reader.read(&operation.selection_set.node)?;
    Ok(reader.found)
}

fn chosen<'d>(document: &'d ExecutableDocument, wanted: Option<&str>) -> Option<&'d OperationDefinition> {
    // No operation has an empty name: it is how clients write that they name none.
    let wanted = wanted.filter(|name| !name.is_empty());
    let operation = match (&document.operations, wanted) {
        (DocumentOperations::Single(operation), None) => operation,
        (DocumentOperations::Single(_), Some(_)) => return None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            let only = all.next()?;
            if all.next().is_some() {
                return None;
            }
            only
        }
    };
    Some(&operation.node)
}

struct Reader<'d> {
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
    variables: &'d Map<String, Value>,
    /// Fragments that were read: once is enough, and one may spread itself.
    spread: HashSet<&'d str>,
    found: Vec<Selected>,
}

impl<'d> Reader<'d> {
    /// Fragments nest no deeper than the document does, or are read once: the descent is bounded.
    fn read(&mut self, set: &'d SelectionSet) -> Result<(), DocumentError> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.select(&field.node)?,
                Selection::InlineFragment(fragment) => self.read(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let fragment = self.document.fragments.get(name).ok_or(DocumentError::Fragment)?;
                    if self.spread.insert(name) {
                        if self.spread.len() > MAX_DEPTH {
                            return Err(DocumentError::TooLarge);
                        }
                        self.read(&fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn select(&mut self, field: &'d async_graphql_parser::types::Field) -> Result<(), DocumentError> {
        let name = field.name.node.as_str();
        // The name of the operation's own type: it says nothing that the schema does not.
        if name == "__typename" {
            return Ok(());
        }
        if self.found.len() >= MAX_SELECTIONS {
            return Err(DocumentError::TooLarge);
        }
        let root = match self.operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut arguments: Vec<(String, String)> = Vec::new();
        let named = |name: &str| field.arguments.iter().filter(|(own, _)| own.node.as_str() == name).count();
        for (argument, value) in &field.arguments {
            // Which of two is meant, readers may differ on.
            if named(argument.node.as_str()) == 1
                && let Some(text) = self.text(&value.node)
            {
                arguments.push((argument.node.to_string(), text));
            }
        }
        self.found.push(Selected { name: format!("{root}.{name}"), arguments });
        Ok(())
    }

    /// The value as a text. A whole number is one: a schema's `ID` takes it so (GraphQL §3.5.5).
    fn text(&self, value: &async_graphql_value::Value) -> Option<String> {
        use async_graphql_value::Value as Written;
        match value {
            Written::String(text) => Some(text.clone()),
            Written::Number(number) => whole(number),
            Written::Variable(name) => self.variable(name.as_str()),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let mut definitions = self.operation.variable_definitions.iter().map(|definition| &definition.node);
        // One that the operation does not define, it does not have.
        let definition = definitions.find(|definition| definition.name.node.as_str() == name)?;
        match self.variables.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => whole(number),
            Some(_) => None,
            None => match &definition.default_value.as_ref()?.node {
                async_graphql_value::ConstValue::String(text) => Some(text.clone()),
                async_graphql_value::ConstValue::Number(number) => whole(number),
                _ => None,
            },
        }
    }
}

fn whole(number: &serde_json::Number) -> Option<String> {
    (number.is_i64() || number.is_u64()).then(|| number.to_string())
}

/// How deep the text nests, by its brackets outside of strings and comments. `None` where a string does not end: a
/// parser may read on in another way.
fn depth(text: &str) -> Option<usize> {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let mut rest = text;
    while let Some(next) = rest.find(['{', '[', '(', '}', ']', ')', '"', '#']) {
        let (_, found) = rest.split_at_checked(next)?;
        rest = match found.bytes().next()? {
            b'{' | b'[' | b'(' => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
                found.get(1..)?
            }
            b'#' => found.split_once(['\n', '\r']).map_or("", |(_, after)| after),
            b'"' => after_string(found)?,
            _ => {
                depth = depth.saturating_sub(1);
                found.get(1..)?
            }
        };
    }
    Some(deepest)
}

/// What follows the string that `text` begins with.
fn after_string(text: &str) -> Option<&str> {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut rest = block;
        loop {
            let (before, after) = rest.split_once("\"\"\"")?;
            if !before.ends_with('\\') {
                return Some(after);
            }
            rest = after;
        }
    }
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()?),
            '"' => return text.get(at.checked_add(1)?..),
            '\n' | '\r' => return None,
            _ => {}
        }
    }
    None
}

impl DocumentError {
    /// A stable name for logs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "document_too_large",
            Self::Syntax => "document_syntax",
            Self::Operation => "document_operation",
            Self::Fragment => "document_fragment",
        }
    }
}

/// What a caller asks for stays out of debug output: it ends in logs.
impl fmt::Debug for Selected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Selected").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn select(document: &str, operation: Option<&str>, variables: Value) -> Result<Vec<String>, DocumentError> {
        let selected = selected(document, operation, variables.as_object().unwrap())?;
        Ok(selected
            .iter()
            .map(|one| {
                let arguments: Vec<String> =
                    one.arguments.iter().map(|(name, text)| format!("{name}={text}")).collect();
                format!("{} {}", one.name, arguments.join(",")).trim_end().to_owned()
            })
            .collect())
    }

    #[test]
    fn what_stands_at_the_root_is_found_wherever_it_is_written() {
        for (document, found) in [
            ("{ orders }", &["Query.orders"][..]),
            ("query { __typename orders { id margin } }", &["Query.orders"]),
            ("mutation { a: placeOrder b: placeOrder }", &["Mutation.placeOrder", "Mutation.placeOrder"]),
            ("subscription { placed }", &["Subscription.placed"]),
            ("{ ... { orders } ... on Query { vouchers } }", &["Query.orders", "Query.vouchers"]),
            (
                "{ ...f } fragment f on Query { orders ...g } fragment g on Query { vouchers ...f }",
                &["Query.orders", "Query.vouchers"],
            ),
            ("{ orders @skip(if: true) vouchers @include(if: false) }", &["Query.orders", "Query.vouchers"]),
            ("{ __schema { types { name } } }", &["Query.__schema"]),
            ("# { a }\n{ orders(note: \"} # {\") }", &["Query.orders note=} # {"]),
        ] {
            assert_eq!(select(document, None, json!({})).unwrap(), found, "{document}");
        }
    }

    #[test]
    fn an_argument_is_the_text_that_the_resolver_will_see() {
        let query = "query Q($company: ID!, $other: String = \"2222\", $n: ID = 7) { orders(companyId: $company, b: $other, c: $n, d: $none) }";
        for (variables, found) in [
            (json!({"company": "1111"}), "Query.orders companyId=1111,b=2222,c=7"),
            (json!({"company": 1111, "other": "3333"}), "Query.orders companyId=1111,b=3333,c=7"),
            (json!({"company": null, "other": null, "n": null}), "Query.orders"),
            (json!({"company": ["1111"], "other": {"a": 1}, "n": true}), "Query.orders"),
            (json!({"none": "x", "n": 1.5}), "Query.orders b=2222"),
        ] {
            assert_eq!(select(query, Some("Q"), variables.clone()).unwrap(), [found], "{variables}");
        }
        for (document, found) in [
            ("{ orders(companyId: \"1111\") }", "Query.orders companyId=1111"),
            ("{ orders(companyId: \"\"\"1111\"\"\") }", "Query.orders companyId=1111"),
            ("{ orders(companyId: \"\\u0031\\u0031\") }", "Query.orders companyId=11"),
            ("{ orders(companyId: 1111) }", "Query.orders companyId=1111"),
            ("{ orders(companyId: 1.5) }", "Query.orders"),
            ("{ orders(companyId: ABC) }", "Query.orders"),
            ("{ orders(companyId: null) }", "Query.orders"),
            ("{ orders(companyId: [\"1111\"]) }", "Query.orders"),
            ("{ orders(companyId: \"1111\", companyId: \"2222\") }", "Query.orders"),
        ] {
            assert_eq!(select(document, None, json!({})).unwrap(), [found], "{document}");
        }
    }

    #[test]
    fn the_operation_that_is_executed_is_the_one_that_is_judged() {
        let two = "query A { orders } mutation B { placeOrder }";
        assert_eq!(select(two, Some("A"), json!({})).unwrap(), ["Query.orders"]);
        assert_eq!(select(two, Some("B"), json!({})).unwrap(), ["Mutation.placeOrder"]);
        for (document, operation) in [
            (two, None),
            (two, Some("")),
            (two, Some("C")),
            ("{ orders }", Some("A")),
            ("query A { orders }", Some("B")),
        ] {
            assert_eq!(
                select(document, operation, json!({})),
                Err(DocumentError::Operation),
                "{document} {operation:?}"
            );
        }
        assert_eq!(select("query A { orders }", None, json!({})).unwrap(), ["Query.orders"]);
    }

    #[test]
    fn what_is_no_document_is_refused_and_so_is_what_is_too_much() {
        for (document, why) in [
            (String::new(), DocumentError::Syntax),
            ("{".to_owned(), DocumentError::Syntax),
            ("mutation CreateEvent {...}\n\nquery MyQuery {...}\n".to_owned(), DocumentError::Syntax),
            ("type Query { a: Int }".to_owned(), DocumentError::Syntax),
            ("{ a(b: \"x\n\") }".to_owned(), DocumentError::Syntax),
            ("{ ...f }".to_owned(), DocumentError::Fragment),
            (format!("{{ {} }}", "a ".repeat(MAX_DOCUMENT_BYTES)), DocumentError::TooLarge),
            (format!("{{ {} }}", "a ".repeat(MAX_SELECTIONS + 1)), DocumentError::TooLarge),
            (format!("{} a {}", "{ a ".repeat(60), "}".repeat(60)), DocumentError::TooLarge),
            // Deep enough to end a process that descends before it counts.
            (format!("{{ a(b: {}) }}", "[".repeat(30_000)), DocumentError::TooLarge),
            (format!("{{ a(b: \"]\", c: {}) }}", "[".repeat(30_000)), DocumentError::TooLarge),
            (format!("{{ a(b: \"\"\"\\\"\"\"]\"\"\", c: {}) }}", "[".repeat(30_000)), DocumentError::TooLarge),
            (format!("{{ a #]]]\n (b: {}) }}", "{a:".repeat(20_000)), DocumentError::TooLarge),
            (format!("{{ a(b: \"\"\" {}", "[".repeat(30_000)), DocumentError::Syntax),
        ] {
            assert_eq!(select(&document, None, json!({})), Err(why), "{document:.60}");
        }
        let many: String = (0..60).map(|n| format!("fragment f{n} on Query {{ ...f{} }}\n", n + 1)).collect();
        let chain = format!("{{ ...f0 }}\n{many} fragment f60 on Query {{ orders }}");
        assert_eq!(select(&chain, None, json!({})), Err(DocumentError::TooLarge));
    }

    proptest! {
        /// Whatever is sent, it is judged or refused.
        #[test]
        fn no_text_breaks_it(text in "[ {}()\\[\\]\"\\\\#:$a-c\n.]{0,400}") {
            let _ = selected(&text, None, &Map::new());
        }
    }
}
