//! Sample sizes and power against statsmodels, and what the other direction of the question must answer.

use thalweg_plan::power::{ArmSizes, Direction, TestPlan, arms_for, detectable_effect, power_of};

/// Made by `bench/fixtures/power.py`.
const FIXTURE: &str = include_str!("../../fixtures/power.json");

#[test]
fn sizes_and_power_agree_with_statsmodels() {
    let fixture: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() > 5);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let (baseline, effect, ratio) = (number("baseline"), number("effect"), number("ratio"));
        let plan = TestPlan {
            alpha: number("alpha"),
            power: number("power"),
        };
        let arms = arms_for(baseline, effect, ratio, plan).unwrap();
        let exact = number("n_treated");
        assert!(
            (arms.treated - exact.ceil()).abs() < 1e-9
                && (arms.control - (ratio * exact).ceil()).abs() < 1e-9,
            "{case}: {arms:?}"
        );
        let fewer = case["smaller"]["n_treated"].as_f64().unwrap();
        let own = power_of(
            baseline,
            effect,
            ArmSizes {
                treated: fewer,
                control: ratio * fewer,
            },
            plan.alpha,
        )
        .unwrap();
        // statsmodels adds the chance of a finding in the wrong direction, below 1e-4 here
        let theirs = case["smaller"]["power"].as_f64().unwrap();
        assert!((own - theirs).abs() < 1e-4, "{case}: {own}");
        let direction = if effect < 0.0 {
            Direction::Decrease
        } else {
            Direction::Increase
        };
        let found = detectable_effect(baseline, arms, plan, direction)
            .unwrap()
            .unwrap();
        assert!(
            found <= effect.abs() && found > 0.99 * effect.abs(),
            "{case}: {found}"
        );
    }
}
