//! Vouchers: `GET /companies/{company}/users/{user}/vouchers/{voucher}` answers `"validated"`.
//!
//! It stands for an integration with no code of ours behind it: it looks at no caller, and all that
//! protects it is decided before it, at the edge, and vouched for by the assertion layer.

use std::sync::Arc;

use http::{Method, StatusCode};

use crate::{
    Permit,
    http::{Answer, Call, Problem, Router, body, router::Resource},
};

/// The service's name: its binary's, and the audience of its assertions.
pub const NAME: &str = "vouchers";

/// The service's one resource.
#[must_use]
pub fn router() -> Router<()> {
    let voucher = Resource::at("/companies/{company}/users/{user}/vouchers/{voucher}").on(Method::GET, validate);
    Router::new(NAME, (), vec![voucher])
}

async fn validate(_: Permit, _: Call, _: Arc<()>) -> Result<Answer, Problem> {
    Ok(body::json(StatusCode::OK, &"validated"))
}
