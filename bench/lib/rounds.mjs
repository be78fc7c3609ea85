// Rounds and their line of output, as `Samples` in ../src/lib.rs has it. Figures only: ratios, spreads and verdicts are
// made by `cargo xtask bench`.

/**
 * Measures all of `contenders` in each of `count` rounds, one after another, each round beginning with the next of them,
 * so that none is always the one behind a certain other. `measure` gives figures by row; so does this, each a list of
 * rounds.
 */
export async function rounds(count, contenders, measure) {
  const rows = new Map();
  for (let round = 0; round < count; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(round + turn) % contenders.length];
      for (const [row, figure] of Object.entries(await measure(contender))) {
        if (!rows.has(row)) rows.set(row, Array.from({ length: count }, () => ({})));
        rows.get(row)[round][contender.name] = figure;
      }
    }
  }
  return Object.fromEntries(rows);
}

/** Prints one row. */
export function print(row, unit, figures, notes = []) {
  console.log(JSON.stringify({ row, unit, rounds: figures, notes }));
}
