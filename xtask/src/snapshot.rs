//! Runs a module's `prepare` once, as it is built, and makes of its memory what each instance of it starts with.
//!
//! In a fresh isolate, all that a policy takes to be read would be compiled before the first decision, function by
//! function; so it is read here, and what reads it is then no part of the module. Wizer does this for any module, with a
//! compiler that takes longer to build than all else here; this one has no start, no passive data and one memory.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use walrus::ir::Value;
use walrus::{ConstExpr, DataKind, GlobalId, GlobalKind, Module};

/// What the module exports for this, and then no longer: `room(length) -> address` and `prepare() -> bool`.
const PREPARE: &str = "prepare";
const ROOM: &str = "room";
const MEMORY: &str = "memory";
const PAGE: usize = 65_536;
/// Zeros between two segments; fewer are cheaper to keep than another segment's head.
const GAP: usize = 16;
/// Most segments, well below what engines take (V8: 100,000).
const MOST_SEGMENTS: usize = 10_000;

/// The module as it is once `config` was written to its `room` and `prepare` has run; as it was, where it has no
/// `prepare`.
///
/// # Errors
/// If it is not such a module, or `prepare` does not say that all is well.
pub(crate) fn prepared(octets: &[u8], config: &str) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(octets).context("the module cannot be read")?;
    if module.exports.get_func(PREPARE).is_err() {
        return Ok(octets.to_vec());
    }
    ensure!(module.start.is_none(), "the module has a start function, which would run twice");
    let registers = registers(&module)?;
    // LLVM's stack pointer is the first. The stack itself grows down to 0.
    let stack = registers.first().map(|(_, begin)| usize::try_from(*begin)).context("there is no stack")??;
    let names = (0..registers.len()).map(|at| format!("register {at}"));
    let shown: Vec<_> = names.zip(registers).map(|(name, (id, begin))| (name, id, begin)).collect();
    for (name, register, _) in &shown {
        module.exports.add(name, *register);
    }
    let mut image = image(&module.emit_wasm(), &shown, config)?;
    for (name, ..) in &shown {
        module.exports.remove(name)?;
    }
    let memory = module.get_memory_id().context("the module has not one memory")?;
    let segments: Vec<_> = module.data.iter().map(|data| (data.id(), offset(&data.kind))).collect();
    for (segment, offset) in segments {
        ensure!(offset? >= stack, "the stack is not first in memory: what lies there cannot be told from data");
        module.data.delete(segment);
    }
    // What calls have left behind.
    image.get_mut(..stack).context("the memory is smaller than the stack")?.fill(0);
    let pages = u64::try_from(image.len() / PAGE)?;
    let kept = module.memories.get_mut(memory);
    kept.data_segments.clear();
    kept.initial = pages;
    for (offset, octets) in segments_of(&image) {
        let offset = ConstExpr::Value(Value::I32(u32::try_from(offset)?.cast_signed()));
        let segment = module.data.add(DataKind::Active { memory, offset }, octets.to_vec());
        module.memories.get_mut(memory).data_segments.insert(segment);
    }
    module.exports.remove(PREPARE)?;
    module.exports.remove(ROOM)?;
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

/// All of the memory, once `prepare` has read `config` and left the registers as they were.
fn image(octets: &[u8], registers: &[(String, GlobalId, i32)], config: &str) -> Result<Vec<u8>> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, octets).map_err(|error| anyhow!("{error}"))?;
    let mut store = wasmi::Store::new(&engine, ());
    let mut linker = wasmi::Linker::<()>::new(&engine);
    for import in module.imports() {
        let kind = import.ty().func().context("an import is no function")?.clone();
        let name = import.name().to_owned();
        // There is no runtime here. What `prepare` were told of one would be another one's.
        let absent = wasmi::Func::new(&mut store, kind, move |_, _, _| {
            Err(wasmi::Error::new(format!("`{name}` is asked for, which only a runtime has")))
        });
        linker.define(import.module(), import.name(), absent).map_err(|error| anyhow!("{error}"))?;
    }
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(|error| anyhow!("{error}"))?;
    let room = instance.get_typed_func::<i32, i32>(&store, ROOM).map_err(|error| anyhow!("{error}"))?;
    let length = i32::try_from(config.len()).context("the configuration is too long")?;
    let address = room.call(&mut store, length).map_err(|error| anyhow!("`{ROOM}`: {error}"))?;
    let memory = instance.get_memory(&store, MEMORY).context("the module exports no memory")?;
    memory
        .write(&mut store, usize::try_from(address.cast_unsigned())?, config.as_bytes())
        .map_err(|error| anyhow!("{error}"))?;
    let prepare = instance.get_typed_func::<(), i32>(&store, PREPARE).map_err(|error| anyhow!("{error}"))?;
    let outcome = prepare.call(&mut store, ()).map_err(|error| anyhow!("`{PREPARE}`: {error}"))?;
    ensure!(outcome == 1, "`{PREPARE}` says that the configuration cannot be used");
    for (name, _, begin) in registers {
        let register = instance.get_global(&store, name).context("a register is lost")?;
        ensure!(register.get(&store).i32() == Some(*begin), "`{PREPARE}` leaves a register changed");
    }
    Ok(memory.data(&store).to_vec())
}

/// The globals that change, and what they begin with.
fn registers(module: &Module) -> Result<Vec<(GlobalId, i32)>> {
    let changing = module.globals.iter().filter(|global| global.mutable);
    changing
        .map(|global| match &global.kind {
            GlobalKind::Local(ConstExpr::Value(Value::I32(begin))) => Ok((global.id(), *begin)),
            _ => bail!("a global that changes is no number of 32 bits"),
        })
        .collect()
}

fn offset(kind: &DataKind) -> Result<usize> {
    match kind {
        DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => Ok(usize::try_from(*offset)?),
        _ => bail!("the module has data whose place is not fixed"),
    }
}

/// What is not zero, and where.
fn segments_of(image: &[u8]) -> Vec<(usize, &[u8])> {
    let mut gap = GAP;
    loop {
        let segments = split(image, gap);
        if segments.len() <= MOST_SEGMENTS {
            return segments;
        }
        gap *= 2;
    }
}

fn split(image: &[u8], gap: usize) -> Vec<(usize, &[u8])> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, _) in image.iter().enumerate().filter(|(_, octet)| **octet != 0) {
        match ranges.last_mut() {
            Some((_, end)) if at - *end < gap => *end = at + 1,
            _ => ranges.push((at, at + 1)),
        }
    }
    ranges.into_iter().map(|(begin, end)| (begin, &image[begin..end])).collect()
}

#[cfg(test)]
mod tests {
    use walrus::ir::{LoadKind, MemArg, StoreKind};
    use walrus::{FunctionBuilder, FunctionId, ModuleConfig};

    use super::*;

    const STACK: i32 = 65_536;
    const KEPT: i32 = 100_000;
    /// Where the module under test has its room.
    const WRITTEN: i32 = 110_000;

    /// What a `prepare` under test does beside writing 42 to where it stays and 7 to the stack.
    #[derive(Clone, Copy, PartialEq)]
    enum And {
        Nothing,
        SaysNo,
        MovesTheStack,
        AsksTheRuntime,
    }

    fn module(and: And, data: i32) -> Vec<u8> {
        let mut module = Module::with_config(ModuleConfig::new());
        let memory = module.memories.add_local(false, false, 2, Some(4), None);
        module.exports.add(MEMORY, memory);
        let begin = ConstExpr::Value(Value::I32(STACK));
        let register = module.globals.add_local(walrus::ValType::I32, true, false, begin);
        let kind = module.types.add(&[], &[]);
        let (runtime, _) = module.add_import_func("runtime", "ask", kind);
        let place = DataKind::Active { memory, offset: ConstExpr::Value(Value::I32(data)) };
        let segment = module.data.add(place, b"from the start".to_vec());
        module.memories.get_mut(memory).data_segments.insert(segment);
        let store = StoreKind::I32_8 { atomic: false };
        let argument = MemArg { align: 1, offset: 0 };
        let mut prepare = FunctionBuilder::new(&mut module.types, &[], &[walrus::ValType::I32]);
        let mut body = prepare.func_body();
        body.i32_const(KEPT).i32_const(42).store(memory, store, argument);
        body.i32_const(STACK - 8).i32_const(7).store(memory, store, argument);
        match and {
            And::MovesTheStack => drop(body.i32_const(STACK - 8).global_set(register)),
            And::AsksTheRuntime => drop(body.call(runtime)),
            And::SaysNo | And::Nothing => {}
        }
        body.i32_const(i32::from(and != And::SaysNo));
        let prepare: FunctionId = prepare.finish(Vec::new(), &mut module.funcs);
        module.exports.add(PREPARE, prepare);
        let length = module.locals.add(walrus::ValType::I32);
        let mut room = FunctionBuilder::new(&mut module.types, &[walrus::ValType::I32], &[walrus::ValType::I32]);
        room.func_body().i32_const(WRITTEN);
        let room = room.finish(vec![length], &mut module.funcs);
        module.exports.add(ROOM, room);
        let mut kept = FunctionBuilder::new(&mut module.types, &[], &[walrus::ValType::I32]);
        let load = LoadKind::I32_8 { kind: walrus::ir::ExtendedLoad::ZeroExtend };
        kept.func_body().global_get(register).drop().i32_const(KEPT).load(memory, load, argument);
        let kept = kept.finish(Vec::new(), &mut module.funcs);
        module.exports.add("kept", kept);
        module.emit_wasm()
    }

    #[test]
    fn an_instance_starts_with_what_prepare_has_written_and_without_what_calls_left_behind() {
        let octets = prepared(&module(And::Nothing, STACK), "configuration").expect("a module");
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, &octets).expect("a module");
        assert_eq!(module.imports().count(), 0, "what only `prepare` called is still there");
        let mut store = wasmi::Store::new(&engine, ());
        let linker = wasmi::Linker::<()>::new(&engine);
        let instance = linker.instantiate_and_start(&mut store, &module).expect("an instance");
        assert!(instance.get_func(&store, PREPARE).is_none() && instance.get_func(&store, ROOM).is_none());
        let kept = instance.get_typed_func::<(), i32>(&store, "kept").expect("a function");
        assert_eq!(kept.call(&mut store, ()).expect("a number"), 42);
        let memory = instance.get_memory(&store, MEMORY).expect("a memory");
        assert!(memory.data(&store)[110_000..].starts_with(b"configuration"));
        let (stack, rest) = memory.data(&store).split_at(65_536);
        assert!(stack.iter().all(|octet| *octet == 0) && rest.starts_with(b"from the start"));
        assert!(crate::worker::has_bounded_memory(&octets).unwrap_or_default());
    }

    #[test]
    fn a_module_whose_prepare_cannot_be_kept_is_refused() {
        for (and, data, expected) in [
            (And::SaysNo, STACK, "cannot be used"),
            (And::MovesTheStack, STACK, "leaves a register changed"),
            (And::AsksTheRuntime, STACK, "`ask` is asked for"),
            (And::Nothing, STACK - 1, "the stack is not first"),
        ] {
            let error = format!("{:#}", prepared(&module(and, data), "").expect_err(expected));
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_module_without_prepare_stays_as_it_is() {
        let mut module = Module::with_config(ModuleConfig::new());
        let octets = module.emit_wasm();
        assert_eq!(prepared(&octets, "").expect("a module"), octets);
    }

    #[test]
    fn an_image_is_the_sum_of_its_segments() {
        let mut image = vec![0; 3 * PAGE];
        image[70_000..70_004].copy_from_slice(&[1, 0, 0, 2]);
        image[70_004 + GAP] = 3;
        image[3 * PAGE - 1] = 4;
        let segments = segments_of(&image);
        assert_eq!(
            segments.iter().map(|(offset, octets)| (*offset, octets.len())).collect::<Vec<_>>(),
            [(70_000, 4), (70_004 + GAP, 1), (3 * PAGE - 1, 1)]
        );
        let mut rebuilt = vec![0; image.len()];
        for (offset, octets) in segments {
            rebuilt[offset..offset + octets.len()].copy_from_slice(octets);
        }
        assert_eq!(rebuilt, image);
        assert!(segments_of(&vec![0; PAGE]).is_empty());
    }

    #[test]
    fn an_image_of_many_islands_has_no_more_segments_than_engines_take() {
        let image: Vec<u8> = (0..40 * GAP * MOST_SEGMENTS).map(|at| u8::from(at % (GAP + 4) == 0)).collect();
        assert!((1..=MOST_SEGMENTS).contains(&segments_of(&image).len()));
    }
}
