//! Permissions: who belongs to which company, with which roles.
//!
//! | | capability | |
//! | --- | --- | --- |
//! | `GET /users/{user}` | read | the record in the shape it is stored in; 304 where `If-None-Match` names its state |
//! | `PUT /users/{user}` | write | replaces it |
//! | `DELETE /users/{user}` | write | takes all companies away; the record and its history stay |
//! | `GET /users/{user}/history` | write | who changed it when, and what it was before (see [`audit`]) |
//! | `GET /users?limit=&cursor=` | write | all records, in pages |
//!
//! All of it is for services and administrators alone: the assertion must have this audience and the capability, and an
//! edge's key is good for reading one user's record and for nothing else. `{user}` is a subject of the issuer section that
//! the assertion names (see [`subject`]); a list is of that section.
//!
//! A write says what it replaces, by `If-Match` with the `ETag` that was read, or `If-None-Match: *` for a new record;
//! without either it is refused with 428 (RFC 6585 §3), so that no write is lost unawares. It may also name the `version`
//! it is meant for in its body. A precondition that does not hold is 412; 409 is for whoever was overtaken after it held,
//! or names another version. Of two administrators who read the same state one gets either, and nothing is lost.
//!
//! Reads are consistent, unless `POSTERN_PERMISSIONS_READS` says otherwise; then those are that say `Cache-Control:
//! no-cache`.

pub mod audit;
pub mod record;
pub mod requested;
mod settings;
pub mod store;
pub mod subject;

pub use store::Store;

use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode, header};
use lambda_http::Body;
use postern::assertion::Capability;
use serde_json::json;

use crate::{
    Permit,
    clock::system_time,
    http::{
        Answer, Call, Problem, Router, body,
        precondition::{self, Precondition},
        router::Resource,
    },
};
use audit::{Entry, What};
use record::{Companies, Record};
use requested::Page;
use store::{Change, StoreError};

/// The service's name: its binary's, and the audience of its assertions.
pub const NAME: &str = "permissions";

/// The service's resources.
#[must_use]
pub fn router(store: Store) -> Router<Store> {
    let user = Resource::at("/users/{user}").on(Method::GET, read).on(Method::PUT, write).on(Method::DELETE, revoke);
    let history = Resource::at("/users/{user}/history").on(Method::GET, history);
    Router::new(NAME, store, vec![user, history, Resource::at("/users").on(Method::GET, list)])
}

async fn read(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Read)?;
    let record = store.read(section, call.parameter("user"), wants_it_anew(&call)).await.map_err(problem)?;
    let record = record.ok_or_else(Problem::not_found)?;
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
    let Record { companies, role, version, .. } = requested::record(user, call.body())?;
    let precondition = stated(call.headers())?;
    let status = if precondition == Precondition::Absent { StatusCode::CREATED } else { StatusCode::OK };
    let change = Change { companies, role, version, entry: entry(&permit, What::Set) };
    let record = store.write(section, user, &change, &precondition).await.map_err(problem)?;
    tracing::info!(service = NAME, version = record.version, "permissions written");
    Ok(shown(status, &record))
}

async fn revoke(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Write)?;
    let precondition = stated(call.headers())?;
    if precondition == Precondition::Absent {
        return Err(Problem::bad_request("What is not there cannot be taken away: `If-Match` says what is."));
    }
    // In the first shape, which readers of both kinds understand.
    let companies = Companies::Listed(Vec::new());
    let change = Change { companies, role: None, version: None, entry: entry(&permit, What::Revoke) };
    let record = store.write(section, call.parameter("user"), &change, &precondition).await.map_err(problem)?;
    tracing::info!(service = NAME, version = record.version, "permissions revoked");
    Ok(shown(StatusCode::OK, &record))
}

async fn history(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Write)?;
    let entries = store.history(section, call.parameter("user")).await.map_err(problem)?;
    let entries = entries.ok_or_else(Problem::not_found)?;
    Ok(body::json(StatusCode::OK, &json!({ "changes": entries })))
}

async fn list(permit: Permit, call: Call, store: Arc<Store>) -> Result<Answer, Problem> {
    let section = trusted(&permit, Capability::Write)?;
    let page = Page::of(call.target().query())?;
    let listed = store.list(section, &page, wants_it_anew(&call)).await.map_err(problem)?;
    let mut answer = json!({ "users": listed.records });
    if let Some(members) = answer.as_object_mut() {
        members.extend(listed.last.map(|last| ("next".to_owned(), json!(requested::cursor(&last)))));
        if !listed.unreadable.is_empty() {
            members.insert("unreadable".to_owned(), json!(listed.unreadable));
        }
    }
    Ok(body::json(StatusCode::OK, &answer))
}

/// The issuer section that the caller asks about, when the caller may do so.
fn trusted(permit: &Permit, wanted: Capability) -> Result<&str, Problem> {
    if permit.capability() != Some(wanted) {
        return Err(Problem::forbidden("The assertion does not give this capability."));
    }
    permit.issuer().ok_or_else(|| Problem::forbidden("The assertion names no issuer section."))
}

/// What a write is meant for, which it has to say.
fn stated(headers: &HeaderMap) -> Result<Precondition, Problem> {
    match Precondition::of_write(headers)? {
        Precondition::Unstated => Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition_required",
            "Say which state is replaced: `If-Match` with the `ETag` that was read, or `If-None-Match: *` for a new record.",
        )),
        precondition => Ok(precondition),
    }
}

fn entry(permit: &Permit, what: What) -> Entry {
    Entry::new(permit.asserted_by().unwrap_or_default(), system_time(), what)
}

/// Whether the caller asks for what the table holds now (RFC 9111 §5.2.1.4).
fn wants_it_anew(call: &Call) -> bool {
    let fields = call.headers().get_all(header::CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
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
        StoreError::Conflict => Problem::new(
            StatusCode::CONFLICT,
            "conflict",
            "Somebody else has changed the record meanwhile, or it has another version. Nothing was written. Read it again.",
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
