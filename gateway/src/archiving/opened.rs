//! What whoever opens the archive has found, in words: a crash or a disk left it, and most of it is found once. So it is
//! said by the one who came first, a server or a command.

use mailweir_archive::{
    Left,
    catalogue::{Found, NeededKey},
};

use super::shelf::{Opened, said_of_lost};
use crate::count::{agreeing, counted};

impl Opened {
    /// A sentence for each thing.
    pub(crate) fn said(self) -> Vec<String> {
        let Self { left, found } = self;
        let mut said = said_of_found(found);
        said.extend(said_of_left(left));
        said
    }
}

fn said_of_found(found: Found) -> Vec<String> {
    let mut said = Vec::new();
    if let Some((last, known)) = found.lost {
        said.push(format!(
            "ALARM: archive: it ends with record {last}, and had {known}: it was cut off, or put back to an older state"
        ));
    }
    let lost = found.unanswered.into_iter();
    said.extend(lost.map(|records| format!("ALARM: archive: {}", said_of_lost(records))));
    said.extend(found.needed_keys.into_iter().map(|NeededKey { id, records }| {
        let need = agreeing(records, "record needs", "records need");
        format!(
            "ALARM: archive: {need} the key {id}, and the key file does not have it: how those mails stand is not known, \
             and they are kept for ever; add the key to the file again, and restart"
        )
    }));
    said
}

/// As [`Opened::said`], of the segments alone.
pub(super) fn said_of_left(left: Left) -> Vec<String> {
    let mut said = Vec::new();
    if let Some((bytes, copy)) = left.torn {
        let (bytes, copy) = (counted(bytes, "byte"), copy.display());
        said.push(format!(
            "archive: the last group was not written to its end; {copy} has what there was of it, {bytes}"
        ));
    }
    if let Some(segment) = left.damaged {
        let segment = segment.display();
        said.push(format!(
            "ALARM: archive: {segment} is damaged or missing; mailweir archive verify says more"
        ));
    }
    if let Some(segment) = left.seal {
        let segment = segment.display();
        said.push(format!(
            "archive: the seal of {segment} was damaged, and nothing else: it was written again as the list of roots \
             has it; look at the disk"
        ));
    }
    if let Some(list) = left.list {
        let list = list.display();
        said.push(format!(
            "ALARM: archive: some of {list} cannot be read, and no start knows what was sealed there: put it back from \
             archive.roots_copy or a backup"
        ));
    }
    if let Some(unreleased) = left.unreleased {
        let unreleased = unreleased.display();
        said.push(format!(
            "ALARM: archive: some of {unreleased} cannot be read, and no start knows what else is said to be erased and \
             is still there: erase once more what mailweir archive verify names so, then remove that file"
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use mailweir_archive::Places;

    use super::super::room::Room;
    use crate::config;

    #[test]
    fn what_is_found_is_said_by_whoever_opens_the_archive_first() {
        let place = tempfile::tempdir().unwrap();
        let settings = config::Archive::in_dir(place.path());
        let said = || Room::of_files(&settings).unwrap().1.said();
        assert_eq!(said(), [""; 0]);
        let places = Places::new(place.path());
        fs::write(places.segment(1), "MWARCH").unwrap();
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(places.roots())
            .and_then(|mut list| list.write_all(b"no root\n"))
            .unwrap();
        fs::write(place.path().join("lost"), "12..40\n").unwrap();
        fs::write(place.path().join("unreleased.damaged"), "").unwrap();
        let first = said();
        let [lost, torn, list, unreleased] = &first[..] else { panic!("{first:?}") };
        assert!(lost.starts_with("ALARM: archive: record 12..40 was lost"), "{lost}");
        assert!(torn.ends_with("-0 has what there was of it, 6 bytes"), "{torn}");
        assert!(list.starts_with("ALARM: archive: some of ") && list.contains("roots"), "{list}");
        assert!(unreleased.contains("unreleased.damaged cannot be read"), "{unreleased}");
        let again = [lost, list, unreleased].map(String::clone);
        assert_eq!(said(), again, "what was mended is said once");
    }
}
