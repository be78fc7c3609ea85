//! The ARN of a request to an API: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`, and `…/STAGE/$connect`.
//!
//! It names the request in the event, and it is what a policy document's resources are compared with. In a resource `*`
//! and `?` stand for other text and `${…}` is a variable, so an ARN goes into one only where it holds none of them, and is no
//! longer than a resource may be.
//!
//! Source: the service authorization reference, "Actions, resources, and condition keys for API Gateway"; the developer
//! guide, "Output from an API Gateway Lambda authorizer", for the length.

use super::event::EventError;

/// The route key and last part of the ARN of a WebSocket's first request.
pub(super) const CONNECT: &str = "$connect";
/// A stage of HTTP APIs, which is named so in ARNs too.
const DEFAULT_STAGE: &str = "$default";
/// Longest resource of an authorizer's document, in characters.
pub(super) const MAX_RESOURCE: usize = 512;

/// The ARN that an event gives its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestArn {
    text: String,
    /// How much of the text comes before the method: `arn:…:API/STAGE/`.
    prefix: usize,
}

impl RequestArn {
    /// Reads `text`.
    ///
    /// # Errors
    /// [`EventError::Arn`] when it is none.
    pub fn parse(text: &str) -> Result<Self, EventError> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", _, "execute-api", _, _, resource] = fields.as_slice() else { return Err(EventError::Arn) };
        let mut parts = resource.splitn(3, '/');
        let (Some(api), Some(stage), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(EventError::Arn);
        };
        if api.is_empty() || stage.is_empty() || rest.is_empty() {
            return Err(EventError::Arn);
        }
        Ok(Self { prefix: text.len().saturating_sub(rest.len()), text: text.to_owned() })
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the method in every ARN of this API and stage.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.get(..self.prefix).unwrap_or_default()
    }

    /// What stands before the region: `arn:PARTITION:execute-api`.
    #[must_use]
    pub fn service(&self) -> String {
        self.text.split(':').take(3).collect::<Vec<_>>().join(":")
    }

    /// What follows: the method and the path without its first `/`, or a route key.
    #[must_use]
    pub fn request(&self) -> &str {
        self.text.get(self.prefix..).unwrap_or_default()
    }

    /// The method and the path, which begins with a `/`.
    #[must_use]
    pub fn method_and_path(&self) -> Option<(&str, String)> {
        let (method, path) = self.request().split_once('/')?;
        Some((method, format!("/{path}")))
    }

    /// Whether resources can be built on what stands before the method.
    #[must_use]
    pub fn has_plain_prefix(&self) -> bool {
        let prefix = self.prefix();
        is_plain(prefix.strip_suffix('/').and_then(|prefix| prefix.strip_suffix(DEFAULT_STAGE)).unwrap_or(prefix))
    }

    /// The whole ARN as a resource that matches itself alone; `None` where it would match more, or is too long for one.
    #[must_use]
    pub fn as_resource(&self) -> Option<&str> {
        let rest = self.request();
        (self.has_plain_prefix() && (rest == CONNECT || is_plain(rest)) && is_short(&self.text)).then_some(&self.text)
    }
}

/// Whether a document may have this resource.
pub(super) fn is_short(resource: &str) -> bool {
    resource.chars().count() <= MAX_RESOURCE
}

/// Whether `text` stands for itself in a resource.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(['*', '?', '$'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "arn:aws:execute-api:eu-west-2:123456789012:abc/prod/GET/companies/1111/orders";

    #[test]
    fn an_arn_is_taken_apart_at_its_method() {
        let arn = RequestArn::parse(REST).unwrap();
        assert_eq!(arn.prefix(), "arn:aws:execute-api:eu-west-2:123456789012:abc/prod/");
        assert_eq!(arn.method_and_path(), Some(("GET", "/companies/1111/orders".to_owned())));
        assert_eq!(arn.as_resource(), Some(REST));
        let root = RequestArn::parse("arn:aws-cn:execute-api:cn-north-1:1:abc/$default/GET/").unwrap();
        assert_eq!(root.method_and_path(), Some(("GET", "/".to_owned())));
        assert!(root.as_resource().is_some());
        let colon = RequestArn::parse("arn:aws:execute-api:eu-west-2:1:abc/prod/GET/a:b/c").unwrap();
        assert_eq!(colon.method_and_path(), Some(("GET", "/a:b/c".to_owned())));
        let connect = RequestArn::parse("arn:aws:execute-api:eu-west-2:1:abc/prod/$connect").unwrap();
        assert_eq!((connect.request(), connect.method_and_path()), (CONNECT, None));
        assert!(connect.as_resource().is_some());
    }

    #[test]
    fn what_stands_for_more_than_itself_is_no_resource() {
        for rest in ["prod/GET/*", "prod/GET/a*b", "prod/GET/a?", "prod/GET/${aws:x}", "*/GET/", "prod/*/a", "prod/$x"]
        {
            let arn = RequestArn::parse(&format!("arn:aws:execute-api:eu-west-2:1:abc/{rest}")).unwrap();
            assert_eq!(arn.as_resource(), None, "{rest}");
        }
    }

    #[test]
    fn a_resource_has_512_characters_at_most() {
        let arn = |length: usize| {
            let prefix = "arn:aws:execute-api:eu-west-2:1:abc/prod/GET/";
            RequestArn::parse(&format!("{prefix}{}", "é".repeat(length - prefix.len()))).unwrap()
        };
        assert!(arn(512).as_resource().is_some());
        assert_eq!(arn(513).as_resource(), None);
    }

    #[test]
    fn other_text_is_no_arn() {
        for text in [
            "",
            "arn",
            "arn:aws:execute-api:eu-west-2:1",
            "arn:aws:execute-api:eu-west-2:1:abc",
            "arn:aws:execute-api:eu-west-2:1:abc/prod",
            "arn:aws:execute-api:eu-west-2:1:abc/prod/",
            "arn:aws:execute-api:eu-west-2:1:/prod/GET/",
            "arn:aws:execute-api:eu-west-2:1:abc//GET/",
            "arn:aws:lambda:eu-west-2:1:abc/prod/GET/",
        ] {
            assert_eq!(RequestArn::parse(text), Err(EventError::Arn), "{text}");
        }
    }
}
