//! What goes to an origin, and what comes back: decided here, from a [`Permit`], and carried out by drivers.
//!
//! ```text
//!  Permit ─▶ Permit::forward ─▶ Forward ── removes(name): the caller's fields that end here
//!                                       ├─ fields(): the fields that Postern sets in their place
//!                                       └─ body(seen): what becomes of the body
//!  an origin's answer ─▶ Policy::answer_of ─▶ OriginAnswer: fields withheld and changed, a refusal of the assertion
//! ```
//!
//! An origin must read a request as it was decided on. So every field goes by which some server takes another method,
//! scheme, host, path or client address, in every spelling that a server folds to it ([`class`]); and so does every name
//! that servers fold differently. The caller's token goes only to origins that verify it, or that the policy says get it:
//! what one origin receives must open nothing at another.

mod answer;
mod body;
mod location;
pub(crate) mod names;
mod unusual;

use alloc::{borrow::Cow, string::String, vec::Vec};

pub use answer::OriginAnswer;
pub use body::{Body, Seen};
pub use names::{Class, class, is_aws_field};
pub use unusual::UnusualNames;

use crate::{
    decision::{Permit, ROUTE_HEADER},
    policy::{Policy, Verifies},
};

/// Who forwards, and so what may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A Worker: it makes a request of its own.
    Worker,
    /// A function at CloudFront's `viewer-request`. CloudFront forbids functions to set `X-Forwarded-Proto` and
    /// `X-Real-IP`, and sets `X-Forwarded-For` itself.
    ViewerRequest,
    /// The same at `origin-request`.
    OriginRequest,
    /// A layer in front of a service in the same process.
    Layer,
}

/// What the driver's platform says of a request, and no caller.
#[derive(Clone, Copy, Default)]
pub struct Vouched<'a> {
    /// The host that it was sent to, with the port unless that is the scheme's own.
    pub host: Option<&'a str>,
    /// `https` or `http`.
    pub scheme: Option<&'a str>,
    /// The address that it came from.
    pub address: Option<&'a str>,
}

/// An address is personal data, and debug output ends in logs.
impl core::fmt::Debug for Vouched<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Vouched").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// How one permitted request goes to its origin.
#[derive(Clone, Copy, Debug)]
pub struct Forward<'p> {
    permit: &'p Permit,
    policy: &'p Policy,
    driver: Driver,
    connection: &'p str,
}

impl Permit {
    /// How the request goes to its origin. `policy` is the one that permitted it; `connection` is the value of the request's
    /// `Connection`, all values joined with commas, and empty without one.
    #[must_use]
    pub const fn forward<'p>(&'p self, policy: &'p Policy, driver: Driver, connection: &'p str) -> Forward<'p> {
        Forward { permit: self, policy, driver, connection }
    }
}

impl Policy {
    /// What becomes of an answer of the origin of this name; of any of them, where the platform does not say which. `vary`
    /// names the fields that the decision read: [`Permit::vary`], or [`Policy::vary_of`].
    #[must_use]
    pub const fn answer_of<'p>(&'p self, origin: Option<&'p str>, vary: &'p str) -> OriginAnswer<'p> {
        OriginAnswer::new(self, origin, vary)
    }
}

impl<'p> Forward<'p> {
    /// Whether a field of the caller's does not reach the origin.
    #[must_use]
    pub fn removes(&self, name: &str) -> bool {
        let is_signed = self.driver != Driver::Layer && self.permit.origin().wants_signature();
        let by_class = match class(name) {
            // Elsewhere it is the platform's to set, or to read.
            Some(Class::Host) => self.driver == Driver::Worker,
            Some(Class::Credential) => !self.forwards_token(),
            Some(Class::Postern | Class::Connection | Class::Override) => true,
            None => unusual::is_removed(name, self.permit.origin()) || self.policy.is_identity_field(name),
        };
        by_class || (is_signed && is_aws_field(name)) || names::is_named_in(self.connection, name)
    }

    /// Whether the caller's token is forwarded. Where two functions decide one after the other, the first
    /// keeps it for the second, which removes it.
    fn forwards_token(&self) -> bool {
        let is_decided_again = || self.policy.cloudfront().is_some_and(|own| own.decides_twice());
        self.permit.forwards_token || (self.driver == Driver::ViewerRequest && is_decided_again())
    }

    /// The fields to set, in place of all whose names fold alike; the assertion comes with them where the origin verifies
    /// one.
    #[must_use]
    pub fn fields(&self, vouched: &Vouched<'_>) -> Vec<(Cow<'p, str>, String)> {
        let Vouched { host, scheme, address } = *vouched;
        let (scheme, address) = match self.driver {
            Driver::Worker | Driver::Layer => (scheme, address),
            Driver::ViewerRequest | Driver::OriginRequest => (None, None),
        };
        // Cloudflare takes `CF-Connecting-IP` of a subrequest to the same zone from it.
        let real_ip = address.filter(|_| self.driver == Driver::Worker);
        let own = [
            ("x-forwarded-host", host),
            ("x-forwarded-proto", scheme),
            ("x-forwarded-for", address),
            ("x-real-ip", real_ip),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), String::from(value?))));
        let handed = self.permit.handed_on().iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.clone()));
        let mut fields: Vec<(Cow<'p, str>, String)> = own.chain(handed).collect();
        if self.permit.origin().verifies() == Verifies::Token && self.driver != Driver::Layer {
            fields.push((Cow::Borrowed(ROUTE_HEADER), self.permit.route().into()));
        }
        fields
    }

    /// What becomes of the body; `None` where the request is refused because of it.
    #[must_use]
    pub fn body(&self, seen: Seen) -> Option<Body> {
        Body::of(self.permit.method(), seen)
    }
}
