//! Which commands cover which file.

/// A command of cargo that fails if what it covers is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stage {
    /// What the outcome calls it.
    pub(super) name: &'static str,
    /// The arguments of cargo that build it. Empty where the command itself builds.
    pub(super) build: &'static [&'static str],
    /// The arguments of cargo.
    pub(super) test: &'static [&'static str],
    /// Whether it starts JavaScript engines, which reserve more address space than a test may have.
    pub(super) has_engines: bool,
}

/// A native test run of packages.
macro_rules! native {
    ($name:literal, $($argument:literal),+) => {
        Stage {
            name: $name,
            build: &["test", "--quiet", "--no-run", $($argument),+],
            test: &["test", "--quiet", $($argument),+],
            has_engines: false,
        }
    };
}

/// A part of the project's own run, or those of its tests whose names contain one of these.
macro_rules! part {
    ($name:literal $(, $filter:literal)*) => {
        Stage {
            name: $name,
            build: &[],
            test: &["run", "--quiet", "--package", "xtask", "--", "test", "--only", $name $(, $filter)*],
            has_engines: true,
        }
    };
}

const CORE: Stage = native!("core", "--package", "postern", "--lib", "--tests");
const COMMAND: Stage = native!("command", "--package", "postern-cli", "--bins", "--tests");
const ORIGIN: Stage = native!("origin", "--package", "postern-origin", "--lib", "--tests");
const EDGE: Stage = native!("edge", "--package", "postern-edge", "--package", "postern-embed", "--lib", "--tests");
const CORPUS: Stage = native!("corpus", "--package", "postern-corpus", "--tests");
const VECTORS: Stage = native!("vectors", "--package", "postern-vectors", "--tests");
const FUNCTION: Stage = part!("function");
const HOSTS: Stage = part!("corpus", "the_worker_decides", "the_function_at_cloudfront_decides");
const STACK: Stage = part!("e2e");

/// Each file belongs to the first of these that its path begins with. The cheapest stage comes first; the run of a mutant
/// ends with the first stage that fails.
const AREAS: [(&str, &[Stage]); 10] = [
    ("shared/src/signature/", &[CORE, VECTORS]),
    ("shared/src/jwk", &[CORE, VECTORS]),
    ("shared/src/", &[CORE, CORPUS]),
    ("cli/src/", &[COMMAND]),
    ("origin/src/token/", &[ORIGIN, VECTORS]),
    ("origin/src/", &[ORIGIN, CORPUS]),
    ("edge/src/cloudfront/", &[EDGE, FUNCTION, HOSTS, STACK]),
    ("edge/src/node/", &[EDGE, FUNCTION]),
    ("edge/src/", &[EDGE, HOSTS, STACK]),
    ("edge/embed/", &[EDGE]),
];

/// The stages that cover a file.
pub(super) fn stages(file: &str) -> Option<&'static [Stage]> {
    AREAS.iter().find(|(begin, _)| file.starts_with(begin)).map(|(_, stages)| *stages)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_area_is_reached_and_begins_with_a_path_that_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
        for (index, (begin, _)) in AREAS.iter().enumerate() {
            let earlier = AREAS.iter().take(index).find(|(other, _)| begin.starts_with(other));
            assert_eq!(earlier, None, "`{begin}` is never reached");
            let exists = root.join(begin).exists() || root.join(format!("{begin}.rs")).exists();
            assert!(exists, "`{begin}` does not exist");
        }
    }

    #[test]
    fn the_longest_beginning_decides() {
        assert_eq!(stages("shared/src/signature/mod.rs"), Some(&[CORE, VECTORS][..]));
        assert_eq!(stages("shared/src/jwks.rs"), Some(&[CORE, VECTORS][..]));
        assert_eq!(stages("shared/src/answer.rs"), Some(&[CORE, CORPUS][..]));
        assert_eq!(stages("xtask/src/main.rs"), None);
    }
}
