//! Tokens: how a user proves who is asking.
//!
//! A token is `kfold_ID_SECRET`. The index keeps the SHA-256 of the secret: 256 random bits cannot be guessed, so nothing
//! slower is needed, and whoever reads the index cannot ask in anybody's name. The id finds the row; the digests are
//! compared in constant time.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How every token begins, so that scanners for leaked secrets recognise it.
const PREFIX: &str = "kfold_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See one's own jobs and their outputs.
    Read,
    /// Submit, cancel and delete one's own jobs.
    Submit,
    /// Do all this to the jobs of everybody, and read the metrics.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Submit, Self::Admin];

    /// The name on the command line and in the index.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| format!("`{text}` is no scope; there are read, submit and admin"))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A token as its user holds it.
pub struct Token {
    /// Finds its row; not secret.
    pub id: String,
    secret: String,
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self { id: random_hex::<ID_BYTES>()?, secret: random_hex::<SECRET_BYTES>()? })
    }

    /// Takes a text apart; `None` when it is no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_hex = |text: &str, bytes: usize| {
            text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        (is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES))
            .then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// What the index keeps.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// Whether this is the token of a digest.
    #[must_use]
    pub fn matches(&self, digest: &[u8]) -> bool {
        self.digest().as_slice().ct_eq(digest).into()
    }

    /// The token as text: the only place where the secret leaves.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({})", self.id)
    }
}

/// Random bytes as hexadecimal digits.
pub(crate) fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_and_matches_itself_alone() {
        let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let again = Token::parse(&token.reveal()).unwrap();
        assert!(again.matches(&token.digest()));
        assert!(!again.matches(&other.digest()) && !again.matches(&[]));
        assert!(!format!("{token:?}").contains(&token.secret));
        for text in ["", "kfold_", "kfold_ab_cd", &token.reveal().to_uppercase(), &format!("{} ", token.reveal())] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }
}
