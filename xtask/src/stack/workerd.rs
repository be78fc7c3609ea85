//! The configuration with which plain workerd serves the bundle that wrangler would deploy: no proxy of wrangler's in
//! front, so a Worker sees request targets as they came.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::manifest::Manifest;

/// A bundle as `wrangler deploy --dry-run --outdir` writes it.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// The module that has the handlers.
    pub(crate) main: PathBuf,
    /// WebAssembly.
    modules: Vec<PathBuf>,
}

impl Bundle {
    /// Finds the one script and the WebAssembly modules in a folder.
    pub(crate) fn find(folder: &Path) -> Result<Self> {
        let mut scripts = Vec::new();
        let mut modules = Vec::new();
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("js" | "mjs") => scripts.push(path),
                Some("wasm") => modules.push(path),
                _ => {}
            }
        }
        let [main] = <[PathBuf; 1]>::try_from(scripts)
            .map_err(|found| anyhow::anyhow!("`{}` holds {} scripts, not one", folder.display(), found.len()))?;
        modules.sort();
        Ok(Self { main, modules })
    }

    /// All of its files, the one with the handlers first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.main].into_iter().chain(&self.modules)
    }
}

/// The text of the configuration, for a file beside the bundle's folder. It holds the Worker's secrets: the caller keeps
/// the file private.
pub(crate) fn config(bundle: &Bundle, manifest: &Manifest, secrets: &[(String, String)], port: u16) -> Result<String> {
    config_with(bundle, manifest, secrets, &[], port)
}

/// The same with more bindings, each as the configuration's language has it.
pub(crate) fn config_with(
    bundle: &Bundle,
    manifest: &Manifest,
    secrets: &[(String, String)],
    more: &[String],
    port: u16,
) -> Result<String> {
    let mut modules =
        vec![format!("    (name = {}, esModule = embed {}),", file_name(&bundle.main)?, embedded(&bundle.main)?)];
    for module in &bundle.modules {
        modules.push(format!("    (name = {}, wasm = embed {}),", file_name(module)?, embedded(module)?));
    }
    let secrets = secrets.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let texts = manifest.variables().chain(secrets).map(|(name, value)| text_binding(name, &quoted(value)));
    let bindings: Vec<String> = texts.chain(more.iter().cloned()).map(|binding| format!("    ({binding}),")).collect();
    let flags: Vec<String> = manifest.flags().map(quoted).collect();
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "postern", worker = .postern),
    # The issuers and the origins are on the loopback interface.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "postern")],
);

const postern :Workerd.Worker = (
  modules = [
{modules}
  ],
  bindings = [
{bindings}
  ],
  compatibilityDate = {date},
  compatibilityFlags = [{flags}],
);
"#,
        modules = modules.join("\n"),
        bindings = bindings.join("\n"),
        date = quoted(manifest.date()?),
        flags = flags.join(", "),
    ))
}

/// A binding to a text: `value` is quoted, or an `embed`.
fn text_binding(name: &str, value: &str) -> String {
    format!("name = {}, text = {value}", quoted(name))
}

/// A binding to what is in a file beside the configuration's folder: octets if it is WebAssembly, else text.
pub(crate) fn file_binding(name: &str, file: &Path) -> Result<String> {
    let value = format!("embed {}", embedded(file)?);
    let is_module = file.extension().is_some_and(|extension| extension == "wasm");
    Ok(if is_module { format!("name = {}, data = {value}", quoted(name)) } else { text_binding(name, &value) })
}

/// A binding to what makes isolates of modules; `workerd serve --experimental` has it.
pub(crate) fn loader_binding(name: &str) -> String {
    format!("name = {}, workerLoader = (id = \"loader\")", quoted(name))
}

fn file_name(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(quoted).with_context(|| format!("`{}` has no usable name", path.display()))
}

/// `embed` takes paths from where the configuration is: beside the bundle's folder.
fn embedded(path: &Path) -> Result<String> {
    let mut last = path.iter().rev();
    let (Some(file), Some(folder)) =
        (last.next().and_then(|name| name.to_str()), last.next().and_then(|name| name.to_str()))
    else {
        anyhow::bail!("`{}` is not in a folder", path.display());
    };
    Ok(quoted(&format!("{folder}/{file}")))
}

/// Cap'n Proto's text form takes C's escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_escaped_and_flags_kept() {
        let bundle = Bundle { main: "/b/worker.js".into(), modules: vec!["/b/x.wasm".into()] };
        let manifest = "compatibility_date = \"2026-01-01\"\ncompatibility_flags = [\"a\"]\n[vars]\nV = \"1\"";
        let manifest = Manifest::parse(manifest).expect("TOML");
        let secrets = [("K".to_owned(), r#"{"k":"\"}"#.to_owned())];
        let text = config(&bundle, &manifest, &secrets, 8888).expect("a configuration");
        assert!(text.contains(r#"(name = "K", text = "{\"k\":\"\\\"}")"#), "{text}");
        assert!(text.contains(r#"(name = "V", text = "1")"#), "{text}");
        assert!(text.contains(r#"(name = "x.wasm", wasm = embed "b/x.wasm")"#), "{text}");
        assert!(text.contains(r#"compatibilityFlags = ["a"]"#), "{text}");
        assert!(text.contains("127.0.0.1:8888"), "{text}");
    }

    #[test]
    fn a_file_is_bound_as_text_or_as_octets() {
        let bound = |file: &str| file_binding("n", Path::new(file)).expect("a binding");
        assert_eq!(bound("/b/worker.js"), r#"name = "n", text = embed "b/worker.js""#);
        assert_eq!(bound("/b/x.wasm"), r#"name = "n", data = embed "b/x.wasm""#);
    }
}
