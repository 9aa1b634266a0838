//! What an intake has taken in is read before it is committed, and perhaps written anew.

use std::sync::Arc;

use bytes::Bytes;

use super::{Intake, IntakeError, Parts, blocking, unfinished};
use crate::{
    body::{Content, SpoolFile},
    record::BodyWriter,
    spool::Former,
};

/// What an intake had taken in before it began anew. A file that it is in goes when this is dropped.
#[derive(Debug)]
pub struct FormerContent {
    content: Content,
    top: u64,
    _file: Option<Former>,
}

impl FormerContent {
    /// All of it.
    #[must_use]
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// How many of its first bytes stood on top ([`Intake::put_on_top`]).
    #[must_use]
    pub const fn top(&self) -> u64 {
        self.top
    }
}

impl Intake {
    /// What it has taken in, to be read before anything else is written. Not cancel safe, as [`Self::write`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn taken_in(&mut self) -> Result<Content, IntakeError> {
        let mut parts = self.parts.take().ok_or_else(unfinished)?;
        if parts.draft.is_some() {
            parts = self.spill(parts).await?;
        }
        let content = match &parts.draft {
            None => Content::Memory(Bytes::copy_from_slice(parts.buffer.content())),
            Some(draft) => Content::Spool(SpoolFile {
                path: Arc::from(draft.path()),
                size: self.size,
                checksum: self.hasher.clone().finalize(),
            }),
        };
        self.parts = Some(parts);
        Ok(content)
    }

    /// Begins anew under the same name, with nothing in it. Gives what was in it. Not cancel safe, as [`Self::write`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn begin_anew(&mut self) -> Result<FormerContent, IntakeError> {
        let mut content = self.taken_in().await?;
        let parts = self.parts.take().ok_or_else(unfinished)?;
        let file = match parts.draft {
            None => None,
            Some(draft) => Some(blocking(move || draft.into_former()).await?),
        };
        if let (Content::Spool(spool), Some(file)) = (&mut content, &file) {
            spool.path = Arc::from(file.path());
        }
        let top = self.top.take().map_or(0, |top| top.size);
        self.size = 0;
        self.hasher = crc32fast::Hasher::new();
        self.parts =
            Some(Parts { buffer: BodyWriter::new(parts.buffer.content().len()), draft: None });
        Ok(FormerContent { content, top, _file: file })
    }
}
