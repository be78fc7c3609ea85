//! Why a text is no event, by the member that is wrong and never by what it holds.

use core::{error::Error, fmt};

/// Where members stand, for errors.
pub(super) mod place {
    pub(in crate::event) const CF: &str = "Records[0].cf";
    pub(in crate::event) const CONFIG: &str = "Records[0].cf.config";
    pub(in crate::event) const EVENT_TYPE: &str = "Records[0].cf.config.eventType";
    pub(in crate::event) const REQUEST_ID: &str = "Records[0].cf.config.requestId";
    pub(in crate::event) const DISTRIBUTION_ID: &str = "Records[0].cf.config.distributionId";
    pub(in crate::event) const REQUEST: &str = "Records[0].cf.request";
    pub(in crate::event) const METHOD: &str = "Records[0].cf.request.method";
    pub(in crate::event) const URI: &str = "Records[0].cf.request.uri";
    pub(in crate::event) const QUERY: &str = "Records[0].cf.request.querystring";
    pub(in crate::event) const CLIENT_IP: &str = "Records[0].cf.request.clientIp";
    pub(in crate::event) const REQUEST_HEADERS: &str = "Records[0].cf.request.headers";
    pub(in crate::event) const BODY: &str = "Records[0].cf.request.body";
    pub(in crate::event) const BODY_DATA: &str = "Records[0].cf.request.body.data";
    pub(in crate::event) const ORIGIN: &str = "Records[0].cf.request.origin";
    pub(in crate::event) const RESPONSE: &str = "Records[0].cf.response";
    pub(in crate::event) const STATUS: &str = "Records[0].cf.response.status";
    pub(in crate::event) const RESPONSE_HEADERS: &str = "Records[0].cf.response.headers";
}

/// Why a text is no event of CloudFront's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EventError {
    /// It is longer than [`MAX_EVENT_OCTETS`](super::MAX_EVENT_OCTETS).
    TooLong,
    /// It is no JSON object.
    NotJson,
    /// It has no list `Records`: an event of another kind, such as one of a CloudFront function.
    NoRecords,
    /// It has more records than one, or none.
    NotOneRecord,
    /// Its `eventType` is none that Postern knows.
    UnknownKind,
    /// The member of this name is not there, or not of the kind that CloudFront sends.
    Malformed(&'static str),
}

impl EventError {
    /// A name that stays.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "event_too_long",
            Self::NotJson => "event_not_json",
            Self::NoRecords => "event_without_records",
            Self::NotOneRecord => "event_not_one_record",
            Self::UnknownKind => "event_of_unknown_kind",
            Self::Malformed(_) => "event_malformed",
        }
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => formatter.write_str("the event is too long"),
            Self::NotJson => formatter.write_str("the event is no JSON object"),
            Self::NoRecords => formatter.write_str("the event has no `Records`: it is none of Lambda@Edge"),
            Self::NotOneRecord => formatter.write_str("`Records` does not hold exactly one object"),
            Self::UnknownKind => {
                formatter.write_str("`Records[0].cf.config.eventType` is no kind of event that Lambda@Edge has")
            }
            Self::Malformed(place) => write!(formatter, "`{place}` is missing or malformed"),
        }
    }
}

impl Error for EventError {}
