//! Permissions: who belongs to which company, with which roles.
//!
//! `GET /users/{user}` answers the record in the shape it is stored in, `PUT /users/{user}` replaces it. Both
//! are for services alone: the assertion must have this audience and the capability, read for the
//! one and write for the other, and an edge's key is good for reading only. `{user}` is a subject of the
//! issuer section that the assertion names (see [`subject`]).
//!
//! A write says what it replaces, by `If-Match` with the `ETag` that was read, or `If-None-Match: *` for a new
//! record; without either it is refused with 428 (RFC 6585 §3), so that no write is lost unawares. Of two
//! writers that read the same state one gets 412.

pub mod record;
mod settings;
pub mod store;
pub mod subject;

pub use store::Store;

use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, header};
use lambda_http::Body;
use postern::{assertion::Capability, permissions::PermissionsRecord};

use crate::{
    Permit,
    http::{
        Answer, Call, Problem, Router, body,
        precondition::{self, Precondition},
        router::Resource,
    },
};
use record::{Companies, Record};
use store::StoreError;

/// The service's name: its binary's, and the audience of its assertions.
pub const NAME: &str = "permissions";

/// The service's one resource.
#[must_use]
pub fn router(store: Store) -> Router<Store> {
    Router::new(NAME, store, vec![Resource::at("/users/{user}").on(Method::GET, read).on(Method::PUT, write)])
}

async fn read(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Read)?;
    let record = store.read(section, call.parameter("user")).await.map_err(problem)?.ok_or_else(Problem::not_found)?;
    let tag = record.tag();
    if precondition::is_known(call.headers(), &tag) {
        let mut answer = Response::new(Body::Empty);
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        tagged(answer.headers_mut(), &record);
        return Ok(answer);
    }
    Ok(shown(StatusCode::OK, &record))
}

async fn write(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Write)?;
    let user = call.parameter("user");
    let (companies, role) = requested(user, call.body())?;
    let precondition = Precondition::of_write(call.headers())?;
    let status = match precondition {
        Precondition::Unstated => {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
                "Say which state is replaced: `If-Match` with the `ETag` that was read, or `If-None-Match: *` for a new record.",
            ));
        }
        Precondition::Absent => StatusCode::CREATED,
        Precondition::Present | Precondition::Matching(_) => StatusCode::OK,
    };
    let record = store.write(section, user, &companies, role.as_deref(), &precondition).await.map_err(problem)?;
    tracing::info!(service = NAME, version = record.version, "permissions written");
    Ok(shown(status, &record))
}

/// The issuer section that the caller asks about, when the caller may do so.
fn trusted(permit: &Permit, wanted: Capability) -> Result<&str, Problem> {
    if permit.capability() != Some(wanted) {
        return Err(Problem::forbidden("The assertion does not give this capability."));
    }
    permit.issuer().ok_or_else(|| Problem::forbidden("The assertion names no issuer section."))
}

fn requested(user: &str, body: &[u8]) -> Result<(Companies, Option<String>), Problem> {
    // The core's reader first: what it refuses, no authoriser could use.
    PermissionsRecord::parse(body)
        .map_err(|error| Problem::bad_request(format!("The record cannot be taken: {error}.")))?;
    let record: Record = serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("The record cannot be taken: {error}.")))?;
    if record.id != user {
        return Err(Problem::bad_request("`id` must be the user of the path."));
    }
    Ok((record.companies, record.role))
}

fn problem(error: StoreError) -> Problem {
    if matches!(error, StoreError::Unavailable(_) | StoreError::Malformed(_)) {
        tracing::warn!(service = NAME, code = error.code(), "the store did not serve");
    }
    match error {
        StoreError::Unavailable(_) => Problem::unavailable("The store of permissions cannot be reached."),
        StoreError::Mismatch => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "The record is not in the state that the precondition names. Read it again.",
        ),
        StoreError::Malformed(_) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "record_malformed", "The stored record cannot be read.")
        }
        StoreError::Subject => Problem::bad_request("The user of the path cannot be a subject."),
    }
}

fn shown(status: StatusCode, record: &Record) -> Answer {
    let mut answer = body::json(status, record);
    tagged(answer.headers_mut(), record);
    answer
}

fn tagged(headers: &mut HeaderMap, record: &Record) {
    if let Some(tag) = record.tag().header() {
        headers.insert(header::ETAG, tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(body: &str) -> String {
        let response: Response<String> = requested("alice", body.as_bytes()).unwrap_err().into_response();
        assert_eq!(response.status(), 400, "{body}");
        let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
        body["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn both_shapes_are_taken_as_they_are_sent() {
        let (companies, role) = requested("alice", br#"{"id":"alice","companies":["1111"],"role":"Manager"}"#).unwrap();
        assert_eq!((companies, role.as_deref()), (Companies::Listed(vec!["1111".to_owned()]), Some("Manager")));
        let (companies, role) =
            requested("alice", br#"{"id":"alice","companies":{"1111":["Manager"]},"version":3}"#).unwrap();
        assert!(matches!(companies, Companies::WithRoles(_)) && role.is_none());
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
}
