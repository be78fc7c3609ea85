//! The versions that `--since` knows.

use std::fmt;

/// A version of Postern whose decisions are known; ordered by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// The state before the first change that is registered.
    V0_1_0,
    /// This version.
    V0_2_0,
}

impl Version {
    /// Every version, the oldest first.
    pub(crate) const ALL: [Self; 2] = [Self::V0_1_0, Self::V0_2_0];

    /// The version's number.
    pub(crate) const fn number(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
        }
    }

    /// Returns the version that `text` names, for the command line.
    ///
    /// # Errors
    /// A sentence that says why there is none, with the known versions.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(version) = Self::ALL.into_iter().find(|version| version.number() == text) {
            return Ok(version);
        }
        let known = Self::ALL.map(Self::number).join(", ");
        let why = match (parts(text), parts(env!("CARGO_PKG_VERSION")), parts(Self::ALL[0].number())) {
            (Some(asked), Some(own), _) if asked > own => {
                format!("it is newer than this command, which is {}", env!("CARGO_PKG_VERSION"))
            }
            (Some(asked), _, Some(oldest)) if asked < oldest => "it is older than the first known version".to_owned(),
            (Some(_), ..) => "there is no such version".to_owned(),
            (None, ..) => "it is not a version such as `0.1.0`".to_owned(),
        };
        Err(format!("{why}; known versions: {known}"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.number())
    }
}

/// Major, minor and patch.
fn parts(text: &str) -> Option<[u32; 3]> {
    let numbers: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_known_version_is_this_one_and_they_are_in_order() {
        let numbers = Version::ALL.map(|version| parts(version.number()).unwrap());
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert_eq!(Version::ALL.map(Version::number).last(), Some(&env!("CARGO_PKG_VERSION")));
        assert!(Version::ALL.is_sorted());
    }

    #[test]
    fn a_version_that_is_not_known_is_an_error_with_the_known_ones() {
        for version in Version::ALL {
            assert_eq!(Version::parse(version.number()), Ok(version));
        }
        for (text, why) in [
            ("9.0.0", "it is newer than this command"),
            ("0.0.9", "it is older than the first known version"),
            ("0.1.7", "there is no such version"),
            ("0.1", "it is not a version"),
            ("v0.1.0", "it is not a version"),
            ("", "it is not a version"),
        ] {
            let error = Version::parse(text).unwrap_err();
            assert!(error.starts_with(why) && error.ends_with("known versions: 0.1.0, 0.2.0"), "{text}: {error}");
        }
    }
}
