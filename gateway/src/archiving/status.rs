//! How a mail stands, in a word.

use mailweir_archive::catalogue::Row;
use mailweir_search::query::{Query, Status};

use super::{indexing::FindError, room::RoomError};

/// The word for lists.
pub(super) fn of(row: &Row) -> &'static str {
    match row.mail.ended {
        _ if row.erased.is_some() => "erased",
        Some((_, ending)) => ending.as_str(),
        None if row.mail.noted.is_some_and(|noted| noted.is_imported) => IMPORTED,
        None => WAITING,
    }
}

/// Whether it stands as is asked for.
pub(super) fn fits(row: &Row, wanted: &[Status]) -> bool {
    wanted.iter().all(|Status { value, excluded }| {
        let is_so = match &**value {
            HELD => row.mail.noted.is_some_and(|noted| noted.was_held),
            value => of(row) == value,
        };
        is_so != *excluded
    })
}

/// Whether every state that is asked for is one.
pub(super) fn check(query: &str) -> Result<(), RoomError> {
    let query = Query::parse(query).map_err(FindError::from)?;
    match query.status.iter().find(|status| !ALL.contains(&&*status.value)) {
        None => Ok(()),
        Some(Status { value, .. }) => {
            let reason = format!("There is no status {value}: {} are.", ALL.join(", "));
            Err(RoomError::Refused(reason.into()))
        }
    }
}

/// It has not ended yet.
const WAITING: &str = "waiting";

/// It was brought from a file.
const IMPORTED: &str = "imported";

/// It was put on hold when it came.
const HELD: &str = "held";

const ALL: [&str; 6] = [WAITING, "delivered", "failed", "deleted", HELD, IMPORTED];
