//! A ledger that cannot be used says why, and what to do.

use std::time::Duration;

use thalweg_domain::{Result, Timestamp};
use thalweg_ledger::Ledger;

use crate::support::{Desk, sql};

fn refused<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, String, String) {
    let error = result.expect_err("refused");
    (error.code, error.message, error.hint.expect("a hint"))
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, message, _) = refused(Ledger::open(folder.path().join("no/such/thalweg.db")));
    assert_eq!(code, "TW0801");
    assert!(message.contains("no/such/thalweg.db"), "{message}");
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("thalweg.db");
    let text = "customer_id,churn\n".repeat(500);
    std::fs::write(&path, &text).expect("written");
    let (code, _, hint) = refused(Ledger::open(&path));
    assert_eq!(code, "TW0802");
    assert!(hint.contains("copy"), "{hint}");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
}

#[test]
fn a_damaged_page_is_noticed() {
    let desk = Desk::planned(400);
    let path = desk.path();
    let Desk { folder, ledger } = desk;
    ledger.close().expect("closed");
    let mut bytes = std::fs::read(&path).expect("read");
    let page = 16_384;
    for byte in bytes.iter_mut().skip(page * 2) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, bytes).expect("written");
    let outcome = Ledger::open(&path).and_then(|ledger| ledger.decisions("p-a").map(|rows| rows.len()));
    assert_eq!(refused(outcome).0, "TW0802");
    drop(folder);
}

#[test]
fn a_row_changed_by_hand_is_noticed() {
    let desk = Desk::new();
    sql(
        &desk.path(),
        "INSERT INTO stages (cycle, stage, fingerprint, finished_at, seconds, summary)
         VALUES (1, 'dance', 'f', 1, 1, '{}')",
    )
    .expect("written");
    assert_eq!(refused(desk.ledger.stage_history(5)).0, "TW0802");
}

#[test]
fn a_newer_programs_ledger_is_refused_and_left_alone() {
    let desk = Desk::new();
    sql(
        &desk.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'from the future', 1, x'00', 1)",
    )
    .expect("written");
    let (code, message, hint) = refused(Ledger::open(desk.path()));
    assert_eq!(code, "TW0803");
    assert!(
        message.contains("99") && hint.contains("newer Thalweg"),
        "{message} / {hint}"
    );
}

#[test]
fn changed_tables_are_noticed() {
    let desk = Desk::new();
    sql(
        &desk.path(),
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
    )
    .expect("written");
    assert_eq!(refused(Ledger::open(desk.path())).0, "TW0802");
}

#[test]
fn a_ledger_in_use_says_so_and_works_afterwards() {
    let desk = Desk::new();
    let ledger = Ledger::open_waiting(&desk.path(), Duration::from_millis(50)).expect("opens");
    let hold = Hold::on(&desk);
    let (code, _, hint) = refused(ledger.set_setting_once("salt", "b"));
    assert_eq!(code, "TW0804");
    assert!(hint.contains("wait"), "{hint}");
    assert_eq!(
        ledger.setting("salt").expect("readers are not kept waiting"),
        None
    );
    hold.release();
    assert_eq!(ledger.set_setting_once("salt", "b").expect("free again"), "b");
}

/// Another process's unfinished write.
struct Hold {
    runtime: tokio::runtime::Runtime,
    connection: sqlx::SqliteConnection,
}

impl Hold {
    fn on(desk: &Desk) -> Self {
        use sqlx::ConnectOptions;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(desk.path());
        let connection = runtime.block_on(async {
            let mut connection = options.connect().await.expect("connected");
            sqlx::raw_sql("BEGIN IMMEDIATE")
                .execute(&mut connection)
                .await
                .expect("locked");
            connection
        });
        Self { runtime, connection }
    }

    fn release(self) {
        use sqlx::Connection;
        self.runtime.block_on(self.connection.close()).expect("closed");
    }
}

#[test]
fn processes_that_start_together_share_a_new_ledger() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("thalweg.db");
        let open = || {
            let ledger = Ledger::open(&path)?;
            ledger.current_cycle(Timestamp(1))?;
            ledger.set_setting_once("salt", &format!("{:?}", std::thread::current().id()))
        };
        let salts: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("joined").expect("opened"))
                .collect()
        });
        assert!(salts.windows(2).all(|pair| pair[0] == pair[1]), "{salts:?}");
    }
}
