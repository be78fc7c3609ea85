//! Fuel of fixed decisions: what the interpreter counts for the guest's module, alike on every machine.

use anyhow::{Context as _, Result, anyhow, ensure};
use wasmi::{Config, Engine, Func, Linker, Module, Store, Val};

/// More than all of it takes.
const FUEL: u64 = u64::MAX / 2;

/// Fuel of one decision of row `row`, of `decisions` that are made one after another.
pub(super) fn of(module: &[u8], row: u32, decisions: u32) -> Result<u64> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, module).map_err(|error| anyhow!("{error}"))?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).map_err(|error| anyhow!("{error}"))?;
    let mut linker = Linker::<()>::new(&engine);
    for import in module.imports() {
        // What `wasm-bindgen` would fill in; nothing that is counted calls it.
        let kind = import.ty().func().context("an import is not a function")?.clone();
        let absent = Func::new(&mut store, kind, |_, _, _| Err(wasmi::Error::new("an import was called")));
        linker.define(import.module(), import.name(), absent).map_err(|error| anyhow!("{error}"))?;
    }
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(|error| anyhow!("{error}"))?;
    let mut call = |name: &str, arguments: &[Val]| -> Result<u64> {
        // `wasm-bindgen` writes a hash after the name.
        let is_named = |export: &str| export.rsplit_once('_').is_some_and(|(own, _)| own == name);
        let export = module.exports().find(|export| is_named(export.name()));
        let function = export.and_then(|export| instance.get_func(&store, export.name()));
        let function = function.with_context(|| format!("the guest has no function `{name}`"))?;
        let before = store.get_fuel().map_err(|error| anyhow!("{error}"))?;
        let mut outcome = [Val::I32(0)];
        function.call(&mut store, arguments, &mut outcome).map_err(|error| anyhow!("`{name}`: {error}"))?;
        ensure!(outcome[0].i32() == Some(1), "row {row} is not decided as it must be");
        Ok(before - store.get_fuel().map_err(|error| anyhow!("{error}"))?)
    };
    let number = |number: u32| Val::I32(number.cast_signed());
    call("prepare", &[number(row), number(decisions)])?;
    Ok(call("decide", &[number(decisions)])? / u64::from(decisions))
}
