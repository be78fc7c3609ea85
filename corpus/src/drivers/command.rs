//! `postern decide`, the program itself, over its standard input and output.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    case::{Case, Deny, Expect, Permit, Reach, World},
    driver::Driver,
};

/// The driver.
#[derive(Debug)]
pub struct Decide {
    program: PathBuf,
    /// A folder for the files that it reads.
    folder: PathBuf,
    world: Option<World>,
}

impl Decide {
    /// The program at `program`, with files in `folder`.
    #[must_use]
    pub fn new(program: PathBuf, folder: PathBuf) -> Self {
        Self { program, folder, world: None }
    }

    fn write(&self, name: &str, value: &Value) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, value.to_string()).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    fn command(&self, world: &World) -> Result<Command> {
        let mut command = Command::new(&self.program);
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&world.policy);
        command.arg("decide").arg("--policy").arg(policy).arg("--now").arg(world.now.to_string());
        if world.reach_of_keys == Reach::Answers {
            for (section, set) in &world.keys {
                let file = self.write(&format!("{section}.json"), set)?;
                command.arg("--keys").arg(format!("{section}={}", file.display()));
            }
        }
        if world.reach_of_permissions == Reach::Answers {
            command.arg("--permissions").arg(self.write("permissions.json", &json!(world.permissions))?);
        }
        Ok(command)
    }
}

impl Driver for Decide {
    fn name(&self) -> String {
        "postern decide".to_owned()
    }

    fn cannot(&self, world: &World, case: &Case) -> Option<&'static str> {
        let has_age = |reach: Reach| reach.age().is_some();
        if has_age(world.reach_of_keys) || has_age(world.reach_of_permissions) {
            Some("its keys and records have no age")
        } else if world.permissions.values().any(|record| record.get("nonsense").is_some()) {
            Some("it takes no file with a record that is none")
        } else if case.request.body.is_some() {
            Some("its requests have no body")
        } else {
            None
        }
    }

    fn enter(&mut self, world: &World) -> Result<()> {
        self.world = Some(world.clone());
        Ok(())
    }

    fn decide(&mut self, cases: &[&Case]) -> Result<Vec<Expect>> {
        let world = self.world.as_ref().context("no world was entered")?;
        let mut child = self.command(world)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().context("no standard input")?;
        let lines: String = cases
            .iter()
            .enumerate()
            .map(|(id, Case { request, .. })| {
                let line =
                    json!({"id": id, "method": request.method, "target": request.target, "headers": request.headers});
                format!("{line}\n")
            })
            .collect();
        // On a thread of its own: nobody writes on who must read first.
        let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = child.wait_with_output()?;
        writer.join().expect("the writer does not panic")?;
        ensure!(output.status.success(), "`postern decide` ended with {}", output.status);
        let text = String::from_utf8(output.stdout)?;
        let seen: Result<Vec<Expect>> = text.lines().enumerate().map(|(id, line)| read(id, line)).collect();
        seen
    }

    /// It tells the route, the subject and the company.
    fn expected(&self, case: &Case) -> Expect {
        match case.expect.clone() {
            Expect::Permit(permit) => {
                let Permit { route, subject, company, .. } = permit;
                Expect::Permit(Permit { route, subject, company, ..Permit::default() })
            }
            other => other,
        }
    }
}

fn read(id: usize, line: &str) -> Result<Expect> {
    let seen: Value = serde_json::from_str(line)?;
    ensure!(seen["id"] == json!(id), "`{line}` is not about request {id}");
    let text = |name: &str| seen[name].as_str().map(str::to_owned);
    if seen["decision"] == "permit" {
        let route = text("route").context("a permit without a route")?;
        let (subject, company) = (text("subject"), text("company"));
        return Ok(Expect::Permit(Permit { route, subject, company, ..Permit::default() }));
    }
    let reason = text("reason").context("a denial without a reason")?;
    if reason == "preflight" {
        return Ok(Expect::Preflight {});
    }
    let status = seen["status"].as_u64().and_then(|status| u16::try_from(status).ok()).context("no status")?;
    Ok(Expect::Deny(Deny { reason, status, route: text("route") }))
}
