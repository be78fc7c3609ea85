//! Files that hold a secret: nobody but their owner reads them.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

use anyhow::{Context as _, anyhow};

use crate::output::{self, WARNING, styled};

/// Creates a file of mode 0600. On platforms without modes, the folder's own rules apply.
///
/// # Errors
/// When the file exists: a key that is overwritten is lost. When it cannot be created.
pub(crate) fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow!("`{}` exists, and the key in it would be lost; name another file", path.display())
        }
        _ => anyhow::Error::new(error).context(format!("cannot create `{}`", path.display())),
    })
}

/// Reads a key file, and warns if others can read it too.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let shown = format!("`{}`", path.display());
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    warn_if_others_can_read(&file, &shown);
    io::read_to_string(file).with_context(|| format!("cannot read {shown}"))
}

/// Warns if `file` is a file that its group or everybody may read; `name` is what the warning calls it.
pub(crate) fn warn_if_others_can_read(file: &File, name: &str) {
    if can_others_read(file) {
        output::complain(&format!(
            "{}: {name} can be read by other users; take it from them (`chmod 600`), and make a new key if they may have \
             read it\n",
            styled(WARNING, "warning")
        ));
    }
}

#[cfg(unix)]
fn can_others_read(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // Pipes and terminals have a mode too, which says nothing.
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn can_others_read(_: &File) -> bool {
    false
}
