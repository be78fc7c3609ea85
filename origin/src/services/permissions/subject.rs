//! Which item holds a subject's record.
//!
//! Subjects of two issuers may be the same text, so a record belongs to an issuer section and a subject. One
//! section's records are kept under the bare subject, as stores from before Postern have them; any other
//! section's under `section#subject`. Neither part may hold a `#`, or a subject of the bare section could
//! be made to read as one of another.

/// The section whose records have bare subjects as their `id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareSection(String);

/// Between section and subject.
const SEPARATOR: char = '#';

/// Longest `id` in octets: DynamoDB's limit on a partition key.
const MAX_ID_BYTES: usize = 2_048;

impl BareSection {
    /// The section `name`; `None` for a name that cannot be one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        (!name.is_empty() && !name.contains(SEPARATOR)).then(|| Self(name.to_owned()))
    }

    /// The `id` of the item for `subject` of `section`; `None` when no item can have it.
    #[must_use]
    pub fn item_id(&self, section: &str, subject: &str) -> Option<String> {
        if section.is_empty() || subject.is_empty() || section.contains(SEPARATOR) || subject.contains(SEPARATOR) {
            return None;
        }
        let id = if section == self.0 { subject.to_owned() } else { format!("{section}{SEPARATOR}{subject}") };
        (id.len() <= MAX_ID_BYTES).then_some(id)
    }

    /// The subject of `section` that the item `id` is about; `None` where it is another section's.
    #[must_use]
    pub fn subject_of<'i>(&self, section: &str, id: &'i str) -> Option<&'i str> {
        match id.split_once(SEPARATOR) {
            None => (section == self.0 && !id.is_empty()).then_some(id),
            Some((named, subject)) => (named == section && section != self.0 && !subject.is_empty()).then_some(subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_section_is_bare_and_the_others_are_named() {
        let bare = BareSection::new("users").unwrap();
        assert_eq!(bare.item_id("users", "auth0|abc").as_deref(), Some("auth0|abc"));
        assert_eq!(bare.item_id("partners", "1111").as_deref(), Some("partners#1111"));
    }

    #[test]
    fn an_item_is_of_one_section_alone() {
        let bare = BareSection::new("users").unwrap();
        for (section, subject) in [("users", "auth0|abc"), ("partners", "1111")] {
            let id = bare.item_id(section, subject).unwrap();
            for asked in ["users", "partners", "others", ""] {
                assert_eq!(bare.subject_of(asked, &id), (asked == section).then_some(subject), "{asked} {id}");
            }
        }
        // What nobody here writes is nobody's.
        assert_eq!(bare.subject_of("users", "users#alice"), None);
        assert_eq!(bare.subject_of("partners", "partners#"), None);
        assert_eq!(bare.subject_of("users", ""), None);
    }

    #[test]
    fn no_subject_reads_as_one_of_another_section() {
        let bare = BareSection::new("users").unwrap();
        assert_eq!(bare.item_id("users", "partners#1111"), None);
        assert_eq!(bare.item_id("partners#x", "1111"), None);
        assert_eq!(bare.item_id("users", ""), None);
        assert_eq!(bare.item_id("", "alice"), None);
        assert_eq!(bare.item_id("users", &"a".repeat(MAX_ID_BYTES + 1)), None);
        assert_eq!(BareSection::new("a#b"), None);
        assert_eq!(BareSection::new(""), None);
    }
}
