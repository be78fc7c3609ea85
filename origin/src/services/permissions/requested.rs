//! What a request asks for: a record in its body, a page in its query. Bounded, so that what is stored can be read by
//! every authoriser and shown by every page.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::permissions::PermissionsRecord;

use super::record::{Companies, Record};
use crate::http::Problem;

/// Most companies of one user: more than anyone is known to serve, and few enough for a record to be read in a moment.
pub const MAX_COMPANIES: usize = 1_000;
/// Most roles in one company; policies name a handful.
pub const MAX_ROLES: usize = 32;
/// Longest name of a company or a role, in octets; they stand in paths, claims and header fields.
pub const MAX_NAME_BYTES: usize = 128;

/// Most records of one page.
pub const MAX_PAGE: usize = 100;
/// Longest cursor, in octets: DynamoDB's longest key in base64.
const MAX_CURSOR_BYTES: usize = 4 * 1024;

/// The record that a write asks for, checked against the path and the limits.
///
/// # Errors
/// A 400 [`Problem`] that names the member.
pub(super) fn record(user: &str, body: &[u8]) -> Result<Record, Problem> {
    // The core's reader first: what it refuses, no authoriser could use.
    let read = PermissionsRecord::parse(body)
        .map_err(|error| Problem::bad_request(format!("The record cannot be taken: {error}.")))?;
    let record: Record = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("The record cannot be taken: {error}.")))?;
    if record.id != user {
        return Err(Problem::bad_request("`id` must be the user of the path."));
    }
    if record.companies.len() > MAX_COMPANIES {
        return Err(Problem::bad_request(format!("`companies` may name {MAX_COMPANIES} of them.")));
    }
    for (company, roles) in read.companies() {
        if roles.len() > MAX_ROLES {
            return Err(Problem::bad_request(format!("A company may have {MAX_ROLES} roles.")));
        }
        if !is_name(company) || !roles.iter().all(|role| is_name(role)) {
            let detail = format!(
                "Names in `companies` and `role` have 1 to {MAX_NAME_BYTES} octets, none of them a control character."
            );
            return Err(Problem::bad_request(detail));
        }
    }
    if let (Companies::Listed(_), Some(role)) = (&record.companies, &record.role)
        && !is_name(role)
    {
        return Err(Problem::bad_request(format!("`role` has 1 to {MAX_NAME_BYTES} octets.")));
    }
    Ok(record)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Most records that are looked at.
    pub(super) limit: usize,
    /// The item to begin after.
    pub(super) after: Option<String>,
}

impl Page {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// A 400 [`Problem`] that names the parameter.
    pub(super) fn of(query: Option<&str>) -> Result<Self, Problem> {
        let mut page = Self { limit: MAX_PAGE, after: None };
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("limit", limit)) => {
                    page.limit =
                        limit.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit)).ok_or_else(|| {
                            Problem::bad_request(format!("`limit` is a number from 1 to {MAX_PAGE}."))
                        })?;
                }
                Some(("cursor", cursor)) => {
                    let after = read_cursor(cursor)
                        .ok_or_else(|| Problem::bad_request("`cursor` is not one that a page ended with."))?;
                    page.after = Some(after);
                }
                _ => return Err(Problem::bad_request("The list takes `limit` and `cursor`.")),
            }
        }
        Ok(page)
    }
}

/// Where the next page begins, opaque to callers.
pub(super) fn cursor(after: &str) -> String {
    Base64UrlUnpadded::encode_string(after.as_bytes())
}

fn read_cursor(cursor: &str) -> Option<String> {
    if cursor.is_empty() || cursor.len() > MAX_CURSOR_BYTES {
        return None;
    }
    String::from_utf8(Base64UrlUnpadded::decode_vec(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn detail(body: &str) -> String {
        let response: Response<String> = record("alice", body.as_bytes()).unwrap_err().into_response();
        assert_eq!(response.status(), 400, "{body}");
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        body["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn both_shapes_are_taken_as_they_are_sent() {
        let old = record("alice", br#"{"id":"alice","companies":["1111"],"role":"Manager"}"#).unwrap();
        assert_eq!((old.companies, old.role.as_deref()), (Companies::Listed(vec!["1111".to_owned()]), Some("Manager")));
        let new = record("alice", br#"{"id":"alice","companies":{"1111":["Manager"]},"version":3}"#).unwrap();
        assert!(matches!(new.companies, Companies::WithRoles(_)) && new.role.is_none());
        assert_eq!(new.version, Some(3));
    }

    #[test]
    fn a_record_that_cannot_be_taken_names_the_member() {
        for (body, member) in [
            (r#"{"id":"bob","companies":["1111"]}"#, "`id`"),
            (r#"{"companies":["1111"]}"#, "`id`"),
            (r#"{"id":"alice","companies":"1111"}"#, "`companies`"),
            (r#"{"id":"alice","companies":["1111"],"role":["Manager"]}"#, "`role`"),
            (r#"{"id":"alice","companies":{"1111":["Manager"]},"role":"Manager"}"#, "`role`"),
            (r#"{"id":"alice","companies":["1111"],"admin":true}"#, "`admin`"),
            (r#"{"id":"alice","companies":["1111"],"id":"alice"}"#, "duplicate"),
            ("", "JSON"),
            ("[]", "JSON"),
        ] {
            let detail = detail(body);
            assert!(detail.contains(member), "{body}: {detail}");
        }
    }

    #[test]
    fn what_is_stored_is_bounded() {
        let listed = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("\"{number}\"")).collect();
            format!(r#"{{"id":"alice","companies":[{}]}}"#, names.join(","))
        };
        assert!(record("alice", listed(MAX_COMPANIES).as_bytes()).is_ok());
        assert!(detail(&listed(MAX_COMPANIES + 1)).contains("`companies`"));
        let roles = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("\"r{number}\"")).collect();
            format!(r#"{{"id":"alice","companies":{{"1111":[{}]}}}}"#, names.join(","))
        };
        assert!(record("alice", roles(MAX_ROLES).as_bytes()).is_ok());
        assert!(detail(&roles(MAX_ROLES + 1)).contains("roles"));
        let (fits, longer) = ("x".repeat(MAX_NAME_BYTES), "x".repeat(MAX_NAME_BYTES + 1));
        assert!(record("alice", format!(r#"{{"id":"alice","companies":["{fits}"]}}"#).as_bytes()).is_ok());
        for body in [
            format!(r#"{{"id":"alice","companies":["{longer}"]}}"#),
            format!(r#"{{"id":"alice","companies":["1"],"role":"{longer}"}}"#),
            format!(r#"{{"id":"alice","companies":[],"role":"{longer}"}}"#),
            format!(r#"{{"id":"alice","companies":{{"1":["{longer}"]}}}}"#),
            r#"{"id":"alice","companies":{"1":[""]}}"#.to_owned(),
            r#"{"id":"alice","companies":["a\u0000b"]}"#.to_owned(),
        ] {
            assert!(detail(&body).contains("octets"), "{body}");
        }
    }

    #[test]
    fn a_page_has_a_limit_and_a_cursor_and_nothing_else() {
        let first = Page { limit: MAX_PAGE, after: None };
        assert_eq!(Page::of(None), Ok(first.clone()));
        assert_eq!(Page::of(Some("")), Ok(first));
        let query = format!("limit=7&cursor={}", cursor("auth0|alice"));
        assert_eq!(Page::of(Some(&query)), Ok(Page { limit: 7, after: Some("auth0|alice".to_owned()) }));
        let long = format!("cursor={}", "A".repeat(MAX_CURSOR_BYTES + 4));
        for query in ["limit=0", "limit=101", "limit=x", "limit", "cursor=", "cursor=!", "cursor=_w", "x=1", &long] {
            assert_eq!(Page::of(Some(query)).unwrap_err().status(), 400, "{query}");
        }
    }
}
