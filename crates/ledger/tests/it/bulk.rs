//! A plan of 20,000 customers with 17 eligible entries each comes back as it was written.

use crate::support::{Desk, decisions, plan};

#[test]
fn twenty_thousand_decisions_survive_to_the_last_bit() {
    let desk = Desk::new();
    let plan = plan("p-big", 1);
    let written = decisions(&plan, 20_000);
    let start = std::time::Instant::now();
    desk.ledger.insert_plan(&plan, &written).expect("inserted");
    let inserted = start.elapsed();
    let read = desk.ledger.decisions("p-big").expect("read");
    let bytes = std::fs::metadata(desk.path()).expect("a file").len();
    println!(
        "insert {inserted:?}, read {:?}, {bytes} bytes",
        start.elapsed() - inserted
    );
    assert!(
        read == written,
        "a decision changed on its way through the ledger"
    );
    assert_eq!(read.len(), 20_000);
}
