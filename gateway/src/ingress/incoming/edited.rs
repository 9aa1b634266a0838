//! A mail in the intake as filters of other people want it.

use mailweir_external::{
    edit::{self, EditError, OwnFields},
    verdict::Edit,
};
use mailweir_filters::checks::Output as _;
use mailweir_queue::{BodyError, Content, ContentReader, Intake, IntakeError};

use crate::ingress::checks::IntoIntake;

/// The beginning of a mail as it becomes.
pub(super) struct Edited {
    /// Its header at least, and all of it if its body is another.
    pub(super) beginning: Vec<u8>,
    /// What of the mail as it was stays behind that: from so many bytes on, if any.
    rest: Option<u64>,
}

/// Why a mail was not changed.
#[derive(Debug, thiserror::Error)]
pub(in crate::ingress) enum NotRewritten {
    /// What is wanted cannot be done; the mail is as it was.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It cannot be read.
    #[error(transparent)]
    Content(#[from] BodyError),
    /// It cannot be stored.
    #[error(transparent)]
    Store(#[from] IntakeError),
}

impl Edited {
    /// What the edits make of a mail; `None`: nothing. `own`: those of its fields that stay.
    pub(super) async fn of(
        intake: &mut Intake,
        edits: &[Edit],
        own: &OwnFields,
    ) -> Result<Option<Self>, NotRewritten> {
        if !edits.iter().any(is_of_content) {
            return Ok(None);
        }
        let content = intake.taken_in().await?;
        let (header, blank) = header(content.reader()).await?;
        let mut beginning = edit::header(&header, own, edits, MOST_HEADER)?;
        let rest = match edit::body(edits) {
            None => Some(header.len() as u64),
            Some(body) => {
                if blank == Blank::Absent {
                    beginning.extend_from_slice(b"\r\n");
                }
                beginning.extend_from_slice(&body);
                None
            }
        };
        Ok(Some(Self { beginning, rest }))
    }

    /// A mail without the fields that are `unwanted`, and with one more above those that are not `own`.
    pub(super) async fn with_field(
        content: &Content,
        own: &OwnFields,
        unwanted: impl Fn(&[u8]) -> bool,
        field: &[u8],
    ) -> Result<Self, NotRewritten> {
        let (header, _) = header(content.reader()).await?;
        let beginning = edit::with_field(&header, own, unwanted, field);
        Ok(Self { beginning, rest: Some(header.len() as u64) })
    }

    /// Writes what stays of the mail as it was, behind [`Self::beginning`].
    pub(super) async fn copy_rest(
        &self,
        former: &Content,
        into: &mut IntoIntake<'_>,
    ) -> Result<(), BodyError> {
        let Some(mut skip) = self.rest else { return Ok(()) };
        let mut reader = former.reader();
        while let Some(piece) = reader.next().await? {
            let skipped = skip.min(piece.len() as u64);
            skip -= skipped;
            let rest = &piece[usize::try_from(skipped).unwrap_or(piece.len())..];
            if !rest.is_empty() {
                into.write(rest).await;
            }
        }
        Ok(())
    }
}

/// The header with the empty line behind it, if it has one.
pub(super) async fn header_of(content: &Content) -> Result<Vec<u8>, NotRewritten> {
    header(content.reader()).await.map(|(header, _)| header)
}

/// Whether the empty line behind a header is part of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blank {
    Present,
    Absent,
}

/// The header with the empty line behind it, if it has one.
async fn header(mut reader: ContentReader) -> Result<(Vec<u8>, Blank), NotRewritten> {
    let mut read = Vec::new();
    while let Some(piece) = reader.next().await? {
        let from = read.len();
        read.extend_from_slice(&piece);
        let end = edit::end_of_header(&read, from);
        // However the pieces fall.
        if end.unwrap_or(read.len()) > MOST_HEADER {
            return Err(EditError::LongHeader(MOST_HEADER).into());
        }
        if let Some(end) = end {
            read.truncate(end);
            return Ok((read, Blank::Present));
        }
    }
    Ok((read, Blank::Absent))
}

const fn is_of_content(edit: &Edit) -> bool {
    match edit {
        Edit::Append { .. }
        | Edit::Insert { .. }
        | Edit::Change { .. }
        | Edit::Remove { .. }
        | Edit::Body(_) => true,
        Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => false,
    }
}

/// Bytes of a header that is changed, before and after.
const MOST_HEADER: usize = 1 << 20;
