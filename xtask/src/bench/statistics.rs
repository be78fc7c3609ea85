//! Medians, and how far the rounds lie apart.

/// Half of all rounds within more than this share of their median: the machine had other things to do, and the median
/// says little. With eleven rounds a median is then off by some three per cent; targets are as near as five.
pub(super) const WIDEST_SPREAD: f64 = 0.10;

/// The middle of a row's rounds, and their spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Middle {
    /// The median.
    pub(super) median: f64,
    /// The distance between the quartiles, as a share of the median.
    pub(super) spread: f64,
}

impl Middle {
    /// Of some figures above zero; none of none.
    pub(super) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5)?;
        let spread = (quantile(&sorted, 0.75)? - quantile(&sorted, 0.25)?) / median;
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
    fn one_round_gone_wrong_moves_neither_median_nor_spread_much() {
        let mut figures = [1.0; 11];
        figures[5] = 9.0;
        assert_eq!(Middle::of(&figures), Some(Middle { median: 1.0, spread: 0.0 }));
    }

    #[test]
    fn a_spread_above_the_limit_is_too_wide_and_what_is_no_number_as_well() {
        let with = |spread| Middle { median: 1.0, spread }.is_too_wide();
        assert!(!with(WIDEST_SPREAD));
        assert!(with(WIDEST_SPREAD + 0.001));
        assert!(with(f64::NAN));
    }
}
