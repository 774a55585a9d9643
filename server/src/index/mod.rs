//! The index: who may ask (tokens), what was asked for (jobs) and what is to be run (pieces), in SQLite.
//!
//! What a job is and what it produced stands in its directory; the index holds what a directory cannot say: whose it is,
//! whether it waits, how often it was tried. A job has one piece or, when its series is cut, several. Everything that was
//! acknowledged to a client is on the disk first (`synchronous = full`), deleted rows are overwritten (`secure_delete`),
//! and the write-ahead log lets requests read while the scheduler writes. Times are seconds since 1970.

mod schedule;
mod tokens;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kfold_inference::remote::protocol::RemoteState;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::clock;

pub use schedule::{Piece, PieceEnd, Usage};
pub use tokens::TokenRecord;

const SCHEMA: &str = "
create table tokens (
    id text primary key,
    user text not null,
    label text not null,
    digest blob not null,
    scopes text not null,
    created real not null,
    expires real,
    revoked real
) strict;
create table jobs (
    id text primary key,
    number integer not null unique,
    user text not null,
    name text not null,
    engine text not null,
    state text not null,
    reason text,
    priority integer not null,
    seeds integer not null,
    series_ligands integer not null,
    pieces integer not null,
    pieces_done integer not null default 0,
    created real not null,
    started real,
    ended real,
    bytes integer not null,
    key text,
    digest blob not null,
    cancel integer not null default 0,
    deleted integer not null default 0,
    unique (user, key)
) strict;
create index jobs_of_user on jobs (user, number);
create index jobs_by_state on jobs (state);
create table pieces (
    job text not null references jobs (id) on delete cascade,
    number integer not null,
    state text not null,
    attempts integer not null default 0,
    seeds_done integer not null default 0,
    started real,
    reason text,
    primary key (job, number)
) strict;
create index pieces_by_state on pieces (state);
create table usage (
    user text primary key,
    seconds real not null,
    updated real not null
) strict;
pragma user_version = 2;
";

/// Version of the schema above. 1 did not keep why a piece had failed.
const VERSION: i64 = 2;
const FROM_VERSION_1: &str = "alter table pieces add column reason text; pragma user_version = 2;";

/// How long a writer waits for another (the command line creates tokens while the service runs).
const BUSY: Duration = Duration::from_secs(10);

type Result<T, E = rusqlite::Error> = std::result::Result<T, E>;

/// The index. Many may read at once; writers take turns.
pub struct Index {
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
}

/// A job as the index knows it.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Grows with every job.
    pub number: i64,
    /// Whose it is.
    pub user: String,
    /// Name of the query.
    pub name: String,
    /// The engine.
    pub engine: String,
    /// Where it stands.
    pub state: RemoteState,
    /// Why it failed.
    pub reason: Option<String>,
    /// Among the jobs of one user the higher goes first.
    pub priority: i32,
    /// Seeds.
    pub seeds: u64,
    /// Ligands of its series.
    pub series_ligands: u64,
    /// Pieces, at least 1.
    pub pieces: u32,
    /// Pieces that have ended.
    pub pieces_done: u32,
    /// When it was accepted.
    pub created: f64,
    /// When the first worker took it.
    pub started: Option<f64>,
    /// When it ended.
    pub ended: Option<f64>,
    /// What the submission was: its digest.
    pub digest: Vec<u8>,
    /// Whether it is to stop.
    pub cancel: bool,
}

/// A job to be.
pub struct NewJob<'a> {
    /// 32 hexadecimal digits.
    pub id: &'a str,
    /// Whose it is.
    pub user: &'a str,
    /// Name of the query.
    pub name: &'a str,
    /// The engine.
    pub engine: &'a str,
    /// Among the jobs of one user the higher goes first.
    pub priority: i32,
    /// Seeds.
    pub seeds: u64,
    /// Ligands of its series.
    pub series_ligands: u64,
    /// Pieces, at least 1.
    pub pieces: u32,
    /// Bytes on the disk so far.
    pub bytes: u64,
    /// The client's key.
    pub key: Option<&'a str>,
    /// Digest of the submission.
    pub digest: &'a [u8],
}

/// How adding a job went.
pub enum Added {
    /// It waits now.
    New(JobRecord),
    /// The user has a job of this key already.
    Existing(JobRecord),
    /// The user's queue, or everybody's, is full.
    QueueFull,
}

const COLUMNS: &str = "id, number, user, name, engine, state, reason, priority, seeds, series_ligands, pieces, pieces_done, \
                       created, started, ended, digest, cancel";

fn job_of(row: &Row<'_>) -> Result<JobRecord> {
    let state: String = row.get(5)?;
    Ok(JobRecord {
        id: row.get(0)?,
        number: row.get(1)?,
        user: row.get(2)?,
        name: row.get(3)?,
        engine: row.get(4)?,
        state: state_of(&state)?,
        reason: row.get(6)?,
        priority: row.get(7)?,
        seeds: row.get(8)?,
        series_ligands: row.get(9)?,
        pieces: row.get(10)?,
        pieces_done: row.get(11)?,
        created: row.get(12)?,
        started: row.get(13)?,
        ended: row.get(14)?,
        digest: row.get(15)?,
        cancel: row.get(16)?,
    })
}

fn state_of(name: &str) -> Result<RemoteState> {
    RemoteState::from_name(name).ok_or_else(|| rusqlite::Error::InvalidColumnName(format!("state `{name}`")))
}

impl Index {
    /// Opens the index, or makes it. `readers` may read at once.
    ///
    /// # Errors
    /// When the file cannot be used or was written by a later version.
    pub fn open(path: &Path, readers: usize) -> Result<Self> {
        let connect = || -> Result<Connection> {
            let connection = Connection::open(path)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "secure_delete", true)?;
            Ok(connection)
        };
        let mut writer = connect()?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        // Immediate: two programs that find no schema must not both write one.
        let transaction = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        match transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
            0 => transaction.execute_batch(SCHEMA)?,
            1 => transaction.execute_batch(FROM_VERSION_1)?,
            VERSION => {}
            other => {
                let text = format!("version {other} was written by a later program; this one knows {VERSION}");
                return Err(rusqlite::Error::InvalidParameterName(text));
            }
        }
        transaction.commit()?;
        let readers = (0..readers.max(1)).map(|_| connect().map(Mutex::new)).collect::<Result<_>>()?;
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    fn write(&self) -> MutexGuard<'_, Connection> {
        // A panic in the middle of a transaction rolled it back: the connection is sound.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> MutexGuard<'_, Connection> {
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(connection) => return connection,
                Err(std::sync::TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(std::sync::TryLockError::WouldBlock) => {}
            }
        }
        self.readers.first().map_or_else(|| self.write(), |first| first.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a job with its pieces, unless the user has one of this key or a queue is full.
    ///
    /// # Errors
    /// Whatever the database says; then nothing was added.
    pub fn add(&self, job: &NewJob<'_>, queued_of_user: u64, queued_in_all: u64) -> Result<Added> {
        let mut connection = self.write();
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        if let Some(key) = job.key
            && let Some(existing) = job_by_key(&transaction, job.user, key)?
        {
            return Ok(Added::Existing(existing));
        }
        let waiting =
            "select count(*), count(*) filter (where user = ?1) from jobs where state = 'queued' and not deleted";
        let (all, own): (u64, u64) =
            transaction.query_row(waiting, [job.user], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if all >= queued_in_all || own >= queued_of_user {
            return Ok(Added::QueueFull);
        }
        transaction.execute(
            "insert into jobs (id, number, user, name, engine, state, priority, seeds, series_ligands, pieces, created, \
             bytes, key, digest) \
             values (?1, (select coalesce(max(number), 0) + 1 from jobs), ?2, ?3, ?4, 'queued', ?5, ?6, ?7, ?8, ?9, ?10, \
             ?11, ?12)",
            params![
                job.id,
                job.user,
                job.name,
                job.engine,
                job.priority,
                job.seeds,
                job.series_ligands,
                job.pieces,
                clock::now(),
                job.bytes,
                job.key,
                job.digest
            ],
        )?;
        {
            let mut insert =
                transaction.prepare("insert into pieces (job, number, state) values (?1, ?2, 'queued')")?;
            for number in 1..=job.pieces {
                insert.execute(params![job.id, number])?;
            }
        }
        let record = transaction.query_row(&format!("select {COLUMNS} from jobs where id = ?1"), [job.id], job_of)?;
        transaction.commit()?;
        Ok(Added::New(record))
    }

    /// The user's job of a key.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn job_of_key(&self, user: &str, key: &str) -> Result<Option<JobRecord>> {
        job_by_key(&self.read(), user, key)
    }

    /// A job that is not deleted; of any user without one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn job(&self, id: &str, user: Option<&str>) -> Result<Option<JobRecord>> {
        let connection = self.read();
        let mut select = connection.prepare_cached(&format!(
            "select {COLUMNS} from jobs where id = ?1 and not deleted and (?2 is null or user = ?2)"
        ))?;
        select.query_row(params![id, user], job_of).optional()
    }

    /// Jobs that are not deleted, newest first, of any user without one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn jobs(
        &self,
        user: Option<&str>,
        state: Option<RemoteState>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<JobRecord>> {
        let mut sql = format!("select {COLUMNS} from jobs where not deleted");
        let mut values: Vec<Value> = Vec::new();
        let mut condition = |text: &str, value: Value| {
            values.push(value);
            sql.push_str(&format!(" and {text} ?{}", values.len()));
        };
        if let Some(user) = user {
            condition("user =", Value::from(user.to_owned()));
        }
        if let Some(state) = state {
            condition("state =", Value::from(state.name().to_owned()));
        }
        if let Some(before) = before {
            condition("number <", Value::from(before));
        }
        sql.push_str(&format!(" order by number desc limit {limit}"));
        let connection = self.read();
        let mut select = connection.prepare_cached(&sql)?;
        select.query_map(params_from_iter(values), job_of)?.collect()
    }

    /// Jobs by state, of everybody.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn counts(&self) -> Result<Vec<(RemoteState, u64)>> {
        let connection = self.read();
        let mut select =
            connection.prepare_cached("select state, count(*) from jobs where not deleted group by state")?;
        let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        rows.map(|row| row.and_then(|(state, count)| Ok((state_of(&state)?, count)))).collect()
    }

    /// Seconds from start to end in the middle of the last hundred finished jobs.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn median_job_seconds(&self) -> Result<Option<f64>> {
        let connection = self.read();
        let mut select = connection.prepare_cached(
            "select ended - started from jobs where state = 'finished' and started is not null order by number desc limit 100",
        )?;
        let mut seconds: Vec<f64> = select.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
        seconds.sort_by(f64::total_cmp);
        Ok(seconds.get(seconds.len() / 2).copied())
    }

    /// Bytes that the jobs of a user take.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn bytes_of(&self, user: &str) -> Result<u64> {
        let connection = self.read();
        let mut select = connection.prepare_cached("select coalesce(sum(bytes), 0) from jobs where user = ?1")?;
        select.query_row([user], |row| row.get(0))
    }

    /// Notes how many bytes a job takes now.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn set_bytes(&self, id: &str, bytes: u64) -> Result<()> {
        self.write().execute("update jobs set bytes = ?2 where id = ?1", params![id, bytes]).map(drop)
    }

    /// Asks for a job to stop; nothing happens to one that has ended.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn request_cancel(&self, id: &str) -> Result<()> {
        let sql = "update jobs set cancel = 1 where id = ?1 and state in ('queued', 'running')";
        self.write().execute(sql, [id]).map(drop)
    }

    /// Makes a job invisible; the scheduler removes it with all its files as soon as no worker is at it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn delete(&self, id: &str) -> Result<()> {
        // The key is free again at once.
        self.write().execute("update jobs set deleted = 1, cancel = 1, key = null where id = ?1", [id]).map(drop)
    }
}

fn job_by_key(connection: &Connection, user: &str, key: &str) -> Result<Option<JobRecord>> {
    let mut select = connection
        .prepare_cached(&format!("select {COLUMNS} from jobs where user = ?1 and key = ?2 and not deleted"))?;
    select.query_row([user, key], job_of).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_version_1_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        let old = SCHEMA.replace("    reason text,\n    primary key (job, number)", "    primary key (job, number)");
        let old = old.replace("user_version = 2", "user_version = 1");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&old).unwrap();
        assert!(connection.prepare("select reason from pieces").is_err(), "the schema before had no such column");
        let rows = "insert into jobs (id, number, user, name, engine, state, priority, seeds, series_ligands, pieces, created, \
                    bytes, digest) values ('a', 1, 'u', 'n', 'docking', 'queued', 0, 1, 2, 2, 0.0, 0, x'00');\
                    insert into pieces (job, number, state) values ('a', 1, 'failed'), ('a', 2, 'queued');";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        // Made new once, and opened as it is the second time.
        for _ in 0..2 {
            let index = Index::open(&path, 1).unwrap();
            let lost = PieceEnd::Failed("its worker was lost".into());
            assert_eq!(index.piece_ends("a").unwrap(), [Some(lost), None]);
            assert_eq!(index.job("a", None).unwrap().unwrap().pieces, 2);
        }
    }
}
