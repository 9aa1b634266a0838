//! How many mails a second the queue takes in durably, and how many it takes in, hands out and
//! removes again, without an archive and with one that takes everything at once: `cargo run --release -p mailweir-queue --example commit_rate [WRITERS] [MAILS]
//! [BYTES]`.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Client, Enhanced, Envelope, Origin, Protocol, Reply, ReversePath, Timestamp};
use mailweir_queue::{
    ArchivePart, AttemptResult, Body, Clock, Disposition, NewMail, Options, Queue, ReportDuty, Work,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let writers = arguments.next().transpose()?.unwrap_or(64);
    let mails = arguments.next().transpose()?.unwrap_or(100_000);
    let size = arguments.next().transpose()?.unwrap_or(4_096);
    let directory = std::env::current_dir()?.join("bench-data").join("commit_rate");
    let _ = std::fs::remove_dir_all(&directory);
    let clock = Arc::new(Stopwatch(Instant::now()));
    let options = || Options { queue_minfree: 0, ..Options::new(&directory) };

    let queue = Queue::open(options(), clock.clone())?;
    println!("idle: {} kB resident", resident());
    let begun = Instant::now();
    take_in(&queue, writers, mails, size, None).await?;
    rate("accepted", mails, begun);

    queue.shutdown().await;
    drop(queue);
    println!("full: {} kB resident", resident());
    let begun = Instant::now();
    let queue = Queue::open(options(), clock.clone())?;
    println!("opened with {} mails in {:?}", queue.stats().ready, begun.elapsed());
    let begun = Instant::now();
    let delivery = tokio::spawn(deliver(queue.clone(), mails));
    delivery.await??;
    rate("delivered from the store", mails, begun);

    let begun = Instant::now();
    let delivery = tokio::spawn(deliver(queue.clone(), mails));
    take_in(&queue, writers, mails, size, None).await?;
    delivery.await??;
    rate("relayed", mails, begun);

    let begun = Instant::now();
    let delivery = tokio::spawn(deliver(queue.clone(), mails));
    let archive = tokio::spawn(keep(queue.clone(), mails / writers * writers));
    take_in(&queue, writers, mails, size, Some("a note of some length for the archive")).await?;
    delivery.await??;
    rate("relayed and to be archived", mails, begun);
    println!("{:?}", archive.await??);
    rate("relayed and archived", mails, begun);

    let delivery = tokio::spawn(deliver(queue.clone(), mails));
    take_in(&queue, writers, mails, size, Some("a note of some length for the archive")).await?;
    delivery.await??;
    println!("owed to the archive: {} mails, {} kB resident", queue.stats().to_archive, resident());
    let begun = Instant::now();
    println!("{:?}", keep(queue.clone(), mails / writers * writers).await?);
    rate("archived from the store", mails, begun);
    println!("empty: {} kB resident, {:?}", resident(), queue.stats());
    queue.shutdown().await;
    drop(queue);
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

async fn take_in(
    queue: &Queue,
    writers: usize,
    mails: usize,
    size: usize,
    note: Option<&'static str>,
) -> Result<(), Failure> {
    let content: Arc<[u8]> = vec![b'x'; size].into();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (queue, content) = (queue.clone(), content.clone());
            tokio::spawn(async move {
                for _ in 0..mails / writers {
                    let mut intake = queue.intake(content.len() as u64)?;
                    intake.write(&content).await?;
                    let archive = note.map(Into::into);
                    intake.commit(NewMail { archive, ..mail()? }).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn deliver(queue: Queue, mails: usize) -> Result<(), Failure> {
    let permits = Arc::new(tokio::sync::Semaphore::new(64));
    for _ in 0..mails / 64 * 64 {
        let Some(Work::Deliver(claim)) = queue.next_work().await else { break };
        let permit = permits.clone().acquire_owned().await?;
        let queue = queue.clone();
        tokio::spawn(async move {
            let content = queue.body(claim.id, &claim.body).await?;
            assert!(content.size() > 0);
            let results = claim.pending.iter().map(|index| (*index, delivered())).collect();
            queue.record(&claim, results).await?;
            drop(permit);
            Ok::<_, Failure>(())
        });
    }
    let _all = permits.acquire_many(64).await?;
    Ok(())
}

/// What an archive got.
#[derive(Debug, Default)]
struct Kept {
    groups: usize,
    /// Mail, and of these from memory.
    captured: usize,
    from_memory: usize,
    /// Mail that came with its end.
    whole: usize,
    ended: usize,
}

/// An archive that has everything at once.
async fn keep(queue: Queue, mails: usize) -> Result<Kept, Failure> {
    let mut kept = Kept::default();
    while kept.ended < mails && queue.archive_is_owed().await {
        let group = queue.next_to_archive(500).await;
        kept.groups += 1;
        for owed in &group {
            kept.captured += usize::from(owed.part != ArchivePart::Outcome);
            kept.from_memory += usize::from(matches!(owed.body, Body::Memory(_)));
            kept.whole += usize::from(owed.part == ArchivePart::Both);
            kept.ended += usize::from(owed.ending.is_some());
        }
        queue.archived(group).await?;
    }
    Ok(kept)
}

fn delivered() -> AttemptResult {
    let reply = Reply::new(250, Enhanced(2, 0, 0), "Ok: queued as 4jWT59000pz7");
    AttemptResult::Delivered { reply, relay: None, duty: ReportDuty::Ours }
}

fn mail() -> Result<NewMail, Failure> {
    let sender = ReversePath::Mailbox("sender@sender.example".parse()?);
    let envelope = Envelope::from_sender(sender).to("recipient@recipient.example".parse()?);
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed("192.0.2.1:4711".parse()?),
        helo: "client.sender.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: Timestamp::from_secs(1_795_210_205),
    };
    Ok(NewMail { envelope, origin, disposition: Disposition::Ready, archive: None })
}

fn rate(what: &str, mails: usize, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what}: {:.0} mails/s", mails as f64 / seconds);
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or("?").trim_end_matches(" kB").trim().to_owned()
}

/// Time that begins at a fixed date; only its passing matters here.
struct Stopwatch(Instant);

impl Clock for Stopwatch {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_795_210_205).plus(self.0.elapsed())
    }
}
