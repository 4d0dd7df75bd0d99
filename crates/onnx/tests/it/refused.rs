//! What cannot be read or computed is said, and never a panic.

use thalweg_domain::{Column, ColumnData, Table};
use thalweg_onnx::{Model, Reading, Scale};

use crate::support::{cases, model, rows, scaled_rows};

fn code(result: Result<impl Sized, thalweg_domain::Error>) -> (&'static str, String) {
    let Err(error) = result else { panic!("no error") };
    (error.code, error.message)
}

#[test]
fn bytes_that_are_no_model_are_refused() {
    for bytes in [
        &b""[..],
        b"PK\x03\x04 a zip",
        b"{\"a\":1}",
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ] {
        assert_eq!(code(Model::parse(bytes)).0, "TW0340");
    }
}

/// Any byte changed or any end cut off: an error or another model, never a panic.
#[test]
fn damaged_models_do_not_panic() {
    for name in [
        "sk_logistic_zipmap",
        "sk_minmax_tanh",
        "torch_legacy",
        "sk_isotonic",
        "keras_softmax",
    ] {
        let whole = model(name);
        let columns = cases()[name].columns.clone();
        let table = if columns.is_empty() { rows() } else { scaled_rows() };
        let reading = Reading {
            columns,
            ..Reading::default()
        };
        let mut state = 12_345_u32;
        for round in 0..300 {
            let mut bytes = whole.clone();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let place = (state >> 8) as usize % bytes.len();
            match round % 3 {
                0 => bytes.truncate(place),
                1 => bytes[place] ^= 1 << (state & 7),
                _ => bytes[place] = state.to_le_bytes()[1],
            }
            let Ok(model) = Model::with_reading(&bytes, &reading) else {
                continue;
            };
            if let Err(error) = model.predict(&table.take(&[0, 1, 2])) {
                assert!(error.code.starts_with("TW03"), "{error}");
            }
        }
    }
}

#[test]
fn operators_that_are_missing_are_named() {
    let mut bytes = model("torch_softmax");
    let place = bytes
        .windows(5)
        .position(|window| window == b"\"\x03Elu")
        .unwrap();
    bytes[place + 2..place + 5].copy_from_slice(b"Lrn");
    let reading = Reading {
        columns: cases()["torch_softmax"].columns.clone(),
        ..Reading::default()
    };
    let (code, message) = code(Model::with_reading(&bytes, &reading));
    assert!(code == "TW0341" && message.contains("Lrn"), "{message}");
}

#[test]
fn a_matrix_needs_the_order_of_its_columns() {
    let (code_none, message) = code(Model::parse(&model("sk_hist_boosted")));
    assert!(code_none == "TW0342" && message.contains("\"X\""), "{message}");
    let reading = Reading {
        columns: vec!["tenure".to_owned()],
        ..Reading::default()
    };
    assert_eq!(
        code(Model::with_reading(&model("sk_hist_boosted"), &reading)).0,
        "TW0342"
    );
    assert_eq!(
        code(Model::with_reading(&model("sk_logistic_zipmap"), &reading)).0,
        "TW0342"
    );
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let model = Model::parse(&model("sk_logistic_zipmap")).unwrap();
    let (missing, message) = code(model.predict(&rows().without(|name| name == "tenure")));
    assert!(missing == "TW0305" && message.contains("\"tenure\""), "{message}");
    let mut columns = rows().without(|name| name == "tenure").columns().to_vec();
    let codes = vec![0; rows().n_rows()];
    let data = ColumnData::Category {
        codes,
        levels: vec!["new".to_owned()],
    };
    columns.push(Column {
        name: "tenure".to_owned(),
        data,
    });
    let (kind, message) = code(model.predict(&Table::new(columns).unwrap()));
    assert!(kind == "TW0342" && message.contains("category"), "{message}");
}

#[test]
fn outputs_that_are_no_probabilities_are_refused() {
    let all = cases();
    let read = |name: &str, scale| {
        let reading = Reading {
            columns: all[name].columns.clone(),
            scale,
            ..Reading::default()
        };
        Model::with_reading(&model(name), &reading)
    };
    let logits = read("torch_logits", Some(Scale::Probability)).unwrap();
    assert_eq!(code(logits.predict(&scaled_rows())).0, "TW0343");
    let three = read("sk_three_classes", None).unwrap();
    assert_eq!(code(three.predict(&scaled_rows())).0, "TW0343");
    assert_eq!(three.probabilities(&scaled_rows()).unwrap().n_outputs, 3);
    let output = Reading {
        output: Some("nothing".to_owned()),
        ..Reading::default()
    };
    assert_eq!(
        code(Model::with_reading(&model("sk_logistic_zipmap"), &output)).0,
        "TW0343"
    );
    let class = Reading {
        positive: Some("Maybe".to_owned()),
        ..Reading::default()
    };
    let (class, message) = code(Model::with_reading(&model("sk_logistic_zipmap"), &class));
    assert!(class == "TW0343" && message.contains("Maybe"), "{message}");
}
