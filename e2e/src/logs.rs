//! What the parts of the stack have written down.

use std::{fs, path::Path};

use crate::stack::Stack;

/// One log, whole.
#[derive(Clone, Debug)]
pub struct Log {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Every log of the stack, those of a part's own folder included.
pub fn all(stack: &Stack) -> Vec<Log> {
    let mut logs = Vec::new();
    collect(&stack.logs, &mut logs);
    logs
}

/// The log of one part.
///
/// # Panics
/// When there is none.
pub fn of(stack: &Stack, name: &str) -> String {
    let path = stack.logs.join(format!("{name}.log"));
    let octets = fs::read(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    String::from_utf8_lossy(&octets).into_owned()
}

/// The logs of the Lambda functions, one after another.
///
/// # Panics
/// When one is missing.
pub fn of_functions(stack: &Stack) -> String {
    stack.origins.keys().map(|name| of(stack, name)).collect()
}

fn collect(folder: &Path, logs: &mut Vec<Log>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, logs);
        } else if let Ok(octets) = fs::read(&path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            logs.push(Log { name, text: String::from_utf8_lossy(&octets).into_owned() });
        }
    }
}
