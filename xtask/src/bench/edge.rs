//! The Workers that are measured, each in a plain workerd of its own, all alive at once; the measuring program loads one
//! at a time.
//!
//! ```text
//!  bench/edge/measure.mjs ──▶ workerd: a contender ──▶ origin.rs
//!          ▲ the issuer's keys ──────┘
//! ```

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postern_embed::Inputs;
use serde_json::{Value, json};

use super::samples::Samples;
use super::{Run, origin, policy};
use crate::http::Client;
use crate::paths::write_if_changed;
use crate::ports::{self, OFFSET_VARIABLE, url};
use crate::process::Supervisor;
use crate::setup::{answer, node, step};
use crate::stack::workerd::{self, Bundle};
use crate::stack::{Manifest, Wrangler, key_set, write_private};
use crate::worker;

const PATIENCE: Duration = Duration::from_secs(60);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
const LOADER: &str = "loader";

/// What a contender is.
#[derive(Clone, Copy, Debug)]
enum What {
    /// A Worker in JavaScript: its file in `bench/edge/workers/`.
    Script(&'static str),
    /// Postern's, with what its origin verifies.
    Postern(policy::Verifies),
}

#[derive(Clone, Copy, Debug)]
struct Contender {
    name: &'static str,
    /// The name of its files.
    file: &'static str,
    what: What,
    /// The field that the origin must see.
    field: &'static str,
}

const CONTENDERS: [Contender; 6] = [
    Contender { name: "no authorisation", file: "none", what: What::Script("none"), field: "postern-route" },
    Contender {
        name: "no authorisation, by URL",
        file: "by-url",
        what: What::Script("by-url"),
        field: "postern-route",
    },
    Contender { name: "jose", file: "jose", what: What::Script("jose"), field: "postern-route" },
    Contender {
        name: "aws-jwt-verify",
        file: "aws-jwt-verify",
        what: What::Script("aws-jwt-verify"),
        field: "postern-route",
    },
    Contender {
        name: "postern",
        file: "postern",
        what: What::Postern(policy::Verifies::Token),
        field: "postern-route",
    },
    Contender {
        name: "postern, assertion",
        file: "postern-assertion",
        what: What::Postern(policy::Verifies::Assertion),
        field: "postern-assertion",
    },
];

/// Builds, starts, measures, and ends all.
pub(super) fn measure(run: &Run<'_>) -> Result<Vec<Samples>> {
    let moved_by = env::var(OFFSET_VARIABLE).ok();
    let [one, two, three, four, five, six] = CONTENDERS.map(|contender| contender.name);
    let names = ["the issuer", "the origin", "fresh isolates", one, two, three, four, five, six];
    let [issuer, origin_port, loader, ports @ ..] = ports::bench(names, moved_by.as_deref())?;
    let bench = Bench { run, folder: run.paths.profile("bench")?, issuer, origin: origin_port };
    let (mut configs, mut bundles) = (Vec::new(), Vec::new());
    for (contender, port) in CONTENDERS.iter().zip(ports) {
        let bundle = step(&format!("build: {}", contender.name), || bench.bundle(contender))?;
        configs.push((contender, port, bench.config(contender.file, &bundle, port)?));
        bundles.push((contender, bundle));
    }
    let loader_config = bench.loader(&bundles, loader)?;

    origin::serve(origin_port)?;
    let program = bench.program()?;
    let mut supervisor = Supervisor::new(&bench.folder.join("logs"), false)?;
    let mut start = |name: &str, config: &Path, port: u16| -> Result<u32> {
        // What makes isolates of modules is behind this flag; all have it, so that all are served alike.
        supervisor.start(name, Command::new(&program).args(["serve", "--experimental"]).arg(config))?;
        let client = Client::with_timeout(PROBE_TIMEOUT);
        // Whatever it answers: the issuer is not there yet.
        supervisor.wait_for(name, PATIENCE, || client.status(&url(port)).is_some())?;
        supervisor.process(name).with_context(|| format!("`{name}` has no process"))
    };
    let mut contenders = Vec::new();
    for (contender, port, config) in &configs {
        let process = start(contender.file, config, *port)?;
        contenders.push(json!({
            "name": contender.name, "field": contender.field, "base": url(*port), "process": process, "config": config,
        }));
    }
    let fresh = json!({ "base": url(loader), "process": start(LOADER, &loader_config, loader)? });
    let description = bench.folder.join("edge.json");
    let config = json!({ "issuer": issuer, "workerd": program, "contenders": contenders, "loader": fresh });
    write_if_changed(&description, &config.to_string())?;
    let mut command = Command::new(node(run.paths));
    command.arg(run.paths.bench().join("edge/measure.mjs")).arg(&description);
    run.read(&mut command)
}

/// Bundles of a Worker as it is deployed with the example's policy, and of its peers: for their sizes.
pub(super) fn peers(run: &Run<'_>) -> Result<Vec<(&'static str, Bundle)>> {
    let bench = Bench { run, folder: run.paths.profile("bench")?, issuer: 0, origin: 0 };
    let scripts = CONTENDERS.iter().filter(|contender| matches!(contender.what, What::Script(_)));
    scripts.map(|contender| Ok((contender.name, bench.bundle(contender)?))).collect()
}

struct Bench<'a> {
    run: &'a Run<'a>,
    folder: PathBuf,
    issuer: u16,
    origin: u16,
}

impl Bench<'_> {
    fn bundle(&self, contender: &Contender) -> Result<Bundle> {
        match contender.what {
            What::Script(name) => self.bundle_script(name),
            What::Postern(verifies) => self.bundle_postern(contender.file, verifies),
        }
    }

    fn bundle_script(&self, name: &str) -> Result<Bundle> {
        let script = self.run.paths.bench().join(format!("edge/workers/{name}.mjs"));
        self.wrangle(&script, name)
    }

    fn bundle_postern(&self, file: &str, verifies: policy::Verifies) -> Result<Bundle> {
        let (policy, overlay) = (self.folder.join(format!("{file}.toml")), self.folder.join("overlay.toml"));
        write_if_changed(&policy, &policy::text(self.run.paths, verifies)?)?;
        write_if_changed(&overlay, &policy::overlay(self.issuer, self.origin))?;
        let folder = self.folder.join(format!("{file}-built"));
        let _lock = worker::lock(self.run.paths)?;
        let inputs = Inputs { policy, overlay: Some(overlay), ..Inputs::default() };
        worker::build_carrying(&self.run.paths.root, &inputs, &folder)?;
        self.wrangle(&folder.join("cloudflare/worker.mjs"), file)
    }

    fn wrangle(&self, script: &Path, name: &str) -> Result<Bundle> {
        let wrangler = Wrangler { paths: self.run.paths, folder: &self.folder };
        let manifest = self.folder.join("wrangler.json");
        write_if_changed(&manifest, &wrangler.manifest()?)?;
        wrangler.bundle(Some(script), &manifest, &self.folder.join(name))
    }

    /// The configuration beside the bundle's folder. Each Worker is told all, and takes what it knows.
    fn config(&self, file: &str, bundle: &Bundle, port: u16) -> Result<PathBuf> {
        let config = self.folder.join(format!("{file}.capnp"));
        let manifest = Manifest::read(&self.run.paths.root)?;
        write_private(&config, &workerd::config(bundle, &manifest, &self.bindings()?, port)?)?;
        Ok(config)
    }

    fn bindings(&self) -> Result<Vec<(String, String)>> {
        let bindings = [
            ("ISSUER", url(self.issuer)),
            ("ORIGIN", url(self.origin)),
            ("POSTERN_KEY_ORDERS", key_set("orders")?.to_string()),
            ("POSTERN_DEVELOPMENT", "true".to_owned()),
        ];
        Ok(bindings.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The Worker that starts fresh isolates, with the modules of all contenders.
    fn loader(&self, bundles: &[(&Contender, Bundle)], port: u16) -> Result<PathBuf> {
        let manifest = Manifest::read(&self.run.paths.root)?;
        let env: serde_json::Map<String, Value> =
            self.bindings()?.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut more = vec![workerd::loader_binding("LOADER")];
        let mut described = serde_json::Map::new();
        for (contender, bundle) in bundles {
            let mut modules = serde_json::Map::new();
            for file in bundle.files() {
                let name = file.file_name().and_then(|name| name.to_str()).context("a module has no usable name")?;
                let binding = format!("{}/{name}", contender.file);
                more.push(workerd::file_binding(&binding, file)?);
                modules.insert(name.to_owned(), binding.into());
            }
            let main = bundle.main.file_name().and_then(|name| name.to_str());
            let (date, flags): (&str, Vec<&str>) = (manifest.date()?, manifest.flags().collect());
            let worker = json!({
                "main": main, "modules": modules, "env": env, "compatibilityDate": date, "compatibilityFlags": flags,
            });
            described.insert(contender.name.to_owned(), worker);
        }
        let texts = [("CONTENDERS".to_owned(), Value::from(described).to_string())];
        let text = workerd::config_with(&self.bundle_script(LOADER)?, &manifest, &texts, &more, port)?;
        let config = self.folder.join(format!("{LOADER}.capnp"));
        write_private(&config, &text)?;
        Ok(config)
    }

    /// workerd itself: what npm puts on the path is a script that starts it, and has another process.
    fn program(&self) -> Result<PathBuf> {
        let say = "process.stdout.write(require('workerd').default)";
        let said = answer(Command::new(node(self.run.paths)).args(["-e", say]).current_dir(&self.run.paths.local));
        let program = PathBuf::from(said.context("npm's `workerd` does not say where its program is")?);
        ensure!(fs::metadata(&program).is_ok(), "there is no `{}`: `cargo xtask setup`", program.display());
        Ok(program)
    }
}
