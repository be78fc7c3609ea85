//! What a Lambda event says of where a request came from: host, scheme and address, by the platform and not by the caller.
//!
//! | event | host | address |
//! | --- | --- | --- |
//! | HTTP API and function URL (2.0) | `requestContext.domainName` | `requestContext.http.sourceIp` |
//! | REST API, and HTTP API (1.0) | `requestContext.domainName` | `requestContext.identity.sourceIp` |
//! | load balancer | none | none: the event has the caller's fields alone, and a load balancer may be set to keep them |
//!
//! API Gateway and function URLs are reached by https only.

use http::request::Parts;
use lambda_http::request::RequestContext;
use postern::forward::Vouched;

/// Where one request came from.
#[derive(Default)]
pub(crate) struct Arrival {
    host: Option<String>,
    address: Option<String>,
    is_known: bool,
}

impl Arrival {
    /// From the event, if the request came with one.
    pub(crate) fn of(parts: &Parts) -> Self {
        match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                Self { host: context.domain_name.clone(), address: context.http.source_ip.clone(), is_known: true }
            }
            Some(RequestContext::ApiGatewayV1(context)) => {
                Self { host: context.domain_name.clone(), address: context.identity.source_ip.clone(), is_known: true }
            }
            _ => Self::default(),
        }
    }

    pub(crate) fn vouched(&self) -> Vouched<'_> {
        Vouched {
            host: self.host.as_deref(),
            scheme: self.is_known.then_some("https"),
            address: self.address.as_deref(),
        }
    }
}
