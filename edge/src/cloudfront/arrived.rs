//! A request as its event has it: read whole, or a viewer's in few words.

use std::time::Duration;

use postern::{BodyDigest, digest::sha256, forward::Driver};

use crate::{
    event::{Event, EventBody, EventKind, ViewerRequest},
    log,
    web::{self, BodySource, Incoming as _, runtime},
};

/// A request in an event.
pub(super) enum Arrived {
    /// Of an event that was read whole, and its target.
    Whole(Box<Event>, String),
    /// Of an event that `event.js` took the essentials of: it shows no body, and names no origin.
    Viewer(ViewerRequest),
}

impl Arrived {
    pub(super) fn whole(event: Event) -> Self {
        let target = event.request().target();
        Self::Whole(Box::new(event), target)
    }

    /// The same once more, for rules that are only tried; `text` is that of an event that was read whole.
    pub(super) fn again(&self, text: Option<&str>) -> Option<Self> {
        match self {
            Self::Whole(..) => Event::parse(text?).ok().map(Self::whole),
            Self::Viewer(request) => Some(Self::Viewer(request.clone())),
        }
    }

    fn method(&self) -> &str {
        match self {
            Self::Whole(event, _) => event.request().method(),
            Self::Viewer(request) => request.method(),
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }

    fn field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Whole(event, _) => event.request().field(name),
            Self::Viewer(request) => request.field(name),
        }
    }

    /// The value of a field that stands exactly once; its name is given in lower case.
    pub(super) fn sole_field(&self, name: &str) -> Option<&str> {
        match self {
            Self::Whole(event, _) => event.request().sole_field(name),
            Self::Viewer(request) => request.sole_field(name),
        }
    }

    /// What the event shows of the body.
    pub(super) fn shown(&self) -> Option<&EventBody> {
        match self {
            Self::Whole(event, _) => event.request().body(),
            Self::Viewer(_) => None,
        }
    }

    /// At which of CloudFront's events it is.
    pub(super) fn driver(&self) -> Driver {
        match self {
            Self::Whole(event, _) if event.kind() == EventKind::OriginRequest => Driver::OriginRequest,
            Self::Whole(..) | Self::Viewer(_) => Driver::ViewerRequest,
        }
    }

    /// The host that the viewer named, by which CloudFront has found the distribution; at the origin's request `Host` may be
    /// the origin's already, and the edge's public URL says it.
    pub(super) fn host<'a>(&'a self, public: Option<&'a str>) -> Option<&'a str> {
        match self.driver() {
            Driver::ViewerRequest => self.sole_field("host"),
            _ => public?.split_once("://").map(|(_, host)| host),
        }
    }

    /// Whether the request goes to the origin at `url`, as far as the event knows: at the viewer's request nobody does.
    pub(super) fn goes_to(&self, url: &str) -> bool {
        match self {
            Self::Whole(event, _) if event.kind() == EventKind::OriginRequest => {
                event.request().origin().and_then(|origin| origin.url()).is_some_and(|own| own == url)
            }
            Self::Whole(..) | Self::Viewer(_) => true,
        }
    }

    /// The request to go on with, or the changes to it; `None` when they cannot be said.
    pub(super) fn forwarded(self, is_removed: impl Fn(&str) -> bool, set: &[(&str, &str)]) -> Option<String> {
        match self {
            Self::Whole(event, _) => Some(event.forwarded(is_removed, set)),
            Self::Viewer(request) => request.changes(is_removed, set),
        }
    }

    /// Whether the fields announce a body.
    pub(super) fn says_it_has_a_body(&self) -> bool {
        self.field("content-length").is_some_and(|length| length != "0") || self.field("transfer-encoding").is_some()
    }

    /// The whole body, if the event shows it or says that there is none.
    pub(super) fn whole_body(&self) -> Option<Vec<u8>> {
        match self.shown() {
            Some(body) if body.is_truncated() => None,
            Some(body) => body.octets().ok(),
            // A behaviour that includes bodies includes empty ones. In HTTP/2 no field need announce one.
            None if self.field("content-length") == Some("0") => Some(Vec::new()),
            None if matches!(self.method(), "GET" | "HEAD" | "OPTIONS") && !self.says_it_has_a_body() => {
                Some(Vec::new())
            }
            None => None,
        }
    }

    pub(super) fn body(&self) -> ShownBody<'_> {
        ShownBody(self)
    }
}

impl web::Incoming for Arrived {
    fn fields(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Whole(event, _) => event.request().fields(),
            Self::Viewer(request) => request.fields(),
        }
    }

    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        let target = match self {
            Self::Whole(_, target) => target,
            Self::Viewer(request) => request.target(),
        };
        postern::Request { method: self.method(), target, headers }
    }

    fn id(&self) -> Option<&str> {
        log::request_id(match self {
            Self::Whole(event, _) => event.request_id(),
            Self::Viewer(request) => Some(request.id()),
        })
    }
}

/// The body as far as the event shows it.
pub(super) struct ShownBody<'a>(&'a Arrived);

impl BodySource for ShownBody<'_> {
    async fn read(&mut self, limit: usize, _: Duration) -> BodyDigest {
        let is_truncated = self.0.shown().is_some_and(EventBody::is_truncated);
        match self.0.whole_body() {
            Some(octets) if octets.len() <= limit => BodyDigest::Sha256(sha256(&octets)),
            Some(_) => BodyDigest::TooLarge,
            None if is_truncated => BodyDigest::TooLarge,
            None => {
                let why = "the behaviour does not include bodies";
                runtime::log(&log::failure("body_not_shown", "cloudfront", why, self.0.id()));
                BodyDigest::Unreadable
            }
        }
    }
}
