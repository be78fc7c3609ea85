//! Orders that a company's own people place.
//!
//! `GET` and `POST /companies/{company}/users/{user}/orders`, `GET …/orders/{order}`. An order's `companyId` is the
//! company's identifier, never the user's.

use std::sync::Arc;

use http::{Method, StatusCode};

use super::{created, same_company, same_user};
use crate::{
    Permit,
    http::{Answer, Call, Problem, Router, body, router::Resource},
    orders::{OrderRequest, Owner, SampleStore},
};

/// The service's name: its binary's, and the audience of its assertions.
pub const NAME: &str = "internal-orders";

/// The service's resources.
#[must_use]
pub fn router(store: SampleStore) -> Router<SampleStore> {
    Router::new(
        NAME,
        store,
        vec![
            Resource::at("/companies/{company}/users/{user}/orders").on(Method::GET, list).on(Method::POST, place),
            Resource::at("/companies/{company}/users/{user}/orders/{order}").on(Method::GET, show),
        ],
    )
}

fn owner(permit: &Permit, call: &Call) -> Result<Owner, Problem> {
    Ok(Owner::user(same_company(permit, call)?, same_user(permit, call)?))
}

async fn list(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    Ok(body::json(StatusCode::OK, &store.list(&owner(&permit, &call)?)))
}

async fn show(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    let order = store.find(&owner(&permit, &call)?, call.parameter("order")).ok_or_else(Problem::not_found)?;
    Ok(body::json(StatusCode::OK, &order))
}

async fn place(permit: Permit, call: Call, store: Arc<SampleStore>) -> Result<Answer, Problem> {
    let owner = owner(&permit, &call)?;
    let request = OrderRequest::parse(call.body())?;
    let order = store.place(owner);
    tracing::info!(service = NAME, quantity = request.quantity, "order placed");
    Ok(created(&call, &order))
}
