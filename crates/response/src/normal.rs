//! The standard normal quantile, and quantiles of sorted samples.

/// The z with P(Z <= z) = p, for p in (0, 1); relative error below 1e-15.
///
/// Wichura 1988, algorithm AS 241 (doi:10.2307/2347330).
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(&CENTRE, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        ratio(&MIDDLE, r - 1.6)
    } else {
        ratio(&FAR, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

fn ratio(coefficients: &[[f64; 2]; 8], r: f64) -> f64 {
    let [above, below] = coefficients
        .iter()
        .rev()
        .fold([0.0, 0.0], |[a, b], [c, d]| [a * r + c, b * r + d]);
    above / below
}

const CENTRE: [[f64; 2]; 8] = [
    [3.387_132_872_796_366_5, 1.0],
    [133.141_667_891_784_38, 42.313_330_701_600_91],
    [1_971.590_950_306_551_3, 687.187_007_492_057_9],
    [13_731.693_765_509_46, 5_394.196_021_424_751],
    [45_921.953_931_549_87, 21_213.794_301_586_597],
    [67_265.770_927_008_7, 39_307.895_800_092_71],
    [33_430.575_583_588_13, 28_729.085_735_721_943],
    [2_509.080_928_730_122_7, 5_226.495_278_852_545],
];
const MIDDLE: [[f64; 2]; 8] = [
    [1.423_437_110_749_683_5, 1.0],
    [4.630_337_846_156_546, 2.053_191_626_637_759],
    [5.769_497_221_460_691, 1.676_384_830_183_803_8],
    [3.647_848_324_763_204_5, 0.689_767_334_985_1],
    [1.270_458_252_452_368_4, 0.148_103_976_427_480_08],
    [0.241_780_725_177_450_6, 0.015_198_666_563_616_457],
    [0.022_723_844_989_269_184, 5.475_938_084_995_345e-4],
    [7.745_450_142_783_414e-4, 1.050_750_071_644_416_9e-9],
];
const FAR: [[f64; 2]; 8] = [
    [6.657_904_643_501_103, 1.0],
    [5.463_784_911_164_114, 0.599_832_206_555_888],
    [1.784_826_539_917_291_3, 0.136_929_880_922_735_8],
    [0.296_560_571_828_504_87, 0.014_875_361_290_850_615],
    [0.026_532_189_526_576_124, 7.868_691_311_456_133e-4],
    [0.001_242_660_947_388_078_4, 1.846_318_317_510_054_8e-5],
    [2.711_555_568_743_487_6e-5, 1.421_511_758_316_446e-7],
    [2.010_334_399_292_288_1e-7, 2.044_263_103_389_939_7e-15],
];

/// The p-quantile of a sorted sample by linear interpolation (type 7); NaN for an empty one.
pub(crate) fn quantile_of(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = p * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// Mean of a sample.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample, divided by n - 1.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|own| (own - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_is_that_of_scipy() {
        // scipy.stats.norm.ppf
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.05, -1.644_853_626_951_472_2),
            (1e-12, -7.034_483_825_301_131),
            (1e-40, -13.310_921_371_425_17),
        ] {
            assert!(
                (quantile(p) - z).abs() < 1e-13 * (1.0 + z.abs()),
                "{p}: {}",
                quantile(p)
            );
        }
    }

    #[test]
    fn a_quantile_of_a_sample_interpolates() {
        assert!((quantile_of(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-12);
        assert!(quantile_of(&[], 0.5).is_nan());
    }
}
