//! The keys that the edge shares with each origin, from the platform's secrets.
//!
//! An edge that lacks one key, or has one for two origins, serves nothing at all: a permitted request that
//! cannot be vouched for is as good as lost, and with a shared key one origin could mint for the other.

use std::{collections::BTreeMap, fmt};

#[cfg(feature = "sigv4")]
use crate::sigv4::Credentials;
use postern::{
    Policy,
    assertion::{AssertionKeyError, AssertionKeys},
    decision_log::{SubjectKey, SubjectKeyError},
};

/// The assertion keys of every origin of a policy, and what its decision log hashes subjects with. Made by
/// [`Secrets::read`] alone.
#[derive(Debug)]
pub struct Secrets {
    origins: BTreeMap<String, AssertionKeys>,
    subject_key: Option<SubjectKey>,
    #[cfg(feature = "sigv4")]
    credentials: BTreeMap<String, Credentials>,
}

/// Why the secrets do not do. Names bindings, never what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretsError {
    /// The binding is not set, or not a text.
    Missing(String),
    /// The binding holds no usable JWK set.
    Unusable(String, AssertionKeyError),
    /// The binding holds no AWS credentials.
    Credentials(String),
    /// The binding holds no secret that subjects can be hashed with.
    SubjectKey(String, SubjectKeyError),
    /// Two bindings hold one secret.
    Shared(String, String),
    /// What should hold all of them is no JSON object.
    NoObject,
}

impl Secrets {
    /// Reads the secret of each origin that has one; `binding` gives the text that a name is bound to.
    ///
    /// # Errors
    /// [`SecretsError`] names the first binding that is wrong.
    pub fn read(policy: &Policy, binding: impl Fn(&str) -> Option<String>) -> Result<Self, SecretsError> {
        let mut read: Vec<(&str, &str, AssertionKeys)> = Vec::new();
        for origin in policy.origins() {
            // Without one, it verifies the token itself.
            let Some(name) = origin.key() else { continue };
            let text = binding(name).ok_or_else(|| SecretsError::Missing(name.to_owned()))?;
            let keys =
                AssertionKeys::from_json(&text).map_err(|error| SecretsError::Unusable(name.to_owned(), error))?;
            if let Some((_, other, _)) = read.iter().find(|(_, _, other)| other.shares_secret_with(&keys)) {
                return Err(SecretsError::Shared((*other).to_owned(), name.to_owned()));
            }
            read.push((origin.name(), name, keys));
        }
        let subject_key = match &policy.log().subject_key {
            None => None,
            Some(name) => {
                let text = binding(name).ok_or_else(|| SecretsError::Missing(name.clone()))?;
                Some(SubjectKey::new(&text).map_err(|error| SecretsError::SubjectKey(name.clone(), error))?)
            }
        };
        Ok(Self {
            origins: read.into_iter().map(|(name, _, keys)| (name.to_owned(), keys)).collect(),
            subject_key,
            #[cfg(feature = "sigv4")]
            credentials: BTreeMap::new(),
        })
    }

    /// The same, and the AWS credentials of each origin that has some: for an edge that signs by itself.
    ///
    /// # Errors
    /// [`SecretsError`] names the first binding that is wrong.
    #[cfg(feature = "sigv4")]
    pub fn with_credentials(
        mut self,
        policy: &Policy,
        binding: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SecretsError> {
        for origin in policy.origins() {
            let Some(name) = origin.credentials() else { continue };
            let text = binding(name).ok_or_else(|| SecretsError::Missing(name.to_owned()))?;
            let credentials = Credentials::from_json(&text).map_err(|_| SecretsError::Credentials(name.to_owned()))?;
            self.credentials.insert(origin.name().to_owned(), credentials);
        }
        Ok(self)
    }

    /// The AWS credentials for the origin of this name.
    #[cfg(feature = "sigv4")]
    #[must_use]
    pub fn credentials(&self, origin: &str) -> Option<&Credentials> {
        self.credentials.get(origin)
    }

    /// Reads them from one JSON object with a member for each name: a text, or the JWK set itself.
    ///
    /// # Errors
    /// [`SecretsError::NoObject`] if it is none; else as [`read`](Self::read), of the first member that is wrong.
    pub fn from_object(policy: &Policy, json: &str) -> Result<Self, SecretsError> {
        let members: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(json).map_err(|_| SecretsError::NoObject)?;
        Self::read(policy, |name| {
            members.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
    }

    /// What subjects are hashed with in the decision log, where the policy names a secret for it.
    #[must_use]
    pub const fn subject_key(&self) -> Option<&SubjectKey> {
        self.subject_key.as_ref()
    }

    /// The keys for assertions to the origin of this name.
    #[must_use]
    pub fn of(&self, origin: &str) -> Option<&AssertionKeys> {
        self.origins.get(origin)
    }
}

impl SecretsError {
    /// The error's stable name, for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "secret_missing",
            Self::Unusable(..) | Self::Credentials(_) | Self::SubjectKey(..) | Self::NoObject => "secret_unusable",
            Self::Shared(..) => "secret_shared",
        }
    }
}

impl fmt::Display for SecretsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(formatter, "the secret `{name}` is not set"),
            Self::Unusable(name, error) => write!(formatter, "the secret `{name}` is unusable: {error}"),
            Self::Credentials(name) => write!(
                formatter,
                "the secret `{name}` is unusable: it is no JSON object of `access_key_id`, `secret_access_key` and perhaps \
                 `session_token`"
            ),
            Self::SubjectKey(name, error) => write!(formatter, "the secret `{name}` is unusable: {error}"),
            Self::NoObject => formatter.write_str("what is kept is no JSON object of secrets by name"),
            Self::Shared(one, other) => write!(formatter, "the secrets `{one}` and `{other}` hold the same key"),
        }
    }
}

impl std::error::Error for SecretsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use postern::policy::from_toml;

    const POLICY: &str = r#"
        [issuer.any]
        url = "https://issuer.example"
        algorithms = ["RS256"]
        audience = ["https://api.example"]
        token_use = "access"
        permissions = "subject"
        [origin.one]
        url = "https://one.example"
        key = "KEY_ONE"
        [origin.two]
        url = "https://two.example"
        key = "KEY_TWO"
        [[route]]
        name = "one"
        methods = ["GET"]
        path = "/one"
        origin = "one"
        public = true
        [[route]]
        name = "two"
        methods = ["GET"]
        path = "/two"
        origin = "two"
        public = true
    "#;

    fn set(secrets: &[&str]) -> String {
        let keys: Vec<_> = secrets
            .iter()
            .enumerate()
            .map(|(index, k)| serde_json::json!({"kty": "oct", "kid": index.to_string(), "k": k.repeat(43)}))
            .collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    fn read(one: Option<String>, two: Option<String>) -> Result<Secrets, SecretsError> {
        let policy = from_toml(POLICY, None).unwrap_or_else(|errors| panic!("{errors}"));
        Secrets::read(&policy, |name| if name == "KEY_ONE" { one.clone() } else { two.clone() })
    }

    #[test]
    fn each_origin_gets_its_own_keys() {
        let secrets = read(Some(set(&["A"])), Some(set(&["Q", "g"]))).unwrap();
        assert!(secrets.of("one").is_some() && secrets.of("two").is_some());
        assert!(secrets.of("three").is_none());
    }

    #[test]
    fn a_key_for_two_origins_is_refused_wherever_it_stands() {
        let shared = SecretsError::Shared("KEY_ONE".into(), "KEY_TWO".into());
        for (one, two) in [(set(&["A"]), set(&["A"])), (set(&["A", "Q"]), set(&["g", "A"]))] {
            assert_eq!(read(Some(one), Some(two)).unwrap_err(), shared);
        }
    }

    #[test]
    fn one_object_may_hold_them_all_as_texts_or_as_sets() {
        let policy = from_toml(POLICY, None).unwrap_or_else(|errors| panic!("{errors}"));
        let parsed: serde_json::Value = serde_json::from_str(&set(&["A"])).unwrap();
        let object = serde_json::json!({ "KEY_ONE": parsed, "KEY_TWO": set(&["Q"]), "another": 7 });
        assert!(Secrets::from_object(&policy, &object.to_string()).is_ok());
        let lacking = serde_json::json!({ "KEY_ONE": set(&["A"]) });
        let error = Secrets::from_object(&policy, &lacking.to_string()).unwrap_err();
        assert_eq!(error, SecretsError::Missing("KEY_TWO".into()));
        for none in ["", "[]", "\"hunter2\"", "{"] {
            let error = Secrets::from_object(&policy, none).unwrap_err();
            assert_eq!(error, SecretsError::NoObject, "{none}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_missing_or_broken_secret_is_named_and_not_shown() {
        assert_eq!(read(None, Some(set(&["A"]))).unwrap_err(), SecretsError::Missing("KEY_ONE".into()));
        let error = read(Some(set(&["A"])), Some("hunter2".into())).unwrap_err();
        assert_eq!(error, SecretsError::Unusable("KEY_TWO".into(), AssertionKeyError::Malformed));
        assert!(error.to_string().contains("KEY_TWO") && !error.to_string().contains("hunter2"));
    }

    #[cfg(feature = "sigv4")]
    #[test]
    fn credentials_are_read_for_the_origins_that_have_some() {
        let text = POLICY.replace(
            "https://two.example\"",
            "https://a.lambda-url.eu-west-2.on.aws\"\nauth_type = \"AWS_IAM\"\ncredentials = \"AWS_TWO\"",
        );
        let policy = from_toml(&text, None).unwrap();
        let read = |credentials: Option<&str>| {
            let binding = |name: &str| match name {
                "KEY_ONE" => Some(set(&["A"])),
                "KEY_TWO" => Some(set(&["Q"])),
                "AWS_TWO" => credentials.map(str::to_owned),
                _ => None,
            };
            Secrets::read(&policy, binding).unwrap().with_credentials(&policy, binding)
        };
        let secrets = read(Some(r#"{"access_key_id": "a", "secret_access_key": "b"}"#)).unwrap();
        assert!(secrets.credentials("two").is_some() && secrets.credentials("one").is_none());
        assert_eq!(read(None).unwrap_err(), SecretsError::Missing("AWS_TWO".into()));
        let error = read(Some("hunter2")).unwrap_err();
        assert_eq!((&error, error.code()), (&SecretsError::Credentials("AWS_TWO".into()), "secret_unusable"));
        assert!(error.to_string().contains("AWS_TWO") && !error.to_string().contains("hunter2"));
    }
}
