//! What the scheduler asks the index and tells it.

use std::collections::HashMap;

use kfold_inference::remote::protocol::RemoteState;
use rusqlite::{Row, params};

use super::{COLUMNS, Index, JobRecord, Result, job_of};
use crate::clock;

/// Half of what a user has used is forgotten in this time: a day.
const HALF_LIFE_SECONDS: f64 = 86_400.0;

/// A piece of a job: what one worker runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The job.
    pub job: String,
    /// From 1.
    pub number: u32,
    /// Pieces of the job.
    pub pieces: u32,
    /// Whose it is.
    pub user: String,
    /// Among the jobs of one user the higher goes first.
    pub priority: i32,
    /// Grows with every job.
    pub job_number: i64,
    /// How often a worker was started for it since it last finished a seed.
    pub attempts: u32,
    /// Seeds that were done when it was last interrupted.
    pub seeds_done: u64,
    /// When the worker was started.
    pub started: Option<f64>,
    /// Whether its job is to stop.
    pub cancel: bool,
}

/// How a piece ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceEnd {
    /// Its outputs are complete.
    Finished,
    /// It gave up.
    Failed(String),
    /// It was stopped on request.
    Cancelled,
}

impl PieceEnd {
    const fn state(&self) -> RemoteState {
        match self {
            Self::Finished => RemoteState::Finished,
            Self::Failed(_) => RemoteState::Failed,
            Self::Cancelled => RemoteState::Cancelled,
        }
    }

    const fn reason(&self) -> Option<&String> {
        if let Self::Failed(reason) = self { Some(reason) } else { None }
    }
}

/// Worker seconds that users have had, with what is long ago counting less.
pub type Usage = HashMap<String, f64>;

const PIECES: &str = "select p.job, p.number, j.pieces, j.user, j.priority, j.number, p.attempts, p.seeds_done, p.started, \
                      j.cancel from pieces p join jobs j on j.id = p.job";

fn piece_of(row: &Row<'_>) -> Result<Piece> {
    Ok(Piece {
        job: row.get(0)?,
        number: row.get(1)?,
        pieces: row.get(2)?,
        user: row.get(3)?,
        priority: row.get(4)?,
        job_number: row.get(5)?,
        attempts: row.get(6)?,
        seeds_done: row.get(7)?,
        started: row.get(8)?,
        cancel: row.get(9)?,
    })
}

fn decayed(seconds: f64, age: f64) -> f64 {
    seconds * (-age.max(0.0) / HALF_LIFE_SECONDS).exp2()
}

impl Index {
    /// Pieces in a state, by job and number.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn pieces(&self, state: RemoteState) -> Result<Vec<Piece>> {
        let connection = self.read();
        let mut select =
            connection.prepare_cached(&format!("{PIECES} where p.state = ?1 order by j.number, p.number"))?;
        select.query_map([state.name()], piece_of)?.collect()
    }

    /// Waiting pieces of jobs that are to stop.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn cancelled_pieces(&self) -> Result<Vec<Piece>> {
        let connection = self.read();
        let mut select = connection.prepare_cached(&format!(
            "{PIECES} where j.cancel and j.state in ('queued', 'running') and p.state = 'queued' order by j.number, p.number"
        ))?;
        select.query_map([], piece_of)?.collect()
    }

    /// Notes that a worker is about to be started for a piece. Written before it is, so that a server that dies between
    /// the two looks for the worker.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn start(&self, pieces: &[Piece]) -> Result<()> {
        let mut connection = self.write();
        let transaction = connection.transaction()?;
        let now = clock::now();
        for piece in pieces {
            transaction.execute(
                "update pieces set state = 'running', attempts = attempts + 1, started = ?3 where job = ?1 and number = ?2",
                params![piece.job, piece.number, now],
            )?;
            transaction.execute(
                "update jobs set state = 'running', started = coalesce(started, ?2) where id = ?1",
                params![piece.job, now],
            )?;
        }
        transaction.commit()
    }

    /// Puts an interrupted piece back into the queue. `seeds_done` more than before forgives the earlier attempts.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn requeue(&self, piece: &Piece, seeds_done: u64) -> Result<()> {
        let mut connection = self.write();
        let transaction = connection.transaction()?;
        transaction.execute(
            "update pieces set state = 'queued', started = null, \
             attempts = case when ?3 > seeds_done then 0 else attempts end, seeds_done = ?3 \
             where job = ?1 and number = ?2",
            params![piece.job, piece.number, seeds_done],
        )?;
        transaction.execute(
            "update jobs set state = 'queued' where id = ?1 \
             and not exists (select 1 from pieces where job = ?1 and state != 'queued')",
            [&piece.job],
        )?;
        charge(&transaction, piece)?;
        transaction.commit()
    }

    /// Notes how a piece ended; whether it was the last of its job.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn end_piece(&self, piece: &Piece, end: &PieceEnd) -> Result<bool> {
        let mut connection = self.write();
        let transaction = connection.transaction()?;
        let changed = transaction.execute(
            "update pieces set state = ?3, reason = ?4 where job = ?1 and number = ?2 and state in ('queued', 'running')",
            params![piece.job, piece.number, end.state().name(), end.reason()],
        )?;
        if changed > 0 {
            charge(&transaction, piece)?;
        }
        transaction.execute(
            "update jobs set pieces_done = \
             (select count(*) from pieces where job = ?1 and state not in ('queued', 'running')) where id = ?1",
            [&piece.job],
        )?;
        let (done, pieces): (u32, u32) =
            transaction.query_row("select pieces_done, pieces from jobs where id = ?1", [&piece.job], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        transaction.commit()?;
        Ok(done == pieces)
    }

    /// How a job's pieces ended, in order; `None` for one that has not.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn piece_ends(&self, job: &str) -> Result<Vec<Option<PieceEnd>>> {
        let connection = self.read();
        let mut select =
            connection.prepare_cached("select state, reason from pieces where job = ?1 order by number")?;
        let rows = select.query_map([job], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
        let end = |row: Result<(String, Option<String>)>| {
            let (state, reason) = row?;
            Ok(match super::state_of(&state)? {
                RemoteState::Finished => Some(PieceEnd::Finished),
                RemoteState::Failed => Some(PieceEnd::Failed(reason.unwrap_or_else(|| "its worker was lost".into()))),
                RemoteState::Cancelled => Some(PieceEnd::Cancelled),
                _ => None,
            })
        };
        rows.map(end).collect()
    }

    /// Notes how a job ended.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn end_job(&self, id: &str, end: &PieceEnd, bytes: u64) -> Result<()> {
        let sql = "update jobs set state = ?2, reason = ?3, ended = ?4, bytes = ?5 \
                   where id = ?1 and state in ('queued', 'running')";
        self.write().execute(sql, params![id, end.state().name(), end.reason(), clock::now(), bytes]).map(drop)
    }

    /// Jobs whose pieces have all ended without the job having been ended: a server died between the two.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn unfinished_ends(&self) -> Result<Vec<JobRecord>> {
        self.select_jobs("state in ('queued', 'running') and pieces_done = pieces")
    }

    /// Jobs that are deleted and still here.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn deleted_jobs(&self) -> Result<Vec<JobRecord>> {
        self.select_jobs("deleted and not exists (select 1 from pieces where job = id and state = 'running')")
    }

    /// Marks jobs as deleted that ended before a time.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn delete_ended_before(&self, time: f64) -> Result<usize> {
        let sql = "update jobs set deleted = 1, key = null where ended < ?1 and not deleted";
        self.write().execute(sql, [time])
    }

    /// Removes a job's row.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn remove(&self, id: &str) -> Result<()> {
        self.write().execute("delete from jobs where id = ?1", [id]).map(drop)
    }

    /// Ids of all jobs, deleted ones too.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn ids(&self) -> Result<Vec<String>> {
        let connection = self.read();
        let mut select = connection.prepare("select id from jobs")?;
        select.query_map([], |row| row.get(0))?.collect()
    }

    /// What users have had so far.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn usage(&self) -> Result<Usage> {
        let now = clock::now();
        let connection = self.read();
        let mut select = connection.prepare_cached("select user, seconds, updated from usage")?;
        let rows = select.query_map([], |row| {
            let (seconds, updated): (f64, f64) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, decayed(seconds, now - updated)))
        })?;
        rows.collect()
    }

    fn select_jobs(&self, condition: &str) -> Result<Vec<JobRecord>> {
        let connection = self.read();
        let mut select = connection.prepare_cached(&format!("select {COLUMNS} from jobs where {condition}"))?;
        select.query_map([], job_of)?.collect()
    }
}

/// Adds the time since the piece was started to what its user has had.
fn charge(connection: &rusqlite::Connection, piece: &Piece) -> Result<()> {
    let Some(started) = piece.started else { return Ok(()) };
    let now = clock::now();
    let known = connection.query_row("select seconds, updated from usage where user = ?1", [&piece.user], |row| {
        Ok((row.get::<_, f64>(0)?, row.get::<_, f64>(1)?))
    });
    let before = match known {
        Ok((seconds, updated)) => decayed(seconds, now - updated),
        Err(rusqlite::Error::QueryReturnedNoRows) => 0.0,
        Err(error) => return Err(error),
    };
    connection
        .execute(
            "insert into usage (user, seconds, updated) values (?1, ?2, ?3) \
             on conflict (user) do update set seconds = excluded.seconds, updated = excluded.updated",
            params![piece.user, before + (now - started).max(0.0), now],
        )
        .map(drop)
}
