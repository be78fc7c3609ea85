//! Counts what each fixed decision of the guest costs, and prints it as JSON: fuel of the module whose path is given,
//! and allocations of the same decisions made natively.

use anyhow::{Context as _, Result, anyhow, ensure};
use postern_bench_guest::{ROWS, decide, prepare};
use serde_json::{Map, Value, json};
use wasmi::{Config, Engine, Func, Linker, Module, Store, Val};

/// Decisions that are counted together.
const DECISIONS: u32 = 64;
/// More than all of it takes.
const FUEL: u64 = u64::MAX / 2;

fn main() -> Result<()> {
    let module = std::env::args().nth(1).context("usage: postern-bench-figures MODULE.wasm")?;
    let module = std::fs::read(&module).with_context(|| format!("cannot read `{module}`"))?;
    let mut rows = Map::new();
    for (row, name) in (0..).zip(ROWS) {
        let (allocations, octets) = allocations(row)?;
        let counted = json!({"fuel": fuel(&module, row)?, "allocations": allocations, "octets": octets});
        rows.insert(name.to_owned(), counted);
    }
    println!("{:#}", Value::Object(rows));
    Ok(())
}

/// Allocations of one decision, and their octets.
fn allocations(row: u32) -> Result<(u64, u64)> {
    ensure!(prepare(row, DECISIONS), "row {row} is not decided as it must be");
    let mut are_right = false;
    let counted = allocation_counter::measure(|| are_right = decide(DECISIONS));
    ensure!(are_right, "row {row} is not decided as it must be");
    Ok((counted.count_total / u64::from(DECISIONS), counted.bytes_total / u64::from(DECISIONS)))
}

/// Fuel of one decision.
fn fuel(module: &[u8], row: u32) -> Result<u64> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, module).map_err(|error| anyhow!("{error}"))?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).map_err(|error| anyhow!("{error}"))?;
    let mut linker = Linker::<()>::new(&engine);
    for import in module.imports() {
        // What `wasm-bindgen` would fill in; nothing that is counted calls it.
        let kind = import.ty().func().context("an import is no function")?.clone();
        let absent = Func::new(&mut store, kind, |_, _, _| Err(wasmi::Error::new("an import was called")));
        linker.define(import.module(), import.name(), absent).map_err(|error| anyhow!("{error}"))?;
    }
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(|error| anyhow!("{error}"))?;
    let mut call = |name: &str, arguments: &[Val]| -> Result<u64> {
        // `wasm-bindgen` writes a hash behind the name.
        let is_named = |export: &str| export.rsplit_once('_').is_some_and(|(own, _)| own == name);
        let export = module.exports().find(|export| is_named(export.name()));
        let function = export.and_then(|export| instance.get_func(&store, export.name()));
        let function = function.with_context(|| format!("no function `{name}`"))?;
        let before = store.get_fuel().map_err(|error| anyhow!("{error}"))?;
        let mut outcome = [Val::I32(0)];
        function.call(&mut store, arguments, &mut outcome).map_err(|error| anyhow!("`{name}`: {error}"))?;
        ensure!(outcome[0].i32() == Some(1), "row {row} is not decided as it must be");
        Ok(before - store.get_fuel().map_err(|error| anyhow!("{error}"))?)
    };
    let number = |number: u32| Val::I32(number.cast_signed());
    call("prepare", &[number(row), number(DECISIONS)])?;
    Ok(call("decide", &[number(DECISIONS)])? / u64::from(DECISIONS))
}
