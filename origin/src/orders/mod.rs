//! Orders, as the two order services of the example keep and show them.
//!
//! These are sample services: they show where authorisation ends and a service begins. What they keep is
//! said in [`store`].

pub mod request;
pub mod store;

pub use request::OrderRequest;
pub use store::{Owner, SampleStore};

use serde::Serialize;

/// An order as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order's own identifier; a UUID for one that was posted.
    pub order_id: String,
    /// The company the order belongs to, never the user who placed it.
    pub company_id: String,
    /// How far the order has come.
    pub order_status: OrderStatus,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Taken in, not yet begun. The sample services go no further.
    Pending,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_the_three_members_of_the_example() {
        let order =
            Order { order_id: "o".to_owned(), company_id: "1111".to_owned(), order_status: OrderStatus::Pending };
        assert_eq!(
            serde_json::to_value(order).unwrap(),
            serde_json::json!({"orderId": "o", "companyId": "1111", "orderStatus": "PENDING"})
        );
    }
}
