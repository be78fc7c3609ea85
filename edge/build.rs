//! Bounds the memory of the module that is deployed.

use std::env;

/// An isolate has 128 MB, its JavaScript included, and is ended with all its requests when it takes more; so has a
/// viewer-request function. Below that the instance traps when it finds no memory, which the entry answers for.
const MAX_MEMORY_BYTES: u32 = 64 * 1024 * 1024;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MAX_MEMORY_BYTES}");
    }
}
