//! Paths that an origin is known to serve, each with what the edge would say of the caller there.

use anyhow::ensure;
use postern::{
    Decision, Policy, UnixTime,
    assertion::Assertion,
    policy::{Expectation, Origin, Route},
    target::CanonicalTarget,
};

use crate::test::Run;

/// The paths.
pub(super) struct Samples(Vec<Sample>);

struct Sample {
    path: String,
    query: Option<String>,
    /// Of a permitted test; absent for a path that was named on the command line.
    assertion: Option<Assertion>,
}

/// Fails with the first path that is not one to disguise.
pub(super) fn check(paths: &[String]) -> anyhow::Result<()> {
    for path in paths {
        let is_path = CanonicalTarget::parse(path).is_ok_and(|target| target.query().is_none());
        ensure!(
            is_path && !path.ends_with('/'),
            "`--path {path}` is not a path in canonical form without a closing slash, such as `/orders`"
        );
    }
    Ok(())
}

/// `paths` if there are some; else a path for each route to `origin` that a test of the policy is permitted to GET.
pub(super) fn samples(policy: &Policy, origin: &Origin, paths: &[String]) -> anyhow::Result<Samples> {
    if !paths.is_empty() {
        return Ok(Samples(paths.iter().map(|path| named(path)).collect()));
    }
    let mut run = Run::new(policy)?;
    let mut found: Vec<Sample> = Vec::new();
    let gets = policy.tests().iter().filter(|test| test.method == "GET" && test.expect == Expectation::Permit);
    for test in gets.filter(|test| may_reach(policy, test.route.as_deref(), origin)) {
        let Decision::Permit(permit) = run.test(test)?.explanation.decision else { continue };
        let (path, query) =
            test.target.split_once('?').map_or((test.target.as_str(), None), |(path, query)| (path, Some(query)));
        let of_route = |sample: &Sample| {
            sample.assertion.as_ref().is_some_and(|assertion| assertion.route.as_deref() == Some(permit.route()))
        };
        if permit.origin().name() == origin.name() && !path.ends_with('/') && !found.iter().any(of_route) {
            let assertion = permit.assertion(policy.edge(), UnixTime::from_secs(0), [0; 16]);
            let (path, query) = (path.to_owned(), query.map(str::to_owned));
            found.push(Sample { path, query, assertion: Some(assertion) });
        }
    }
    Ok(Samples(found))
}

/// Whether a test may be about the origin: it names one of its routes, or none.
fn may_reach(policy: &Policy, route: Option<&str>, origin: &Origin) -> bool {
    let of = |route: &Route| policy.origin_of(route).is_some_and(|own| own.name() == origin.name());
    route.is_none_or(|name| policy.routes().iter().any(|route| route.name() == name && of(route)))
}

fn named(path: &str) -> Sample {
    Sample { path: path.to_owned(), query: None, assertion: None }
}

impl Samples {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths, each with its query.
    pub(super) fn known(&self) -> Vec<(String, Option<String>)> {
        self.0.iter().map(|sample| (sample.path.clone(), sample.query.clone())).collect()
    }

    /// What the edge says of callers, by path.
    pub(super) fn assertions(&self) -> impl Iterator<Item = (&str, &Assertion)> {
        self.0.iter().filter_map(|sample| Some((sample.path.as_str(), sample.assertion.as_ref()?)))
    }
}
