//! What the runtimes differ in, as the shared loop asks for it.

use std::{fmt, future::Future, time::Duration};

#[cfg(feature = "sigv4")]
use postern::policy::Origin;
use postern::{
    Authorizer, BodyDigest, Progress,
    authorizer::NeedsSignature,
    cache::{KeySeeds, KeySnapshot},
    policy::Issuer,
};

use super::outgoing::{FetchError, Fetched, Question};
use crate::secrets::{Secrets, SecretsError};
#[cfg(feature = "sigv4")]
use crate::sigv4::Credentials;

/// One request's hold on its platform; clones serve the same request.
pub(crate) trait Platform: Clone + 'static {
    /// Whether [`recall`](Self::recall) can ever have anything.
    const HAS_SECOND_LAYER: bool;
    /// Whether a connection that broke is worth a second try: one that was kept while nobody looked may be long closed.
    const RETRIES: bool;

    /// Asks once what this edge itself wants to know, within the question's limits. Whether the URL may be asked at all has
    /// been looked at.
    fn ask(
        method: &str,
        body: Option<&str>,
        question: &Question<'_>,
    ) -> impl Future<Output = Result<Fetched, FetchError>>;

    /// The policy that decides, with what it remembers.
    fn authorizer(&self) -> &'static Authorizer;

    /// A policy that is only tried.
    fn shadow(&self) -> Option<&'static Authorizer>;

    /// The secrets that requests are vouched for with, or why nothing is served.
    fn secrets(&self) -> Result<&Secrets, &Unfit>;

    /// The AWS credentials that a request of this edge's own to `origin` is signed with, where it wants that.
    #[cfg(feature = "sigv4")]
    fn credentials(&self, origin: &Origin) -> Option<Credentials> {
        self.secrets().ok()?.credentials(origin.name()).cloned()
    }

    /// The platform's name for the deployed version of this edge, for the decision log.
    fn deployed_version(&self) -> Option<&str> {
        None
    }

    /// The issuers' keys as they were when they were sealed.
    fn seeds() -> KeySeeds;

    /// Goes on with the outcome of a signature check.
    fn check(need: NeedsSignature<'static>) -> impl Future<Output = Progress<'static>>;

    /// Work whose outcome others wait for as well: it ends even if this request's caller hangs up.
    fn lead<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> impl Future<Output = Option<T>>;

    /// Work that nobody waits for.
    fn aside(&self, work: impl Future<Output = ()> + 'static);

    /// Work that decides nothing, and is left out where there is no time for it.
    fn try_later(&self, work: impl Future<Output = ()> + 'static) {
        self.aside(work);
    }

    /// Waits, and says whether there is time for more.
    fn pause(&self, duration: Duration) -> impl Future<Output = bool>;

    /// How much of the time that something may take this request still has.
    fn time_for(&self, wanted: Duration) -> Duration;

    /// What the second layer of the key cache holds.
    fn recall(issuer: &Issuer) -> impl Future<Output = Option<KeySnapshot>>;

    /// Keeps keys in the second layer.
    fn keep(issuer: &Issuer, snapshot: &KeySnapshot) -> impl Future<Output = ()>;
}

/// A request as its platform has read it.
pub(crate) trait Incoming {
    /// Its fields.
    fn fields(&self) -> Vec<(&str, &str)>;

    /// The request for the core to decide on. Method override fields are passed on like any other.
    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a>;

    /// The platform's name for it.
    fn id(&self) -> Option<&str>;
}

/// The body of a request, where its route has it read.
pub(crate) trait BodySource {
    /// The digest of the whole body, read up to `limit` octets and within `time`.
    fn read(&mut self, limit: usize, time: Duration) -> impl Future<Output = BodyDigest>;
}

/// Why an edge serves nothing, though it has its policy.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The secrets do not do.
    Secrets(SecretsError),
    /// The secrets cannot be had.
    #[cfg(feature = "cloudfront")]
    Unreachable,
    /// A development build where it is not to run.
    Development,
}

impl Unfit {
    /// The fault's stable name, for the log.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Secrets(error) => error.code(),
            #[cfg(feature = "cloudfront")]
            Self::Unreachable => "secrets_unavailable",
            Self::Development => "development_build",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secrets(error) => error.fmt(formatter),
            #[cfg(feature = "cloudfront")]
            Self::Unreachable => formatter.write_str("the secrets cannot be had"),
            Self::Development => write!(formatter, "a development build; build without an overlay to deploy it"),
        }
    }
}
