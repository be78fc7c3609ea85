//! What a distribution must have for the policy to hold behind it, behaviour by behaviour.

use std::collections::BTreeSet;

use postern::{
    Policy,
    policy::{BodyRule, CompanyRule, Origin, Route, cloudfront::is_disallowed},
};

use super::{
    Finding, Severity,
    distribution::{Association, Behaviour, Caching, Distribution},
    policies::{Fields, Policies},
    routing::{self, Served},
};

/// What a viewer-request function sees of a body, and an origin-request function
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>).
const VIEWER_BODY_BYTES: usize = 40 * 1024;
const ORIGIN_BODY_BYTES: usize = 1024 * 1024;
/// Statuses of Postern's answers that a distribution can have pages for.
const ANSWERED: [u64; 7] = [400, 403, 404, 405, 414, 502, 503];
/// Statuses of answers to GET and HEAD that CloudFront keeps for 10 s, whatever the cache policy and the answer say, unless
/// the distribution says 0 s for them
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>).
const KEPT: [u64; 8] = [404, 405, 414, 500, 501, 502, 503, 504];
const ASSERTION: &str = "postern-assertion";
const BODY_HASH: &str = "x-amz-content-sha256";

/// Everything that is found.
pub(super) fn findings(
    policy: &Policy,
    distribution: &Distribution,
    policies: &Policies,
) -> anyhow::Result<Vec<Finding>> {
    let patterns: Vec<&str> = distribution.behaviours.iter().filter_map(|own| own.pattern.as_deref()).collect();
    let served = routing::served(policy, &patterns)?;
    let mut found = Vec::new();
    for (index, behaviour) in distribution.behaviours.iter().enumerate() {
        let own: Vec<(&Served, &Route)> = served
            .iter()
            .filter(|served| served.behaviour == index)
            .filter_map(|served| Some((served, policy.routes().get(served.route)?)))
            .collect();
        let mut checked = Checked { policy, distribution, policies, behaviour, served: own, found: &mut found };
        checked.all();
    }
    found.extend(kept_errors(distribution, &served));
    let pages: Vec<String> =
        distribution.error_pages.iter().filter(|code| ANSWERED.contains(code)).map(u64::to_string).collect();
    if !pages.is_empty() {
        found.push(Finding {
            severity: Severity::Error,
            code: "error_page",
            behaviour: None,
            message: format!("a page takes the place of answers with the status {}", pages.join(", ")),
            mend: "remove the custom error responses, or the pages from them: callers must see why they were refused"
                .into(),
        });
    }
    Ok(found)
}

/// Errors that are kept: an answer of somebody's origin for everyone who comes to its path.
fn kept_errors(distribution: &Distribution, served: &[Served]) -> Option<Finding> {
    let kept: Vec<String> =
        KEPT.iter().filter(|code| !distribution.unkept_errors.contains(code)).map(u64::to_string).collect();
    let serving = distribution.behaviours.iter().enumerate();
    let mut serving = serving.filter(|(index, _)| served.iter().any(|served| served.behaviour == *index)).peekable();
    serving.peek()?;
    // What is kept is found before the origin's request, and after the viewer's.
    let is_undecided = serving.any(|(_, behaviour)| behaviour.at("viewer-request").is_none());
    (!kept.is_empty()).then(|| Finding {
        severity: if is_undecided { Severity::Error } else { Severity::Warning },
        code: "error_caching",
        behaviour: None,
        message: format!(
            "answers with the status {} are kept for some seconds, and given to {}",
            kept.join(", "),
            if is_undecided { "callers whom nobody has decided on" } else { "others who come to the same path" }
        ),
        mend: "add a custom error response for each, without a page and with `ErrorCachingMinTTL` 0".into(),
    })
}

/// A function's ARN without its version.
fn name_of(arn: &str) -> &str {
    let parts = arn.split(':').count();
    if parts > 7 { arn.rsplit_once(':').map_or(arn, |(name, _)| name) } else { arn }
}

/// The fields in which routes hand claims on.
fn handed_on<'a>(served: &[(&Served, &'a Route)]) -> impl Iterator<Item = &'a str> {
    served.iter().flat_map(|(_, route)| route.headers()).map(|handed| handed.field())
}

struct Checked<'a> {
    policy: &'a Policy,
    distribution: &'a Distribution,
    policies: &'a Policies,
    behaviour: &'a Behaviour,
    served: Vec<(&'a Served, &'a Route)>,
    found: &'a mut Vec<Finding>,
}

impl<'a> Checked<'a> {
    fn add(&mut self, severity: Severity, code: &'static str, message: String, mend: impl Into<String>) {
        let behaviour = Some(self.behaviour.name().to_owned());
        self.found.push(Finding { severity, code, behaviour, message, mend: mend.into() });
    }

    fn error(&mut self, code: &'static str, message: String, mend: impl Into<String>) {
        self.add(Severity::Error, code, message, mend);
    }

    fn warn(&mut self, code: &'static str, message: String, mend: impl Into<String>) {
        self.add(Severity::Warning, code, message, mend);
    }

    fn all(&mut self) {
        let [viewer, origin] = ["viewer-request", "origin-request"].map(|event| self.behaviour.at(event));
        let function = viewer.or(origin);
        if self.served.is_empty() {
            if function.is_none() {
                self.unguarded();
            }
            return;
        }
        self.viewers();
        self.methods();
        self.origins();
        let terms = self.caching();
        let Some(function) = function else {
            let routes = self.routes(|_| true).join("`, `");
            let message = format!("no function decides here, and the paths of `{routes}` come here");
            self.error("no_function", message, "associate the function's version with `viewer-request`, body included");
            return;
        };
        self.version(function);
        self.bodies(function);
        self.responses();
        // Another's function at the second event decides nothing.
        let again = origin.filter(|own| viewer.is_some_and(|first| name_of(&own.arn) == name_of(&first.arn)));
        if let Some(again) = again {
            self.version(again);
        }
        self.tokens(viewer.is_some(), again.is_some());
        if let Some((fields, has_query)) = terms {
            self.settable();
            self.forwarded(again.unwrap_or(function), &fields, has_query);
        }
    }

    /// Who removes the caller's token.
    fn tokens(&mut self, is_at_viewer: bool, is_again: bool) {
        let leaves = self.policy.cloudfront().is_some_and(|own| own.decides_twice());
        if is_again && !leaves {
            self.error(
                "token_missing",
                "the function at `viewer-request` removes the token, and at `origin-request` it refuses requests without one"
                    .into(),
                "write `decides_twice = true` under `[cloudfront]`, or remove one of the two associations",
            );
        } else if leaves && is_at_viewer && !is_again {
            self.error(
                "token_left",
                "the function at `viewer-request` leaves the token in place, and no function removes it".into(),
                "associate the function's version with `origin-request` too, or remove `decides_twice` under `[cloudfront]`",
            );
        }
        let targets = self.distribution.targets(self.behaviour);
        let is_signed = targets.iter().any(|entry| entry.has_access_control);
        let receiving = self.origins_of_routes().into_iter().find(|origin| origin.receives_token());
        if let (true, Some(origin)) = (is_signed, receiving) {
            let message = format!(
                "origin access control puts its signature in the place of the token that the origin `{}` is to get",
                origin.name()
            );
            self.error(
                "token_replaced",
                message,
                "remove the access control from the distribution's origin, or let the origin go by the assertion alone",
            );
        }
    }

    /// Names of the routes that such is true of.
    fn routes(&self, is_such: impl Fn(&Route) -> bool) -> Vec<&'a str> {
        self.served.iter().filter(|(_, route)| is_such(route)).map(|(_, route)| route.name()).collect()
    }

    /// The origins of the routes served here.
    fn origins_of_routes(&self) -> Vec<&'a Origin> {
        self.served.iter().filter_map(|(_, route)| self.policy.origin_of(route)).collect()
    }

    fn is_signed(&self) -> bool {
        self.origins_of_routes().iter().any(|origin| origin.wants_signature())
    }

    /// Whether a body comes with a request for the route here.
    fn takes_body(served: &Served) -> bool {
        served.methods.iter().any(|method| !["GET", "HEAD", "OPTIONS"].contains(&method.as_str()))
    }

    fn unguarded(&mut self) {
        let targets = self.distribution.targets(self.behaviour);
        let reached = self.policy.origins().iter().find(|own| targets.iter().any(|entry| entry.has_host_of(own.url())));
        if let Some(origin) = reached {
            let message =
                format!("requests reach the origin `{}` here without a decision, for no route", origin.name());
            self.warn("unguarded", message, "associate the function here too, or remove the behaviour");
        }
    }

    fn viewers(&mut self) {
        match self.behaviour.viewer_protocol.as_str() {
            "https-only" => {}
            "redirect-to-https" => self.warn(
                "plain_http",
                "who comes over plain http has sent the token in the open before being redirected".into(),
                "set `ViewerProtocolPolicy` to `https-only`",
            ),
            _ => self.error(
                "plain_http",
                "viewers may come over plain http, with their tokens in the open".into(),
                "set `ViewerProtocolPolicy` to `https-only`",
            ),
        }
    }

    fn methods(&mut self) {
        let is_allowed = |method: &str| self.behaviour.methods.iter().any(|own| own == method);
        let mut lacking: BTreeSet<&str> = self
            .served
            .iter()
            .flat_map(|(served, _)| &served.methods)
            .map(String::as_str)
            .filter(|method| !is_allowed(method))
            .collect();
        // Browsers ask before they send, and the function answers.
        if self.policy.has_cors() && !is_allowed("OPTIONS") {
            lacking.insert("OPTIONS");
        }
        if !lacking.is_empty() {
            let lacking: Vec<&str> = lacking.into_iter().collect();
            let message =
                format!("requests with the method {} are refused before the function is asked", lacking.join(", "));
            self.error(
                "method_not_allowed",
                message,
                "add them to `AllowedMethods`; CloudFront takes two, three or all seven",
            );
        }
    }

    fn origins(&mut self) {
        let only_https = self.behaviour.viewer_protocol != "allow-all";
        let targets = self.distribution.targets(self.behaviour);
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (served, route) in self.served.clone() {
            let Some(origin) = self.policy.origin_of(route) else { continue };
            let difference = match targets.as_slice() {
                [] => Some(format!("there is no origin `{}`", self.behaviour.target)),
                targets => targets.iter().find_map(|entry| {
                    Some(format!("`{}` is another: {}", entry.id, entry.difference(origin.url(), only_https)?))
                }),
            };
            if let Some(difference) = difference {
                let message = format!(
                    "`{}` of the route `{}` goes to another origin than `{}`: {difference}",
                    served.path,
                    route.name(),
                    origin.url()
                );
                let mend =
                    "give these paths a behaviour of their own, before this one, with that origin over https alone";
                self.error("other_origin", message, mend);
            } else if origin.wants_signature()
                && told.insert(origin.name())
                && targets.iter().any(|entry| !entry.has_access_control)
            {
                let message =
                    format!("nobody signs requests to the origin `{}`, which takes only signed ones", origin.name());
                self.error(
                    "no_origin_access_control",
                    message,
                    "give the distribution's origin an `OriginAccessControlId` whose signing behaviour is `always`",
                );
            }
        }
    }

    /// Whether anything is kept; what reaches the origin, where that is known.
    fn caching(&mut self) -> Option<(Vec<Fields>, bool)> {
        let mend = "use the managed cache policy `CachingDisabled` (4135ea2d-6df8-44a3-9df3-4b5a84be39ad)";
        let mut is_known = true;
        let (mut fields, mut has_query) = (Vec::new(), false);
        let mut is_kept = false;
        let ids = match &self.behaviour.cache {
            Caching::Legacy { is_off, fields: own, has_query: query } => {
                is_kept = !is_off;
                fields.push(Fields::These(own.clone()));
                has_query = *query;
                [None, None]
            }
            Caching::Policy(id) => [Some(id), self.behaviour.origin_request_policy.as_ref()],
        };
        for (index, id) in ids.into_iter().enumerate() {
            let Some(id) = id else { continue };
            match self.policies.of(id) {
                Some(terms) => {
                    is_kept |= index == 0 && !terms.is_off;
                    fields.push(terms.fields.clone());
                    has_query |= terms.has_query;
                }
                None => {
                    is_known = false;
                    let (kind, command) =
                        [("cache", "get-cache-policy"), ("origin request", "get-origin-request-policy")][index];
                    self.error(
                        "policy_unknown",
                        format!("what the {kind} policy `{id}` says is not known"),
                        format!("give what `aws cloudfront {command} --id {id}` prints in `--cloudfront-policy`"),
                    );
                }
            }
        }
        if is_kept {
            self.error("caching", "answers may be kept, and given to callers whom nobody has decided on".into(), mend);
        }
        is_known.then_some((fields, has_query))
    }

    fn version(&mut self, function: &Association) {
        let parts: Vec<&str> = function.arn.split(':').collect();
        let fault = match parts.as_slice() {
            ["arn", "aws", "lambda", "us-east-1", _, "function", _, version] => {
                let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
                (!is_number).then(|| format!("`{version}` is no version with a number"))
            }
            ["arn", "aws", "lambda", "us-east-1", _, "function", _] => Some("it names no version".to_owned()),
            ["arn", "aws", "lambda", region, ..] if *region != "us-east-1" => Some(format!("it is in `{region}`")),
            _ => Some("it is no ARN of a function".to_owned()),
        };
        if let Some(fault) = fault {
            let message = format!("CloudFront does not take the function `{}`: {fault}", function.arn);
            self.error(
                "function_version",
                message,
                "publish a version in us-east-1 and associate the ARN with its number",
            );
        }
    }

    fn bodies(&mut self, function: &Association) {
        let buffered = self.routes(|route| route.body() == BodyRule::Buffered);
        if let (false, [first, ..]) = (function.includes_body, buffered.as_slice()) {
            let message = format!("the route `{first}` binds the body, and the function does not see it");
            self.error("body_not_included", message, "set `IncludeBody` of the association");
        } else if !function.includes_body
            && self.is_signed()
            && let Some((_, route)) = self
                .served
                .iter()
                .find(|(served, route)| Self::takes_body(served) && route.body() == BodyRule::Streamed)
        {
            let message = format!(
                "the function sees no body, so that callers of `{}` must say its hash themselves, in `{BODY_HASH}`",
                route.name()
            );
            self.warn("body_not_included", message, "set `IncludeBody` of the association");
        }
        let (most, more) = if function.event == "viewer-request" {
            (
                VIEWER_BODY_BYTES,
                "write `max_body_bytes = 40960` at most, or decide at `origin-request`, which shows 1 MB",
            )
        } else {
            (ORIGIN_BODY_BYTES, "write `max_body_bytes = 1048576` at most")
        };
        if let ([first, ..], true) = (buffered.as_slice(), self.policy.limits().body > most) {
            let message = format!(
                "of a body longer than {most} octets the function sees the beginning alone, and refuses it for `{first}`"
            );
            self.warn("body_cut", message, more);
        }
    }

    fn responses(&mut self) {
        if self.behaviour.at("origin-response").is_some() {
            return;
        }
        let mend = "associate the function's version with `origin-response` too";
        if self.policy.edge_url().is_some() {
            self.error(
                "location_not_rewritten",
                "a `Location` with an origin's own host reaches callers: nothing puts the edge's `url` in its place"
                    .into(),
                mend,
            );
        }
        let sets_cors = self.behaviour.at("viewer-response").is_some() || self.behaviour.has_response_headers_policy;
        if self.policy.has_cors() && !sets_cors {
            self.error(
                "cors_not_set",
                "pages cannot read answers: nothing sets the policy's CORS fields on them".into(),
                mend,
            );
        } else {
            self.warn(
                "no_origin_response",
                "an origin's refusal of an assertion reaches callers as if their tokens were refused".into(),
                mend,
            );
        }
    }

    fn settable(&mut self) {
        let kept: BTreeSet<&str> = handed_on(&self.served).filter(|field| is_disallowed(field)).collect();
        if !kept.is_empty() {
            let names: Vec<&str> = kept.into_iter().collect();
            let message = format!("no function may set `{}`: the origin does not get the claim", names.join("`, `"));
            self.error("not_settable", message, "give the field in `headers` another name");
        }
    }

    fn forwarded(&mut self, function: &Association, fields: &[Fields], has_query: bool) {
        let have = |name: &str| fields.iter().any(|fields| fields.have(name));
        let is_viewer = function.event == "viewer-request";
        let protected = !self.routes(|route| !route.is_public()).is_empty();
        let mut lacking: BTreeSet<String> = BTreeSet::new();
        let mut needs = |name: &str| {
            if !have(name) {
                lacking.insert(name.to_owned());
            }
        };
        if is_viewer {
            // What the function sets is forwarded as what a viewer sends is.
            needs(ASSERTION);
            handed_on(&self.served).for_each(&mut needs);
            if self.is_signed() && self.served.iter().any(|(served, _)| Self::takes_body(served)) {
                needs(BODY_HASH);
            }
        } else {
            // The function sees what is forwarded, and nothing else of what came.
            if protected {
                needs("authorization");
            }
            for (_, route) in &self.served {
                if let CompanyRule::Header(field) = route.company() {
                    needs(field);
                }
                if route.body() == BodyRule::Declared && !have("content-digest") {
                    needs(BODY_HASH);
                }
            }
            if self.policy.has_cors() {
                for field in ["origin", "access-control-request-method", "access-control-request-headers"] {
                    needs(field);
                }
            }
        }
        let mend =
            "use the managed origin request policy `AllViewerExceptHostHeader` (b689b0a8-53d0-40ab-baf2-68738e2966ac)";
        if !lacking.is_empty() {
            let whom = if is_viewer { "the origin" } else { "the function" };
            let names: Vec<&str> = lacking.iter().map(String::as_str).collect();
            self.error("not_forwarded", format!("{} does not get `{}`", whom, names.join("`, `")), mend);
        } else if is_viewer
            && protected
            && !have("authorization")
            && let Some(origin) = self.origins_of_routes().into_iter().find(|origin| origin.receives_token())
        {
            let message =
                format!("the origin `{}` does not get `authorization`, as the policy says it does", origin.name());
            self.error("not_forwarded", message, mend);
        }
        if !has_query {
            let message = "the origin does not get all of the query, to which the assertion is bound".to_owned();
            self.error("query_not_forwarded", message, mend);
        }
        let refuses_host = |origin: &&Origin| origin.is_function_url() || origin.wants_signature();
        if have("host") && self.origins_of_routes().iter().any(refuses_host) {
            let message = "a function URL gets the viewer's `Host`, and answers none but its own".to_owned();
            self.error("host_forwarded", message, mend);
        }
    }
}
