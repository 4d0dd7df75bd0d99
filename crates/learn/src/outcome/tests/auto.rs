//! What `auto` chooses, and when it stops.

use super::{Data, quick};
use crate::models::Learner;
use crate::outcome::choose::{Judged, Pool, choose};
use crate::outcome::{
    Hooks, Kept, OutcomeModel, OutcomeParams, OutcomeTraining, Search, StopReason, train_with,
};
use crate::task::Margins;

/// Log-odds that are as good as the truth but for `noise` added to every second row and taken from the others.
fn scores(data: &Data, noise: f64) -> Margins {
    let cells = data.target.iter().enumerate().map(|(row, target)| {
        let truth = if *target { 1.0 } else { -1.0 };
        truth + if row % 2 == 0 { noise } else { -noise }
    });
    Margins::single(cells.collect())
}

fn losses(data: &Data, scores: &Margins) -> Vec<f64> {
    let rows = scores.cells.iter().zip(&data.target);
    rows.map(|(margin, target)| (if *target { -margin } else { *margin }).exp().ln_1p())
        .collect()
}

fn chosen(data: &Data, by_learner: [&Margins; 3]) -> (Kept, Vec<(usize, f64)>) {
    let losses: Vec<Vec<f64>> = by_learner.iter().map(|scores| losses(data, scores)).collect();
    let judged: Vec<Judged<'_>> = (0..3)
        .map(|index| Judged {
            learner: Learner::ALL[index],
            loss: &losses[index],
            scores: by_learner[index],
        })
        .collect();
    let n = data.target.len();
    let pool = Pool::new(&data.set(), (0..n).collect(), (0..n).map(|row| row % 3).collect());
    let choice = choose(&data.set(), &pool, &judged);
    (choice.kept, choice.members)
}

#[test]
fn the_simplest_learner_within_a_standard_error_is_kept() {
    let data = Data::new(400, 0.0, 1);
    let good = scores(&data, 0.0);
    // one row a little better and one hardly worse: less than a standard error
    let mut hardly_better = good.clone();
    hardly_better.cells[7] *= 1.01;
    hardly_better.cells[8] *= 0.992;
    assert_eq!(
        chosen(&data, [&good, &good, &hardly_better]).0,
        Kept::One(Learner::Logistic)
    );
    let bad = scores(&data, 2.0);
    assert_eq!(chosen(&data, [&bad, &good, &good]).0, Kept::One(Learner::Gbdt));
    assert_eq!(chosen(&data, [&bad, &bad, &good]).0, Kept::One(Learner::Mlp));
}

#[test]
fn a_blend_is_kept_when_errors_cancel() {
    let data = Data::new(400, 0.0, 2);
    let (one, other) = (scores(&data, 2.0), scores(&data, -2.0));
    let useless = scores(&data, 9.0);
    let (kept, members) = chosen(&data, [&one, &useless, &other]);
    assert_eq!(kept, Kept::Blend);
    assert_eq!(members, [(0, 0.5), (2, 0.5)]);
}

#[test]
fn a_search_out_of_time_is_the_search_of_as_many_rounds() {
    let data = Data::new(300, 1.0, 3);
    let run = |rounds: usize, units: f64, in_time: bool| {
        let params = OutcomeParams {
            search: Search { rounds, units },
            ..quick()
        };
        let hooks = Hooks {
            progress: &|_, _| (),
            keep_going: &|| in_time,
        };
        train_with(&data.set(), &params, &hooks).unwrap()
    };
    let (late, short, poor) = (run(3, 300.0, false), run(1, 300.0, true), run(3, 1e-6, true));
    assert_eq!((late.search.rounds, late.search.stopped), (1, StopReason::TimeUp));
    assert_eq!(
        (short.search.rounds, short.search.stopped),
        (1, StopReason::Finished)
    );
    assert_eq!(
        (poor.search.rounds, poor.search.stopped),
        (1, StopReason::UnitsSpent)
    );
    let model = |training: &OutcomeTraining| training.model.to_json().unwrap();
    assert!(model(&late) == model(&short) && model(&poor) == model(&short));
    assert_eq!(late.out_of_fold, short.out_of_fold);
    let full = run(3, 300.0, true);
    assert_eq!(
        (full.search.rounds, full.search.stopped),
        (3, StopReason::Finished)
    );
    assert!(full.search.tried.len() > short.search.tried.len());
}

#[test]
fn a_blend_explains_itself_and_survives_json() {
    // a line and a corner: the regression sees the one, trees the other
    let data = Data::with_corner(3000, 4);
    let mut params = quick();
    params.learners.gbdt.trees = 60;
    let training = data.train(&params).unwrap();
    assert_eq!(training.learner, Kept::Blend, "{:?}", training.search);
    let shares = training.model.shares();
    assert!(shares.len() > 1 && (shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
    let json = training.model.to_json().unwrap();
    let again = OutcomeModel::from_json(&json).unwrap();
    let p = training.model.predict(&data.table).unwrap();
    assert_eq!(p, again.predict(&data.table).unwrap());
    let rows: Vec<usize> = (0..40).collect();
    let bases: Vec<f64> = again
        .explain(&data.table, &rows, 10)
        .unwrap()
        .iter()
        .zip(&rows)
        .map(|(reasons, row)| p[*row] - reasons.iter().map(|reason| reason.contribution).sum::<f64>())
        .collect();
    assert!(
        bases.iter().all(|base| (base - bases[0]).abs() < 1e-3),
        "{bases:?}"
    );
}
