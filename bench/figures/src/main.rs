//! Counts what each fixed decision of the guest allocates when it is made natively, and prints it as JSON, row by row.
//! `cargo xtask figures` counts the same decisions' fuel, in WebAssembly.

use anyhow::{Result, ensure};
use postern_bench_guest::{DECISIONS, ROWS, decide, prepare};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let rows: Result<Vec<Value>> = (0..).zip(ROWS).map(|(row, name)| allocations(row, name)).collect();
    println!("{:#}", json!({ "decisions": DECISIONS, "rows": rows? }));
    Ok(())
}

/// Allocations of one decision, and their octets.
fn allocations(row: u32, name: &str) -> Result<Value> {
    ensure!(prepare(row, DECISIONS), "row {row} is not decided as it must be");
    let mut are_right = false;
    let counted = allocation_counter::measure(|| are_right = decide(DECISIONS));
    ensure!(are_right, "row {row} is not decided as it must be");
    let each = |all: u64| all / u64::from(DECISIONS);
    Ok(json!({ "name": name, "allocations": each(counted.count_total), "octets": each(counted.bytes_total) }))
}
