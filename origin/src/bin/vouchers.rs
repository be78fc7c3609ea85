//! The `vouchers` function on AWS Lambda.

use postern_origin::{host, services::vouchers};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::run(vouchers::NAME, |_| Ok(vouchers::router())).await
}
