//! Finding mail.

use std::time::Duration;

use mailweir_archive::{entry::AccessDeed, frame::Seq};
use mailweir_search::index::{Count, Page};

use super::{Answers, Gone, Room, RoomError, Visitor, failed, read, tell};
use crate::{
    archiving::{
        indexing::{Sight, search_files},
        reading::Reading,
        status,
        words::{Found, Line, Reach, Search, Told},
    },
    count::counted,
};

impl Room {
    pub(super) async fn tell_found(
        &self,
        visitor: &Visitor,
        search: Search,
        answers: &Answers,
    ) -> Result<(), Gone> {
        match self.search(visitor, search).await {
            Ok((mails, found)) => {
                for mail in mails {
                    tell(answers, Told::Mail(Box::new(mail))).await?;
                }
                tell(answers, Told::Found(found)).await
            }
            Err(error) => tell(answers, failed(&error)).await,
        }
    }

    /// Finds mails that somebody may see.
    ///
    /// # Errors
    /// [`RoomError`]; of [`RoomError::Find`] the sentence is for who asked.
    pub(crate) async fn search(
        &self,
        visitor: &Visitor,
        search: Search,
    ) -> Result<(Vec<Line>, Found), RoomError> {
        let (query, sight) = (search.query.clone(), visitor.sight.clone());
        let (seqs, found) = self.find(search, &sight).await?;
        let holds = self.with(|shelf| shelf.known_holds().holds.clone()).await?;
        let mails = self.read(move |reading| reading.lines(&seqs, &sight, &holds)).await?;
        let deed = AccessDeed::Searched { query, found: found.count };
        self.note(visitor, deed, None).await?;
        Ok((mails, found))
    }

    async fn find(&self, search: Search, sight: &Sight) -> Result<(Vec<Seq>, Found), RoomError> {
        let Search { query, before, limit, utc_offset, reach } = search;
        status::check(&query)?;
        if reach == Reach::Whole {
            self.wait_for_index(before).await?;
        }
        let count_to = MOST_COUNTED.max(limit as u64);
        let page = Page { size: limit, before, count_to, utc_offset };
        let reading = Reading::new(&self.places, self.reader.clone())?;
        let keep = move |seq, wanted: &[_]| reading.has_status(seq, wanted);
        let (found, reached) = match &self.finder {
            Some(finder) => {
                // Asked first: what is searched is not behind it.
                let reached = finder.reached();
                (finder.search(&query, sight.clone(), page, keep).await?, reached)
            }
            None => {
                let (directory, sight) = (self.places.directory().to_owned(), sight.clone());
                let found =
                    read(move || Ok(search_files(&directory, &query, &sight, &page, &keep)?));
                found.await?
            }
        };
        let behind = self.read(move |reading| reading.mails_behind(reached)).await?;
        // There is nobody to wait for.
        if reach == Reach::Whole && self.finder.is_none() && behind > 0 {
            let behind = counted(behind, "mail");
            let reason =
                format!("the index is {behind} behind: mailweir archive reindex makes it anew");
            return Err(RoomError::Refused(reason.into()));
        }
        let (count, or_more) = match found.count {
            Count::Exactly(count) => (count, false),
            Count::MoreThan(count) => (count, true),
        };
        Ok((found.seqs, Found { count, or_more, next: found.next, behind }))
    }

    /// Waits until the index has what is to be on a page, and not for long. Where nobody fills it there is nothing to
    /// wait for.
    async fn wait_for_index(&self, before: Option<Seq>) -> Result<(), RoomError> {
        let Some(finder) = &self.finder else { return Ok(()) };
        let (wanted, _awaiting) = (last_of_page(finder.last(), before), finder.await_index());
        let reached = async {
            while finder.reached() < wanted {
                tokio::time::sleep(LOOK).await;
            }
        };
        let behind = tokio::time::timeout(PATIENCE, reached).await;
        behind.map_err(|_| {
            let behind = counted(finder.lag().behind, "record");
            let reason = format!("the index is {behind} behind: try again later");
            RoomError::Refused(reason.into())
        })
    }

    /// All mails that are found. That somebody looked for them is written down.
    pub(super) async fn find_all(
        &self,
        visitor: &Visitor,
        query: Box<str>,
        utc_offset: i32,
    ) -> Result<Vec<Seq>, RoomError> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let query = query.clone();
            let search = Search { query, before, limit: PAGE, utc_offset, reach: Reach::Whole };
            let (seqs, found) = self.find(search, &visitor.sight).await?;
            all.extend(seqs);
            before = found.next;
            if before.is_none() {
                break;
            }
        }
        let deed = AccessDeed::Searched { query, found: all.len() as u64 };
        self.note(visitor, deed, None).await?;
        Ok(all)
    }
}

/// The last record that may be on a page, of all up to `last`: what came since the first page is on none behind it, and
/// one behind it is not put off by new mail.
fn last_of_page(last: Seq, before: Option<Seq>) -> Seq {
    before.map_or(last, |before| last.min(before.saturating_sub(1)))
}

/// How long the index is waited for, where no mail may be missed.
const PATIENCE: Duration = Duration::from_secs(30);

const LOOK: Duration = Duration::from_millis(50);

/// Mails that are asked for at once.
const PAGE: usize = 1_000;

/// How far found mails are counted.
const MOST_COUNTED: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_needs_the_index_as_far_as_it_goes() {
        for (before, wanted) in [(None, 9), (Some(5), 4), (Some(99), 9), (Some(0), 0)] {
            assert_eq!(last_of_page(9, before), wanted, "{before:?}");
        }
    }
}
