//! Measures the core natively and prints samples, one line of JSON a row; what they mean is for `cargo xtask bench`.
//!
//! `native`: whole decisions and the decision alone, each beside a peer that does the same work. `scale`: the same
//! decision among many routes, companies and remembered tokens.

mod harness;
mod native;
mod peers;
mod requests;
mod scale;
mod tokens;
mod world;

use anyhow::{Result, bail};

use crate::harness::Plan;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (part, plan) = match words.as_slice() {
        [part] => (*part, Plan::WHOLE),
        [part, "--quick"] => (*part, Plan::QUICK),
        _ => bail!("usage: postern-bench-native native|scale [--quick]"),
    };
    match part {
        "native" => native::measure(plan),
        "scale" => scale::measure(plan),
        other => bail!("there is no part `{other}`"),
    }
}
