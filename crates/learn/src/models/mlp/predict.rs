//! Scores of a trained net, and what each input contributes to them.

use serde::{Deserialize, Serialize};

use super::inputs::{Inputs, Part, TargetScale};
use super::layout::{Layout, Shape};
use super::pass::{CHUNK_ROWS, Net, Packed, Pass};
use crate::models::{Contributions, Margins};
use crate::privacy::PrivacyStatement;

/// Points on the line from the baseline to a row at which the gradient is taken.
const GRADIENT_STEPS: usize = 24;

/// A trained net.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    pub(super) shape: Shape,
    pub(super) params: Vec<f32>,
    /// Moving statistics of batch-normalised layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) moving: Vec<f32>,
    /// How a number target was standardised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<TargetScale>,
    /// What private training guarantees; none after plain training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) privacy: Option<PrivacyStatement>,
}

impl Mlp {
    pub(super) const fn new(
        shape: Shape,
        params: Vec<f32>,
        moving: Vec<f32>,
        target: Option<TargetScale>,
    ) -> Self {
        Self {
            shape,
            params,
            moving,
            target,
            privacy: None,
        }
    }

    /// What private training guarantees; `None` after plain training.
    #[must_use]
    pub const fn privacy(&self) -> Option<&PrivacyStatement> {
        self.privacy.as_ref()
    }

    /// Levels that training rows lack, unseen ones among them, get the mean vector of the training rows.
    pub(super) fn settle_tables(&mut self, part: &Part<'_>) {
        let layout = Layout::new(&self.shape);
        for (index, (place, table)) in layout.tables.iter().zip(&self.shape.tables).enumerate() {
            let counts = part.code_counts(index, table.rows);
            let total: usize = counts.iter().sum();
            let mut mean = vec![0.0; place.dims];
            for (code, count) in (0_u32..).zip(&counts) {
                let share = *count as f64 / total.max(1) as f64;
                let vector = &self.params[place.row(code)];
                mean.iter_mut()
                    .zip(vector)
                    .for_each(|(mean, cell)| *mean += share * f64::from(*cell));
            }
            for (code, _) in (0_u32..).zip(&counts).filter(|(_, count)| **count == 0) {
                let vector = &mut self.params[place.row(code)];
                vector
                    .iter_mut()
                    .zip(&mean)
                    .for_each(|(cell, mean)| *cell = *mean as f32);
            }
        }
    }

    fn scaled(&self, sum: f32) -> f64 {
        let sum = f64::from(sum);
        self.target
            .map_or(sum, |target| target.mean + target.deviation * sum)
    }

    /// The scores of each row before any link: log-odds, a logit per class, or the value.
    pub(crate) fn margins<'a>(&self, x: impl Into<Inputs<'a>>) -> Margins {
        let x = x.into();
        let user = User::new(self);
        let (n, units) = (user.layout.output.n, user.layout.output.units);
        let mut pass = Pass::new(&user.layout, CHUNK_ROWS);
        let mut cells = Vec::with_capacity(x.dense.n_rows * units);
        for start in (0..x.dense.n_rows).step_by(CHUNK_ROWS) {
            pass.rows = CHUNK_ROWS.min(x.dense.n_rows - start);
            for (row, out) in (start..x.dense.n_rows).zip(pass.x.chunks_exact_mut(user.layout.width)) {
                x.write(row, &user.layout.tables, &self.params, out);
            }
            pass.forward(&user.net(), None, false);
            for sums in pass.sums.chunks_exact(n).take(pass.rows) {
                cells.extend(sums[..units].iter().map(|sum| self.scaled(*sum)));
            }
        }
        Margins {
            cells,
            n_outputs: units,
        }
    }

    /// Integrated gradients of one score (Sundararajan et al., arXiv 1703.01365) along the straight line from the
    /// training mean (0 in the standardised inputs, the unseen level's vector for an embedded category) to the row, by the
    /// midpoint rule. The small quadrature error is shared out in proportion to the absolute contributions, so that
    /// each row adds up to its score. One column per dense input, then one per embedded category.
    pub(crate) fn contributions<'a>(&self, x: impl Into<Inputs<'a>>, output: usize) -> Contributions {
        let x = x.into();
        let user = User::new(self);
        let width = user.layout.width;
        let mut pass = Pass::new(&user.layout, GRADIENT_STEPS);
        pass.input_delta = vec![0.0; GRADIENT_STEPS * width];
        let from = self.baseline(&user.layout);
        pass.x[..width].copy_from_slice(&from);
        let base = self.score(&user, &mut pass, output);
        let n_columns = self.shape.inputs + self.shape.tables.len();
        let mut cells = Vec::with_capacity(x.dense.n_rows * n_columns);
        let mut to = vec![0.0; width];
        for row in 0..x.dense.n_rows {
            x.write(row, &user.layout.tables, &self.params, &mut to);
            pass.x[..width].copy_from_slice(&to);
            let score = self.score(&user, &mut pass, output);
            let by_input = self.path(&user, &mut pass, (&from, &to), output);
            let mut own = by_input[..self.shape.inputs].to_vec();
            for table in &user.layout.tables {
                own.push(by_input[table.column..table.column + table.dims].iter().sum());
            }
            spread(&mut own, score - base);
            cells.extend(own);
        }
        Contributions {
            base,
            cells,
            n_columns,
        }
    }

    fn baseline(&self, layout: &Layout) -> Vec<f32> {
        let mut from = vec![0.0; layout.width];
        for (place, table) in layout.tables.iter().zip(&self.shape.tables) {
            let unseen = place.row((table.rows - 2) as u32);
            from[place.column..place.column + place.dims].copy_from_slice(&self.params[unseen]);
        }
        from
    }

    /// The score of the one row in the pass.
    fn score(&self, user: &User<'_>, pass: &mut Pass, output: usize) -> f64 {
        pass.rows = 1;
        pass.forward(&user.net(), None, false);
        self.scaled(pass.sums[output])
    }

    /// The integrated gradient along a path, per input, before the error is shared out.
    fn path(&self, user: &User<'_>, pass: &mut Pass, ends: (&[f32], &[f32]), output: usize) -> Vec<f64> {
        let width = user.layout.width;
        let n = user.layout.output.n;
        pass.rows = GRADIENT_STEPS;
        for (step, x) in pass.x.chunks_exact_mut(width.max(1)).enumerate() {
            let share = (step as f32 + 0.5) / GRADIENT_STEPS as f32;
            let line = x.iter_mut().zip(ends.0.iter().zip(ends.1));
            line.for_each(|(cell, (from, to))| *cell = from + (to - from) * share);
        }
        pass.forward(&user.net(), None, false);
        pass.delta.fill(0.0);
        pass.delta
            .iter_mut()
            .skip(output)
            .step_by(n)
            .for_each(|cell| *cell = 1.0);
        pass.chain(&user.net(), false);
        let deviation = self.target.map_or(1.0, |target| target.deviation);
        (0..width)
            .map(|input| {
                let sum: f32 = pass.input_delta.iter().skip(input).step_by(width).sum();
                f64::from(sum * (ends.1[input] - ends.0[input])) * deviation / GRADIENT_STEPS as f64
            })
            .collect()
    }
}

/// A net laid out for use.
struct User<'a> {
    net: &'a Mlp,
    layout: Layout,
    packed: Packed,
}

impl<'a> User<'a> {
    fn new(net: &'a Mlp) -> Self {
        let layout = Layout::new(&net.shape);
        let mut packed = Packed::default();
        packed.refresh(&layout, &net.params);
        Self { net, layout, packed }
    }

    fn net(&self) -> Net<'_> {
        Net {
            layout: &self.layout,
            activation: self.net.shape.activation,
            params: &self.net.params,
            moving: &self.net.moving,
            packed: &self.packed,
        }
    }
}

/// Makes the cells add up to `total`.
fn spread(cells: &mut [f64], total: f64) {
    let (sum, size): (f64, f64) = cells
        .iter()
        .fold((0.0, 0.0), |(sum, size), cell| (sum + cell, size + cell.abs()));
    if size > 0.0 {
        let error = total - sum;
        cells
            .iter_mut()
            .for_each(|cell| *cell += error * cell.abs() / size);
    }
}
