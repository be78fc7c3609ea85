//! The services of the example, a module each. Every one stands behind [`crate::assertion`].
//!
//! Where a service has the caller at hand it looks once more at what it serves: the company of the path must
//! be the caller's, and the user the caller itself. The edge has decided that already; a policy edited
//! wrongly then still cannot hand one company's orders to another.

pub mod external_orders;
pub mod internal_orders;
#[cfg(feature = "dynamodb")]
pub mod permissions;
pub mod vouchers;

use http::{HeaderValue, StatusCode, header};
use postern::target::encode_segment;

use crate::{
    Permit,
    http::{Answer, Call, Problem, body},
    orders::Order,
};

/// Refuses a caller whose company is not the one of the path.
fn same_company<'c>(permit: &Permit, call: &'c Call) -> Result<&'c str, Problem> {
    let company = call.parameter("company");
    if permit.company() == Some(company) {
        return Ok(company);
    }
    Err(Problem::forbidden("The caller does not act for the company of the path."))
}

/// Refuses a caller that is not the user of the path.
fn same_user<'c>(permit: &Permit, call: &'c Call) -> Result<&'c str, Problem> {
    let user = call.parameter("user");
    if permit.subject() == Some(user) {
        return Ok(user);
    }
    Err(Problem::forbidden("The caller is not the user of the path."))
}

/// 201 with the new order and where it is found (RFC 9110 §15.3.2).
fn created(call: &Call, order: &Order) -> Answer {
    let mut answer = body::json(StatusCode::CREATED, order);
    let location = format!("{}/{}", call.target().path(), encode_segment(&order.order_id));
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}
