//! Policies, as TOML with or without a development overlay and as JSON: what builds is loaded again as it is, and never
//! permits anyone without a token but on a public route.

use postern::{
    Authorizer, Decision, Policy, Progress, Request, UnixTime,
    policy::{LineColumn, PolicyErrors, from_toml},
};

use crate::Script;

/// How far an input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It does not build.
    Refused,
    /// It builds from JSON.
    Json,
    /// It builds from TOML.
    Toml,
    /// It builds from TOML with an overlay.
    Development,
}

/// The line between a policy and its overlay.
const OVERLAY: &str = "\n---\n";

/// Builds the input's policy.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let Ok(text) = std::str::from_utf8(payload) else { return Reached::Refused };
    if script.choose(2) == 1 {
        return match Policy::from_json(text) {
            Ok(policy) => {
                assert_sound(&policy);
                Reached::Json
            }
            Err(errors) => assert_told("", &errors),
        };
    }
    let (text, overlay) = match text.split_once(OVERLAY) {
        Some((text, overlay)) => (text, Some(overlay)),
        None => (text, None),
    };
    match from_toml(text, overlay) {
        Ok(policy) => {
            assert_eq!(policy.is_development(), overlay.is_some(), "the stamp says otherwise");
            assert_sound(&policy);
            if overlay.is_some() { Reached::Development } else { Reached::Toml }
        }
        Err(errors) => {
            for error in &errors.0 {
                let whole = if error.pointer.starts_with("overlay") { overlay.unwrap_or_default() } else { text };
                if let Some(span) = &error.span {
                    assert!(whole.get(span.clone()).is_some(), "`{}` points out of the text: {span:?}", error.pointer);
                }
            }
            assert_told(text, &errors)
        }
    }
}

fn assert_told(text: &str, errors: &PolicyErrors) -> Reached {
    assert!(!errors.0.is_empty(), "refused for nothing");
    for error in &errors.0 {
        assert!(!error.fault.to_string().is_empty() && !error.fault.mend().is_empty(), "{error:?}");
        let place = LineColumn::of(text, error.span.as_ref().map_or(0, |span| span.start));
        assert!(place.line > 0 && place.column > 0);
    }
    Reached::Refused
}

fn assert_sound(policy: &Policy) {
    let again = Policy::from_json(policy.to_json()).expect("what builds is loaded again");
    assert_eq!((again.version(), again.to_json()), (policy.version(), policy.to_json()), "it loads as another policy");
    assert_eq!(again.is_development(), policy.is_development(), "the stamp is lost");
    let authorizer = Authorizer::new(again).with_any_clock();
    for route in policy.routes() {
        assert!(policy.origin_of(route).is_some(), "a route leads nowhere");
        assert_eq!(route.is_public(), policy.issuers_of(route).count() == 0);
        // The template's own text, its parameters filled in.
        let target: String = route.path().split_inclusive('/').map(filled).collect();
        for method in route.methods() {
            let request = Request { method, target: &target, headers: &[] };
            let Progress::Decided(decision) = authorizer.begin(&request, UnixTime::from_secs(0)) else {
                panic!("something is needed for a request without a token");
            };
            if let Decision::Permit(permit) = decision {
                let decided = policy.routes().iter().find(|other| other.name() == permit.route());
                assert!(decided.is_some_and(|route| route.is_public()), "permitted without a token");
            } else {
                assert!(!route.is_public(), "a public route is closed: {decision:?}");
            }
        }
    }
}

fn filled(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((_, end)) => format!("filled{end}"),
        None => segment.to_owned(),
    }
}
