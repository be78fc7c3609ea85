//! One loop for every row: all contenders in turn, round after round.
//!
//! What is counted is the processor time of the one thread that works. Within a round each contender has several short
//! turns, so that whatever slows the machine down meanwhile slows down all of them.

use std::collections::BTreeMap;

use postern_bench::Samples;
use rustix::time::{ClockId, clock_gettime};

/// How often, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Turns that each contender has in a round.
    pub(crate) turns: usize,
    /// Least time of one turn.
    turn_nanoseconds: f64,
}

impl Plan {
    /// Many rounds of four turns of 5 ms and more.
    pub(crate) const WHOLE: Self = Self { rounds: 121, turns: 4, turn_nanoseconds: 5e6 };
    /// To see that it runs.
    pub(crate) const QUICK: Self = Self { rounds: 1, turns: 2, turn_nanoseconds: 5e6 };
}

/// One that does the work that is measured: its name, and what does it once each time.
pub(crate) struct Contender<'a> {
    name: String,
    once: Box<dyn FnMut() + 'a>,
}

/// Who does `once`, under this name.
pub(crate) fn contender<'a>(name: impl Into<String>, once: impl FnMut() + 'a) -> Contender<'a> {
    Contender { name: name.into(), once: Box::new(once) }
}

/// Measures a row whose work can be done over and over.
pub(crate) fn repeated(row: &str, plan: Plan, notes: Vec<String>, mut contenders: Vec<Contender<'_>>) {
    let counts: Vec<usize> = contenders.iter_mut().map(|one| calibrate(one, plan)).collect();
    measure(row, plan, notes, &mut contenders, &counts);
}

/// Measures a row whose work can be done `times` times and no more: each contender does it as often as the others.
pub(crate) fn once_each(row: &str, plan: Plan, times: usize, notes: Vec<String>, mut contenders: Vec<Contender<'_>>) {
    let counts = vec![times / (plan.rounds * plan.turns); contenders.len()];
    measure(row, plan, notes, &mut contenders, &counts);
}

fn measure(row: &str, plan: Plan, notes: Vec<String>, contenders: &mut [Contender<'_>], counts: &[usize]) {
    let mut rounds = Vec::new();
    for round in 0..plan.rounds {
        let mut spent = vec![0.0; contenders.len()];
        for turn in 0..plan.turns {
            for place in 0..contenders.len() {
                // Nobody is always first, or always behind the same one.
                let place = (place + round + turn) % contenders.len();
                spent[place] += time(&mut contenders[place], counts[place]);
            }
        }
        let figures = contenders.iter().zip(counts).zip(&spent);
        let each = |((one, count), spent): ((&Contender<'_>, &usize), &f64)| {
            (one.name.clone(), spent / 1e3 / (*count * plan.turns) as f64)
        };
        rounds.push(figures.map(each).collect::<BTreeMap<_, _>>());
    }
    Samples { row: row.to_owned(), unit: "us cpu".to_owned(), rounds, notes }.print();
}

/// How often is long enough for one turn.
fn calibrate(one: &mut Contender<'_>, plan: Plan) -> usize {
    let mut count = 16;
    loop {
        let spent = time(one, count);
        if spent >= plan.turn_nanoseconds {
            return count;
        }
        let wanted = count as f64 * 1.2 * plan.turn_nanoseconds / spent.max(1.0);
        count = (wanted as usize).clamp(count + 1, count * 16);
    }
}

/// Nanoseconds of this thread for that many times.
fn time(one: &mut Contender<'_>, count: usize) -> f64 {
    let before = now();
    for _ in 0..count {
        (one.once)();
    }
    now() - before
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
