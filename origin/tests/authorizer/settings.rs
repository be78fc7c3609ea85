//! How the function is told it is set up, and what it refuses to be.

use postern::policy::from_toml;
use postern_origin::{
    authorizer::{Caching, ResponseKind, Settings},
    config::Environment,
};

use crate::policies::{documents, nested, orders};

fn settings(policy: &str, variables: &[(&'static str, &'static str)]) -> Result<Settings, String> {
    let variables = variables.to_vec();
    let environment = Environment::from_fn(move |name| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    });
    let policy = from_toml(policy, None).unwrap_or_else(|errors| panic!("{errors}"));
    Settings::from_environment(&environment, &policy).map_err(|error| error.to_string())
}

const TTL: &str = "POSTERN_AUTHORIZER_TTL";
const KEY: &str = "POSTERN_AUTHORIZER_KEY";
const RESPONSE: &str = "POSTERN_AUTHORIZER_RESPONSE";

#[test]
fn results_are_not_cached_unless_it_is_said_how() {
    let thirty = std::time::Duration::from_secs(30);
    for (variables, caching) in [
        (&[][..], Caching::Off),
        (&[(TTL, "0")], Caching::Off),
        (&[(TTL, "0"), (KEY, "token")], Caching::Off),
        (&[(TTL, "30"), (KEY, "token")], Caching::ByToken(thirty)),
        (&[(TTL, "30"), (KEY, "request")], Caching::ByRequest(thirty)),
    ] {
        let settings = settings(&orders(), variables).expect("settings");
        assert_eq!((settings.caching(), settings.response()), (caching, ResponseKind::Iam), "{variables:?}");
    }
}

#[test]
fn what_cannot_be_right_is_refused_with_the_variable_and_the_mend() {
    let fresh = orders().replace("\"60s\"", "\"0s\"");
    let header = orders()
        + "\n[[route]]\nname = \"by-field\"\nmethods = [\"GET\"]\npath = \"/by-field\"\norigin = \"api\"\nissuer = \"users\"\ncompany = { header = \"x-company\" }\npermissions_max_age = \"60s\"\n";
    for (policy, variables, variable, words) in [
        (&orders(), &[(TTL, "30")][..], KEY, "is not set"),
        (&orders(), &[(TTL, "-1"), (KEY, "token")], TTL, "3600"),
        (&orders(), &[(TTL, "3601"), (KEY, "token")], TTL, "3600"),
        (&orders(), &[(TTL, "30"), (KEY, "path")], KEY, "`token` or `request`"),
        (&orders(), &[(RESPONSE, "both")], RESPONSE, "`iam` or `simple`"),
        (&orders(), &[(TTL, "30"), (KEY, "request"), (RESPONSE, "simple")], TTL, "when the token ends"),
        (&orders(), &[(TTL, "61"), (KEY, "token")], TTL, "no older than 60 s"),
        (&orders(), &[(TTL, "61"), (KEY, "request")], TTL, "no older than 60 s"),
        (&fresh, &[(TTL, "1"), (KEY, "token")], TTL, "no older than 0 s"),
        (&header, &[(TTL, "30"), (KEY, "token")], TTL, "by-field"),
        (&header, &[(TTL, "30"), (KEY, "request")], TTL, "by-field"),
        (&nested(), &[(TTL, "30"), (KEY, "token")], KEY, "`order`"),
    ] {
        let error = settings(policy, variables).expect_err(words);
        assert!(error.contains(&format!("`{variable}`")) && error.contains(words), "{variables:?}: {error}");
    }
    // A WebSocket's result is kept by nobody.
    let connect = orders()
        + "\n[[route]]\nname = \"connect\"\nmethods = [\"GET\"]\npath = \"/$connect\"\norigin = \"api\"\nissuer = \"users\"\ncompany = { header = \"x-company\" }\npermissions_max_age = \"5s\"\n";
    assert!(settings(&connect, &[(TTL, "60"), (KEY, "token")]).is_ok());
    assert!(settings(&connect, &[(TTL, "60"), (KEY, "request")]).is_ok());
    assert!(settings(&documents(), &[(TTL, "60"), (KEY, "token")]).is_ok());
    assert!(settings(&nested(), &[(TTL, "60"), (KEY, "request")]).is_ok());
    assert!(settings(&header, &[]).is_ok());
}
