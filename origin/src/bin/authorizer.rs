//! The `authorizer` function on AWS Lambda, for every shape of event that it is asked in.

use postern_origin::authorizer::host;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    host::run().await
}
