//! Tokens in the index.

use rusqlite::{OptionalExtension, Row, params};

use super::{Index, Result};
use crate::clock;
use crate::token::{Scope, Token};

/// A token as the index knows it: without its secret.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// Finds the row.
    pub id: String,
    /// Who asks with it.
    pub user: String,
    /// What it is for, in its creator's words.
    pub label: String,
    /// SHA-256 of the secret.
    pub digest: Vec<u8>,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was created.
    pub created: f64,
    /// When it ends by itself.
    pub expires: Option<f64>,
    /// When it was revoked.
    pub revoked: Option<f64>,
}

impl TokenRecord {
    /// Whether it counts now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| expires > clock::now())
    }
}

const COLUMNS: &str = "id, user, label, digest, scopes, created, expires, revoked";

fn token_of(row: &Row<'_>) -> Result<TokenRecord> {
    let scopes: String = row.get(4)?;
    Ok(TokenRecord {
        id: row.get(0)?,
        user: row.get(1)?,
        label: row.get(2)?,
        digest: row.get(3)?,
        // A scope of a later version allows nothing here.
        scopes: scopes.split(',').filter_map(|scope| scope.parse().ok()).collect(),
        created: row.get(5)?,
        expires: row.get(6)?,
        revoked: row.get(7)?,
    })
}

impl Index {
    /// Keeps a new token's digest.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn add_token(
        &self,
        token: &Token,
        user: &str,
        label: &str,
        scopes: &[Scope],
        expires: Option<f64>,
    ) -> Result<()> {
        let scopes = scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",");
        let sql = format!("insert into tokens ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, null)");
        self.write()
            .execute(&sql, params![token.id, user, label, token.digest(), scopes, clock::now(), expires])
            .map(drop)
    }

    /// The token of an id.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn token(&self, id: &str) -> Result<Option<TokenRecord>> {
        let connection = self.read();
        let mut select = connection.prepare_cached(&format!("select {COLUMNS} from tokens where id = ?1"))?;
        select.query_row([id], token_of).optional()
    }

    /// Every token, oldest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn tokens(&self) -> Result<Vec<TokenRecord>> {
        let connection = self.read();
        let mut select = connection.prepare(&format!("select {COLUMNS} from tokens order by created, id"))?;
        select.query_map([], token_of)?.collect()
    }

    /// Ends a token; `false` when there is none of this id, or it had ended before.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn revoke_token(&self, id: &str) -> Result<bool> {
        let sql = "update tokens set revoked = ?2 where id = ?1 and revoked is null";
        Ok(self.write().execute(sql, params![id, clock::now()])? > 0)
    }
}
