//! The `file` adapter keeps the contract, and its files are exactly these.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use thalweg_domain::CustomerKey;

use super::{FileAdapter, FileConfig};
use crate::adapter::contract::{Subject, admitted, check_channel, message};
use crate::{Adapter, Batch, FieldValue, Fields, Message, Mode, Receipt};

struct Desk {
    folder: TempDir,
    adapter: FileAdapter,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let adapter = FileAdapter::new(FileConfig {
            outbox: folder.path().join("outbox"),
        });
        Self { folder, adapter }
    }

    fn send(&self, channel: &str, messages: &[Message]) -> Receipt {
        self.adapter
            .deliver(
                &Batch {
                    cycle: 3,
                    channel,
                    messages,
                },
                Mode::Send,
            )
            .expect("delivered")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("outbox/3").join(name)).expect(name)
    }
}

/// Every file below the folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).expect("read"));
        }
    }
    found
}

#[test]
fn keeps_the_contract() {
    let desk = Desk::new();
    check_channel(&Subject {
        adapter: &desk.adapter,
        arrived: &|| files(desk.folder.path()),
    });
    assert_eq!(
        files(desk.folder.path()).len(),
        2,
        "nothing but the sheet and the outbox is left"
    );
}

#[test]
fn the_files_are_these() {
    let desk = Desk::new();
    let mut plain = message(2);
    plain.fields = Fields::new();
    (plain.offer, plain.text, plain.contact_window) = (None, None, None);
    let receipt = desk.send("email", &[plain, message(1)]);
    assert!(receipt.file.expect("a file").ends_with("outbox/3/email.csv"));
    assert_eq!(
        desk.read("email.csv"),
        "decision_id,customer,channel,offer,charges,name,contact_window,message\n\
         p-1-0000001,c-1,email,,-0.5,\"Ünal \"\"1\"\", Ada\",08:00-21:00,\"Hello,\n1\"\n\
         p-1-0000002,c-2,email,,,,,\n"
    );
    assert_eq!(
        desk.read("outbox.jsonl"),
        "{\"decision_id\":\"p-1-0000001\",\"customer\":\"c-1\",\"channel\":\"email\",\"offer\":null,\
         \"fields\":{\"charges\":-0.5,\"name\":\"Ünal \\\"1\\\", Ada\"},\"message\":\"Hello,\\n1\",\
         \"contact_window\":\"08:00-21:00\"}\n\
         {\"decision_id\":\"p-1-0000002\",\"customer\":\"c-2\",\"channel\":\"email\",\"offer\":null,\
         \"fields\":{},\"message\":null,\"contact_window\":null}\n"
    );
}

#[test]
fn without_windows_and_texts_their_columns_are_left_out() {
    let desk = Desk::new();
    let mut plain = message(1);
    (plain.text, plain.contact_window) = (None, None);
    desk.send("letter", &[plain]);
    assert!(
        desk.read("letter.csv")
            .starts_with("decision_id,customer,channel,offer,charges,name\n")
    );
}

#[test]
fn channels_share_the_outbox_whatever_the_order_of_delivery() {
    let (one, other) = (Desk::new(), Desk::new());
    let (few, many) = (admitted(5), admitted(40));
    one.send("sms", &few);
    one.send("email", &many);
    one.send("sms", &few);
    other.send("email", &few);
    other.send("email", &many);
    other.send("sms", &few);
    assert_eq!(one.read("outbox.jsonl"), other.read("outbox.jsonl"));
    assert_eq!(one.read("outbox.jsonl").lines().count(), few.len() + many.len());
    assert_eq!(one.read("email.csv"), other.read("email.csv"));
}

#[test]
fn a_spreadsheet_is_not_made_to_run_formulas() {
    let desk = Desk::new();
    let texts = [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("-12.5", "-12.5"),
        ("+49 (30) 123-45", "+49 (30) 123-45"),
        ("a=b", "a=b"),
        ("-", "'-"),
        ("'quoted", "'quoted"),
    ];
    let messages: Vec<Message> = (0..texts.len())
        .map(|row| {
            let (text, _) = texts[row];
            let mut message = message(row);
            message.customer = CustomerKey::new(text).expect("a key");
            message.fields = [("note".to_owned(), FieldValue::Text(text.to_owned()))]
                .into_iter()
                .collect();
            message.text = Some(text.to_owned());
            message
        })
        .collect();
    desk.send("call", &messages);
    let sheet = desk.read("call.csv");
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), texts.len());
    for (row, (_, expected)) in rows.iter().zip(texts) {
        assert_eq!((&row[1], &row[4], &row[6]), (expected, expected, expected));
    }
    assert!(
        desk.read("outbox.jsonl").contains(r#""note":"=1+1""#),
        "programs get the text as it is"
    );
}

#[test]
fn a_negative_number_is_left_alone() {
    let desk = Desk::new();
    desk.send("call", &[message(1)]);
    assert!(desk.read("call.csv").contains(",-0.5,"));
}

#[test]
fn files_that_would_not_change_are_not_touched() {
    let desk = Desk::new();
    desk.send("email", &admitted(5));
    let path = desk.folder.path().join("outbox/3/email.csv");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000);
    let touch = |path: &Path| {
        fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(old))
    };
    touch(&path).expect("set");
    desk.send("email", &admitted(5));
    assert_eq!(
        fs::metadata(&path)
            .and_then(|about| about.modified())
            .expect("read"),
        old
    );
}

#[test]
fn the_left_over_of_a_killed_process_is_overwritten() {
    let desk = Desk::new();
    desk.send("email", &admitted(5));
    let before = files(desk.folder.path());
    let folder = desk.folder.path().join("outbox/3");
    fs::write(folder.join(".email.csv.partial"), "half a li").expect("written");
    fs::remove_file(folder.join("email.csv")).expect("removed");
    desk.send("email", &admitted(5));
    assert_eq!(files(desk.folder.path()), before);
}

fn refused(desk: &Desk, messages: &[Message]) -> thalweg_domain::Error {
    desk.adapter
        .deliver(
            &Batch {
                cycle: 3,
                channel: "email",
                messages,
            },
            Mode::Send,
        )
        .expect_err("refused")
}

#[test]
fn an_outbox_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    fs::write(desk.folder.path().join("outbox"), "a file in the way").expect("written");
    let error = refused(&desk, &admitted(5));
    assert_eq!((error.code, error.exit_code()), ("TW0601", 6));
    assert!(
        error.message.contains("outbox") && error.hint.is_some(),
        "{error}"
    );
}

#[test]
fn a_foreign_line_in_the_outbox_stops_before_anything_is_written() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("outbox/3");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("outbox.jsonl"), "{\"channel\":\"sms\"}\nhalf a li").expect("written");
    let before = files(desk.folder.path());
    let error = refused(&desk, &admitted(5));
    assert_eq!((error.code, error.at.and_then(|at| at.row)), ("TW0601", Some(2)));
    assert_eq!(files(desk.folder.path()), before);
}

#[test]
fn two_messages_for_one_decision_are_refused() {
    let desk = Desk::new();
    assert_eq!(
        refused(&desk, &[message(1), message(2), message(1)]).code,
        "TW0607"
    );
    assert!(files(desk.folder.path()).is_empty());
}
