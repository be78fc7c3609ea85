//! `cargo xtask dev`: the stack for a person, with requests to paste.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::collection;
use crate::examples;
use crate::http::Client;
use crate::paths::Paths;
use crate::process::check_interrupted;
use crate::setup::setup;
use crate::stack::{self, Edge, Profile, Stack};

const WATCH: Duration = Duration::from_millis(200);

/// Sets up, starts, prints the requests, and waits for Ctrl-C; with `check` it sends the requests itself and ends.
pub(crate) fn dev(paths: &Paths, check: bool, edge: Edge) -> Result<()> {
    let start = Instant::now();
    // Looked at first as well as at the start: nobody should wait for a set-up to hear of it.
    stack::free_ports(Profile::Development)?;
    println!("Setting up …");
    setup(paths)?;
    println!("Starting the stack (Ctrl-C ends it) …");
    let mut stack = stack::start(paths, Profile::Development, edge, None)?;
    println!("Ready after {:.0} s.", start.elapsed().as_secs_f64());
    if check {
        return check_examples(&stack, &stack.edge);
    }
    print_examples(&stack)?;
    let ended = watch(&mut stack);
    println!("\nEnding the stack …");
    drop(stack);
    // Ctrl-C is how this command ends well; a part that died is not.
    if check_interrupted().is_err() { Ok(()) } else { ended }
}

/// Sends every example to an edge of a running stack and compares the statuses.
pub(crate) fn check_examples(stack: &Stack, edge: &str) -> Result<()> {
    let client = Client::new();
    let examples = examples::live(stack)?;
    for example in &examples {
        example.check(&client, edge)?;
        say!("  ok {}", example.heading());
    }
    say!("  {} requests answered as promised", examples.len());
    Ok(())
}

fn print_examples(stack: &Stack) -> Result<()> {
    println!("\nThe edge is at {}. Paste these into another terminal; the tokens live for an hour.", stack.edge);
    for example in examples::live(stack)? {
        println!("\n# {}\n{}", example.heading(), example.curl(&stack.edge));
    }
    println!("\n{}", collection::hint(&collection::environment(stack, &stack.edge)?));
    println!("\nThe stack is described in `{}`. Ctrl-C ends it.\n", stack.description.display());
    Ok(())
}

fn watch(stack: &mut Stack) -> Result<()> {
    loop {
        stack.supervisor.check()?;
        thread::sleep(WATCH);
    }
}
