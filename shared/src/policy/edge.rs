//! `[edge]`: the name under which this edge makes assertions, and the URL that callers know it by.

use alloc::{borrow::ToOwned, string::String};

use serde::{Deserialize, Serialize, Serializer};

use super::{
    PolicyFault,
    compile::{Faults, is_name},
    url::{self, Profile},
};

/// What a policy says of the edge.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum EdgeFile {
    /// The name alone, as versions before 0.2.0 had it.
    Name(String),
    /// `[edge]`.
    Table(EdgeTable),
}

/// This edge.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeTable {
    /// Its name in the assertions it makes (`iss`).
    #[serde(default = "default_name")]
    pub(crate) name: String,
    /// The public https URL, without a path: what `Location` says in the place of an origin's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// Of a policy that says nothing.
pub(crate) fn default_name() -> String {
    "edge".into()
}

/// The same meaning has the same text, so that a policy that only takes the new form keeps its version.
impl Serialize for EdgeFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) | Self::Table(EdgeTable { name, url: None }) => serializer.serialize_str(name),
            Self::Table(table) => table.serialize(serializer),
        }
    }
}

/// The edge in its checked form.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    /// Whether the file has the form of earlier versions.
    #[cfg(feature = "toml")]
    pub(crate) is_bare: bool,
}

pub(super) fn compile(file: &EdgeFile, profile: Profile, faults: &mut Faults) -> Edge {
    let (name, url, at) = match file {
        EdgeFile::Name(name) => (name, None, "edge"),
        EdgeFile::Table(table) => (&table.name, table.url.as_ref(), "edge.name"),
    };
    if !is_name(name) {
        faults.add(at, PolicyFault::RuleForm("edge", name.clone()));
    }
    if let Some(url) = url.filter(|url| !url::is_allowed(url, profile, false)) {
        faults.add("edge.url", PolicyFault::Url(url.clone()));
    }
    Edge {
        name: name.clone(),
        url: url.map(ToOwned::to_owned),
        #[cfg(feature = "toml")]
        is_bare: matches!(file, EdgeFile::Name(_)),
    }
}
