//! Where a rule reads the query, the query must be one that all parsers read in the same way.

use serde_json::Value;

#[cfg(test)]
use super::Example;
use super::{Change, Direction, Place, Version, Written};

pub(super) const CHANGE: Change = Change {
    code: "query_grammar",
    version: Version::V0_2_0,
    direction: Direction::Stricter,
    summary: "where `company` reads the query, a query that parsers may read in two ways is refused with 400 and a reason \
              that begins with `query_`",
    places,
    #[cfg(test)]
    example: Example {
        concerned: "[[route]]\nname = \"a\"\ncompany = { query = \"company\" }\n",
        pointers: &["route[0].company"],
        unconcerned: "[[route]]\nname = \"a\"\ncompany = { header = \"x-company\" }\n[[route]]\nname = \"b\"\ncompany = \"{company}\"\n",
    },
};

fn places(written: &Written<'_>) -> Vec<Place> {
    let place = |pointer: String| {
        Place {
        pointer,
        old: "lists (`ids[]=`), nested (`filter[x]=`) and escaped names, empty pairs, a further `?`, needless escapes and any \
              number of parameters are permitted next to the company"
            .to_owned(),
        new: "such a query is refused: docs/policy.md (\"Queries\") has the grammar".to_owned(),
        help: "see that callers of this route write `ids=1,2` instead of `ids[]=1`, plain names, and only needed escapes in the \
               company's value"
            .to_owned(),
    }
    };
    let routes = written.routes().into_iter();
    let concerned =
        routes.filter(|route| route.get("company").and_then(|rule| rule.get("query")).is_some_and(Value::is_string));
    concerned.map(|route| place(route.at("company"))).collect()
}
