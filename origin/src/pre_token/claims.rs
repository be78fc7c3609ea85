//! A record as claims: never more than it says.
//!
//! `role` is read as held in all of `companies`, so only what is held in each of them can stand there. Where roles
//! differ by company, a V2 or V3 token names them by company, `{"1111": ["Manager"], "2222": ["Standard"]}`; a V1 token,
//! whose claims are strings, names the companies and what is common to them. An issuer section with `permissions =
//! "claims"` reads all of these forms.

use postern::permissions::PermissionsRecord;
use serde_json::{Map, Value};

use super::{event::Version, settings::Scopes};

const ID: &str = "id";
const COMPANIES: &str = "companies";
const ROLE: &str = "role";

/// Most that the claims may add to a token, in octets of JSON. Tokens travel in header fields, of which many servers take
/// 8 KiB altogether.
const MAX_CLAIMS_BYTES: usize = 4 * 1024;

/// What a record adds to the tokens of one event.
#[derive(Debug)]
pub(super) struct Additions {
    pub(super) claims: Map<String, Value>,
    /// For access tokens.
    pub(super) scopes: Vec<String>,
}

impl Additions {
    /// `None` where the claims would make tokens that are too large to be sent.
    pub(super) fn of(record: &PermissionsRecord, version: Version, scopes: &Scopes) -> Option<Self> {
        let common = common_roles(record);
        let differ = record.companies().any(|(_, roles)| roles.iter().any(|role| !common.contains(&role.as_str())));
        let names: Vec<&str> = record.companies().map(|(company, _)| company).collect();
        let mut claims = Map::new();
        claims.insert(ID.to_owned(), Value::from(record.id()));
        let (companies, role) = match version {
            Version::V1 => {
                // One string holds one role.
                let role = common.first().filter(|_| common.len() == 1).map(|role| Value::from(*role));
                (Value::from(Value::from(names).to_string()), role)
            }
            Version::V2 | Version::V3 if differ => {
                let by_company = record.companies().map(|(company, roles)| (company.to_owned(), Value::from(roles)));
                (Value::Object(by_company.collect()), None)
            }
            Version::V2 | Version::V3 => {
                let role = match &common[..] {
                    [] => None,
                    [role] => Some(Value::from(*role)),
                    roles => Some(Value::from(roles)),
                };
                (Value::from(names), role)
            }
        };
        claims.insert(COMPANIES.to_owned(), companies);
        claims.extend(role.map(|role| (ROLE.to_owned(), role)));
        let size = serde_json::to_vec(&claims).map_or(usize::MAX, |text| text.len());
        let scopes = common.iter().filter_map(|role| scopes.get(*role)).flatten().cloned().collect();
        (size <= MAX_CLAIMS_BYTES).then_some(Self { claims, scopes })
    }
}

/// The roles that are held in every company; none where there is no company.
fn common_roles(record: &PermissionsRecord) -> Vec<&str> {
    let mut companies = record.companies().map(|(_, roles)| roles);
    let Some(first) = companies.next() else { return Vec::new() };
    let mut common: Vec<&str> = Vec::new();
    for role in first {
        if !common.contains(&role.as_str()) {
            common.push(role);
        }
    }
    for roles in companies {
        common.retain(|role| roles.iter().any(|held| held == role));
    }
    common
}

#[cfg(test)]
mod tests {
    use postern::policy::{ClaimForms, TextForm};
    use serde_json::json;

    use super::*;

    fn record(json: &Value) -> PermissionsRecord {
        PermissionsRecord::parse(json.to_string().as_bytes()).unwrap()
    }

    fn claims(companies: &Value, version: Version) -> Value {
        let record = record(&json!({"id": "u", "companies": companies}));
        Value::Object(Additions::of(&record, version, &Scopes::new()).unwrap().claims)
    }

    #[test]
    fn a_v1_token_has_strings_and_the_other_two_what_they_are() {
        let old = record(&json!({"id": "u", "companies": ["1111", "2222"], "role": "Manager"}));
        let of = |version| Value::Object(Additions::of(&old, version, &Scopes::new()).unwrap().claims);
        let text = r#"["1111","2222"]"#;
        assert_eq!(of(Version::V1), json!({"id": "u", "companies": text, "role": "Manager"}));
        for version in [Version::V2, Version::V3] {
            assert_eq!(of(version), json!({"id": "u", "companies": ["1111", "2222"], "role": "Manager"}));
        }
    }

    #[test]
    fn a_role_in_one_company_is_none_in_all() {
        let companies = json!({"1111": ["Manager", "Standard"], "2222": ["Standard"]});
        let text = r#"["1111","2222"]"#;
        assert_eq!(claims(&companies, Version::V1), json!({"id": "u", "companies": text, "role": "Standard"}));
        assert_eq!(claims(&companies, Version::V2), json!({"id": "u", "companies": companies}));
        let apart = json!({"1111": ["Manager"], "2222": ["Standard"]});
        assert_eq!(claims(&apart, Version::V1), json!({"id": "u", "companies": text}));
        assert_eq!(claims(&apart, Version::V3), json!({"id": "u", "companies": apart}));
    }

    #[test]
    fn several_roles_in_all_companies_are_a_list_where_it_may_be_one() {
        let companies = json!({"1111": ["Manager", "Standard"], "2222": ["Standard", "Manager"]});
        assert_eq!(claims(&companies, Version::V2)["role"], json!(["Manager", "Standard"]));
        assert_eq!(claims(&companies, Version::V1).get("role"), None);
    }

    /// What a section with `permissions = "claims"` makes of the token is never more than the record.
    #[test]
    fn the_core_reads_no_more_out_of_the_claims_than_the_record_says() {
        for companies in [
            json!({}),
            json!({"1111": []}),
            json!({"1111": ["Manager"]}),
            json!({"1111": ["Manager"], "2222": ["Standard"]}),
            json!({"1111": ["Manager", "Standard"], "2222": ["Standard"]}),
            json!({"1111": ["Manager", "Standard"], "2222": ["Manager", "Standard"]}),
            json!({"a b": ["Manager"], "[": [], "\"": ["Standard"]}),
        ] {
            let held = record(&json!({"id": "u", "companies": companies}));
            for version in [Version::V1, Version::V2, Version::V3] {
                let claims = claims(&companies, version);
                // As a section with the preset `cognito` reads them, whose roles have a claim of their own.
                let forms = ClaimForms { companies: Some(TextForm::Json), roles: Some(TextForm::Text) };
                let read = PermissionsRecord::from_claims("u", claims.get(COMPANIES), claims.get(ROLE), forms).unwrap();
                assert!(read.companies().map(|(company, _)| company).eq(held.companies().map(|(company, _)| company)));
                for (company, roles) in read.companies() {
                    let allowed = held.roles(company).unwrap();
                    assert!(roles.iter().all(|role| allowed.contains(role)), "{claims}");
                    // Nor less, where any JSON may stand in it.
                    assert!(version == Version::V1 || roles.len() == allowed.len(), "{claims}");
                }
            }
        }
    }

    #[test]
    fn a_scope_is_added_only_for_a_role_held_in_all_companies() {
        let scopes = Scopes::from([("Manager".to_owned(), vec!["orders/create.order".to_owned()])]);
        let added = |companies: Value| {
            let record = record(&json!({"id": "u", "companies": companies}));
            Additions::of(&record, Version::V2, &scopes).unwrap().scopes
        };
        assert_eq!(added(json!({"1111": ["Manager"], "2222": ["Manager"]})), ["orders/create.order"]);
        assert!(added(json!({"1111": ["Manager"], "2222": ["Standard"]})).is_empty());
        assert!(added(json!({})).is_empty());
    }

    #[test]
    fn claims_that_no_header_carries_are_not_made() {
        let companies: Map<String, Value> = (0..500).map(|number| (format!("company-{number}"), json!([]))).collect();
        let record = record(&json!({"id": "u", "companies": companies}));
        assert!(Additions::of(&record, Version::V1, &Scopes::new()).is_none());
    }
}
