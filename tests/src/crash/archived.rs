//! What the archive has after the last kill, beside what was acknowledged.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::Path,
    time::{Duration, Instant},
};

use mailweir_archive::{
    Place, Places, Reader,
    frame::Kind,
    records::Records,
    verify::{Known, verify},
};
use mailweir_mail::QueueId;

use super::{
    content::{self, Found},
    ledger::Ledger,
};
use crate::wait;

/// What is there of a mail.
#[derive(Default)]
struct Archived {
    captures: Vec<Place>,
    outcomes: usize,
}

/// Waits until the archive has how every acknowledged mail ended, or has nothing new for `patience`.
pub(super) fn wait_complete(
    directory: &Path,
    ledger: &Ledger,
    patience: Duration,
) -> io::Result<()> {
    let places = Places::new(directory);
    let (mut before, mut since) = (0, Instant::now());
    loop {
        let there = read(&places)?;
        let ended = |(_, id): &(u64, QueueId)| there.get(id).is_some_and(|it| it.outcomes > 0);
        if ledger.acknowledged().iter().all(ended) || since.elapsed() > patience {
            return Ok(());
        }
        if there.len() > before {
            (before, since) = (there.len(), Instant::now());
        }
        wait::pause(Duration::from_millis(50));
    }
}

/// Every promise that the archive breaks.
pub(super) fn broken(directory: &Path, ledger: &Ledger) -> io::Result<Vec<String>> {
    let places = Places::new(directory);
    let report = verify(&places, Known::default(), &mut |_, _| {})?;
    let mut broken: Vec<String> =
        report.findings.iter().map(|it| format!("segment {}: {}", it.segment, it.what)).collect();
    let there = read(&places)?;
    let acknowledged: BTreeMap<QueueId, u64> =
        ledger.acknowledged().into_iter().map(|(number, id)| (id, number)).collect();
    for id in acknowledged.keys().filter(|id| !there.contains_key(id)) {
        broken.push(format!("{id} was acknowledged and is not archived"));
    }
    let reader = Reader::new(places);
    for (id, Archived { captures, outcomes }) in &there {
        let [place] = captures.as_slice() else {
            broken.push(format!("{id} is archived {} times", captures.len()));
            continue;
        };
        // Whether a mail was accepted whose answer nobody heard is for the queue to say.
        let Some(number) = acknowledged.get(id) else { continue };
        if *outcomes != 1 {
            broken.push(format!("{id} has ended {outcomes} times in the archive"));
        }
        if examine(&reader, *place)? != Found::Whole(*number) {
            broken.push(format!("{id} is not in the archive as it was sent"));
        }
    }
    Ok(broken)
}

fn examine(reader: &Reader, place: Place) -> io::Result<Found> {
    let failed = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
    let mut record = reader.read(place).map_err(|error| failed(&error))?;
    record.payload.summary().map_err(|error| failed(&error))?;
    let mut mail = String::new();
    record.payload.read_to_string(&mut mail)?;
    let lines: Vec<String> = mail.split_terminator("\r\n").map(str::to_owned).collect();
    Ok(content::examine(&lines))
}

fn read(places: &Places) -> io::Result<BTreeMap<QueueId, Archived>> {
    let mut there: BTreeMap<QueueId, Archived> = BTreeMap::new();
    for record in Records::all(places)? {
        let (head, place) = record?;
        let Some(id) = head.queue_id() else { continue };
        let archived = there.entry(id).or_default();
        match head.kind {
            Kind::Capture => archived.captures.push(place),
            Kind::Outcome => archived.outcomes += 1,
            Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {}
        }
    }
    Ok(there)
}
