//! Which platform the tests' edge runs on, and each fact in which the platforms differ, in one place.
//!
//! A test asks for the fact and asserts either way; none leaves itself out silently.

use std::env;

/// The variable that says which edge [`Stack::call`](crate::Stack::call) goes to.
const VARIABLE: &str = "POSTERN_EDGE";

/// A platform with an edge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Platform {
    /// Cloudflare's: isolates that serve many requests at a time.
    Worker,
    /// CloudFront's: containers that serve one event at a time, behind a front that decides some things itself.
    CloudFront,
}

impl Platform {
    /// The one that this run is about.
    ///
    /// # Panics
    /// When the variable says something else.
    pub fn current() -> Self {
        match env::var(VARIABLE).as_deref() {
            Err(_) | Ok("" | "cloudflare") => Self::Worker,
            Ok("cloudfront") => Self::CloudFront,
            Ok(other) => panic!("{VARIABLE} is `cloudflare` or `cloudfront`, not `{other}`"),
        }
    }

    /// Whether this is CloudFront.
    pub fn is_cloudfront(self) -> bool {
        self == Self::CloudFront
    }

    /// The part of the stack whose log is the edge's.
    pub const fn log(self) -> &'static str {
        match self {
            Self::Worker => "edge",
            Self::CloudFront => "cloudfront",
        }
    }

    /// The field by which a request has a name in the decision log: Cloudflare's own, or the stand-in's, for CloudFront
    /// makes the name itself.
    pub const fn request_id_field(self) -> &'static str {
        match self {
            Self::Worker => "cf-ray",
            Self::CloudFront => "stand-in-request-id",
        }
    }

    /// Requests that one instance of an edge serves at a time. Each has caches of its own, so what is «once an edge» is
    /// once a container at CloudFront.
    pub const fn serves_many_at_a_time(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// Caches of keys in one instance: one for the enforced policy, and one for the policy that the stack only tries, which
    /// must not fill the first.
    pub const KEY_CACHES: u64 = 2;

    /// CloudFront answers a GET with a body itself, with 403, before any function sees it.
    pub const fn sees_bodies_of_gets(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// CloudFront answers methods that it does not know itself, with 403.
    pub const fn sees_unknown_methods(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// CloudFront answers for an origin that is out of reach itself: a function runs again only once there is an answer.
    pub const fn answers_for_unreachable_origins(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// CloudFront takes targets up to 8,192 octets, and answers longer ones itself, with 413.
    pub const fn sees_targets_beyond_8192(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// CloudFront leaves `X-Forwarded-Proto` out, and lets no function set it.
    pub const fn forwards_the_scheme(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// An event has the query string without its `?`, so that an empty one is none; what is forwarded has no `?` either.
    pub const fn sees_empty_queries(self) -> bool {
        matches!(self, Self::Worker)
    }

    /// How often permissions that nobody could tell are asked for, at most: the function that is packed for tests also
    /// has a route and a policy that are only tried, and each asks for itself before the event is answered.
    pub const fn asks_without_an_answer(self) -> usize {
        match self {
            Self::Worker => 1,
            Self::CloudFront => 3,
        }
    }
}
