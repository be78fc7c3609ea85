//! The `permissions` function on AWS Lambda.

use postern_origin::{host, services::permissions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::run(permissions::NAME, |environment| {
        Ok(permissions::router(permissions::Store::from_environment(environment)?))
    })
    .await
}
