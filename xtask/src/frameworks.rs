//! Real frameworks and query parsers, which tests compare with Postern's own reading of a request.
//!
//! npm and Python packages go into the project's own folders. PHP and Rack come with the machine: CI installs Debian's
//! packages. Where they are missing, the tests name them as skipped.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::paths::Paths;
use crate::setup::{self, answer, npm_packages, python_packages};

/// The installed frameworks, by the program that runs them.
#[derive(Debug, Clone)]
pub(crate) struct Frameworks {
    /// The folder with `node_modules`: Node programs in it may import the packages of its `package.json`.
    pub(crate) folder: PathBuf,
    /// Node.js that is new enough for all npm packages.
    pub(crate) node: PathBuf,
    /// Python with Django, FastAPI, Flask, Starlette, gunicorn and uvicorn.
    pub(crate) python: PathBuf,
    /// PHP's command, whose built-in server is `php -S`.
    pub(crate) php: Option<PathBuf>,
    /// Ruby with Rack and `rackup`.
    pub(crate) ruby: Option<PathBuf>,
}

impl Frameworks {
    /// The optional frameworks that this machine lacks, each with the package that brings it.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let optional = [(&self.php, "PHP (Debian: php-cli)"), (&self.ruby, "Rack (Debian: ruby-rack)")];
        optional.into_iter().filter(|(found, _)| found.is_none()).map(|(_, name)| name).collect()
    }
}

/// One line for each place, and one for what is missing.
impl fmt::Display for Frameworks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [
            ("npm packages", Some(&self.folder)),
            ("Node.js", Some(&self.node)),
            ("Python", Some(&self.python)),
            ("PHP", self.php.as_ref()),
            ("Ruby with Rack", self.ruby.as_ref()),
        ];
        for (name, place) in places {
            if let Some(place) = place {
                writeln!(formatter, "{name}: {}", place.display())?;
            }
        }
        self.missing().into_iter().try_for_each(|name| writeln!(formatter, "missing: {name}"))
    }
}

/// Installs the frameworks; does nothing if the pinned versions are already there.
pub(crate) fn set_up(paths: &Paths) -> Result<Frameworks> {
    // The stack's Node: some packages need a newer one than the machine may have.
    setup::setup(paths)?;
    let folder = paths.local.join("frameworks");
    let venv = paths.tools.join("frameworks");
    let _alone = setup::lock(paths)?;
    npm_packages(paths, &folder, "npm packages of the frameworks")?;
    let pins = folder.join("requirements.txt");
    python_packages(paths, &venv, &pins, "Python packages of the frameworks", &["--require-hashes"])?;
    let present = |program: &str, arguments: &[&str]| {
        answer(Command::new(program).args(arguments)).map(|_version| PathBuf::from(program))
    };
    Ok(Frameworks {
        node: setup::node(paths),
        python: venv.join("bin/python"),
        php: present("php", &["--version"]),
        ruby: present("ruby", &["-e", "require 'rack'"]),
        folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_framework_is_named_with_its_package() {
        let mut frameworks = Frameworks {
            folder: PathBuf::new(),
            node: PathBuf::new(),
            python: PathBuf::new(),
            php: Some("php".into()),
            ruby: None,
        };
        assert_eq!(frameworks.missing(), ["Rack (Debian: ruby-rack)"]);
        assert!(frameworks.to_string().ends_with("PHP: php\nmissing: Rack (Debian: ruby-rack)\n"), "{frameworks}");
        frameworks.ruby = Some("ruby".into());
        assert!(frameworks.missing().is_empty());
    }
}
