//! The business's own table: what a policy may see.

use thalweg_domain::{Column, ColumnData, MISSING_LEVEL, Result, Table};

use crate::customer::{Contract, Customer, Payment, Region, Segment};

/// Name of the key column.
pub(crate) const KEY_COLUMN: &str = "customer_id";
/// Name of the outcome column.
pub(crate) const OUTCOME_COLUMN: &str = "churn";

/// The observable columns, key first, in a fixed order.
pub(crate) fn columns(keys: Vec<String>, customers: &[Customer]) -> Vec<Column> {
    let number = |cell: fn(&Customer) -> Option<f64>| {
        ColumnData::Number(
            customers
                .iter()
                .map(|customer| cell(customer).unwrap_or(f64::NAN))
                .collect(),
        )
    };
    let category = |levels: &[&str], code: fn(&Customer) -> Option<u32>| ColumnData::Category {
        codes: customers
            .iter()
            .map(|customer| code(customer).unwrap_or(MISSING_LEVEL))
            .collect(),
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
    };
    let boolean = |cell: fn(&Customer) -> bool| {
        ColumnData::Boolean(customers.iter().map(|customer| Some(cell(customer))).collect())
    };
    let cells = [
        (KEY_COLUMN, ColumnData::Text(keys.into_iter().map(Some).collect())),
        ("age", number(|c| c.age.map(f64::from))),
        ("region", category(Region::LEVELS, |c| Some(c.region.code()))),
        ("segment", category(Segment::LEVELS, |c| Some(c.segment.code()))),
        ("tenure_months", number(|c| Some(f64::from(c.tenure_months)))),
        (
            "contract",
            category(Contract::LEVELS, |c| Some(c.contract.code())),
        ),
        (
            "months_to_renewal",
            number(|c| c.months_to_renewal.map(f64::from)),
        ),
        ("monthly_fee", number(|c| Some(c.monthly_fee))),
        ("products", number(|c| Some(f64::from(c.products)))),
        (
            "payment_method",
            category(Payment::LEVELS, |c| c.payment.map(Payment::code)),
        ),
        ("autopay", boolean(|c| c.autopay)),
        ("usage_trend", number(|c| c.usage_trend)),
        ("app_active", boolean(|c| c.app_active)),
        ("complaints_90d", number(|c| Some(f64::from(c.complaints_90d)))),
        (
            "support_calls_90d",
            number(|c| Some(f64::from(c.support_calls_90d))),
        ),
        (
            "late_payments_12m",
            number(|c| Some(f64::from(c.late_payments_12m))),
        ),
        ("email_opt_in", boolean(|c| c.consent.email)),
        ("sms_opt_in", boolean(|c| c.consent.sms)),
        ("push_opt_in", boolean(|c| c.consent.push)),
        ("call_opt_in", boolean(|c| c.consent.call)),
    ];
    cells
        .into_iter()
        .map(|(name, data)| Column {
            name: name.to_owned(),
            data,
        })
        .collect()
}

/// The observable columns and the outcome: `Yes`, `No`, or missing where it is not known yet.
pub(crate) fn labelled(
    keys: Vec<String>,
    customers: &[Customer],
    churned: impl Iterator<Item = Option<bool>>,
) -> Result<Table> {
    let mut columns = columns(keys, customers);
    columns.push(Column {
        name: OUTCOME_COLUMN.to_owned(),
        data: ColumnData::Category {
            codes: churned
                .map(|churned| churned.map_or(MISSING_LEVEL, u32::from))
                .collect(),
            levels: vec!["No".to_owned(), "Yes".to_owned()],
        },
    });
    Table::new(columns)
}
