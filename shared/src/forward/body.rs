//! What becomes of the body of a request that is forwarded.

/// What a driver knows of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is none, or it is empty.
    Absent,
    /// Nobody has looked at it; there may be none.
    Unread,
    /// There is one.
    Present,
    /// It was read and is gone.
    Spent,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// It is streamed, or sent as it was read; there may be none.
    Sent,
    /// There is none, or the request is refused: Fetch sends none with a GET or HEAD (Fetch §5.4), and some server on the
    /// way would read its octets as the next request.
    #[default]
    Refused,
    /// It is empty, and says so itself.
    Empty,
}

impl Body {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Refused, Self::Empty];

    /// `None` where the request is refused: a GET or HEAD with a body, and one whose body is gone.
    pub(super) fn of(method: &str, seen: Seen) -> Option<Self> {
        match (seen, matches!(method, "GET" | "HEAD")) {
            (Seen::Spent, _) | (Seen::Present, true) => None,
            (Seen::Absent, _) => Some(Self::Empty),
            (Seen::Unread, true) => Some(Self::Refused),
            (Seen::Unread | Seen::Present, false) => Some(Self::Sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_is_never_forwarded_with_a_body() {
        for method in ["GET", "HEAD"] {
            assert_eq!(Body::of(method, Seen::Absent), Some(Body::Empty));
            assert_eq!(Body::of(method, Seen::Unread), Some(Body::Refused));
            assert_eq!(Body::of(method, Seen::Present), None);
        }
        for seen in [Seen::Unread, Seen::Present] {
            assert_eq!(Body::of("POST", seen), Some(Body::Sent));
        }
        assert_eq!(Body::of("POST", Seen::Spent), None);
    }
}
