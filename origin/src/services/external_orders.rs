//! Orders that companies place through their own systems, and the public health check.
//!
//! `GET` and `POST /companies/{company}/orders`, `GET /companies/{company}/orders/{order}`, `GET /health`.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use super::{created, same_company};
use crate::{
    Permit,
    http::{Answer, Call, Problem, Router, body, router::Resource},
    orders::{OrderRequest, Owner, SampleStore},
};

/// The service's name: its binary's, and the audience of its assertions.
pub const NAME: &str = "external-orders";

/// The service's resources.
#[must_use]
pub fn router(store: SampleStore) -> Router<SampleStore> {
    Router::new(
        NAME,
        store,
        vec![
            Resource::at("/health").on(Method::GET, health),
            Resource::at("/companies/{company}/orders").on(Method::GET, list).on(Method::POST, place),
            Resource::at("/companies/{company}/orders/{order}").on(Method::GET, show),
        ],
    )
}

/// Public: its assertion is anonymous, so there is no caller to look at.
async fn health(_: Permit, _: Call, _: Arc<SampleStore>) -> Result<Answer, Problem> {
    Ok(body::json(StatusCode::OK, &json!({"status": "ok"})))
}

async fn list(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    let company = same_company(&permit, &call)?;
    Ok(body::json(StatusCode::OK, &store.list(&Owner::company(company))))
}

async fn show(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    let company = same_company(&permit, &call)?;
    let order = store.find(&Owner::company(company), call.parameter("order")).ok_or_else(Problem::not_found)?;
    Ok(body::json(StatusCode::OK, &order))
}

async fn place(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    let company = same_company(&permit, &call)?;
    let request = OrderRequest::parse(call.body())?;
    let order = store.place(Owner::company(company));
    tracing::info!(service = NAME, quantity = request.quantity, "order placed");
    Ok(created(&call, &order))
}
