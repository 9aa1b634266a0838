//! Addresses asked for by many, slow next hops, floods, restarts: with a scripted next hop and a
//! clock that jumps.

use std::sync::atomic::AtomicUsize;

use mailweir_filters::verification::{
    Keep,
    Status::{Deferred, Deliverable, InProgress, Undeliverable},
};
use tokio::{sync::Notify, time::Instant};

use super::{
    prober::Probing,
    under_way::{MOST_AT_ONCE, MOST_UNDER_WAY},
    *,
};
use crate::{
    egress::probe::{ProbeStatus, Probed},
    observe::Heard,
};

/// A next hop that refuses `bad...`, puts off `later...`, answers nothing for `slow...` until it is
/// told to, and is not asked about `crowded...` for want of room.
#[derive(Default)]
struct Script {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    slow: Notify,
    senders: Mutex<Vec<String>>,
}

impl Prober for Arc<Script> {
    fn probe<'a>(&'a self, sender: &'a ReversePath, recipient: &'a Address) -> Probing<'a> {
        self.senders.lock().unwrap().push(sender.as_str().to_owned());
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
            let status = match recipient.local_part() {
                name if name.starts_with("bad") => ProbeStatus::Undeliverable,
                name if name.starts_with("later") => ProbeStatus::Deferred,
                name if name.starts_with("panics") => panic!("scripted"),
                name if name.starts_with("slow") => {
                    self.slow.notified().await;
                    ProbeStatus::Deliverable
                }
                _ => ProbeStatus::Deliverable,
            };
            self.at_once.fetch_sub(1, Ordering::Relaxed);
            let is_asked = !recipient.local_part().starts_with("crowded");
            is_asked.then(|| Probed { status, text: format!("said of {recipient}").into() })
        })
    }
}

struct Rig {
    script: Arc<Script>,
    verification: Arc<Verification>,
    warnings: Arc<Mutex<Vec<String>>>,
    end: CancellationToken,
}

fn settings() -> Settings {
    Settings {
        sender: ReversePath::Mailbox(address("double-bounce@gate.example")),
        sink: Some(address("double-bounce@gate.example")),
        served: ServedDomains::new([Domain::parse("local.example").unwrap()], []),
        lifetimes: Lifetimes::default(),
        patience: Duration::from_secs(6),
    }
}

impl Rig {
    fn new() -> Self {
        Self::with(settings(), None, true)
    }

    fn with(settings: Settings, file: Option<PathBuf>, probes: bool) -> Self {
        let (script, end) = (Arc::<Script>::default(), CancellationToken::new());
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&warnings);
        let observer = Observer::heard_by(move |heard_now| {
            if let Heard::Session(SessionEvent::Warning { text, .. }) = heard_now {
                heard.lock().unwrap().push(text.to_string());
            }
        });
        let prober = probes.then(|| Box::new(Arc::clone(&script)) as Box<dyn Prober>);
        let verification =
            Verification::open(settings, 1_000, prober, file, observer.unwrap(), end.clone());
        Self { script, verification: Arc::new(verification), warnings, end }
    }

    async fn ask(&self, text: &str) -> Status {
        self.verification.ask(&address(text)).await.status
    }

    fn asked(&self) -> usize {
        self.script.asked.load(Ordering::Relaxed)
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_who_asks_waits_until_the_answer_is_there_and_no_longer() {
    let (rig, began) = (Rig::new(), Instant::now());
    for (who, status) in [("good", Deliverable), ("bad", Undeliverable), ("later", Deferred)] {
        let answer = rig.verification.ask(&address(&format!("{who}@a.example"))).await;
        assert_eq!((answer.status, &*answer.text), (status, &*format!("said of {who}@a.example")));
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    for (who, status) in [("good", Deliverable), ("bad", Undeliverable), ("later", Deferred)] {
        assert_eq!(rig.ask(&format!("{who}@a.example")).await, status);
    }
    assert_eq!(rig.asked(), 3, "the second time nobody is asked");
    assert_eq!(rig.script.senders.lock().unwrap()[0], "double-bounce@gate.example");
}

#[tokio::test(start_paused = true)]
async fn a_slow_next_hop_keeps_a_session_as_long_as_is_set_and_many_who_ask_cause_one_probe() {
    let (rig, began) = (Rig::new(), Instant::now());
    let (first, second) = tokio::join!(rig.ask("slow@a.example"), rig.ask("slow@A.example"));
    assert_eq!((first, second), (InProgress, InProgress));
    assert_eq!((began.elapsed(), rig.asked()), (Duration::from_secs(6), 1));
    let (third, ()) = tokio::join!(rig.ask("slow@a.example"), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        rig.script.slow.notify_one();
    });
    assert_eq!((third, began.elapsed(), rig.asked()), (Deliverable, Duration::from_secs(8), 1));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_to_wait_hears_that_it_is_in_progress_and_the_next_one_the_answer() {
    let rig = Rig::with(Settings { patience: Duration::ZERO, ..settings() }, None, true);
    let answer = rig.verification.ask(&address("good@a.example")).await;
    assert_eq!(answer, Answer::in_progress());
    tokio::task::yield_now().await;
    assert_eq!(rig.ask("good@a.example").await, Deliverable);
    assert_eq!(rig.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_sender_of_probes_is_never_probed() {
    let rig = Rig::new();
    assert_eq!(rig.ask("Double-Bounce@Gate.Example").await, Deliverable);
    assert!(rig.verification.is_sink(&address("Double-Bounce@gate.example")));
    assert!(!rig.verification.is_sink(&address("double-bounce@a.example")));
    let sender = ReversePath::Mailbox(address("info@gate.example"));
    rig.verification.change(Settings { sender, sink: None, ..settings() });
    assert_eq!(rig.ask("info@gate.example").await, Deliverable);
    assert!(!rig.verification.is_sink(&address("info@gate.example")));
    assert!(!rig.verification.is_sink(&address("double-bounce@gate.example")));
    assert_eq!(rig.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_served_while_it_is_refreshed() {
    let rig = Rig::new();
    let stale = clock::now().as_secs() - 8 * 86_400;
    let slow = address("slow@a.example");
    let record = format!("0:0:{stale}:as it was").parse().unwrap();
    rig.verification.state().cache.keep(&slow, Keep::Record(record));
    let began = Instant::now();
    for _ in 0..3 {
        assert_eq!(&*rig.verification.ask(&slow).await.text, "as it was");
        tokio::task::yield_now().await;
    }
    assert_eq!((began.elapsed(), rig.asked()), (Duration::ZERO, 1));
    rig.script.slow.notify_one();
    while !rig.verification.state().under_way.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(&*rig.verification.ask(&slow).await.text, "said of slow@a.example");
}

/// One domain has half of the room, and leaves the other half to others.
#[tokio::test(start_paused = true)]
async fn g4_a_flood_of_addresses_opens_few_connections_and_fills_no_memory() {
    let rig = Rig::with(Settings { patience: Duration::ZERO, ..settings() }, None, true);
    for (domain, most) in [("a", 1), ("b", 2), ("c", 2)] {
        for number in 0..2_000 {
            assert_eq!(rig.ask(&format!("slow{number}@{domain}.example")).await, InProgress);
            tokio::task::yield_now().await;
        }
        let at_once = rig.script.most_at_once.load(Ordering::Relaxed);
        let under_way = rig.verification.state().under_way.len();
        assert_eq!((at_once, under_way), (most * MOST_AT_ONCE / 2, most * MOST_UNDER_WAY / 2));
    }
    assert_eq!(rig.warnings.lock().unwrap().len(), 1, "the log hears of it once");
    while !rig.verification.state().under_way.is_empty() {
        rig.script.slow.notify_waiters();
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.asked(), MOST_UNDER_WAY, "the others are not asked for");
    assert_eq!(rig.script.most_at_once.load(Ordering::Relaxed), MOST_AT_ONCE);
    assert!(rig.verification.state().foreign.domains.is_empty());
    let again = rig.ask("slow1999@c.example").await;
    assert_eq!((again, rig.verification.state().under_way.len()), (InProgress, 1));
}

/// Who has a domain has as many below it as he likes, and none of them need ever answer.
#[tokio::test(start_paused = true)]
async fn g4_many_slow_domains_of_others_leave_room_for_ours() {
    let rig = Rig::with(Settings { patience: Duration::ZERO, ..settings() }, None, true);
    for number in 0..MOST_UNDER_WAY + 9 {
        let slow = format!("slow@tarpit{number}.evil.example");
        assert_eq!(rig.ask(&slow).await, InProgress);
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.asked(), MOST_AT_ONCE);
    assert_eq!(rig.verification.state().under_way.len(), MOST_UNDER_WAY);
    rig.verification.change(settings());
    let began = Instant::now();
    assert_eq!(rig.ask("good@local.example").await, Deliverable);
    assert_eq!((began.elapsed(), rig.asked()), (Duration::ZERO, MOST_AT_ONCE + 1));
    // A place is given back where it was taken, whatever a reload makes of the domain meanwhile.
    rig.verification.change(Settings { patience: Duration::ZERO, ..settings() });
    assert_eq!(rig.ask("slow@local.example").await, InProgress);
    assert_eq!(rig.verification.state().ours.under_way, 1);
    rig.verification.change(Settings { served: ServedDomains::default(), ..settings() });
    while !rig.verification.state().under_way.is_empty() {
        rig.script.slow.notify_waiters();
        tokio::task::yield_now().await;
    }
    let state = rig.verification.state();
    assert_eq!((state.ours.under_way, state.foreign.under_way), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_without_an_answer_keeps_nobody_waiting() {
    let (rig, began) = (Rig::new(), Instant::now());
    assert_eq!(rig.ask("panics@a.example").await, InProgress);
    assert!(rig.verification.state().under_way.is_empty());
    let slow = address("slow@a.example");
    let (answer, ()) = tokio::join!(rig.verification.ask(&slow), async { rig.end.cancel() });
    assert_eq!((answer, began.elapsed()), (Answer::in_progress(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_found_no_room_is_no_verdict_and_the_next_mail_makes_another() {
    let rig = Rig::new();
    for asked in 1..=2 {
        assert_eq!(rig.ask("crowded@a.example").await, InProgress);
        assert_eq!(rig.asked(), asked);
        assert_eq!(rig.verification.state().cache.get(&address("crowded@a.example")), None);
    }
    let stale = clock::now().as_secs() - 8 * 86_400;
    let known = address("crowded.once@a.example");
    let record = format!("0:0:{stale}:as it was").parse().unwrap();
    rig.verification.state().cache.keep(&known, Keep::Record(record));
    for asked in 3..=4 {
        assert_eq!(&*rig.verification.ask(&known).await.text, "as it was");
        tokio::task::yield_now().await;
        assert_eq!(rig.asked(), asked);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_negative_cache_a_bad_address_is_probed_for_every_mail_but_once_at_a_time() {
    let lifetimes = Lifetimes { negative_cache: false, ..Lifetimes::default() };
    let rig = Rig::with(Settings { lifetimes, ..settings() }, None, true);
    let (first, second) = tokio::join!(rig.ask("bad@a.example"), rig.ask("bad@a.example"));
    assert_eq!((first, second, rig.asked()), (InProgress, InProgress, 1));
    assert_eq!((rig.ask("bad@a.example").await, rig.asked()), (InProgress, 2));
    assert_eq!((rig.ask("good@a.example").await, rig.asked()), (Deliverable, 3));
    assert_eq!((rig.ask("good@a.example").await, rig.asked()), (Deliverable, 3));
}

#[tokio::test]
async fn what_was_learnt_survives_a_restart_and_a_rehearsal_only_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("verify_cache");
    let rig = Rig::with(settings(), Some(path.clone()), true);
    assert_eq!(rig.ask("bad@a.example").await, Undeliverable);
    rig.end.cancel();
    Arc::clone(&rig.verification).keep().await;

    let next = Rig::with(settings(), Some(path.clone()), true);
    assert_eq!((next.ask("bad@a.example").await, next.asked()), (Undeliverable, 0));

    let written = std::fs::read(&path).unwrap();
    let rehearsal = Rig::with(settings(), Some(path.clone()), false);
    assert_eq!(rehearsal.ask("bad@a.example").await, Undeliverable);
    let answer = rehearsal.verification.ask(&address("new@a.example")).await;
    assert_eq!((answer.status, &*answer.text), (InProgress, "the address would be probed"));
    rehearsal.verification.state().cache.keep(&address("bad@a.example"), Keep::Nothing);
    rehearsal.end.cancel();
    Arc::clone(&rehearsal.verification).keep().await;
    assert_eq!((rehearsal.asked(), std::fs::read(&path).unwrap()), (0, written));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_told_and_tried_again() {
    let rig = Rig::with(settings(), Some("/nonexistent/verify_cache".into()), true);
    assert_eq!(rig.ask("good@a.example").await, Deliverable);
    rig.end.cancel();
    for tried in 1..=2 {
        Arc::clone(&rig.verification).keep().await;
        let warnings = rig.warnings.lock().unwrap();
        assert_eq!(warnings.len(), tried);
        assert!(warnings[0].starts_with("/nonexistent/verify_cache: not written: "));
    }
}

/// Whatever the configuration calls it, users are not lost to it.
#[tokio::test]
async fn a_file_that_is_another_is_told_once_and_never_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("users");
    std::fs::write(&path, "ann:secret\n").unwrap();
    let rig = Rig::with(settings(), Some(path.clone()), true);
    assert_eq!(rig.ask("good@a.example").await, Deliverable);
    rig.end.cancel();
    for _ in 1..=2 {
        Arc::clone(&rig.verification).keep().await;
        assert_eq!(std::fs::read(&path).unwrap(), b"ann:secret\n");
    }
    let warnings = rig.warnings.lock().unwrap().clone();
    let [read, written] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(read.ends_with("users: 1 lines cannot be read, and are passed over"), "{read}");
    assert!(written.ends_with("of an address, so it is another file"), "{written}");
    std::fs::remove_file(&path).unwrap();
    Arc::clone(&rig.verification).keep().await;
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("good@a.example\t0:"));
}
