//! The requests that are decided: eight targets in turn, so that no branch is always the same, and what browsers send.

/// Targets of the bench's policy that the tokens' callers may get.
pub(crate) fn targets(company: &str) -> Vec<String> {
    (0..8)
        .map(|number| match number % 4 {
            0 => format!("/companies/{company}/orders"),
            _ => format!("/companies/{company}/orders/2a7f0c1e-{number:04}"),
        })
        .collect()
}

/// Fields as a client sends them, with `authorization` among them.
pub(crate) fn fields(authorization: &str) -> [(&str, &str); 9] {
    [
        ("accept", "application/json"),
        ("accept-encoding", "gzip, br"),
        ("accept-language", "en-GB,en;q=0.9"),
        ("authorization", authorization),
        ("cf-connecting-ip", "192.0.2.7"),
        ("content-type", "application/json"),
        ("host", "api.bench.example"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
        ("x-request-id", "7d1c0d0a-6a53-4be3-9d5a-54e5f0a0c1f2"),
    ]
}
