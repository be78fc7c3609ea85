//! Disguised requests and real frameworks: starts each framework with its echo handler, and the Worker in front of them,
//! for the two tables of `probe/tests/frameworks`.
//!
//! ```text
//!  the test ──▶ workerd: the Worker ──▶ the test's relay ──▶ a framework
//! ```

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use postern_embed::Inputs;
use serde_json::{Value, json};

use crate::frameworks::{self, Frameworks};
use crate::http::Client;
use crate::paths::{Paths, write_if_changed};
use crate::ports::{self, OFFSET_VARIABLE, url};
use crate::process::{Supervisor, run};
use crate::report::Report;
use crate::setup::{WORKER_TARGET, node, rust_target, step};
use crate::stack::workerd::{self, Bundle};
use crate::stack::{Manifest, Wrangler, key_set, write_private};
use crate::test::{Binaries, Choice, workspace};
use crate::worker;

/// A server answers in a second or so; this leaves room for a machine under load.
const PATIENCE: Duration = Duration::from_secs(60);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
const AGAIN: &str = "cargo xtask test --only frameworks";
/// Where echo handlers are mounted.
const ECHO: &str = "/postern/echo";
/// The name of the origin's secret in `probe/tests/frameworks/policy.toml`.
const KEY: &str = "POSTERN_KEY_ECHO";

/// What runs a framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Node,
    Python,
    Php,
    Ruby,
    Cargo,
}

/// One framework: its name in `readings.toml`, and how it is started. `PORT` and `ADDRESS` are filled in.
#[derive(Clone, Copy, Debug)]
struct Framework {
    name: &'static str,
    runner: Runner,
    arguments: &'static [&'static str],
    /// Whether every run of the tests has it behind the edge, and not only a long one.
    always: bool,
}

const FRAMEWORKS: [Framework; 12] = [
    Framework {
        name: "express-4",
        runner: Runner::Node,
        arguments: &["express.mjs", "express4", "PORT"],
        always: true,
    },
    Framework {
        name: "express-5",
        runner: Runner::Node,
        arguments: &["express.mjs", "express5", "PORT"],
        always: false,
    },
    Framework { name: "fastify", runner: Runner::Node, arguments: &["fastify.mjs", "PORT"], always: false },
    Framework { name: "hono-3", runner: Runner::Node, arguments: &["hono.mjs", "hono3", "PORT"], always: true },
    Framework { name: "hono-4", runner: Runner::Node, arguments: &["hono.mjs", "hono", "PORT"], always: false },
    Framework { name: "koa", runner: Runner::Node, arguments: &["koa.mjs", "PORT"], always: false },
    Framework {
        name: "gunicorn-flask",
        runner: Runner::Python,
        arguments: &["-m", "gunicorn", "--bind", "ADDRESS", "flask_app:app"],
        always: true,
    },
    Framework {
        name: "uvicorn-fastapi",
        runner: Runner::Python,
        arguments: &["-m", "uvicorn", "--host", "127.0.0.1", "--port", "PORT", "fastapi_app:app"],
        always: true,
    },
    Framework {
        name: "django",
        runner: Runner::Python,
        arguments: &["django_app.py", "runserver", "--noreload", "ADDRESS"],
        always: false,
    },
    Framework { name: "axum", runner: Runner::Cargo, arguments: &["PORT"], always: false },
    Framework { name: "php", runner: Runner::Php, arguments: &["-S", "ADDRESS", "-t", "php"], always: false },
    Framework {
        name: "rack",
        runner: Runner::Ruby,
        arguments: &["-S", "rackup", "--server", "webrick", "--host", "127.0.0.1", "--port", "PORT", "echo.ru"],
        always: false,
    },
];

/// The table of what frameworks read behind the edge; with `long` that of what they read directly too, and all
/// frameworks.
pub(crate) fn test(paths: &Paths, report: &Report, binaries: &Binaries, long: bool) -> Result<()> {
    let mut frameworks = None;
    report.part("set-up of the frameworks", AGAIN, || {
        frameworks = Some(frameworks::set_up(paths)?);
        Ok(())
    })?;
    let Some(frameworks) = frameworks else { return Ok(()) };
    if long {
        for missing in frameworks.missing() {
            report.skip("disguises, read by one more framework", &format!("there is no {missing}"));
        }
    }
    let what = if long { "disguises, read directly and behind the edge" } else { "disguises, read behind the edge" };
    report.part(what, AGAIN, || tables(paths, &frameworks, binaries, long))
}

fn tables(paths: &Paths, frameworks: &Frameworks, binaries: &Binaries, long: bool) -> Result<()> {
    let selected: Vec<&Framework> = FRAMEWORKS
        .iter()
        .filter(|framework| (long || framework.always) && program(paths, frameworks, framework.runner).is_some())
        .collect();
    let folder = paths.profile("frameworks")?;
    let moved_by = env::var(OFFSET_VARIABLE).ok();
    let [relay, edge] = ports::frameworks(["the relay", "the Worker"], 0, moved_by.as_deref())?;
    let framework_ports = ports::frameworks(FRAMEWORKS.map(|framework| framework.name), 2, moved_by.as_deref())?;
    let keys = key_set("echo")?;
    let issuer = format!("{}/issuer", url(relay));

    let config = step("build: Worker", || worker_config(paths, &folder, (relay, edge), &issuer, &keys))?;
    if long {
        step("build: echo handler for axum", || {
            let mut command = Command::new("cargo");
            command.arg("build").args(workspace()).args(["--quiet", "--example", "axum"]);
            run(command.current_dir(&paths.root))
        })?;
    }
    let mut supervisor = Supervisor::new(&folder.join("logs"), false)?;
    let client = Client::with_timeout(PROBE_TIMEOUT);
    let mut started = json!({});
    for (framework, port) in FRAMEWORKS.iter().zip(framework_ports) {
        if !selected.iter().any(|selected| selected.name == framework.name) {
            continue;
        }
        let program = program(paths, frameworks, framework.runner).context("a framework's program has gone")?;
        let address = format!("127.0.0.1:{port}");
        let arguments = framework.arguments.iter().map(|argument| match *argument {
            "PORT" => port.to_string(),
            "ADDRESS" => address.clone(),
            other => other.to_owned(),
        });
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&frameworks.folder).env("POSTERN_ECHO", "1");
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        supervisor.start(framework.name, &mut command)?;
        started[framework.name] = json!(url(port));
    }
    for framework in &selected {
        let echo = format!("{}{ECHO}", started[framework.name].as_str().unwrap_or_default());
        supervisor.wait_for(framework.name, PATIENCE, || client.status(&echo) == Some(200))?;
    }
    let mut workerd = Command::new(node(paths));
    workerd.arg(paths.local.join("node_modules/workerd/bin/workerd")).arg("serve").arg(&config);
    supervisor.start("workerd", &mut workerd)?;
    // Whatever it answers: the relay is the test's.
    supervisor.wait_for("workerd", PATIENCE, || client.status(&url(edge)).is_some())?;

    let key_file = folder.join("origin.key");
    write_private(&key_file, &keys.to_string())?;
    let description = folder.join("description.json");
    let content = json!({
        "frameworks": started,
        "command": binaries.program("postern")?,
        "policy": policy(paths),
        "key_file": key_file,
        "edge": url(edge),
        "relay": relay,
        "issuer": issuer,
    });
    write_if_changed(&description, &content.to_string())?;
    let mut arguments = vec!["--include-ignored", "--show-output"];
    if !long {
        arguments.extend(["--skip", "each_framework_reads_disguises_as_is_written_down"]);
    }
    binaries.run(
        paths,
        &Choice {
            packages: &["postern-probe"],
            targets: &["frameworks"],
            arguments: &arguments,
            variables: &[("POSTERN_FRAMEWORKS", description.display().to_string())],
            ..Choice::default()
        },
    )
}

fn policy(paths: &Paths) -> PathBuf {
    paths.root.join("probe/tests/frameworks/policy.toml")
}

/// What runs a framework, if the machine has it.
fn program(paths: &Paths, frameworks: &Frameworks, runner: Runner) -> Option<PathBuf> {
    match runner {
        Runner::Node => Some(frameworks.node.clone()),
        Runner::Python => Some(frameworks.python.clone()),
        Runner::Php => frameworks.php.clone(),
        Runner::Ruby => frameworks.ruby.clone(),
        Runner::Cargo => Some(paths.target.join("debug/examples/axum")),
    }
}

/// Builds the Worker that has the tables' policy, and configures workerd to serve it.
fn worker_config(
    paths: &Paths,
    folder: &Path,
    (relay, edge): (u16, u16),
    issuer: &str,
    keys: &Value,
) -> Result<PathBuf> {
    let overlay = folder.join("overlay.toml");
    let text = format!(
        "# Written by `cargo xtask test`.\n[issuer.clients]\nurl = \"{issuer}\"\njwks_url = \"{issuer}/jwks\"\n\n\
         [origin.echo]\nurl = \"{}\"\n",
        url(relay)
    );
    write_if_changed(&overlay, &text)?;
    let built = folder.join("built");
    let bundle: Bundle = {
        rust_target(paths, WORKER_TARGET)?;
        let _lock = worker::lock(paths)?;
        let inputs = Inputs { policy: policy(paths), overlay: Some(overlay), ..Inputs::default() };
        worker::build_carrying(&paths.root, &inputs, &built)?;
        let wrangler = Wrangler { paths, folder };
        let manifest = folder.join("wrangler.json");
        write_if_changed(&manifest, &wrangler.manifest()?)?;
        wrangler.bundle(Some(&built.join("cloudflare/worker.mjs")), &manifest, &folder.join("bundle"))?
    };
    let secrets = [(KEY.to_owned(), keys.to_string()), ("POSTERN_DEVELOPMENT".to_owned(), "true".to_owned())];
    let config = folder.join("workerd.capnp");
    write_private(&config, &workerd::config(&bundle, &Manifest::read(&paths.root)?, &secrets, edge)?)?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_framework_has_a_table_of_readings() {
        let paths = Paths::find().expect("the repository");
        let text = fs::read_to_string(paths.root.join("probe/tests/frameworks/readings.toml")).expect("the readings");
        let readings: toml::Table = text.parse().expect("TOML");
        assert_eq!(readings.len(), FRAMEWORKS.len());
        for framework in FRAMEWORKS {
            let known = readings.get(framework.name).and_then(toml::Value::as_table);
            assert!(known.is_some_and(|known| !known.is_empty()), "{}", framework.name);
        }
    }

    #[test]
    fn each_handler_is_a_file_of_the_project() {
        let paths = Paths::find().expect("the repository");
        let folder = paths.local.join("frameworks");
        for name in ["flask_app.py", "fastapi_app.py", "php/postern/echo/index.php", "axum.rs"] {
            assert!(folder.join(name).is_file(), "{name}");
        }
        let named = FRAMEWORKS.iter().flat_map(|framework| framework.arguments);
        for name in named.filter(|name| [".mjs", ".py", ".ru"].iter().any(|end| name.ends_with(end))) {
            assert!(folder.join(name).is_file(), "{name}");
        }
    }
}
