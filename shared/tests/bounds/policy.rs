//! What an operator writes: policies and overlays. Nobody hostile does, yet a long one must not be the end of a build.

use postern::{Policy, policy::from_toml};

use crate::{
    families::{self, fill},
    measure::Bound,
};

/// A policy is read into values with their places in the text, looked at for strangers and secrets, then into tables of
/// routes.
const POLICY: Bound = Bound { total: 300, peak: 260, allocations: 70, kept: 0, constant: 64 * 1024 };

const HEAD: &str = r#"
[issuer.i]
url = "https://i.example"
algorithms = ["ES256"]
audience = ["a"]
token_use = "access"
permissions = "subject"
[origin.o]
url = "https://o.example"
key = "KEY"
"#;

fn route(index: usize) -> String {
    format!(
        "[[route]]\nname = \"r{index}\"\nmethods = [\"GET\"]\npath = \"/r{index}/{{company}}\"\norigin = \"o\"\n\
         issuer = \"i\"\ncompany = \"{{company}}\"\n"
    )
}

fn sizes() -> [usize; 4] {
    [256, 1_024, 4_096, 16_384]
}

#[test]
fn a_policy_costs_no_more_than_a_multiple_of_its_length() {
    for size in sizes() {
        let routes: String = (0..size / 120 + 1).map(route).collect();
        let text = format!("{HEAD}{routes}");
        let policy = from_toml(&text, None).unwrap();
        POLICY.holds("many routes", text.len(), || drop(from_toml(&text, None)));
        let json = policy.to_json();
        POLICY.holds("many routes in JSON", json.len(), || drop(Policy::from_json(json)));
        let text = text.replace("issuer = \"i\"", "issuer = \"unknown\"");
        POLICY.holds("routes with a fault each", text.len(), || drop(from_toml(&text, None)));
        for (name, object) in families::objects(r#""issuer":{},"route":[]"#) {
            let json = object(size);
            POLICY.holds(format!("JSON, {name}"), json.len(), || drop(Policy::from_json(&json)));
        }
        for (name, make) in families::VALUES {
            let text = format!("x = {}\n{HEAD}{}", make(size), route(0));
            POLICY.holds(format!("TOML, {name}"), text.len(), || drop(from_toml(&text, None)));
        }
        let overlay = fill("[issuer.i]\nurl = \"http://127.0.0.1:1\"\n", size);
        let text = format!("{HEAD}{}", route(0));
        POLICY.holds("an overlay", text.len() + overlay.len(), || drop(from_toml(&text, Some(&overlay))));
    }
    POLICY.report("policies");
}
