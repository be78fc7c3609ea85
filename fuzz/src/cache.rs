//! Sequences of what happens to the caches: nothing is given out past its time, or to anyone else than it is about.
//!
//! Each octet of the payload is one step, and those that name none are skipped. The promises are held against a plain list
//! of what was stored, for whom and when, which forgets nothing.
//!
//! | steps | of |
//! | --- | --- |
//! | `1` to `8`, `-`, `_` | the clock: on by 1, 4, 10, 60, 300, 900, 3,600 and 86,400 s; back by 10 and 3,600 s |
//! | `k` `K` `u` `f` `F` `s` `x` `o` `O` `U` | keys (`keys`) |
//! | `p` `q` `r` `w` `a` `A` `m` `n` `e` `b` `c` `d` `P` | permissions (`permissions`) |
//! | `t` `T` `v` | verified tokens (`tokens`) |

mod keys;
mod permissions;
mod tokens;

use std::collections::BTreeSet;

use postern::UnixTime;

use crate::{Script, world::NOW};

/// What a sequence came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// Nothing was given out.
    Nothing,
    /// Keys in their time.
    FreshKeys,
    /// Keys past their time, within the hard maximum.
    StaleKeys,
    /// A record, or that there is none.
    Known,
    /// A record in place of an answer of a service that is out of order.
    StandIn,
    /// A token whose signature was not checked again.
    Remembered,
}

/// Most steps of one sequence.
const MOST_STEPS: usize = 200;

/// The clock, which may be set back.
struct Clock {
    now: u64,
    /// It was: how old anything is, nobody can tell by it.
    is_set_back: bool,
}

impl Clock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.now)
    }

    fn step(&mut self, step: u8) {
        const STEPS: [u64; 8] = [1, 4, 10, 60, 300, 900, 3_600, 86_400];
        match step {
            b'1'..=b'8' => self.now += STEPS[usize::from(step - b'1')],
            b'-' | b'_' => {
                self.now = (self.now - if step == b'-' { 10 } else { 3_600 }).max(NOW);
                self.is_set_back = true;
            }
            _ => {}
        }
    }
}

/// Takes the input's steps.
pub fn check(input: &[u8]) -> Reached {
    let (mut script, payload) = Script::of(input);
    let mut clock = Clock { now: NOW, is_set_back: false };
    let mut keys = keys::Keys::new(&mut script);
    let mut permissions = permissions::Permissions::new(&mut script);
    let mut tokens = tokens::Tokens::new();
    let mut reached = BTreeSet::from([Reached::Nothing]);
    for step in payload.iter().take(MOST_STEPS) {
        clock.step(*step);
        reached.extend(keys.step(*step, &clock));
        reached.extend(permissions.step(*step, &clock));
        reached.extend(tokens.step(*step, &clock));
    }
    // The furthest of them.
    reached.last().copied().unwrap_or(Reached::Nothing)
}

/// Every number that stands after `name` in a text of debug output.
fn numbers_after<'t>(text: &'t str, name: &str) -> impl Iterator<Item = usize> + use<'t> {
    let parts: Vec<&str> = text.split(&format!("{name}: ")).skip(1).collect();
    parts.into_iter().filter_map(|part| {
        let end = part.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse().ok()
    })
}
