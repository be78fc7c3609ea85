//! The CloudFront function's package.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::paths::Paths;

/// What a function is packed from; absolute paths.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) policy: PathBuf,
    pub(crate) overlay: Option<PathBuf>,
    pub(crate) shadow: Option<PathBuf>,
    pub(crate) seeds: Option<PathBuf>,
}

/// Packs the function and unpacks it into `folder` as Lambda does.
pub(crate) fn unpack(_paths: &Paths, inputs: &Inputs, folder: &Path) -> Result<()> {
    anyhow::bail!("no package yet: {inputs:?} {}", folder.display())
}
