//! The `internal-orders` function on AWS Lambda.

use postern_origin::{host, orders::SampleStore, services::internal_orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::run(internal_orders::NAME, |_| Ok(internal_orders::router(SampleStore::default()))).await
}
