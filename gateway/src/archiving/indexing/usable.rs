//! Whether an index that is there is of use: of this version, whole, and of this archive.

use std::path::Path;

use mailweir_archive::{
    Place, Reader,
    frame::{Head, Seq},
    records::Records,
};
use mailweir_search::index::{Index, Opened, Standing};

use super::filler::{Trouble, mark};

/// What is in the directory of an index.
pub(super) enum Found {
    /// An index of this archive, and the last record that it knows.
    Usable(Box<Usable>),
    /// Nothing.
    Nothing,
    /// Something that is of no use, and why.
    Useless(String),
}

/// An index, and the last record that it knows.
pub(super) type Usable = (Index, Option<(Head, Place)>);

/// What is in `path`, for an archive whose last record is `last`.
///
/// # Errors
/// The archive or the index cannot be read now.
pub(super) fn look(path: &Path, archive: &Reader, last: Seq) -> Result<Found, Trouble> {
    let useless = |why: &str| Ok(Found::Useless(why.to_owned()));
    let index = match Index::open(path) {
        Opened::Ready(index) => index,
        Opened::Absent => return Ok(Found::Nothing),
        Opened::OtherFormat => return useless("is of another version"),
        Opened::Damaged(why) => return useless(&format!("is damaged ({why})")),
    };
    if matches!(index.standing(Some(last))?, Standing::Ahead(_)) {
        return useless(OTHER_ARCHIVE);
    }
    let usable = |index, reached| Ok(Found::Usable(Box::new((index, reached))));
    let Some(up_to) = index.indexed_up_to()? else { return usable(index, None) };
    match Records::from(archive.places(), up_to)?.next().transpose()? {
        Some((head, place)) if head.seq == up_to && mark(&head) == index.mark()? => {
            usable(index, Some((head, place)))
        }
        Some(_) | None => useless(OTHER_ARCHIVE),
    }
}

const OTHER_ARCHIVE: &str = "is of another archive, or of this one at another time";
