//! A policy as its author wrote it, for changes that ask what it says.

use postern::Policy;
use serde_json::{Map, Value};

/// The policy file's members, before any check, and the checked policy where it builds.
///
/// A newer version may refuse to build a policy that an older one took. A change that concerns such a policy looks at the
/// written form, which is there in any case. What is read here may have any type and any name.
pub(crate) struct Written<'a> {
    document: &'a Value,
    policy: Option<&'a Policy>,
}

/// One table of the file.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    /// Where it is: `issuer.users`, `route[2]`.
    pub(crate) pointer: String,
    members: &'a Map<String, Value>,
}

#[allow(dead_code, reason = "the vocabulary of changes, of which those of one version use a part")]
impl<'a> Written<'a> {
    /// `document` is the policy file, read as TOML into JSON's types.
    pub(crate) const fn new(document: &'a Value, policy: Option<&'a Policy>) -> Self {
        Self { document, policy }
    }

    /// The checked policy, with the overlay; `None` while the policy has faults.
    pub(crate) const fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }

    /// The member `name` at the top of the file.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.document.get(name)
    }

    /// Each `[issuer.NAME]`.
    pub(crate) fn issuers(&self) -> Vec<Table<'a>> {
        self.named("issuer")
    }

    /// Each `[origin.NAME]`.
    pub(crate) fn origins(&self) -> Vec<Table<'a>> {
        self.named("origin")
    }

    /// Each `[[route]]`, in the order of the file.
    pub(crate) fn routes(&self) -> Vec<Table<'a>> {
        let routes = self.get("route").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let table = |(index, route): (usize, &'a Value)| {
            Some(Table { pointer: format!("route[{index}]"), members: route.as_object()? })
        };
        routes.iter().enumerate().filter_map(table).collect()
    }

    /// The member `name` of `route`, or what `[defaults]` says instead.
    pub(crate) fn or_default(&self, route: &Table<'a>, name: &str) -> Option<&'a Value> {
        route.get(name).or_else(|| self.get("defaults")?.get(name))
    }

    fn named(&self, kind: &str) -> Vec<Table<'a>> {
        let entries = self.get(kind).and_then(Value::as_object).into_iter().flatten();
        let table = |(name, entry): (&String, &'a Value)| {
            Some(Table { pointer: format!("{kind}.{name}"), members: entry.as_object()? })
        };
        entries.filter_map(table).collect()
    }
}

#[allow(dead_code, reason = "the vocabulary of changes, of which those of one version use a part")]
impl<'a> Table<'a> {
    /// The member `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    /// The member `name`, if it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// The pointer of the member `name`.
    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.pointer)
    }
}
