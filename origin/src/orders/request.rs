//! What a caller may send to place an order.

use serde::Deserialize;
use serde_json::Value;

use crate::http::Problem;

/// Most pieces in one order; what is more is a typing error at a sushi counter.
pub const MAX_QUANTITY: u64 = 1_000;

/// The body of `POST …/orders`: nothing at all, or `{"quantity": 3}`.
///
/// The company is not among its members: it is the one of the path, which the assertion vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// How many pieces; one when the caller does not say.
    pub quantity: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Members {
    quantity: Option<Value>,
}

impl OrderRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// A 400 [`Problem`] that names the member at fault, or says that the body is not JSON.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let members = if body.is_empty() { Members::default() } else { members(body)? };
        let quantity = match members.quantity {
            None => 1,
            Some(value) => {
                value.as_u64().filter(|quantity| (1..=MAX_QUANTITY).contains(quantity)).ok_or_else(|| {
                    Problem::bad_request(format!("`quantity` must be a whole number from 1 to {MAX_QUANTITY}."))
                })?
            }
        };
        Ok(Self { quantity })
    }
}

fn members(body: &[u8]) -> Result<Members, Problem> {
    // Through an object first: a struct may also be read from an array, which no caller is promised.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::bad_request("The body must be a JSON object, or empty."));
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("The body cannot be read: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(body: &str) -> String {
        let response: http::Response<String> = OrderRequest::parse(body.as_bytes()).unwrap_err().into_response();
        assert_eq!(response.status(), 400);
        let body: Value = serde_json::from_str(response.body()).unwrap();
        body["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_empty_body_asks_for_one_piece() {
        for body in ["", "{}", r#"{"quantity":1}"#] {
            assert_eq!(OrderRequest::parse(body.as_bytes()), Ok(OrderRequest { quantity: 1 }), "{body}");
        }
    }

    #[test]
    fn a_bad_member_is_named() {
        for body in [
            r#"{"quantity":0}"#,
            r#"{"quantity":1001}"#,
            r#"{"quantity":"3"}"#,
            r#"{"quantity":1.5}"#,
            r#"{"quantity":1,"quantity":2}"#,
        ] {
            assert!(detail(body).contains("`quantity`"), "{body}");
        }
        assert!(detail(r#"{"companyId":"2222"}"#).contains("`companyId`"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["[]", "[1]", "null", "{", "quantity=1", "{} {}"] {
            assert!(detail(body).contains("body"), "{body}");
        }
    }
}
