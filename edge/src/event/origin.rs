//! The origin that an event says the request goes to.

use serde_json::{Map, Value};

use super::{EventError, error::place};

/// How CloudFront speaks to a custom origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OriginProtocol {
    /// Plain `http`.
    Http,
    /// `https`.
    Https,
}

impl OriginProtocol {
    /// The scheme of URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Where an origin request goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventOrigin {
    /// A server that speaks HTTP.
    Custom {
        /// How it is spoken to.
        protocol: OriginProtocol,
        /// Its name, in the case that the distribution has it in.
        domain_name: String,
        /// Its port.
        port: u16,
        /// What CloudFront puts before the request's path: empty, or with a slash in front and none behind.
        path: String,
    },
    /// A bucket, which no policy names.
    S3,
}

impl EventOrigin {
    /// Where it is, as policies write it: scheme, host, the port where it is not the scheme's own, base path. `None` for
    /// a bucket.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let Self::Custom { protocol, domain_name, port, path } = self else { return None };
        let (scheme, own_port) = match protocol {
            OriginProtocol::Http => ("http", 80),
            OriginProtocol::Https => ("https", 443),
        };
        let port = if *port == own_port { String::new() } else { format!(":{port}") };
        Some(format!("{scheme}://{}{port}{path}", domain_name.to_ascii_lowercase()))
    }

    pub(super) fn read(origin: &Value) -> Result<Self, EventError> {
        let malformed = EventError::Malformed(place::ORIGIN);
        let origin = origin.as_object().ok_or(malformed)?;
        match (origin.get("custom"), origin.get("s3")) {
            (Some(Value::Object(custom)), None) => Self::custom(custom).ok_or(malformed),
            (None, Some(Value::Object(_))) => Ok(Self::S3),
            _ => Err(malformed),
        }
    }

    fn custom(custom: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| custom.get(name).and_then(Value::as_str);
        Some(Self::Custom {
            protocol: match text("protocol")? {
                "http" => OriginProtocol::Http,
                "https" => OriginProtocol::Https,
                _ => return None,
            },
            domain_name: text("domainName")?.to_owned(),
            port: custom.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok())?,
            path: text("path")?.to_owned(),
        })
    }
}
