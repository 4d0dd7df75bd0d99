//! What a column's name says about it.

const MONEY: &[&str] = &[
    "amount", "arpu", "balance", "bill", "charge", "cost", "earning", "expense", "fee", "income", "margin",
    "mrr", "payment", "price", "profit", "revenue", "salary", "sale", "spend", "spending", "turnover",
];
const COUNTED: &[&str] = &[
    "age", "count", "day", "month", "n", "nr", "num", "number", "qty", "quantity", "year",
];
const KEY: &[&str] = &["guid", "id", "index", "key", "uid", "uuid"];

/// `monthly_charges`, `TotalRevenue`, `unit price`; not `n_payments`.
pub(super) fn is_money(name: &str) -> bool {
    let words = words(name);
    has(&words, MONEY) && !has(&words, COUNTED)
}

/// `customer_id`, `userKey`, `UID`.
pub(super) fn is_key(name: &str) -> bool {
    has(&words(name), KEY)
}

fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| {
        list.contains(&word.as_str()) || word.strip_suffix('s').is_some_and(|one| list.contains(&one))
    })
}

/// The words of a name in lower case, taken apart at `_`, blanks and capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{is_key, is_money};

    #[test]
    fn names_hint() {
        for name in [
            "monthly_charges",
            "TotalRevenue",
            "unit price",
            "Income",
            "Amount",
        ] {
            assert!(is_money(name), "{name}");
        }
        for name in ["n_payments", "tenure", "valued", "paymentCount", "months"] {
            assert!(!is_money(name), "{name}");
        }
        for name in ["customer_id", "customerID", "UID", "key"] {
            assert!(is_key(name), "{name}");
        }
        for name in ["paid", "valid", "monkey", "Humidity"] {
            assert!(!is_key(name), "{name}");
        }
    }
}
