//! The `external-orders` function on AWS Lambda.

use postern_origin::{host, orders::SampleStore, services::external_orders};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::run(external_orders::NAME, |_| Ok(external_orders::router(SampleStore::default()))).await
}
