//! The session file: SQLite, so that a kill in any write leaves the last whole save.
//!
//! Everything lies in `parts` under the SHA-256 of its bytes (the first 16 of them): the fields of a document, a document
//! as the list of its fields' hashes, and the root, which lists the documents of the history. What did not change is
//! there already, so a save costs what changed. `saves` holds the last few roots and `latest` the newest once more. A
//! reader checks every hash from the root down: a flipped bit or a missing page is seen, the save before is taken
//! instead, and the reader says so; the damaged file is kept beside. A rollback journal rather than a write-ahead log,
//! so that the session is one file whenever it is at rest.
//!
//! A file may come from a stranger: its tables must be exactly ours (a view or trigger could run statements), sizes and
//! counts are bounded before they are read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Look, Session};
use crate::window::document::Document;
use crate::window::history::Steps;

/// Marks our files in SQLite's header: `KFSn`.
const APPLICATION: i32 = 0x4B46_536E;
/// The newest form of the file that this program knows.
pub const VERSION: i32 = 1;
/// Saves that are kept to go back to.
const SAVES: i64 = 4;
/// Saves between two clearings of parts that no save needs.
const CLEARING: u32 = 64;
/// Largest part, bytes.
const PART: i64 = 64 << 20;
/// Largest file, bytes.
const FILE: u64 = 4 << 30;
/// Snapshots read at most.
const STEPS: usize = 1000;

/// The tables of form 1, as SQLite keeps their text.
const TABLES: [(&str, &str); 3] = [
    ("parts", "CREATE TABLE parts(hash BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID"),
    ("saves", "CREATE TABLE saves(number INTEGER PRIMARY KEY, root BLOB NOT NULL)"),
    ("latest", "CREATE TABLE latest(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, root BLOB NOT NULL)"),
];

/// How a file of each older form becomes one of the next; the first makes a new file.
const MIGRATIONS: [fn(&Connection) -> rusqlite::Result<()>; VERSION as usize] =
    [|connection| TABLES.iter().try_for_each(|(_, table)| connection.execute_batch(table))];

/// What is wrong with a session file.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It is something else.
    #[error("{} is no session of K-Fold Studio: {what}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// How it shows.
        what: String,
    },
    /// A newer program wrote it.
    #[error("{} was written by a newer K-Fold Studio (form {version}, this one knows {VERSION}); update to open it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        version: i32,
    },
    /// Another window has it.
    #[error("{} is open in another window", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// No save in it is whole.
    #[error("{} is damaged beyond repair: {what}. It was left as it is", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The disk or SQLite refused.
    #[error("{}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A session as it was read.
#[derive(Debug)]
pub struct Loaded {
    /// What was being done.
    pub session: Session,
    /// What was wrong with the file, when an older save had to be taken.
    pub damage: Option<String>,
}

type Hash = [u8; 16];

/// The newest save.
#[derive(Serialize, Deserialize)]
struct Root {
    document: String,
    past: Vec<String>,
    present: String,
    future: Vec<String>,
    look: Look,
}

/// An open session file.
pub struct Store {
    path: PathBuf,
    connection: Connection,
    number: i64,
    /// Documents that are in the file, by address; held so that the address stays theirs.
    written: HashMap<usize, (Arc<Document>, Hash)>,
    parts: HashSet<Hash>,
    until_clearing: u32,
}

fn hash_of(bytes: &[u8]) -> Hash {
    let whole = Sha256::digest(bytes);
    let mut hash = Hash::default();
    for (to, from) in hash.iter_mut().zip(whole) {
        *to = from;
    }
    hash
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() || !text.is_ascii() {
        return None;
    }
    for (place, to) in hash.iter_mut().enumerate() {
        *to = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(hash)
}

impl Store {
    /// Makes a new session file; what lay there goes.
    ///
    /// # Errors
    /// When the folder cannot be made or the file cannot be written.
    pub fn create(path: &Path) -> Result<Self, SessionError> {
        let file_error = |source| SessionError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error)?;
        }
        for old in [path.to_owned(), beside(path, "-journal")] {
            match std::fs::remove_file(&old) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(file_error(source)),
                _ => {}
            }
        }
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let store = Self::of(path, connection);
        store.migrate(0)?;
        Ok(store)
    }

    fn of(path: &Path, connection: Connection) -> Self {
        let (written, parts) = (HashMap::new(), HashSet::new());
        Self { path: path.to_owned(), connection, number: 0, written, parts, until_clearing: CLEARING }
    }

    /// Opens a session file and reads the newest save that is whole.
    ///
    /// # Errors
    /// When it is no session, newer, in use, or no save in it is whole. The file is not changed then.
    pub fn open(path: &Path) -> Result<(Self, Loaded), SessionError> {
        check_header(path)?;
        let mut store = Self::of(path, connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?);
        let version: i32 = store.ask(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        if version > VERSION {
            return Err(SessionError::Newer { path: path.to_owned(), version });
        }
        store.check_tables(version)?;
        let loaded = store.load()?;
        if loaded.damage.is_some() {
            // The next save would write over what somebody may still want to look at.
            let copy = beside(path, ".damaged");
            std::fs::copy(path, &copy).map_err(|source| SessionError::File { path: copy.clone(), source })?;
            store.written.clear();
            store.parts.clear();
        }
        store.migrate(version)?;
        Ok((store, loaded))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn error(&self, source: rusqlite::Error) -> SessionError {
        database_error(&self.path, source)
    }

    fn damaged(&self, what: impl std::fmt::Display) -> SessionError {
        SessionError::Damaged { path: self.path.clone(), what: what.to_string() }
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, SessionError> {
        question(&self.connection).map_err(|source| self.error(source))
    }

    /// Brings an older file to this program's form.
    fn migrate(&self, from: i32) -> Result<(), SessionError> {
        self.ask(|connection| {
            let transaction = connection.unchecked_transaction()?;
            for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
                migration(&transaction)?;
            }
            if from != VERSION {
                transaction.pragma_update(None, "application_id", APPLICATION)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            transaction.commit()
        })
    }

    /// Refuses a file with tables, views or triggers that are not those of its form.
    fn check_tables(&self, version: i32) -> Result<(), SessionError> {
        let tables = match version {
            1 => TABLES,
            other => return Err(self.damaged(format!("there never was a form {other}"))),
        };
        let mut found: Vec<(String, String)> = self.ask(|connection| {
            let mut statement = connection
                .prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_autoindex%' LIMIT 16")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        let mut ours: Vec<(String, String)> =
            tables.iter().map(|(name, sql)| ((*name).to_owned(), (*sql).to_owned())).collect();
        found.sort();
        ours.sort();
        if found == ours { Ok(()) } else { Err(self.damaged("its tables are not those of a session")) }
    }

    fn part(&self, hash: &Hash) -> Result<Vec<u8>, String> {
        let row = self
            .connection
            .query_row("SELECT length(bytes) FROM parts WHERE hash = ?1", params![hash], |row| row.get::<_, i64>(0));
        let length = row.optional().map_err(|error| error.to_string())?.ok_or("a part is missing")?;
        if length > PART {
            return Err("a part is larger than any of ours".to_owned());
        }
        let bytes: Vec<u8> = self
            .connection
            .query_row("SELECT bytes FROM parts WHERE hash = ?1", params![hash], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        if hash_of(&bytes) == *hash { Ok(bytes) } else { Err("a part is not what was written".to_owned()) }
    }

    fn document(
        &mut self,
        hash: &str,
        held: &mut HashMap<Hash, Arc<Document>>,
        parts: &mut HashMap<Hash, serde_json::Value>,
    ) -> Result<Arc<Document>, String> {
        let key = from_hex(hash).ok_or("a name of a part is none")?;
        if let Some(document) = held.get(&key) {
            return Ok(Arc::clone(document));
        }
        let fields: HashMap<String, String> =
            serde_json::from_slice(&self.part(&key)?).map_err(|error| error.to_string())?;
        self.parts.insert(key);
        let mut value = serde_json::Map::new();
        for (field, hash) in fields {
            let key = from_hex(&hash).ok_or("a name of a part is none")?;
            let part = match parts.get(&key) {
                Some(part) => part.clone(),
                None => {
                    let part: serde_json::Value =
                        serde_json::from_slice(&self.part(&key)?).map_err(|error| error.to_string())?;
                    self.parts.insert(key);
                    parts.insert(key, part.clone());
                    part
                }
            };
            value.insert(field, part);
        }
        let document: Document =
            serde_json::from_value(serde_json::Value::Object(value)).map_err(|error| error.to_string())?;
        let document = Arc::new(document);
        held.insert(key, Arc::clone(&document));
        self.written.insert(Arc::as_ptr(&document) as usize, (Arc::clone(&document), key));
        Ok(document)
    }

    fn read_save(&mut self, root: &[u8]) -> Result<Session, String> {
        let key: Hash = root.try_into().map_err(|_| "the name of a save is none")?;
        let root: Root = serde_json::from_slice(&self.part(&key)?).map_err(|error| error.to_string())?;
        if root.past.len() + root.future.len() > STEPS {
            return Err("it has more steps than any of ours".to_owned());
        }
        let (mut held, mut parts) = (HashMap::new(), HashMap::new());
        let mut all = |store: &mut Self, hashes: &[String]| -> Result<Vec<Arc<Document>>, String> {
            hashes.iter().map(|hash| store.document(hash, &mut held, &mut parts)).collect()
        };
        let past = all(self, &root.past)?;
        let future = all(self, &root.future)?;
        let mut ends = all(self, &[root.document, root.present])?.into_iter();
        let (document, present) = ends.next().zip(ends.next()).ok_or("it has no document")?;
        Ok(Session { document, steps: Steps { past, present, future }, look: root.look })
    }

    /// Reads the newest save that is whole.
    fn load(&mut self) -> Result<Loaded, SessionError> {
        let mut damage: Option<String> = None;
        let latest: Result<Option<(i64, Vec<u8>)>, _> = self
            .connection
            .query_row("SELECT number, root FROM latest WHERE id = 0", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional();
        let saves: rusqlite::Result<Vec<(i64, Vec<u8>)>> = self
            .connection
            .prepare("SELECT number, root FROM saves ORDER BY number DESC LIMIT 16")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect());
        let mut candidates = Vec::new();
        match latest {
            Ok(Some(latest)) => candidates.push(latest),
            Ok(None) => damage = Some("the newest save is not named".to_owned()),
            Err(error) => damage = Some(error.to_string()),
        }
        match saves {
            Ok(saves) => {
                if saves.first() != candidates.first() && damage.is_none() {
                    damage = Some("the list of saves does not end with the newest".to_owned());
                }
                candidates.extend(saves);
            }
            Err(error) => damage = damage.or_else(|| Some(error.to_string())),
        }
        candidates.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        candidates.dedup();
        for (number, root) in candidates {
            match self.read_save(&root) {
                Ok(session) => {
                    self.number = number.max(0);
                    return Ok(Loaded { session, damage });
                }
                Err(what) => damage = damage.or(Some(what)),
            }
        }
        Err(self.damaged(damage.unwrap_or_else(|| "there is no save in it".to_owned())))
    }

    /// Saves.
    ///
    /// # Errors
    /// When the disk refuses; the save before is whole then.
    pub fn save(&mut self, session: &Session) -> Result<(), SessionError> {
        let result = self.write(session);
        if result.is_err() {
            // What the transaction that failed had written is not there.
            self.written.clear();
            self.parts.clear();
        }
        result
    }

    fn write(&mut self, session: &Session) -> Result<(), SessionError> {
        let path = self.path.clone();
        let failed = |source| database_error(&path, source);
        let unwritable = |error: serde_json::Error| failed(rusqlite::Error::ToSqlConversionFailure(error.into()));
        let Self { connection, written, parts, number, until_clearing, .. } = self;
        let transaction = connection.transaction().map_err(failed)?;
        let mut put = |bytes: &[u8]| -> Result<Hash, SessionError> {
            let hash = hash_of(bytes);
            if parts.insert(hash) {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO parts(hash, bytes) VALUES (?1, ?2)")
                    .and_then(|mut statement| statement.execute(params![hash, bytes]))
                    .map_err(failed)?;
            }
            Ok(hash)
        };
        let mut kept: HashMap<usize, (Arc<Document>, Hash)> = HashMap::new();
        let mut name = |document: &Arc<Document>| -> Result<String, SessionError> {
            let address = Arc::as_ptr(document) as usize;
            if let Some((_, hash)) = kept.get(&address).or_else(|| written.get(&address)) {
                let hash = *hash;
                kept.insert(address, (Arc::clone(document), hash));
                return Ok(hex(&hash));
            }
            let serde_json::Value::Object(fields) = serde_json::to_value(&**document).map_err(unwritable)? else {
                return Err(unwritable(serde::ser::Error::custom("a document is no object")));
            };
            let mut names = serde_json::Map::new();
            for (field, value) in fields {
                let bytes = serde_json::to_vec(&value).map_err(unwritable)?;
                names.insert(field, hex(&put(&bytes)?).into());
            }
            let hash = put(&serde_json::to_vec(&names).map_err(unwritable)?)?;
            kept.insert(address, (Arc::clone(document), hash));
            Ok(hex(&hash))
        };
        let mut names = |documents: &[Arc<Document>]| documents.iter().map(&mut name).collect::<Result<Vec<_>, _>>();
        let past = names(&session.steps.past)?;
        let future = names(&session.steps.future)?;
        let mut ends = names(&[Arc::clone(&session.document), Arc::clone(&session.steps.present)])?.into_iter();
        let root = Root {
            document: ends.next().unwrap_or_default(),
            past,
            present: ends.next().unwrap_or_default(),
            future,
            look: session.look.clone(),
        };
        let root = put(&serde_json::to_vec(&root).map_err(unwritable)?)?;
        let next = *number + 1;
        let finish = || -> rusqlite::Result<()> {
            transaction.execute("INSERT OR REPLACE INTO saves(number, root) VALUES (?1, ?2)", params![next, root])?;
            let newest = "INSERT OR REPLACE INTO latest(id, number, root) VALUES (0, ?1, ?2)";
            transaction.execute(newest, params![next, root])?;
            let stale = "DELETE FROM saves WHERE number <= ?1 OR number > ?2";
            transaction.execute(stale, params![next - SAVES, next])?;
            Ok(())
        };
        finish().map_err(failed)?;
        *until_clearing -= 1;
        if *until_clearing == 0 {
            *until_clearing = CLEARING;
            *parts = clear(&transaction).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        *written = kept;
        *number = next;
        Ok(())
    }
}

/// Removes the parts that no save needs; returns those that are left. One that does not read needs nothing.
fn clear(connection: &Connection) -> rusqlite::Result<HashSet<Hash>> {
    let read = |hash: &Hash| -> rusqlite::Result<Option<Vec<u8>>> {
        let mut statement = connection.prepare_cached("SELECT bytes FROM parts WHERE hash = ?1")?;
        statement.query_row(params![hash], |row| row.get(0)).optional()
    };
    let roots: Vec<Hash> = connection
        .prepare("SELECT root FROM saves")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut needed = HashSet::new();
    for root in roots {
        needed.insert(root);
        let Some(Ok(root)) = read(&root)?.map(|bytes| serde_json::from_slice::<Root>(&bytes)) else { continue };
        let documents = root.past.iter().chain(&root.future).chain([&root.document, &root.present]);
        for document in documents.filter_map(|text| from_hex(text)) {
            if !needed.insert(document) {
                continue;
            }
            let fields = read(&document)?.map(|bytes| serde_json::from_slice::<HashMap<String, String>>(&bytes));
            if let Some(Ok(fields)) = fields {
                needed.extend(fields.values().filter_map(|text| from_hex(text)));
            }
        }
    }
    let all: Vec<Hash> = connection
        .prepare("SELECT hash FROM parts")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for hash in all.iter().filter(|hash| !needed.contains(*hash)) {
        connection.prepare_cached("DELETE FROM parts WHERE hash = ?1")?.execute(params![hash])?;
    }
    Ok(needed)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn database_error(path: &Path, source: rusqlite::Error) -> SessionError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => SessionError::Busy { path },
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => SessionError::Damaged { path, what: source.to_string() },
        Some(rusqlite::ErrorCode::NotADatabase) => SessionError::Other { path, what: source.to_string() },
        _ => SessionError::Database { path, source },
    }
}

/// Connects and takes the file for this window alone.
fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, SessionError> {
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(std::time::Duration::from_millis(200))?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL; \
             PRAGMA mmap_size = 0; BEGIN EXCLUSIVE; COMMIT",
        )?;
        Ok(connection)
    };
    connect().map_err(|source| database_error(path, source))
}

/// Looks at what SQLite would take for granted.
fn check_header(path: &Path) -> Result<(), SessionError> {
    use std::io::Read as _;

    let file_error = |source| SessionError::File { path: path.to_owned(), source };
    let other = |what: &str| Err(SessionError::Other { path: path.to_owned(), what: what.to_owned() });
    let mut file = std::fs::File::open(path).map_err(file_error)?;
    if file.metadata().map_err(file_error)?.len() > FILE {
        return other("it is too large");
    }
    let mut header = [0; 100];
    if file.read_exact(&mut header).is_err() {
        return other("it is cut off");
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return other("it does not begin as one");
    }
    let number = |at: usize| header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    if number(68) != Some(APPLICATION) {
        return other("another program made it");
    }
    if let Some(version) = number(60).filter(|version| *version > VERSION) {
        return Err(SessionError::Newer { path: path.to_owned(), version });
    }
    Ok(())
}
