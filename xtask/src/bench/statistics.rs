//! Medians, and how well the rounds tell them.
//!
//! Machines have other things to do, in bursts: single rounds may lie far apart while their median is known well, if only
//! there are enough of them. So what is judged is not how the rounds lie but how far off their median may be.

/// A median that may be farther off than this says little: targets are as near as five per cent.
pub(super) const WIDEST_SPREAD: f64 = 0.05;
/// Half the width of a normal distribution's middle 95 %, in standard deviations; the number of rounds on either side of
/// the true median has one of half the root of their number.
const NORMAL: f64 = 1.96;

/// The middle of a row's rounds, and its spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Middle {
    /// The median.
    pub(super) median: f64,
    /// How far off it may be, as a share of it: half of the interval that has the true one in it 19 times out of 20,
    /// whatever the distribution (Conover, Practical Nonparametric Statistics, §3.2).
    pub(super) spread: f64,
}

impl Middle {
    /// Of some figures above zero; none of none.
    pub(super) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5)?;
        let count = sorted.len() as f64;
        // That many at either end are left out; of few rounds none.
        let outside = ((count - NORMAL * count.sqrt()) / 2.0 - 1.0).floor().max(0.0) as usize;
        let inside = sorted.get(outside..sorted.len().checked_sub(outside)?)?;
        let spread = (inside.last()? - inside.first()?) / 2.0 / median;
        Some(Self { median, spread })
    }

    /// Whether the spread is too wide for the median to mean anything.
    pub(super) fn is_too_wide(&self) -> bool {
        // Whatever is no number is not narrow.
        self.spread.is_nan() || self.spread > WIDEST_SPREAD
    }
}

/// By linear interpolation between the two nearest, as R's type 7 and most programs do it.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * share;
    let below = sorted.get(place.floor() as usize)?;
    let above = sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_found_whatever_the_order() {
        let middle = Middle::of(&[4.0, 1.0, 3.0, 2.0]).expect("figures");
        assert_eq!(middle, Middle { median: 2.5, spread: 1.5 / 2.5 });
        assert_eq!(Middle::of(&[7.0]), Some(Middle { median: 7.0, spread: 0.0 }));
        assert_eq!(Middle::of(&[]), None);
    }

    #[test]
    fn two_rounds_of_eleven_gone_wrong_move_neither_median_nor_spread() {
        let mut figures = [1.0; 11];
        (figures[5], figures[7]) = (9.0, 0.1);
        assert_eq!(Middle::of(&figures), Some(Middle { median: 1.0, spread: 0.0 }));
    }

    #[test]
    fn more_rounds_tell_a_median_better() {
        // Tables of the binomial distribution have the 14th and the 28th of 41, and the 40th and the 61st of 100.
        let spread = |count: u32| Middle::of(&(1..=count).map(f64::from).collect::<Vec<_>>()).expect("figures").spread;
        assert!((spread(41) - 7.0 / 21.0).abs() < 1e-9);
        assert!((spread(100) - 10.5 / 50.5).abs() < 1e-9);
    }

    #[test]
    fn a_spread_above_the_limit_is_too_wide_and_what_is_no_number_as_well() {
        let with = |spread| Middle { median: 1.0, spread }.is_too_wide();
        assert!(!with(WIDEST_SPREAD));
        assert!(with(WIDEST_SPREAD + 0.001));
        assert!(with(f64::NAN));
    }
}
