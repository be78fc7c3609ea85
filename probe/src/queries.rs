//! Queries that parsers read differently, and parameters that override a method.

use crate::Aim;

/// One query.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The disguise's name.
    pub name: &'static str,
    /// What it tries to change.
    pub aim: Aim,
    /// The query; for a method override the parameter's name.
    pub(crate) text: &'static str,
    /// How often `a=1&` is written before it.
    pairs_before: usize,
    /// The company that a parser of the URL standard reads.
    pub(crate) names: &'static str,
}

impl Query {
    /// The parameter that names a company.
    pub const PARAMETER: &'static str = "company";
    /// The company that a query names once by the parameter's exact name.
    pub const COMPANY: &'static str = "1111";
    /// The company that disguised queries name too, in a way that only some parsers read.
    pub const HIDDEN: &'static str = "2222";

    /// The whole query.
    pub(crate) fn written(&self) -> String {
        "a=1&".repeat(self.pairs_before) + self.text
    }
}

const fn company(name: &'static str, text: &'static str) -> Query {
    Query { name, aim: Aim::Company, text, pairs_before: 0, names: Query::COMPANY }
}

const fn method(parameter: &'static str) -> Query {
    Query { name: parameter, aim: Aim::Method, text: parameter, pairs_before: 0, names: Query::COMPANY }
}

/// All queries. Each names [`Query::COMPANY`] by the plain parameter, and most name [`Query::HIDDEN`] in another way.
pub(crate) const QUERIES: [Query; 24] = [
    company("parameter twice", "company=1111&company=2222"),
    company("parameter again without a value", "company=1111&company"),
    company("parameter again with an empty value", "company=1111&company="),
    company("list after the parameter", "company=1111&company[]=2222"),
    company("list before the parameter", "company[]=2222&company=1111"),
    company("list with an index", "company=1111&company[0]=2222"),
    company("escaped list", "company=1111&company%5B%5D=2222"),
    company("member of the parameter", "company=1111&company[x]=2222"),
    company("parameter in brackets", "company=1111&[company]=2222"),
    company("parameter with a closing bracket", "company=1111&company]=2222"),
    company("escaped parameter", "company=1111&%63ompany=2222"),
    company("parameter in another letter case", "company=1111&Company=2222"),
    company("parameter after a space", "company=1111&+company=2222"),
    company("parameter after an escaped space", "company=1111&%20company=2222"),
    company("parameter before a NUL", "company=1111&company%00x=2222"),
    company("parameter before a dot", "company=1111&company.x=2222"),
    // WHATWG and PHP split at `&` only; older parsers split at `;` too.
    Query { names: "1111;company=2222", ..company("semicolon", "company=1111;company=2222") },
    company("second question mark", "?company=2222&company=1111"),
    // Hono 3 searches the URL for the text `?company`.
    company("question mark in a value", "a=?company=2222&company=1111"),
    company("question mark before a parameter", "company=1111&?company=2222"),
    // `qs` reads the first 1000 pairs, PHP the first 1000 as well (`max_input_vars`).
    Query {
        name: "parameter after a thousand others",
        aim: Aim::Company,
        text: "company=1111",
        pairs_before: 1000,
        names: Query::COMPANY,
    },
    method("_method"),
    method("_METHOD"),
    Query {
        name: "X-HTTP-Method-Override in the query",
        aim: Aim::Method,
        text: "X-HTTP-Method-Override",
        pairs_before: 0,
        names: Query::COMPANY,
    },
];
