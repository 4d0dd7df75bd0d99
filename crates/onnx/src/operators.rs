//! Every operator against the cases that the ONNX project tests it by (`bench/onnx/operators.py`).

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::proto::{Fields, ModelProto, tensor};
use crate::tensor::{Data, Tensor};

/// Refused: splits by membership in a set, and products whose right operand has more than two axes.
const BEYOND: [&str; 2] = [
    "test_ai_onnx_ml_tree_ensemble_set_membership",
    "test_matmul_1d_3d",
];

struct Case {
    name: String,
    model: Vec<u8>,
    inputs: Vec<(String, Tensor)>,
    expected: Tensor,
}

fn cases() -> Vec<Case> {
    let mut all = Fields::new(include_bytes!("../tests/fixtures/operators.pb"));
    let mut cases = Vec::new();
    while let Some((_, payload)) = all.next_field().unwrap() {
        let mut fields = Fields::new(payload.bytes().unwrap());
        let (mut name, mut model, mut inputs, mut expected) = (String::new(), Vec::new(), Vec::new(), None);
        while let Some((number, payload)) = fields.next_field().unwrap() {
            match number {
                1 => name = payload.text().unwrap(),
                2 => model = payload.bytes().unwrap().to_vec(),
                3 => inputs.push(tensor(payload.bytes().unwrap()).unwrap()),
                _ => expected = Some(tensor(payload.bytes().unwrap()).unwrap().1),
            }
        }
        let expected = expected.unwrap();
        cases.push(Case {
            name,
            model,
            inputs,
            expected,
        });
    }
    cases
}

fn run(case: &Case) -> thalweg_domain::Result<Tensor> {
    let model = ModelProto::read(&case.model)?;
    let plan = Plan::new(&model, &model.graph.outputs[0].name)?;
    let feed = |(name, _): &(String, usize)| {
        let found = case.inputs.iter().find(|(own, _)| own == name);
        found.unwrap().1.clone()
    };
    plan.run(plan.feeds.iter().map(feed).collect())
}

fn close(own: &Tensor, expected: &Tensor) -> bool {
    if let (Data::Text(own), Data::Text(expected)) = (own.data(), expected.data()) {
        return own == expected;
    }
    let (Ok(a), Ok(b)) = (own.numbers(), expected.numbers()) else {
        return false;
    };
    a.iter()
        .zip(&b)
        .all(|(a, b)| (a - b).abs() <= 1e-5 * b.abs().max(1.0) || a == b || (a.is_nan() && b.is_nan()))
}

#[test]
fn operators_do_what_the_onnx_project_says() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for case in cases() {
        let model = ModelProto::read(&case.model).unwrap();
        seen.insert(model.graph.nodes[0].op.clone());
        match run(&case) {
            Ok(own) if own.shape() == case.expected.shape() && close(&own, &case.expected) => {}
            Ok(own) => wrong.push(format!("{}: {own:?} instead of {:?}", case.name, case.expected)),
            Err(error) if BEYOND.contains(&case.name.as_str()) => {
                assert!(["TW0341", "TW0344"].contains(&error.code))
            }
            Err(error) => wrong.push(format!("{}: {error}", case.name)),
        }
    }
    assert!(seen.len() > 70, "{}", seen.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
