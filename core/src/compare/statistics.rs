//! Tests and intervals. Golden values are scipy's and statsmodels', from `tests/statistics/make_reference.py`.

use super::{Interval, McNemar, McNemarMethod};

/// The standard normal's 97.5 % quantile.
const Z: f64 = 1.959_963_984_540_054;

/// Rows that tell two versions apart, from which on χ² stands for the exact test.
const EXACT_BELOW: u64 = 25;

/// McNemar's test, two-sided: exact binomial below 25 discordant rows, else χ² with continuity correction.
pub fn mcnemar(only_a_right: u64, only_b_right: u64) -> McNemar {
    let n = only_a_right + only_b_right;
    let (method, statistic, p_value) = if n < EXACT_BELOW {
        (McNemarMethod::ExactBinomial, None, (2.0 * binomial_half_cdf(only_a_right.min(only_b_right), n)).min(1.0))
    } else {
        let statistic = (only_a_right.abs_diff(only_b_right) as f64 - 1.0).max(0.0).powi(2) / n as f64;
        // The upper tail of χ² with one degree of freedom.
        (McNemarMethod::ChiSquared, Some(statistic), libm::erfc((statistic / 2.0).sqrt()))
    };
    McNemar { only_a_right, only_b_right, method, statistic, p_value }
}

/// P(X ≤ k) of n tosses of a fair coin, for small n.
fn binomial_half_cdf(k: u64, n: u64) -> f64 {
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut sum = term;
    for i in 0..k {
        term *= (n - i) as f64 / (i + 1) as f64;
        sum += term;
    }
    sum
}

/// Wilson's interval of a proportion.
pub fn wilson(hits: f64, n: f64) -> Interval {
    if n <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let share = hits / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not leave the share outside.
    Interval { low: (centre - half).clamp(0.0, share), high: (centre + half).clamp(share, 1.0) }
}

/// A quantile of values in ascending order, straight between neighbours (numpy's default).
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let below = at.floor() as usize;
    let (low, high) = (sorted[below.min(last)], sorted[(below + 1).min(last)]);
    low + (high - low) * (at - at.floor())
}

/// The middle 95 % of draws; `None` unless every one is a number.
pub fn percentile_interval(mut draws: Vec<f64>) -> Option<Interval> {
    if draws.is_empty() || draws.iter().any(|draw| !draw.is_finite()) {
        return None;
    }
    draws.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&draws, 0.025), high: quantile(&draws, 0.975) })
}

/// Numbers that look random and are the same in every run: SplitMix64.
#[derive(Debug, Clone)]
pub struct Generator(u64);

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Evenly from 0 to below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        // The high half of a product: no modulo, and a bias of less than n / 2^64.
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// Spreads the bits of a number over all of its bits.
pub fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: scipy, statsmodels and numpy, from tests/statistics/make_reference.py.

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }

    #[test]
    fn mcnemar_as_statsmodels_has_it() {
        for (only_a, only_b, statistic, p_value) in [
            (3, 9, None, 0.145_996_093_75),
            (0, 0, None, 1.0),
            (0, 7, None, 0.015_625),
            (12, 12, None, 1.0),
            (40, 22, Some(4.661_290_322_580_645), 0.030_849_999_436_874_987),
            (13, 12, Some(0.0), 1.0),
            (200, 260, Some(7.567_391_304_347_826), 0.005_943_374_521_940_561),
        ] {
            let test = mcnemar(only_a, only_b);
            assert_close(test.p_value, p_value);
            assert_eq!(test.statistic.is_some(), statistic.is_some(), "{only_a} {only_b}");
            assert_close(test.statistic.unwrap_or_default(), statistic.unwrap_or_default());
        }
    }

    #[test]
    fn wilson_as_statsmodels_has_it() {
        for (hits, n, low, high) in [
            (0.0, 10.0, 0.0, 0.277_532_799_862_889_26),
            (10.0, 10.0, 0.722_467_200_137_110_6, 1.0),
            (7.0, 10.0, 0.396_778_147_461_145_37, 0.892_208_732_593_699),
            (950.0, 1000.0, 0.934_686_179_755_749_2, 0.961_869_737_607_251_3),
        ] {
            let interval = wilson(hits, n);
            assert_close(interval.low, low);
            assert_close(interval.high, high);
        }
    }

    #[test]
    fn quantiles_lie_straight_between_neighbours() {
        let values: Vec<f64> = (0..5).map(f64::from).collect();
        assert_close(quantile(&values, 0.025), 0.1);
        assert_close(quantile(&values, 1.0), 4.0);
        assert_eq!(percentile_interval(vec![0.0; 10]), Some(Interval { low: 0.0, high: 0.0 }));
        assert_eq!(percentile_interval(vec![0.0, f64::NAN]), None);
    }
}
