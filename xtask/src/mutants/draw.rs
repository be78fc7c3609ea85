//! The order in which mutants are drawn: random, weighted, and the same for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// All of `items` in the order of a weighted draw without replacement (Efraimidis and Spirakis, 2006): each gets the
/// key *u*^(1/*w*) with a random *u*, and the largest keys come first.
pub(super) fn order<'i, T>(items: &[&'i T], seed: u64, weight: impl Fn(&T) -> f64) -> Vec<&'i T> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut keyed: Vec<(f64, &T)> = items
        .iter()
        .map(|item| {
            // In (0, 1]: the logarithm of 0 is not a number to sort by.
            let uniform = (f64::from(random.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
            (uniform.ln() / weight(item), *item)
        })
        .collect();
    keyed.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    keyed.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_items_and_another_seed_draws_others() {
        let numbers: Vec<u32> = (0..100).collect();
        let items: Vec<&u32> = numbers.iter().collect();
        let drawn = |seed| order(&items, seed, |_| 1.0);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let mut sorted = drawn(1);
        sorted.sort();
        assert_eq!(sorted, items);
    }

    #[test]
    fn heavier_items_come_first_more_often() {
        let numbers: Vec<u32> = (0..100).collect();
        let items: Vec<&u32> = numbers.iter().collect();
        let heavy = |number: &u32| if *number < 10 { 8.0 } else { 1.0 };
        let drawn: usize = (0..50)
            .map(|seed| order(&items, seed, heavy).into_iter().take(10).filter(|number| **number < 10).count())
            .sum();
        // Of 10 draws some 4 are heavy; without the weight it is 1.
        assert!((150..300).contains(&drawn), "{drawn}");
    }
}
