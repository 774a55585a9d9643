//! Torture: kills in writes, cut files, flipped bits. What comes back is what was saved, or an earlier save with a word
//! about it, or an error; never a crash and never less without a word.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::store::{SessionError, Store, VERSION};
use super::{Look, Session};
use crate::window::document::{self, Document, PolymerKind};
use crate::window::history::History;

fn document(number: usize) -> Document {
    let mut document = Document { notes: number.to_string(), ..Document::default() };
    document.query.name = format!("query-{}", number / 7).replace('-', "_");
    for _ in 0..number % 4 {
        document::add_polymer(&mut document.query, PolymerKind::Protein, "MKTAYIAK".repeat(20));
    }
    document
}

/// A session after so many edits, the last of them undone.
fn session(edits: usize) -> Session {
    let mut value = Document::default();
    let mut history = History::new(value.clone());
    for number in 1..=edits {
        value = document(number);
        history.commit(&value);
    }
    history.undo(&mut value);
    value.selection = "not yet a step".to_owned();
    let look = Look { results: Some("/some/run".into()), shown: (1, edits), ..Look::default() };
    Session { document: Arc::new(value), steps: history.steps(), look }
}

fn read(path: &Path) -> Result<(Session, bool), SessionError> {
    Store::open(path).map(|(_, loaded)| (loaded.session, loaded.damage.is_some()))
}

#[test]
fn a_session_is_read_back_as_it_was_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/a.kfsession");
    let mut store = Store::create(&path).unwrap();
    for edits in [1, 2, 150, 260, 3] {
        store.save(&session(edits)).unwrap();
    }
    assert!(matches!(Store::open(&path), Err(SessionError::Busy { .. })), "one window at a time");
    drop(store);
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.session, session(3));
    assert_eq!(loaded.damage, None);
    for edits in 100..200 {
        store.save(&session(edits)).unwrap();
    }
    drop(store);
    assert_eq!(read(&path).unwrap(), (session(199), false));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "one file");
}

#[test]
fn files_that_are_no_sessions_are_told_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.kfsession");
    for bytes in [&b""[..], b"SQLite format 3\0", &[0; 4096], &b"SQLite format 3\0".repeat(100)] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Err(SessionError::Other { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    Store::create(&path).unwrap().save(&session(3)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&(VERSION + 1).to_be_bytes());
    std::fs::write(&path, &newer).unwrap();
    let error = read(&path).unwrap_err();
    assert!(matches!(error, SessionError::Newer { .. }) && error.to_string().contains("newer"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), newer);
    // A trigger would run whenever we save.
    std::fs::write(&path, &whole).unwrap();
    let stranger = rusqlite::Connection::open(&path).unwrap();
    stranger.execute_batch("CREATE TRIGGER t AFTER INSERT ON saves BEGIN DELETE FROM parts; END").unwrap();
    drop(stranger);
    assert!(matches!(read(&path), Err(SessionError::Damaged { .. })));
}

/// A session as the first program that had sessions wrote it: its tables word for word, and documents without what came later
/// (notes on ligands, the automatic engine).
fn write_first_form(path: &Path) {
    use sha2::Digest as _;

    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE parts(hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
             CREATE TABLE saves(number INTEGER PRIMARY KEY, root BLOB NOT NULL);
             CREATE TABLE latest(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, root BLOB NOT NULL);
             PRAGMA application_id = 1262900078;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    let put = |value: &serde_json::Value| -> (Vec<u8>, String) {
        let bytes = serde_json::to_vec(value).unwrap();
        let hash = sha2::Sha256::digest(&bytes)[..16].to_vec();
        let statement = "INSERT OR REPLACE INTO parts(hash, bytes) VALUES (?1, ?2)";
        connection.execute(statement, rusqlite::params![hash, bytes]).unwrap();
        let hex = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        (hash, hex)
    };
    let document = |selection: &str, notes: &str| {
        let mut whole = serde_json::to_value(Document::default()).unwrap();
        let fields = whole.as_object_mut().unwrap();
        fields.retain(|field, _| field != "ligand_notes" && field != "is_automatic");
        fields["selection"] = selection.into();
        fields["notes"] = notes.into();
        let names: serde_json::Map<String, serde_json::Value> =
            fields.iter().map(|(field, value)| (field.clone(), put(value).1.into())).collect();
        put(&names.into()).1
    };
    let (first, second) = (document("chain A", ""), document("chain A", "written long ago"));
    let look = serde_json::json!({"query_path": null, "results": "/some/run", "shown": [0, 2]});
    let root = serde_json::json!({"document": second, "past": [first], "present": second, "future": [], "look": look});
    let (root, _) = put(&root);
    connection.execute("INSERT INTO saves(number, root) VALUES (7, ?1)", [&root]).unwrap();
    connection.execute("INSERT INTO latest(id, number, root) VALUES (0, 7, ?1)", [&root]).unwrap();
}

#[test]
fn a_session_of_the_first_program_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.kfsession");
    write_first_form(&path);
    let (mut store, loaded) = Store::open(&path).unwrap();
    assert_eq!(loaded.damage, None);
    let session = loaded.session;
    assert_eq!((session.document.selection.as_str(), session.document.notes.as_str()), ("chain A", "written long ago"));
    assert!(session.document.ligand_notes.is_empty() && !session.document.is_automatic);
    assert_eq!((session.steps.past.len(), session.steps.past[0].notes.as_str()), (1, ""));
    assert_eq!((session.look.results.as_deref(), session.look.shown), (Some(Path::new("/some/run")), (0, 2)));
    let mut document = Document::clone(&session.document);
    document.is_automatic = true;
    let next = Session { document: Arc::new(document), ..session };
    store.save(&next).unwrap();
    drop(store);
    assert_eq!(read(&path).unwrap(), (next, false));
    // A form that nobody ever wrote is no reason to guess.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 0").unwrap();
    drop(connection);
    assert!(matches!(read(&path), Err(SessionError::Damaged { .. })));
}

/// Not a test: `cargo test --release --workspace --lib -- --ignored --nocapture how_long` says how long a full session takes to
/// open.
#[test]
#[ignore = "measures"]
#[allow(clippy::print_stdout, reason = "that is what it is for")]
fn how_long_a_full_session_takes_to_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.kfsession");
    let mut full = session(260);
    let mut document = Document::clone(&full.document);
    for _ in 0..500 {
        document::add_polymer(&mut document.query, PolymerKind::Protein, "MKTAYIAK".repeat(60));
    }
    full.document = Arc::new(document);
    Store::create(&path).unwrap().save(&full).unwrap();
    let start = std::time::Instant::now();
    read(&path).unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    println!("{} steps, {size} bytes: {:.1} ms", full.steps.past.len(), start.elapsed().as_secs_f64() * 1e3);
}

#[test]
fn a_document_of_an_older_program_lacks_what_is_new() {
    let old: Document = serde_json::from_str(r#"{"selection":"chain A","view":{"waters":true}}"#).unwrap();
    assert_eq!(old.selection, "chain A");
    assert!(old.view.waters && old.view.site);
    assert_eq!(old.notes, "");
}

#[test]
fn cut_and_flipped_files_give_what_was_saved_or_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.kfsession");
    let saves: Vec<Session> = [4, 12, 30].map(session).to_vec();
    let mut store = Store::create(&path).unwrap();
    for save in &saves {
        store.save(save).unwrap();
    }
    drop(store);
    let whole = std::fs::read(&path).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let (mut repaired, mut refused) = (0, 0);
    for round in 0..400 {
        let mut bytes = whole.clone();
        if round % 4 == 0 {
            bytes.truncate(random.random_range(0..whole.len()));
        } else {
            for _ in 0..random.random_range(1..=1 + round % 40) {
                let place = random.random_range(0..bytes.len());
                bytes[place] ^= 1 << random.random_range(0..8);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        match read(&path) {
            Ok((found, false)) => assert_eq!(&found, &saves[2], "round {round}: less than was saved, without a word"),
            Ok((found, true)) => {
                repaired += 1;
                assert!(saves.contains(&found), "round {round}");
                assert_eq!(std::fs::read(folder.path().join("a.kfsession.damaged")).unwrap().len(), bytes.len());
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("a.kfsession"), "{error}");
            }
        }
    }
    assert!(repaired > 10 && refused > 10, "{repaired} repaired, {refused} refused");
}

/// Saves one session after the other and says each that is saved, until it is killed.
#[test]
#[ignore = "the child of the test below"]
fn saves_until_it_is_killed() {
    use std::io::Write as _;

    let Some(path) = std::env::var_os("KFOLD_SESSION_TORTURE") else { return };
    let path = Path::new(&path);
    let (mut store, mut number) = match Store::open(path) {
        Ok((store, loaded)) => (store, loaded.session.look.shown.1),
        Err(_) => (Store::create(path).unwrap(), 0),
    };
    loop {
        number += 1;
        let mut save = session(3 + number % 30);
        save.look.shown.1 = number;
        store.save(&save).unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "saved {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_kill_in_a_write_loses_nothing_that_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.kfsession");
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let mut last = 0;
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["saves_until_it_is_killed", "--ignored", "--nocapture", "--test-threads=1"])
            .env("KFOLD_SESSION_TORTURE", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // It is at work; a moment later it is somewhere within a save.
        let number = |line: &String| line.rsplit_once("saved ")?.1.trim().parse::<usize>().ok();
        last = lines.by_ref().find_map(|line| number(&line)).unwrap();
        std::thread::sleep(Duration::from_micros(random.random_range(0..40_000)));
        child.kill().unwrap();
        last = lines.filter_map(|line| number(&line)).last().unwrap_or(last);
        child.wait().unwrap();
        let (found, is_damaged) = read(&path).unwrap();
        assert!(!is_damaged, "round {round}");
        let number = found.look.shown.1;
        assert!(number == last || number == last + 1, "round {round}: {number} after {last}");
        let mut expected = session(3 + number % 30);
        expected.look.shown.1 = number;
        assert_eq!(found, expected, "round {round}");
        last = number;
    }
    assert!(last > 25, "{last}");
}
