//! Requests signed for AWS with Signature Version 4, by AWS's own library:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//!
//! What is signed is the target as it is sent, the host, and the fields that the caller of [`sign`] names; the body by its
//! hash. Sending the request, and where credentials come from, is the platform's.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode,
    },
    sign::v4,
};
use postern::{UnixTime, assertion, policy::Origin};
use serde_json::Value;

/// An access key, and for temporary ones the token that goes with it.
#[derive(Clone)]
pub struct Credentials(AwsCredentials);

/// Why a text holds no credentials; says nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialsError;

/// What a request is signed for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// As `eu-west-2`.
    pub region: &'a str,
    /// As `lambda`.
    pub service: &'a str,
}

/// A request, as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL in the octets that are sent: scheme, host, path and query.
    pub url: &'a str,
    /// Fields to be signed, beside `host` and those that [`sign`] gives. Each must be sent as it is here.
    pub fields: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body, in lower-case hex.
    pub payload: &'a str,
    /// Whether the hash is to go along in `x-amz-content-sha256`.
    pub sends_payload_hash: bool,
}

/// A request that cannot be signed: its URL or a field is none. Says nothing of what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningError;

impl Credentials {
    /// From an access key's two parts, and a session's token.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) -> Self {
        Self(AwsCredentials::new(access_key_id, secret_access_key, session_token.map(str::to_owned), None, "postern"))
    }

    /// From `{"access_key_id": …, "secret_access_key": …}`, and `session_token` for temporary ones.
    ///
    /// # Errors
    /// [`CredentialsError`] for any other text: a member too many, one that is empty, or one that no header field can hold.
    pub fn from_json(text: &str) -> Result<Self, CredentialsError> {
        let value: Value = serde_json::from_str(text).map_err(|_| CredentialsError)?;
        let object = value.as_object().ok_or(CredentialsError)?;
        let member = |name: &str| match object.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().filter(|text| is_sendable(text)).map(Some).ok_or(CredentialsError),
        };
        let (id, key) = (member("access_key_id")?, member("secret_access_key")?);
        let token = member("session_token")?;
        let said = [id, key, token].into_iter().flatten().count();
        match (id, key) {
            // What is misspelt must not be left out.
            (Some(id), Some(key)) if object.len() == said => Ok(Self::new(id, key, token)),
            _ => Err(CredentialsError),
        }
    }
}

fn is_sendable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(..)")
    }
}

/// The fields that make `request` a signed one: `x-amz-date`, `authorization`, and where there is a session or where
/// they are asked for `x-amz-security-token` and `x-amz-content-sha256`. Each replaces what the request has of its name.
///
/// # Errors
/// [`SigningError`] if the URL or a field could not be sent either.
pub fn sign(
    request: &Unsigned<'_>,
    credentials: &Credentials,
    scope: Scope<'_>,
    now: UnixTime,
) -> Result<Vec<(String, String)>, SigningError> {
    let mut settings = SigningSettings::default();
    // Every service but S3 puts its canonical form together from the path as it came and escapes it again, so that
    // `%7C` is signed as `%257C` and `@` as `%40`.
    settings.percent_encoding_mode = PercentEncodingMode::Double;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
    settings.payload_checksum_kind =
        if request.sends_payload_hash { PayloadChecksumKind::XAmzSha256 } else { PayloadChecksumKind::NoHeader };
    let identity = credentials.0.clone().into();
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(now.as_secs())).ok_or(SigningError)?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|_| SigningError)?
        .into();
    let body = SignableBody::Precomputed(request.payload.to_owned());
    let signable = SignableRequest::new(request.method, request.url, request.fields.iter().copied(), body)
        .map_err(|_| SigningError)?;
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &params).map_err(|_| SigningError)?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The fields that sign a request to a Lambda function URL: its hash goes along, which Lambda compares with the body, and
/// the assertion is signed with it.
///
/// # Errors
/// [`SigningError`] where the origin has no region, or as [`sign`].
pub fn sign_for_function(
    origin: &Origin,
    credentials: &Credentials,
    (method, target): (&str, &str),
    assertion: &str,
    payload: &str,
    now: UnixTime,
) -> Result<Vec<(String, String)>, SigningError> {
    let unsigned = Unsigned {
        method,
        url: &format!("{}{target}", origin.url()),
        fields: &[(assertion::HEADER, assertion)],
        payload,
        sends_payload_hash: true,
    };
    let region = origin.region().ok_or(SigningError)?;
    sign(&unsigned, credentials, Scope { region, service: "lambda" }, now)
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no JSON object of `access_key_id`, `secret_access_key` and perhaps `session_token`")
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the request cannot be signed")
    }
}

impl std::error::Error for CredentialsError {}
impl std::error::Error for SigningError {}

#[cfg(test)]
mod tests {
    use postern::digest::sha256;

    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const FORM: &str = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
    /// Of AWS's published examples, as are the signatures: key, region, service and time are the same in all.
    const KEY: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    const SCOPE: Scope<'_> = Scope { region: "us-east-1", service: "service" };
    /// 2015-08-30T12:36:00Z.
    const THEN: UnixTime = UnixTime::from_secs(1_440_938_160);

    fn request<'a>(method: &'a str, url: &'a str) -> Unsigned<'a> {
        Unsigned { method, url, fields: &[], payload: EMPTY, sends_payload_hash: false }
    }

    fn signed(request: &Unsigned<'_>, token: Option<&str>, scope: Scope<'_>) -> Vec<(String, String)> {
        sign(request, &Credentials::new(KEY.0, KEY.1, token), scope, THEN).unwrap()
    }

    fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = fields.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let value = found.next();
        assert_eq!(found.next(), None, "{name} twice");
        value
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html>, in the form that AWS's C and Rust
    /// libraries keep it in (`aws-signing-test-suite/v4`).
    #[test]
    fn signatures_are_those_of_aws_s_test_suite() {
        let vanilla = request("GET", "https://example.amazonaws.com/");
        let order = request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1");
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let form = Unsigned {
            method: "POST",
            fields: &[("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "13")],
            payload: FORM,
            sends_payload_hash: true,
            ..vanilla
        };
        for (name, request, token, names, signature) in [
            (
                "get-vanilla",
                vanilla,
                None,
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                order,
                None,
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-vanilla-with-session-token",
                vanilla,
                Some(token),
                "host;x-amz-date;x-amz-security-token",
                "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
            ),
            (
                "post-x-www-form-urlencoded",
                form,
                None,
                "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
        ] {
            let fields = signed(&request, token, SCOPE);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
                 Signature={signature}"
            );
            assert_eq!(value(&fields, "authorization"), Some(expected.as_str()), "{name}");
            assert_eq!(value(&fields, "x-amz-date"), Some("20150830T123600Z"), "{name}");
            assert_eq!(value(&fields, "x-amz-security-token"), token, "{name}");
            let hash = request.sends_payload_hash.then_some(request.payload);
            assert_eq!(value(&fields, "x-amz-content-sha256"), hash, "{name}");
        }
    }

    /// RFC 2104, by hand.
    fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
        let mut block = [0_u8; 64];
        block[..key.len()].copy_from_slice(key);
        let pad = |byte: u8| block.iter().map(|own| own ^ byte).collect::<Vec<u8>>();
        sha256(&[pad(0x5c), sha256(&[pad(0x36), message.to_vec()].concat()).to_vec()].concat())
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// The signature over a canonical request that is written by hand, and nothing of the library's in it.
    fn by_hand(canonical: &str, scope: Scope<'_>) -> String {
        let (region, service) = (scope.region, scope.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/{region}/{service}/aws4_request\n{}",
            hex(&sha256(canonical.as_bytes()))
        );
        let date = hmac(format!("AWS4{}", KEY.1).as_bytes(), b"20150830");
        let key = hmac(&hmac(&hmac(&date, region.as_bytes()), service.as_bytes()), b"aws4_request");
        hex(&hmac(&key, text.as_bytes()))
    }

    /// What AWS escapes again is the path as it is sent: its suite's `double-encode-path` says `/test/%40connections/…%253D`
    /// of `/test/@connections/…%3D`. A query is taken apart and escaped once.
    #[test]
    fn a_canonical_target_is_signed_as_it_is_sent() {
        let scope = Scope { region: "eu-west-2", service: "lambda" };
        let assertion = "e30.e30.c2ln";
        for (target, path, query) in [
            ("/test/@connections/JBDvjfGEIAMCERw%3D", "/test/%40connections/JBDvjfGEIAMCERw%253D", ""),
            ("/users/auth0%7C17", "/users/auth0%257C17", ""),
            ("/users/jane@example.com:1", "/users/jane%40example.com%3A1", ""),
            ("/a,b;c=d+e!'()*$&~-._", "/a%2Cb%3Bc%3Dd%2Be%21%27%28%29%2A%24%26~-._", ""),
            ("/%C3%A9/", "/%25C3%25A9/", ""),
            ("/a?b=%7C&a=%C3%A9&a=/:@,", "/a", "a=%2F%3A%40%2C&a=%C3%A9&b=%7C"),
            ("/a?b", "/a", "b="),
        ] {
            let url = format!("https://abc123.lambda-url.eu-west-2.on.aws{target}");
            let unsigned = Unsigned {
                method: "POST",
                url: &url,
                fields: &[("postern-assertion", assertion)],
                payload: FORM,
                sends_payload_hash: true,
            };
            let fields = signed(&unsigned, Some("session"), scope);
            let canonical = format!(
                "POST\n{path}\n{query}\nhost:abc123.lambda-url.eu-west-2.on.aws\npostern-assertion:{assertion}\n\
                 x-amz-content-sha256:{FORM}\nx-amz-date:20150830T123600Z\nx-amz-security-token:session\n\n\
                 host;postern-assertion;x-amz-content-sha256;x-amz-date;x-amz-security-token\n{FORM}"
            );
            let signature = format!(", Signature={}", by_hand(&canonical, scope));
            let authorization = value(&fields, "authorization").unwrap();
            assert!(authorization.ends_with(&signature), "{target}: {authorization}");
        }
    }

    #[test]
    fn another_key_region_service_or_second_makes_another_signature() {
        let authorization = |key: &str, scope, now| {
            let credentials = Credentials::new("AKIDEXAMPLE", key, None);
            let fields = sign(&request("GET", "https://example.amazonaws.com/"), &credentials, scope, now).unwrap();
            value(&fields, "authorization").unwrap().rsplit('=').next().unwrap().to_owned()
        };
        let mut made = vec![
            authorization(KEY.1, SCOPE, THEN),
            authorization("other", SCOPE, THEN),
            authorization(KEY.1, Scope { region: "eu-west-2", ..SCOPE }, THEN),
            authorization(KEY.1, Scope { service: "lambda", ..SCOPE }, THEN),
            authorization(KEY.1, SCOPE, UnixTime::from_secs(1_440_938_161)),
        ];
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 5);
    }

    #[test]
    fn what_cannot_be_sent_cannot_be_signed() {
        let credentials = Credentials::new(KEY.0, KEY.1, None);
        for url in ["", "https://", "https://a b/", "https://example.amazonaws.com/a b"] {
            assert_eq!(sign(&request("GET", url), &credentials, SCOPE, THEN), Err(SigningError), "{url}");
        }
        for field in [("a b", "c"), ("", "c"), ("a", "b\nc")] {
            let fields = [field];
            let unsigned = Unsigned { fields: &fields, ..request("GET", "https://example.amazonaws.com/") };
            assert_eq!(sign(&unsigned, &credentials, SCOPE, THEN), Err(SigningError), "{field:?}");
        }
    }

    #[test]
    fn credentials_are_read_whole_or_not_at_all_and_are_never_shown() {
        let read = |text: &str| Credentials::from_json(text);
        let own =
            read(r#"{"access_key_id": "AKIDEXAMPLE", "secret_access_key": "hunter2", "session_token": "t"}"#).unwrap();
        assert_eq!((own.0.access_key_id(), own.0.secret_access_key()), ("AKIDEXAMPLE", "hunter2"));
        assert_eq!(own.0.session_token(), Some("t"));
        assert!(!format!("{own:?}").contains("hunter2") && !format!("{own:?}").contains("AKID"));
        assert!(read(r#"{"access_key_id": "a", "secret_access_key": "b"}"#).is_ok());
        for text in [
            "",
            "[]",
            "hunter2",
            "{}",
            r#"{"access_key_id": "a"}"#,
            r#"{"secret_access_key": "b"}"#,
            r#"{"access_key_id": "", "secret_access_key": "b"}"#,
            r#"{"access_key_id": "a", "secret_access_key": 1}"#,
            r#"{"access_key_id": "a", "secret_access_key": "b", "session_token": ""}"#,
            r#"{"access_key_id": "a", "secret_access_key": "b", "session_token": null}"#,
            r#"{"access_key_id": "a", "secret_access_key": "b", "session_tokn": "t"}"#,
            r#"{"access_key_id": "a b", "secret_access_key": "b"}"#,
            r#"{"access_key_id": "a\n", "secret_access_key": "b"}"#,
        ] {
            let error = read(text).map(drop).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{text}");
        }
    }
}
