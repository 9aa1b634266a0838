//! What is wrong with a database, whose fault it is, and what to do about it.

use std::{io, io::ErrorKind, time::Duration};

use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError};

/// Why a database gives no answer. Quotes no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("cannot be reached: {0}; start it, or correct the URL")]
    Unreachable(io::Error),
    #[error("TLS failed: {0}; correct `sslmode` and `sslrootcert` in the URL, or its certificate")]
    Tls(Box<str>),
    #[error("refuses the gateway itself: {0}; correct the user in the URL, its password or grants")]
    Refused(Box<str>),
    #[error("cannot answer the query: {0}; correct the query, or grant the user to read the table")]
    Query(Box<str>),
    #[error("cannot compare the name: {0}; let both sides have one collation and character set")]
    Name(Box<str>),
    #[error("failed: {0}; its own log says more")]
    Other(Box<str>),
    #[error("gave no answer within {0:?}; look for a lock, a missing index or too much load")]
    Late(Duration),
}

impl Trouble {
    /// What `error` means of a database that had `patience` to answer in.
    pub(super) fn of(error: sqlx::Error, patience: Duration) -> Self {
        match error {
            // What rustls says in the middle of a handshake comes as an error of the socket.
            sqlx::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
                Self::Tls(error.to_string().into())
            }
            sqlx::Error::Io(error) => Self::Unreachable(error),
            sqlx::Error::Tls(error) => Self::Tls(error.to_string().into()),
            sqlx::Error::Database(error) if gave_up(error.as_ref()) => Self::Late(patience),
            sqlx::Error::Database(error) => Self::said(error.as_ref()),
            other => Self::Other(other.to_string().into()),
        }
    }

    /// Both databases answer with an SQLSTATE, whose first two characters are the class.
    fn said(error: &dyn DatabaseError) -> Self {
        let state = error.code().unwrap_or_default();
        let text = format!("{} (SQLSTATE {state})", error.message()).into();
        match state.get(..2) {
            _ if cannot_hold(error) => Self::Name(text),
            // "Data exception": its text quotes the value, a password perhaps.
            Some("22") => {
                Self::Query(format!("a value has another type (SQLSTATE {state})").into())
            }
            Some("28") => Self::Refused(text),
            Some("25" | "42") => Self::Query(text),
            _ => Self::Other(text),
        }
    }
}

/// Whether the same would come of the same question over another connection.
pub(super) fn is_of_the_question(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let state = error.code().unwrap_or_default();
    gave_up(error.as_ref())
        || cannot_hold(error.as_ref())
        || matches!(state.get(..2), Some("22" | "25" | "42"))
}

/// Whether a text has characters that the database's character set has not: PostgreSQL's
/// `untranslatable_character`, MySQL's `ER_CANT_AGGREGATE_2COLLATIONS` and its like for three and
/// more texts.
fn cannot_hold(error: &dyn DatabaseError) -> bool {
    let collations = matches!(number(error), Some(1_267 | 1_270 | 1_271));
    collations || error.code().as_deref() == Some("22P05")
}

/// Whether the statement took longer than we had allowed: PostgreSQL's `query_canceled`, MariaDB's
/// `ER_STATEMENT_TIMEOUT`, MySQL's `ER_QUERY_TIMEOUT`. The SQLSTATE of the second is also that of a
/// connection that was killed.
fn gave_up(error: &dyn DatabaseError) -> bool {
    error.code().as_deref() == Some("57014") || matches!(number(error), Some(1_969 | 3_024))
}

fn number(error: &dyn DatabaseError) -> Option<u16> {
    error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}
