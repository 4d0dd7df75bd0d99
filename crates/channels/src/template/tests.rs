//! What templates make of fields, and how they say what is wrong.

use std::collections::BTreeSet;

use crate::{FieldValue, Fields, Template, render};

fn fields() -> Fields {
    let pairs = [
        ("name", FieldValue::Text("Ada".to_owned())),
        ("charges", FieldValue::Number(89.855)),
        ("tenure", FieldValue::Number(20.0)),
        ("paperless", FieldValue::Boolean(true)),
        ("city", FieldValue::Missing),
        ("unused", FieldValue::Number(1.0)),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[test]
fn fields_are_filled_in() {
    for (source, expected) in [
        (
            "Dear {{ name }}, you pay {{ charges | round: 2 }}.",
            "Dear Ada, you pay 89.86.",
        ),
        (
            "{{ tenure }} months, {{ tenure | divided_by: 12 }} years",
            "20 months, 1 years",
        ),
        ("{% if paperless %}no paper{% else %}paper{% endif %}", "no paper"),
        ("from {{ city | default: 'afar' }}{{ city }}", "from afar"),
        ("{% assign first = name | upcase %}{{ first }}", "ADA"),
        (
            "Grüße, {{name}} – 10 % {{- ' off' -}} !",
            "Grüße, Ada – 10 % off!",
        ),
    ] {
        assert_eq!(
            render("t.liquid", source, &fields()).expect(source),
            expected,
            "{source}"
        );
    }
}

#[test]
fn the_fields_of_every_branch_are_listed() {
    for (source, expected) in [
        ("{{ a }} {{b}} {{- c -}}", vec!["a", "b", "c"]),
        (
            "{{ a | default: b | append: 'x y' | date: \"%Y z\" }}",
            vec!["a", "b"],
        ),
        (
            "{{ plan.price }} {{ list[index].name }}",
            vec!["index", "list", "plan"],
        ),
        (
            "{% if a == 'b' and c > 3 or d contains e %}{{ f }}{% elsif g %}{% else %}{{ h }}{% endif %}",
            { vec!["a", "c", "d", "e", "f", "g", "h"] },
        ),
        (
            "{% for item in items limit: n reversed %}{{ item }}{{ forloop.index }}{% endfor %}",
            vec!["items", "n"],
        ),
        (
            "{% assign x = a | plus: b %}{{ x }}{% capture y %}{{ c }}{% endcapture %}{{ y }}",
            vec!["a", "b", "c"],
        ),
        (
            "{% case a %}{% when 'x' %}{{ b }}{% when c %}{% endcase %}{% unless d %}{% endunless %}",
            { vec!["a", "b", "c", "d"] },
        ),
        (
            "{% raw %}{{ a }}{% if %}{% endraw %}{{ b }}{% comment %}{{ c }}{% endcomment %}",
            vec!["b"],
        ),
        (
            "{{ 'a' }} {{ true }} {{ nil }} {{ 3.5 }} {{ -2 }} no markup a b c",
            vec![],
        ),
        (
            "{{ monthly_charges }}{{ plan-name }}{{ _x }}",
            vec!["_x", "monthly_charges", "plan-name"],
        ),
    ] {
        let template = Template::parse("t.liquid", source).expect(source);
        let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(template.fields(), &expected, "{source}");
    }
}

#[test]
fn only_the_templates_fields_are_selected() {
    let template =
        Template::parse("t.liquid", "{{ name }}{% if paperless %}{{ charges }}{% endif %}").expect("valid");
    let selected = template.select(&fields()).expect("all there");
    assert_eq!(
        selected.into_keys().collect::<Vec<_>>(),
        ["charges", "name", "paperless"]
    );
}

#[test]
fn an_unknown_field_is_named_with_those_that_are_known() {
    let source = "{% if paperless %}{% else %}{{ nmae }}{% endif %}";
    let error =
        render("discount.liquid", source, &fields()).expect_err("a typing error in the branch not taken");
    assert_eq!(error.code, "TW0603");
    assert_eq!(
        error.to_string(),
        "error[TW0603]: discount.liquid: unknown field \"nmae\""
    );
    assert_eq!(
        error.hint.as_deref(),
        Some("the fields are: charges, city, name, paperless, tenure, unused")
    );
}

#[test]
fn a_syntax_error_has_its_line() {
    for (source, line) in [
        ("Dear {{ name }},\n\nyou pay {{ charges | }}.", 3),
        ("Dear\n{% iff name %}x{% endif %}", 2),
        ("a\nb\n{{ name", 3),
        ("{{ name | no_such_filter }}", 1),
    ] {
        let error = Template::parse("discount.liquid", source).expect_err(source);
        assert_eq!(error.code, "TW0602");
        let place = error.at.as_ref().expect("a place");
        assert_eq!(
            (place.file.as_str(), place.row),
            ("discount.liquid", Some(line)),
            "{source}: {error}"
        );
        assert!(!error.message.contains('\n'), "{error}");
    }
    assert_eq!(
        Template::parse("t", "{% if a %}never closed")
            .expect_err("unclosed")
            .code,
        "TW0602"
    );
}

#[test]
fn a_filter_that_cannot_use_a_value_is_an_error() {
    let error = render("t.liquid", "{{ tenure | divided_by: 0 }}", &fields()).expect_err("division by 0");
    assert_eq!(error.code, "TW0606");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_template_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gift.liquid");
    let error = Template::read(&path).expect_err("missing");
    assert_eq!(error.code, "TW0605");
    assert!(error.message.contains("gift.liquid"), "{error}");
    std::fs::write(&path, [0xff, 0xfe, b'x']).expect("written");
    assert_eq!(Template::read(&path).expect_err("not UTF-8").code, "TW0605");
    std::fs::write(&path, "Hello {{ name }}").expect("written");
    assert_eq!(
        Template::read(&path)
            .expect("read")
            .render(&fields())
            .expect("rendered"),
        "Hello Ada"
    );
}
