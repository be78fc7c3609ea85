//! What the core promises to those who use it, as named tables: with any one rule removed, a named test fails.
//!
//! One binary, so that the test keys are made once. `support` holds issuers that really sign and a driver.

mod answers;
mod assertion;
mod assertion_errors;
mod attacks_claims;
mod attacks_key;
mod attacks_request;
mod attacks_token;
mod bearer;
mod callers;
mod clock;
mod cors;
mod debug;
mod decision_log;
mod decisions;
mod discovery;
mod fields;
mod forward;
mod key_cache;
mod key_cache_faults;
mod needs;
mod only_tried;
mod permissions_cache;
mod policy_aws;
mod policy_contradictions;
mod policy_faults;
mod policy_issuers;
mod policy_overlay;
mod policy_routes;
mod policy_secrets;
mod policy_shape;
mod policy_tests;
mod policy_verifies;
mod providers;
mod reasons;
mod route_bodies;
mod route_rules;
mod sections;
mod shadow;
mod snapshots;
mod support;
mod target;
mod time;
mod token_cache;
mod token_limits;
