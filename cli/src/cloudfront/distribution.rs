//! A CloudFront distribution, as `aws cloudfront get-distribution-config` prints it: what of it concerns requests.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A distribution.
#[derive(Debug)]
pub(super) struct Distribution {
    pub(super) origins: Vec<OriginEntry>,
    /// Origin groups: a name, and the origins that are tried in turn.
    groups: Vec<(String, Vec<String>)>,
    /// In the order in which they are asked; the default one last.
    pub(super) behaviours: Vec<Behaviour>,
    /// Statuses for which another answer is given.
    pub(super) error_pages: Vec<u64>,
    /// Statuses that are said not to be kept.
    pub(super) unkept_errors: Vec<u64>,
}

/// Where requests may go.
#[derive(Debug)]
pub(super) struct OriginEntry {
    pub(super) id: String,
    domain: String,
    path: String,
    /// `http-only`, `match-viewer` or `https-only`; none for what is no HTTP server, as a bucket.
    protocol: Option<String>,
    http_port: u64,
    https_port: u64,
    pub(super) has_access_control: bool,
}

/// What is done with the paths of one pattern.
#[derive(Debug)]
pub(super) struct Behaviour {
    /// None for the default one.
    pub(super) pattern: Option<String>,
    pub(super) target: String,
    pub(super) viewer_protocol: String,
    pub(super) methods: Vec<String>,
    pub(super) functions: Vec<Association>,
    pub(super) cache: Caching,
    pub(super) origin_request_policy: Option<String>,
    pub(super) has_response_headers_policy: bool,
}

/// One Lambda@Edge function at one event.
#[derive(Debug)]
pub(super) struct Association {
    pub(super) arn: String,
    pub(super) event: String,
    pub(super) includes_body: bool,
}

/// How the cache is told what to do.
#[derive(Debug)]
pub(super) enum Caching {
    /// By the cache policy of this id.
    Policy(String),
    /// By settings of its own, as before there were policies.
    Legacy { is_off: bool, fields: Vec<String>, has_query: bool },
}

impl Distribution {
    /// Reads it, with or without what the command line wraps around it.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let document: Value = serde_json::from_str(text).context("it is no JSON")?;
        let whole = document.get("Distribution").unwrap_or(&document);
        let config = whole.get("DistributionConfig").unwrap_or(whole);
        let default = config.get("DefaultCacheBehavior").context("it has no `DefaultCacheBehavior`")?;
        let own = items(config, "CacheBehaviors").map(|behaviour| Behaviour::of(behaviour, true));
        Ok(Self {
            origins: items(config, "Origins").map(OriginEntry::of).collect(),
            groups: items(config, "OriginGroups")
                .map(|group| {
                    (text_of(group, "Id"), items(group, "Members").map(|member| text_of(member, "OriginId")).collect())
                })
                .collect(),
            behaviours: own.chain([Behaviour::of(default, false)]).collect(),
            error_pages: items(config, "CustomErrorResponses")
                .filter(|page| !text_of(page, "ResponsePagePath").is_empty())
                .filter_map(|page| page.get("ErrorCode")?.as_u64())
                .collect(),
            unkept_errors: items(config, "CustomErrorResponses")
                .filter(|page| page.get("ErrorCachingMinTTL").and_then(Value::as_u64) == Some(0))
                .filter_map(|page| page.get("ErrorCode")?.as_u64())
                .collect(),
        })
    }

    /// The origins that the behaviour may send a request to.
    pub(super) fn targets(&self, behaviour: &Behaviour) -> Vec<&OriginEntry> {
        let group = self.groups.iter().find(|(id, _)| *id == behaviour.target).map(|(_, members)| members.as_slice());
        let names = group.unwrap_or(std::slice::from_ref(&behaviour.target));
        self.origins.iter().filter(|origin| names.contains(&origin.id)).collect()
    }
}

impl OriginEntry {
    fn of(entry: &Value) -> Self {
        let custom = entry.get("CustomOriginConfig");
        let port = |name: &str, own: u64| custom.and_then(|custom| custom.get(name)?.as_u64()).unwrap_or(own);
        Self {
            id: text_of(entry, "Id"),
            domain: text_of(entry, "DomainName"),
            path: text_of(entry, "OriginPath"),
            protocol: custom.map(|custom| text_of(custom, "OriginProtocolPolicy")),
            http_port: port("HTTPPort", 80),
            https_port: port("HTTPSPort", 443),
            has_access_control: !text_of(entry, "OriginAccessControlId").is_empty(),
        }
    }

    /// What is another than in `url`, an origin's of the policy; `only_https` where viewers come by nothing else.
    pub(super) fn difference(&self, url: &str, only_https: bool) -> Option<String> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let is_https = scheme == "https";
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().unwrap_or_default()),
            None => (authority, if is_https { 443 } else { 80 }),
        };
        let protocols = if is_https { ["https-only", "match-viewer"] } else { ["http-only", "http-only"] };
        let own_port = if is_https { self.https_port } else { self.http_port };
        let protocol = self.protocol.as_deref().unwrap_or_default();
        if !self.domain.eq_ignore_ascii_case(host) {
            return Some(format!("its host is `{}`", self.domain));
        }
        if self.path != path {
            return Some(format!("its path is `{}`", self.path));
        }
        if protocol != protocols[0] && (protocol != protocols[1] || !only_https) {
            return Some(format!("it is spoken to by `{protocol}`"));
        }
        (own_port != port).then(|| format!("its port is {own_port}"))
    }

    /// Whether it is the host of `url`, whatever else differs.
    pub(super) fn has_host_of(&self, url: &str) -> bool {
        let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        self.domain.eq_ignore_ascii_case(authority)
    }
}

impl Behaviour {
    fn of(entry: &Value, has_pattern: bool) -> Self {
        let id = |name: &str| Some(text_of(entry, name)).filter(|id| !id.is_empty());
        let associations = items(entry, "LambdaFunctionAssociations").map(|one| Association {
            arn: text_of(one, "LambdaFunctionARN"),
            event: text_of(one, "EventType"),
            includes_body: one.get("IncludeBody").is_some_and(|value| value == true),
        });
        Self {
            pattern: has_pattern.then(|| text_of(entry, "PathPattern")),
            target: text_of(entry, "TargetOriginId"),
            viewer_protocol: text_of(entry, "ViewerProtocolPolicy"),
            methods: texts(entry, "AllowedMethods"),
            functions: associations.collect(),
            cache: id("CachePolicyId").map_or_else(|| Caching::legacy(entry), Caching::Policy),
            origin_request_policy: id("OriginRequestPolicyId"),
            has_response_headers_policy: id("ResponseHeadersPolicyId").is_some(),
        }
    }

    /// As findings call it.
    pub(super) fn name(&self) -> &str {
        self.pattern.as_deref().unwrap_or("Default (*)")
    }

    /// The function at that event.
    pub(super) fn at(&self, event: &str) -> Option<&Association> {
        self.functions.iter().find(|association| association.event == event)
    }
}

impl Caching {
    fn legacy(entry: &Value) -> Self {
        let values = entry.get("ForwardedValues").unwrap_or(&Value::Null);
        let fields = texts(values, "Headers");
        let is_zero = |name: &str| entry.get(name).and_then(Value::as_f64) == Some(0.0);
        // With every field in its key the cache is not used at all.
        let is_off = fields.iter().any(|field| field == "*")
            || ["MinTTL", "DefaultTTL", "MaxTTL"].iter().all(|name| is_zero(name));
        Self::Legacy { is_off, fields, has_query: values.get("QueryString").is_some_and(|value| value == true) }
    }
}

/// The `Items` of a list; CloudFront leaves them out where there are none.
pub(super) fn items<'a>(value: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    value.get(list).and_then(|list| list.get("Items")?.as_array()).into_iter().flatten()
}

pub(super) fn texts(value: &Value, list: &str) -> Vec<String> {
    items(value, list).filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn text_of(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
