//! `postern check`: what is wrong with a policy, as compilers say it.

use std::path::Path;

use postern::{
    Policy,
    policy::{LineColumn, PolicyError, PolicyErrors},
};

/// Prints every fault with its place, its line and its mend, and how many there are.
pub(crate) fn print(
    file: &Path,
    text: &str,
    overlay: Option<&Path>,
    overlay_text: Option<&str>,
    errors: &PolicyErrors,
) {
    for error in &errors.0 {
        let (path, source) = match (overlay, overlay_text) {
            (Some(path), Some(source)) if error.is_in_overlay() => (path, source),
            _ => (file, text),
        };
        eprintln!("{}", diagnostic(path, source, error));
    }
    let count = errors.0.len();
    eprintln!("{}: {count} fault{}", file.display(), if count == 1 { "" } else { "s" });
}

/// Says that a policy builds.
pub(crate) fn passed(file: &Path, policy: &Policy) {
    let stamp = if policy.is_development() { ", development" } else { "" };
    println!(
        "{}: builds ({} routes, {} issuers, {} origins, version {}{stamp})",
        file.display(),
        policy.routes().len(),
        policy.issuers().len(),
        policy.origins().len(),
        policy.version()
    );
}

fn diagnostic(path: &Path, text: &str, error: &PolicyError) -> String {
    let place = error.span.as_ref().map(|span| LineColumn::of(text, span.start));
    let at = place.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
    let pointer = if error.pointer.is_empty() { String::new() } else { format!("{}: ", error.pointer) };
    let mut message = format!("{}{at}: error: {pointer}{}", path.display(), error.fault);
    if let Some(line) = place.and_then(|at| text.lines().nth(at.line.saturating_sub(1))) {
        message += &format!("\n    | {line}");
    }
    message + &format!("\n    = mend: {}", error.fault.mend())
}
