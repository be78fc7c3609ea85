//! The local stack: two issuers, a DynamoDB stand-in, the Lambda functions and the Worker, each on a port of its own on
//! the loopback interface. Development and tests have a profile each and can run side by side.

mod cloudfront;
mod files;
mod manifest;
pub(crate) mod workerd;
mod wrangler;

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use postern_embed::Inputs;
use serde_json::Value;

use crate::http::Client;
use crate::package;
use crate::paths::{Paths, write_if_changed};
use crate::ports::{OFFSET_VARIABLE, Ports, url};
use crate::process::{Supervisor, run};
use crate::setup::{node, step};
use crate::test::Binaries;
use crate::worker::{self, build_planted, build_worker};

use files::{Edges, Keys, ORIGINS, Programs};
pub(crate) use files::{SCOPES, key_set};
pub(crate) use manifest::Manifest;
pub(crate) use wrangler::Wrangler;

/// A part answers in two seconds or so; this leaves room for a machine under load.
const PATIENCE: Duration = Duration::from_secs(90);
/// The same, but what answers wrongly is not waited for as long.
const PATIENCE_WORKER: Duration = Duration::from_secs(60);
/// The first call of a function starts it, behind cargo's lock.
const PATIENCE_FUNCTION: Duration = Duration::from_secs(240);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// What a run of the stack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// A person's: logs in the terminal, code reloaded.
    Development,
    /// One of the end-to-end tests' stacks, which run side by side: logs in files, the Worker under plain workerd as well.
    Test(u8),
}

/// How many stacks for tests can run side by side: each has a block of ports, and one more is left for other tests.
pub(crate) const MOST_TEST_STACKS: u8 = 4;
/// Ports between the blocks of two stacks for tests.
const BLOCK: u16 = 20;

impl Profile {
    fn name(self) -> String {
        match self {
            Self::Development => "dev".to_owned(),
            Self::Test(number) => format!("test-{number}"),
        }
    }

    fn offset(self) -> u16 {
        match self {
            Self::Development => 0,
            Self::Test(number) => 100 + BLOCK * u16::from(number),
        }
    }

    fn is_test(self) -> bool {
        matches!(self, Self::Test(_))
    }
}

/// What decides in front of the services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Edge {
    /// The Worker, under `wrangler dev`.
    #[default]
    Cloudflare,
    /// The Lambda@Edge function, behind a local CloudFront.
    Cloudfront,
}

/// A running stack. Dropping it ends all of it.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The processes.
    pub(crate) supervisor: Supervisor,
    /// The profile's folder.
    pub(crate) folder: PathBuf,
    /// The description file, for tests.
    pub(crate) description: PathBuf,
    /// The edge that it was started for; in a stack for tests the Worker.
    pub(crate) edge: String,
    /// The local CloudFront, where it runs.
    pub(crate) cloudfront: Option<String>,
    /// The control API.
    pub(crate) control: String,
    /// The table's store.
    pub(crate) dynamodb: String,
}

/// The profile's ports, none of them in use.
pub(crate) fn free_ports(profile: Profile) -> Result<Ports> {
    let ports = Ports::of(profile.offset(), env::var(OFFSET_VARIABLE).ok().as_deref())?;
    ports.check_free()?;
    Ok(ports)
}

/// Compiles the Workers of a stack for tests, so that starting one compiles nothing.
pub(crate) fn compile_workers(paths: &Paths) -> Result<()> {
    let _lock = worker::lock(paths)?;
    step("build: Worker", || worker::compile(&paths.root, &[]).map(drop))?;
    step("build: Worker that traps on request", || worker::compile_planted(&paths.root).map(drop))
}

/// The profile's ports for other tests than the end-to-end tests.
pub(crate) fn free_ports_beside_stacks() -> Result<Ports> {
    free_ports(Profile::Test(MOST_TEST_STACKS))
}

/// Builds and starts everything, and returns once every part answers.
///
/// A person's stack has the one edge, the tests' has all. `functions` are the Lambda functions, where they are built
/// already; else `cargo lambda` builds them, and builds them again when they change.
pub(crate) fn start(paths: &Paths, profile: Profile, edge: Edge, functions: Option<&Binaries>) -> Result<Stack> {
    let ports = free_ports(profile)?;
    let folder = paths.profile(&profile.name())?;
    let test = profile.is_test();
    let edges = Edges {
        worker: test || edge == Edge::Cloudflare,
        plain_workerd: test,
        cloudfront: test || edge == Edge::Cloudfront,
    };
    let logs = folder.join("logs");
    let starting = Starting { paths, profile, edges, ports, keys: Keys::generate()?, logs, folder, functions };
    starting.run()
}

/// The stack on its way up.
#[derive(Debug)]
struct Starting<'a> {
    paths: &'a Paths,
    profile: Profile,
    edges: Edges,
    ports: Ports,
    keys: Keys,
    folder: PathBuf,
    logs: PathBuf,
    functions: Option<&'a Binaries>,
}

impl Starting<'_> {
    fn run(self) -> Result<Stack> {
        let overlay = self.folder.join("overlay.toml");
        write_if_changed(&overlay, &files::overlay(&self.ports))?;
        // Whatever fails to build does so before anything runs.
        if self.functions.is_none() {
            step("build: Lambda functions", || run(&mut self.build_functions()))?;
        }
        let bundle = self.edges.worker.then(|| step("build: Worker", || self.build_worker(&overlay))).transpose()?;
        if self.edges.cloudfront {
            step("build: CloudFront function", || self.build_function_at_cloudfront())?;
        }
        if self.profile.is_test() {
            let planted = self.folder.join("planted");
            step("build: Worker that traps on request", || {
                let _lock = worker::lock(self.paths)?;
                let seeds = self.folder.join("key-seeds.json");
                write_if_changed(&seeds, &files::key_seeds(&self.ports)?.to_string())?;
                let (policy, next) = (self.folder.join("tried.toml"), self.folder.join("next.toml"));
                let example = read(&self.paths.root.join("postern.toml"))?;
                let [tried, signed] =
                    ["tried", "signed"].map(|name| read(&self.paths.root.join(format!("e2e/policies/{name}.toml"))));
                let signed = signed?;
                let overlay = self.folder.join("overlay-tried.toml");
                write_if_changed(&overlay, &files::overlay_with_signed(&self.ports))?;
                write_if_changed(&policy, &files::tried_policy(&example, &(tried? + &signed)))?;
                write_if_changed(&next, &(files::next_policy(&example)? + &signed))?;
                let inputs = Inputs { policy, overlay: Some(overlay), shadow: Some(next), seeds: Some(seeds) };
                build_planted(&self.paths.root, &inputs, &planted)
            })?;
        }

        let printing = self.profile == Profile::Development;
        let mut supervisor = Supervisor::new(&self.logs, printing)?;
        step("start: table and issuers", || self.start_issuers(&mut supervisor))?;
        step("start: Lambda functions", || self.start_functions(&mut supervisor))?;
        if self.profile.is_test() {
            step("start: user pool", || self.start_pool(&mut supervisor))?;
        }
        if let Some(bundle) = &bundle {
            step("start: Worker", || self.start_worker(&mut supervisor, bundle))?;
            if self.edges.plain_workerd {
                step("start: Worker under plain workerd", || self.start_workerd(&mut supervisor, bundle))?;
            }
        }
        if self.edges.cloudfront {
            step("start: CloudFront", || self.start_cloudfront(&mut supervisor))?;
        }
        let description = self.folder.join("stack.json");
        write_private(&description, &format!("{:#}\n", self.describe()))?;
        Ok(Stack {
            supervisor,
            folder: self.folder,
            description,
            edge: url(if self.edges.worker { self.ports.edge } else { self.ports.cloudfront }),
            cloudfront: self.edges.cloudfront.then(|| url(self.ports.cloudfront)),
            control: url(self.ports.control),
            dynamodb: url(self.ports.dynamodb),
        })
    }

    fn build_functions(&self) -> Command {
        let mut command = Command::new("cargo");
        command.args(["build", "--quiet", "--package", "postern-origin", "--bins"]).current_dir(&self.paths.root);
        command
    }

    /// Bundled into the profile's folder: `dev` and `test` then serve what each has built, whatever the other does.
    fn build_worker(&self, overlay: &Path) -> Result<workerd::Bundle> {
        // Held until it is bundled: nobody else may build into `edge/build` meanwhile.
        let _lock = worker::lock(self.paths)?;
        build_worker(&self.paths.root, Some(overlay))?;

        let wrangler = self.wrangler();
        write_if_changed(&self.manifest(), &wrangler.manifest()?)?;
        wrangler.bundle(None, &self.manifest(), &self.folder.join("bundle"))
    }

    fn wrangler(&self) -> Wrangler<'_> {
        Wrangler { paths: self.paths, folder: &self.folder }
    }

    fn manifest(&self) -> PathBuf {
        self.folder.join("wrangler.json")
    }

    fn start_issuers(&self, supervisor: &mut Supervisor) -> Result<()> {
        let config = self.folder.join("issuers.json");
        write_if_changed(&config, &files::issuers_config(&self.ports).to_string())?;
        let mut dynamodb = Command::new(node(self.paths));
        dynamodb.arg(self.paths.local.join("node_modules/dynalite/cli.js")).args([
            "--host",
            "127.0.0.1",
            "--createTableMs",
            "0",
            "--port",
            &self.ports.dynamodb.to_string(),
        ]);
        supervisor.start("dynalite", &mut dynamodb)?;
        self.wait(supervisor, "dynalite", &url(self.ports.dynamodb))?;
        let mut issuers = Command::new(node(self.paths));
        issuers.arg(self.paths.local.join("issuers.mjs")).arg(&config);
        supervisor.start("issuers", &mut issuers)?;
        self.wait(supervisor, "issuers", &url(self.ports.control))
    }

    fn start_functions(&self, supervisor: &mut Supervisor) -> Result<()> {
        let (policy, overlay) = (self.paths.root.join("postern.toml"), self.folder.join("overlay.toml"));
        let variables = files::lambda_environment(&self.ports, &self.keys, &policy, &overlay);
        let mut command = Command::new(self.paths.venv_program("cargo-lambda"));
        command
            .args(["lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", &self.ports.lambda.to_string()])
            .arg("--disable-cors")
            .current_dir(&self.paths.root);
        match self.functions {
            // The emulator's own `cargo run` would build them again, with the features of their package alone.
            Some(_) => command.arg("--only-lambda-apis"),
            None => command.args(["--package", "postern-origin"]).envs(variables.iter().cloned()),
        };
        supervisor.start("lambda", &mut command)?;
        if let Some(functions) = self.functions {
            // The emulator would treat any request as an event and wait for its function.
            let address = (Ipv4Addr::LOCALHOST, self.ports.lambda);
            supervisor.wait_for("lambda", PATIENCE, || TcpStream::connect(address).is_ok())?;
            for name in ORIGINS.into_iter().chain([files::PRE_TOKEN]) {
                let mut function = Command::new(functions.program(name)?);
                function
                    .current_dir(&self.paths.root)
                    .envs(variables.iter().cloned())
                    .envs(files::runtime_environment(&self.ports, name));
                supervisor.start(name, &mut function)?;
            }
        }
        let client = Client::with_timeout(PROBE_TIMEOUT);
        for origin in ORIGINS {
            // Without an assertion a function that runs says 401; the emulator's own answers are of other kinds.
            let probe = format!("{}/lambda-url/{origin}/", url(self.ports.lambda));
            supervisor.wait_for("lambda", PATIENCE_FUNCTION, || client.status(&probe) == Some(401))?;
        }
        Ok(())
    }

    /// A user pool that signs users in and invokes the Pre Token Generation trigger. Its files are the profile's own, and
    /// made anew for each run.
    fn start_pool(&self, supervisor: &mut Supervisor) -> Result<()> {
        let folder = self.folder.join("pool");
        fs::create_dir_all(folder.join(".cognito/db"))
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        for (name, content) in files::pool_files(&self.ports) {
            let path = folder.join(name);
            fs::write(&path, content.to_string()).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let mut command = Command::new(node(self.paths));
        command
            .arg(self.paths.local.join("node_modules/cognito-local/lib/bin/start.js"))
            .current_dir(&folder)
            // Its own defaults would be `localhost` and wrangler's debugger's port.
            .env("HOST", "127.0.0.1")
            .env("PORT", self.ports.pool.to_string());
        supervisor.start("pool", &mut command)?;
        self.wait(supervisor, "pool", &format!("{}/health", url(self.ports.pool)))
    }

    fn start_worker(&self, supervisor: &mut Supervisor, bundle: &workerd::Bundle) -> Result<()> {
        let secrets = self.folder.join("worker.env");
        write_private(&secrets, &files::env_file(&files::worker_secrets(&self.keys)))?;
        let mut command = self.wrangler().command();
        command
            .arg("dev")
            .arg(&bundle.main)
            .arg("--config")
            .arg(self.manifest())
            .args(["--no-bundle", "--ip", "127.0.0.1", "--port", &self.ports.edge.to_string()])
            .args(["--inspector-port", &self.ports.inspector.to_string(), "--show-interactive-dev-session=false"])
            .arg("--persist-to")
            .arg(self.folder.join("wrangler-state"))
            .arg("--env-file")
            .arg(&secrets);
        supervisor.start("edge", &mut command)?;
        self.wait_for_worker(supervisor, "edge", self.ports.edge)
    }

    fn start_workerd(&self, supervisor: &mut Supervisor, bundle: &workerd::Bundle) -> Result<()> {
        let manifest = Manifest::read(&self.paths.root)?;
        let secrets = files::worker_secrets(&self.keys);
        let config = self.folder.join("workerd.capnp");
        write_private(&config, &workerd::config(bundle, &manifest, &secrets, self.ports.plain_workerd)?)?;
        let mut command = Command::new(node(self.paths));
        command.arg(self.paths.local.join("node_modules/workerd/bin/workerd")).arg("serve").arg(&config);
        supervisor.start("workerd", &mut command)?;
        self.wait_for_worker(supervisor, "workerd", self.ports.plain_workerd)
    }

    fn package_folder(&self) -> PathBuf {
        self.folder.join("function")
    }

    /// Packed as it is deployed, but for the overlay, and unpacked as Lambda does it. In a stack for tests with their
    /// routes, keys sealed into it, rules that are only tried, and a decision log of everything.
    fn build_function_at_cloudfront(&self) -> Result<()> {
        let (overlay, policy) = (self.folder.join("overlay-cloudfront.toml"), self.folder.join("cloudfront.toml"));
        write_if_changed(&overlay, &cloudfront::overlay(&self.ports))?;
        let example = cloudfront::signed_policy(&read(&self.paths.root.join("postern.toml"))?)?;
        let mut inputs = Inputs { policy: policy.clone(), overlay: Some(overlay), shadow: None, seeds: None };
        if self.profile.is_test() {
            let routes = ["tried", "cloudfront"].map(|name| format!("e2e/policies/{name}.toml"));
            let [tried, more] = routes.map(|file| read(&self.paths.root.join(file)));
            write_if_changed(&policy, &files::tried_policy(&example, &(tried? + &more?)))?;
            let (next, seeds) = (self.folder.join("next-cloudfront.toml"), self.folder.join("key-seeds.json"));
            write_if_changed(&next, &files::next_policy(&example)?)?;
            write_if_changed(&seeds, &files::key_seeds(&self.ports)?.to_string())?;
            inputs = Inputs { shadow: Some(next), seeds: Some(seeds), ..inputs };
        } else {
            write_if_changed(&policy, &example)?;
        }
        let module = package::build_module(self.paths)?;
        package::unpack(self.paths, &module, &inputs, &self.package_folder())
    }

    fn start_cloudfront(&self, supervisor: &mut Supervisor) -> Result<()> {
        let config = self.folder.join("cloudfront.json");
        let credentials = cloudfront::Credentials::generate()?;
        let text = cloudfront::config(&self.ports, &self.keys, &credentials, &self.package_folder()).to_string();
        write_private(&config, &text)?;
        let mut command = Command::new(node(self.paths));
        command.arg(self.paths.local.join("cloudfront.mjs")).arg(&config);
        supervisor.start("cloudfront", &mut command)?;
        self.wait_for_worker(supervisor, "cloudfront", self.ports.cloudfront)
    }

    fn wait(&self, supervisor: &mut Supervisor, name: &str, probe: &str) -> Result<()> {
        let client = Client::with_timeout(PROBE_TIMEOUT);
        supervisor.wait_for(name, PATIENCE, || client.status(probe).is_some())
    }

    /// An edge is there once its public route reaches its origin; one that lacks a secret answers, but never that.
    fn wait_for_worker(&self, supervisor: &mut Supervisor, name: &str, port: u16) -> Result<()> {
        let client = Client::with_timeout(PROBE_TIMEOUT);
        let probe = format!("{}/health", url(port));
        supervisor.wait_for(name, PATIENCE_WORKER, || client.status(&probe) == Some(200))
    }

    fn describe(&self) -> Value {
        let programs = Programs {
            node: node(self.paths),
            node_modules: self.paths.local.join("node_modules"),
            chromium: browser(),
        };
        files::description(&self.profile.name(), &self.ports, &self.keys, &programs, self.edges, &self.logs)
    }
}

/// The first browser on the path that the browser test can drive.
fn browser() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file()))
}

/// Writes a file that holds keys: nobody else on the machine may read it.
fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let context = || format!("cannot write `{}`", path.display());
    fs::write(path, "").with_context(context)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(context)?;
    fs::write(path, content).with_context(context)
}
