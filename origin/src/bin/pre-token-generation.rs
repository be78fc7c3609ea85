//! The `pre-token-generation` function on AWS Lambda.

use postern_origin::pre_token;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    pre_token::run().await
}
