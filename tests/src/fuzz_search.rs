//! Fuzz body of the search field: every text is a query within its bounds, or an error with its place.

use mailweir_search::query::{Clause, MAX_CLAUSES, Query};

/// Reads `data` as a query.
///
/// # Panics
/// If it has more in it than a query may have, or an error is at a place that is not in the text.
pub fn search_query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Query::parse(&text) {
        Ok(Query { clause, status }) => {
            let clauses = leaves(&clause) + status.len();
            assert!(clauses <= MAX_CLAUSES, "{clauses} clauses");
        }
        Err(error) => {
            assert!((1..=text.chars().count() + 1).contains(&error.at), "{error}");
            assert!(error.message.ends_with(['.', ':']), "{error}");
        }
    }
}

fn leaves(clause: &Clause) -> usize {
    match clause {
        Clause::All(clauses) | Clause::Any(clauses) => clauses.iter().map(leaves).sum(),
        Clause::Not(clause) => leaves(clause),
        Clause::Words(..)
        | Clause::Address(..)
        | Clause::Exact(..)
        | Clause::Days(..)
        | Clause::Larger(_)
        | Clause::Smaller(_)
        | Clause::Attachment
        | Clause::Unread => 1,
    }
}
