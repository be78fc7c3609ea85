//! What a subject may do for which company: the permissions record, in both its shapes.
//!
//! The first shape has one role for all companies: `{"id": "…", "companies": ["1111"], "role": "Manager"}`.
//! The second has roles per company: `{"id": "…", "companies": {"1111": ["Manager"]}, "version": 7}`.
//! A record is believed only whole: an unknown shape is an error, never an empty record.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use serde_json::{Map, Value};

use crate::{
    authorizer::{MAX_TOKEN_COMPANIES, MAX_TOKEN_ROLES, Unread},
    json::{self, Json, Object},
    names::{self, Ambiguous},
    policy::ClaimForms,
    reason::Reason,
};

/// Largest record in octets; DynamoDB's own limit on an item is 400 KB.
pub const MAX_RECORD_BYTES: usize = 400 * 1024;

/// One subject's companies and the roles held in each.
#[derive(Clone, PartialEq, Eq)]
pub struct PermissionsRecord {
    id: Arc<str>,
    companies: Companies,
    version: Option<u64>,
}

/// Who it is about stays out of debug output: it ends in logs.
impl fmt::Debug for PermissionsRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let companies = self.companies.0.len();
        formatter
            .debug_struct("PermissionsRecord")
            .field("companies", &companies)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Why a text is not a permissions record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionsError {
    /// Larger than [`MAX_RECORD_BYTES`].
    TooLarge,
    /// Not a JSON object, or a member named twice.
    NotAnObject,
    /// `id` is missing, empty or no string.
    Id,
    /// `companies` is missing or in neither shape, or names an empty company.
    Companies,
    /// `role` is no string, or stands beside roles per company, or a list of roles is not one of strings.
    Role,
    /// `version` is no whole number.
    Version,
    /// A claim is a text that could be one name or several, or not of the form that is named.
    Form,
    /// There are more companies or roles than a token may have.
    TooMany,
}

impl PermissionsRecord {
    /// Reads a record in either shape. Members it does not know are read over.
    ///
    /// # Errors
    /// [`PermissionsError`] names the member that is wrong.
    pub fn parse(json: &[u8]) -> Result<Self, PermissionsError> {
        if json.len() > MAX_RECORD_BYTES {
            return Err(PermissionsError::TooLarge);
        }
        let members = Object::parse(json).map_err(|_| PermissionsError::NotAnObject)?;
        let id = match members.get("id") {
            Some(Json::String(id)) if !id.is_empty() => (&**id).into(),
            _ => return Err(PermissionsError::Id),
        };
        let version = match members.get("version") {
            None => None,
            Some(Json::Number(version)) => Some(version.as_u64().ok_or(PermissionsError::Version)?),
            Some(_) => return Err(PermissionsError::Version),
        };
        let companies = companies(members.get("companies"), members.get("role"), None)?;
        Ok(Self { id, companies, version })
    }

    /// The permissions that a token carries in its own claims: companies and roles, wherever its issuer keeps them.
    ///
    /// Companies are an array of names, a text, or an object by name, which may hold the roles of each. Roles are an array
    /// of names or a text, held in every company. A text is one name, or several where `forms` says how. Believes what it
    /// is given: whether the claims may be believed is the authoriser's to know.
    ///
    /// # Errors
    /// [`PermissionsError`] names the claim that is in none of its forms.
    pub fn from_claims(
        subject: &str,
        companies_claim: Option<&Value>,
        roles_claim: Option<&Value>,
        forms: ClaimForms,
    ) -> Result<Self, PermissionsError> {
        let (companies, roles) = (companies_claim.map(Json::from), roles_claim.map(Json::from));
        let ambiguous = |Ambiguous| PermissionsError::Form;
        let companies = companies.as_ref().map(|claim| names::listed(claim, forms.companies)).transpose();
        let roles = roles.as_ref().map(|claim| names::listed(claim, forms.roles)).transpose();
        let (companies, roles) = (companies.map_err(ambiguous)?, roles.map_err(ambiguous)?);
        let (record, over) = Self::from_json_claims(subject.into(), companies.as_deref(), roles.as_deref(), None)?;
        if over == Unread::default() { Ok(record) } else { Err(PermissionsError::TooMany) }
    }

    /// The same, of claims as they were read; a text is one name. Roles that are those of `like` are shared with it. Companies
    /// or roles that are over their caps are dropped, and the second value says which.
    pub(crate) fn from_json_claims(
        subject: Arc<str>,
        companies_claim: Option<&Json<'_>>,
        roles_claim: Option<&Json<'_>>,
        like: Option<&Self>,
    ) -> Result<(Self, Unread), PermissionsError> {
        let listed = match companies_claim {
            None => Cow::Owned(Json::Array(Vec::new())),
            Some(Json::String(text)) if text.is_empty() => Cow::Owned(Json::Array(Vec::new())),
            Some(Json::String(name)) => Cow::Owned(Json::Array(Vec::from([Json::String((&**name).into())]))),
            // Keycloak's organisations: an object of name to the organisation's own attributes.
            Some(Json::Object(members)) if members.iter().all(|(_, value)| matches!(value, Json::Object(_))) => {
                Cow::Owned(Json::Array(members.iter().map(|(name, _)| Json::String(name.into())).collect()))
            }
            Some(other) => Cow::Borrowed(other),
        };
        let companies = match (roles_claim, &*listed) {
            (Some(Json::Array(items)), Json::Array(names)) => {
                let roles = json::texts(items).ok_or(PermissionsError::Role)?;
                let names = json::texts(names).ok_or(PermissionsError::Companies)?;
                named(Companies::alike(&names, &roles, like))?
            }
            (roles, listed) => companies(Some(listed), roles, like)?,
        };
        let (companies, over) = companies.within_caps();
        Ok((Self { id: subject, companies, version: None }, over))
    }

    /// What it takes of memory, in octets and roughly: shared lists are counted in full.
    pub(crate) fn octets(&self) -> usize {
        self.companies.octets().saturating_add(self.id.len())
    }

    /// The permissions of a machine client that is itself the company: its `sub`, no roles.
    pub(crate) fn from_subject(subject: Arc<str>) -> Self {
        let companies = Companies::alike(&[&*subject], &[], None);
        Self { id: subject, companies, version: None }
    }

    /// The subject that the record is about.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The record's version, which each change increases; the first shape has none.
    #[must_use]
    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// The roles held in `company`; `None` when the subject has no part in it.
    #[must_use]
    pub fn roles(&self, company: &str) -> Option<&[String]> {
        self.held(company).map(|roles| &**roles)
    }

    /// The same, to have a share in.
    pub(crate) fn held(&self, company: &str) -> Option<&Arc<[String]>> {
        self.companies.get(company)
    }

    /// Every company with the roles held there, in the order of their names.
    pub fn companies(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.companies.0.iter().map(|(company, roles)| (company.as_str(), &**roles))
    }

    /// The same record at another version.
    #[must_use]
    pub fn with_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// The record as JSON, in the shape with roles per company.
    #[must_use]
    pub fn to_json(&self) -> String {
        let companies: Map<String, Value> =
            self.companies().map(|(company, roles)| (company.to_owned(), Value::from(roles.to_vec()))).collect();
        let mut members = Map::new();
        members.insert("id".to_owned(), Value::from(self.id()));
        members.insert("companies".to_owned(), Value::Object(companies));
        if let Some(version) = self.version {
            members.insert("version".to_owned(), Value::from(version));
        }
        alloc::format!("{}", Value::Object(members))
    }
}

/// Roles by company, sorted by its name, each once. Where they are the same everywhere there is one list of them.
#[derive(Clone, PartialEq, Eq)]
struct Companies(Arc<[(String, Arc<[String]>)]>);

impl Companies {
    /// A list names a company twice at most with the same roles, an object not at all.
    fn new(mut all: Vec<(String, Arc<[String]>)>) -> Self {
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|(later, _), (kept, _)| later == kept);
        Self(all.into())
    }

    /// The same roles in every company.
    fn alike(names: &[&str], roles: &[&str], like: Option<&PermissionsRecord>) -> Self {
        let like = like.map(|like| &like.companies);
        if let Some(same) = like.filter(|like| like.are(names, roles)) {
            return same.clone();
        }
        let roles = json::shared(roles.iter().copied(), like.and_then(|like| Some(&like.0.first()?.1)));
        Self::new(names.iter().map(|company| ((*company).to_owned(), Arc::clone(&roles))).collect())
    }

    /// Whether they are these, in this order, each with these roles.
    fn are(&self, names: &[&str], roles: &[&str]) -> bool {
        let are_held = |held: &[String]| held.iter().map(String::as_str).eq(roles.iter().copied());
        self.0.len() == names.len() && self.0.iter().zip(names).all(|((own, held), name)| own == name && are_held(held))
    }

    /// These, without what is over the caps of a token.
    fn within_caps(self) -> (Self, Unread) {
        let companies = self.0.len() > MAX_TOKEN_COMPANIES;
        let roles = self.role_lists().map(|roles| roles.len()).sum::<usize>() > MAX_TOKEN_ROLES;
        let kept = match (companies, roles) {
            (false, false) => self,
            (true, _) => Self(Vec::new().into()),
            (false, true) => {
                let none: Arc<[String]> = Vec::new().into();
                Self(self.0.iter().map(|(company, _)| (company.clone(), Arc::clone(&none))).collect())
            }
        };
        let over = Unread {
            companies: companies.then_some(Reason::TooManyCompanies),
            roles: roles.then_some(Reason::TooManyRoles),
            ..Unread::default()
        };
        (kept, over)
    }

    /// Each list of roles; one that companies next to each other share, once.
    fn role_lists(&self) -> impl Iterator<Item = &Arc<[String]>> {
        let mut last: Option<&Arc<[String]>> = None;
        self.0.iter().map(|(_, roles)| roles).filter(move |roles| {
            let is_new = last.is_none_or(|last| !Arc::ptr_eq(last, roles));
            last = Some(roles);
            is_new
        })
    }

    fn octets(&self) -> usize {
        let entries =
            self.0.iter().map(|(company, _)| company.len().saturating_add(size_of::<(String, Arc<[String]>)>()));
        let roles = self.role_lists().map(|roles| json::octets_of(roles));
        entries.chain(roles).fold(0, usize::saturating_add)
    }

    fn get(&self, company: &str) -> Option<&Arc<[String]>> {
        let place = self.0.binary_search_by(|(own, _)| own.as_str().cmp(company)).ok()?;
        self.0.get(place).map(|(_, roles)| roles)
    }
}

fn companies(
    companies: Option<&Json<'_>>,
    role: Option<&Json<'_>>,
    like: Option<&PermissionsRecord>,
) -> Result<Companies, PermissionsError> {
    let companies = match companies {
        Some(Json::Array(items)) => {
            let role = match role {
                None => None,
                Some(Json::String(role)) if !role.is_empty() => Some(&**role),
                Some(_) => return Err(PermissionsError::Role),
            };
            let names = json::texts(items).ok_or(PermissionsError::Companies)?;
            Companies::alike(&names, role.as_slice(), like)
        }
        Some(Json::Object(members)) => {
            if role.is_some() {
                return Err(PermissionsError::Role);
            }
            let roles = |value: &Json<'_>| match value {
                Json::Array(items) => items.iter().map(|role| Some(role.as_str()?.to_owned())).collect(),
                _ => None,
            };
            let all = members.iter().map(|(company, value)| Some((company.to_owned(), roles(value)?)));
            Companies::new(all.collect::<Option<_>>().ok_or(PermissionsError::Role)?)
        }
        _ => return Err(PermissionsError::Companies),
    };
    named(companies)
}

/// What it is given, when each company in it has a name.
fn named(companies: Companies) -> Result<Companies, PermissionsError> {
    let is_sound = !companies.0.iter().any(|(company, _)| company.is_empty());
    if is_sound { Ok(companies) } else { Err(PermissionsError::Companies) }
}

impl fmt::Display for PermissionsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the record is larger than the cap",
            Self::NotAnObject => "the record is not a JSON object without duplicate members",
            Self::Id => "`id` is not a non-empty string",
            Self::Companies => "`companies` is neither an array of names nor an object of name to roles",
            Self::Role => "`role` is not a non-empty string, or roles per company are not arrays of strings",
            Self::Version => "`version` is not a whole number",
            Self::Form => "a claim is a text that could be one name or several, or that does not have its form",
            Self::TooMany => "there are more companies or roles than a token may have",
        })
    }
}

impl core::error::Error for PermissionsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::TextForm;

    #[test]
    fn both_shapes_are_read() {
        let one = PermissionsRecord::parse(br#"{"id":"u","companies":["1111","2222"],"role":"Manager"}"#).unwrap();
        assert_eq!(one.roles("1111"), Some(&["Manager".to_owned()][..]));
        assert_eq!(one.roles("2222"), one.roles("1111"));
        assert_eq!(one.roles("3333"), None);
        let two =
            PermissionsRecord::parse(br#"{"id":"u","companies":{"1111":["Manager"],"2222":["Standard"]},"version":7}"#)
                .unwrap();
        assert_eq!(two.roles("2222"), Some(&["Standard".to_owned()][..]));
        assert_eq!(two.version(), Some(7));
        assert_eq!(PermissionsRecord::parse(two.to_json().as_bytes()).unwrap(), two);
    }

    #[test]
    fn other_shapes_are_errors_that_name_the_member() {
        use PermissionsError::*;
        for (json, why) in [
            ("", NotAnObject),
            ("[]", NotAnObject),
            ("<html>", NotAnObject),
            (r#"{"id":"u","id":"v","companies":[]}"#, NotAnObject),
            (r#"{"companies":[]}"#, Id),
            (r#"{"id":7,"companies":[]}"#, Id),
            (r#"{"id":"","companies":[]}"#, Id),
            (r#"{"id":"u"}"#, Companies),
            (r#"{"id":"u","companies":"1111"}"#, Companies),
            (r#"{"id":"u","companies":[1111]}"#, Companies),
            (r#"{"id":"u","companies":[""]}"#, Companies),
            (r#"{"id":"u","companies":{"":[]}}"#, Companies),
            (r#"{"id":"u","companies":["1"],"role":7}"#, Role),
            (r#"{"id":"u","companies":["1"],"role":["Manager"]}"#, Role),
            (r#"{"id":"u","companies":{"1":"Manager"}}"#, Role),
            (r#"{"id":"u","companies":{"1":[]},"role":"Manager"}"#, Role),
            (r#"{"id":"u","companies":[],"version":"7"}"#, Version),
            (r#"{"id":"u","companies":[],"version":-1}"#, Version),
        ] {
            assert_eq!(PermissionsRecord::parse(json.as_bytes()), Err(why), "{json}");
        }
    }

    #[test]
    fn companies_are_found_in_whatever_order_and_however_often_they_are_listed() {
        let json = br#"{"id":"u","companies":["3","1","2","1","30"],"role":"Manager"}"#;
        let record = PermissionsRecord::parse(json).unwrap();
        assert_eq!(record.companies().map(|(company, _)| company).collect::<Vec<_>>(), ["1", "2", "3", "30"]);
        assert!(["1", "2", "3", "30"].iter().all(|company| record.roles(company).is_some()));
        assert!(["", "0", "11", "4"].iter().all(|company| record.roles(company).is_none()));
        let json = br#"{"id":"u","companies":{"2":["b"],"1":["a"]}}"#;
        let record = PermissionsRecord::parse(json).unwrap();
        assert_eq!((record.roles("1"), record.roles("2")), (Some(&["a".to_owned()][..]), Some(&["b".to_owned()][..])));
    }

    #[test]
    fn only_the_same_roles_are_shared() {
        let of = |roles: &str, like: Option<&PermissionsRecord>| {
            let (companies, roles) = (serde_json::json!(["1"]), serde_json::json!(roles));
            let (companies, roles) = (Json::from(&companies), Json::from(&roles));
            PermissionsRecord::from_json_claims("u".into(), Some(&companies), Some(&roles), like).unwrap().0
        };
        let first = of("Manager", None);
        let (same, other) = (of("Manager", Some(&first)), of("Standard", Some(&first)));
        assert!(Arc::ptr_eq(first.held("1").unwrap(), same.held("1").unwrap()));
        assert_eq!(other.roles("1"), Some(&["Standard".to_owned()][..]));
    }

    #[test]
    fn a_text_among_claims_is_one_name_unless_its_form_is_told() {
        let read = |text: &str, form: Option<TextForm>| {
            let forms = ClaimForms { companies: form, roles: form };
            let (companies, roles) = (serde_json::json!(["1"]), serde_json::json!(text));
            let by_company = PermissionsRecord::from_claims("u", Some(&roles), None, forms)?;
            let by_role = PermissionsRecord::from_claims("u", Some(&companies), Some(&roles), forms)?;
            let names: Vec<String> = by_company.companies().map(|(name, _)| name.to_owned()).collect();
            assert_eq!(by_role.roles("1"), Some(&names[..]), "{text}");
            Ok(names)
        };
        let names = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(read("Acme", None), names(&["Acme"]));
        assert_eq!(read("Acme Holdings", None), Err(PermissionsError::Form));
        assert_eq!(read("Acme Holdings", Some(TextForm::Text)), names(&["Acme Holdings"]));
        assert_eq!(read("Acme Holdings", Some(TextForm::Spaces)), names(&["Acme", "Holdings"]));
        assert_eq!(read("a,b c", Some(TextForm::Commas)), names(&["a", "b c"]));
        assert_eq!(read(r#"["a","b c"]"#, Some(TextForm::Json)), names(&["a", "b c"]));
        assert_eq!(read(r#"["a"]"#, None), Err(PermissionsError::Form));
    }
}
