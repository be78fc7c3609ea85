//! Measuring work by the memory that it asks for: deterministic, unlike time, and what an attacker would exhaust.

use std::{cell::Cell, fmt};

use allocation_counter::{AllocationInfo, measure};

/// What reading an input may cost: so much for each of its octets, and a constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Octets allocated in all, for each octet of input. What is grown by copying counts anew each time.
    pub(crate) total: u64,
    /// Octets held at once, for each octet of input.
    pub(crate) peak: u64,
    /// Allocations for each hundred octets of input.
    pub(crate) allocations: u64,
    /// Octets that stay when the work is done, for each octet of input.
    pub(crate) kept: u64,
    /// What may be added to either number of octets, however short the input.
    pub(crate) constant: u64,
}

/// Allocations that may be made however short the input.
const CONSTANT_ALLOCATIONS: u64 = 200;

thread_local! {
    /// The worst of each kind that this thread has seen, for whoever sets the bounds.
    static WORST: Cell<[f64; 3]> = const { Cell::new([0.0; 3]) };
}

impl Bound {
    /// Fails when `work` on an input of `octets` costs more than this.
    #[track_caller]
    pub(crate) fn holds(&self, what: impl fmt::Display, octets: usize, work: impl FnOnce()) {
        let cost = measure(work);
        let octets = u64::try_from(octets).unwrap();
        let bounds = [
            ("octets in all", cost.bytes_total, self.total * octets + self.constant),
            ("octets at once", cost.bytes_max, self.peak * octets + self.constant),
            ("allocations", cost.count_total, self.allocations * octets / 100 + CONSTANT_ALLOCATIONS),
        ];
        for (unit, spent, bound) in bounds {
            assert!(spent <= bound, "{what}: {octets} octets of input cost {spent} {unit}, more than {bound}");
        }
        let kept = u64::try_from(cost.bytes_current).unwrap();
        let most = if self.kept == 0 { 0 } else { self.kept * octets + self.constant };
        assert!(kept <= most, "{what}: {octets} octets of input leave {kept} behind, more than {most}");
        if octets > 2_000 {
            let each = |spent: u64, constant: u64| spent.saturating_sub(constant) as f64 / octets as f64;
            let spent = [
                each(cost.bytes_total, self.constant),
                each(cost.bytes_max, self.constant),
                each(cost.count_total, CONSTANT_ALLOCATIONS),
            ];
            let worst = WORST.get();
            WORST.set([0, 1, 2].map(|index| spent[index].max(worst[index])));
        }
    }

    /// Prints the worst so far, to be compared with the bound.
    pub(crate) fn report(&self, what: &str) {
        let [total, peak, allocations] = WORST.replace([0.0; 3]);
        println!(
            "{what}: {total:.1} octets in all, {peak:.1} at once, {:.1} allocations a hundred, of {self:?}",
            allocations * 100.0
        );
    }
}

/// Fails unless `work` costs the same for every size, and less than `most` octets: nothing of the input is looked into.
#[track_caller]
pub(crate) fn costs_the_same<T>(what: &str, most: u64, inputs: impl IntoIterator<Item = T>, work: impl Fn(&T)) {
    let costs: Vec<AllocationInfo> = inputs.into_iter().map(|input| measure(|| work(&input))).collect();
    assert!(costs.len() > 1, "{what}: there is nothing to compare");
    for cost in &costs {
        assert_eq!((cost.bytes_total, cost.count_total), (costs[0].bytes_total, costs[0].count_total), "{what}");
        assert!(cost.bytes_total <= most, "{what} costs {} octets, more than {most}", cost.bytes_total);
    }
}
