//! What no conversation can bring about: content that changed on the disk, cases of tomorrow.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use mailweir_mail::{
    Client, Envelope, HoldReason, Origin, Protocol, Recipient, ReversePath, Timestamp,
};
use mailweir_moderation::{
    case::{Actor, AtExpiry, By, Command, Expiry, Owed, Proof, QueueDeed, To, Trust, Word},
    case_file::Attach,
    notice::Gathered,
    search::{Query, Search},
};
use mailweir_queue::{Annex, Disposition, Listed, NewMail};
use tempfile::TempDir;

mod answers;

use super::*;
use crate::{
    app::App,
    config::{Config, Surroundings},
};

impl Home {
    /// People have no say in a mail any more, and an operator sees why.
    async fn expect_damaged(&self, id: QueueId) {
        let file = self.app.moderation().case(id).unwrap();
        assert_eq!((file.state_name(), file.waits_for_operator()), ("gone", true));
        let stored = self.queue().case(id).await.unwrap().unwrap().unwrap();
        assert_eq!(CaseFile::from_bytes(&stored).unwrap(), *file);
        let Listed::Sound { progress, .. } = self.queue().show(id).await.unwrap().unwrap().mail
        else {
            panic!("it is in the queue")
        };
        let mailweir_queue::progress::State::Held { reason, .. } = &progress.state else {
            panic!("{progress:?}")
        };
        assert!(reason.as_str().starts_with("ALARM: "), "{reason:?}");
    }
}

/// A gateway that nobody reaches.
struct Home {
    app: App,
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = "[server]\nhostname = \"gate.example\"\n[admin]\nbind = []\n\
                    [[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n";
        let around = Surroundings {
            environment: &[],
            machine_name: None,
            time_zone: None,
            files: &|path| fs::read(path),
        };
        let config = Config::parse(Path::new("mailweir.toml"), text, &around).unwrap().0;
        let observer = Observer::heard_by(|_| {}).unwrap();
        let app = App::rehearsing(config, &observer, directory.path()).unwrap();
        Self { app, directory }
    }

    fn queue(&self) -> &Queue {
        &self.app.shared().queue
    }

    /// Another service over the same queue.
    fn another(&self, end: CancellationToken) -> Moderation {
        let settings = self.app.moderation().settings.load_full();
        let settings = Settings {
            rules: settings.rules.clone(),
            hostname: settings.hostname.clone(),
            administrators: None,
            public_url: None,
            rewriting: Arc::clone(&settings.rewriting),
            own: settings.own.clone(),
        };
        let observer = Observer::heard_by(|_| {}).unwrap();
        Moderation::open(settings, self.queue().clone(), observer, end)
    }

    /// A held mail of this content, whose case knows this hash.
    async fn hold(&self, content: &[u8], hash: [u8; 32]) -> QueueId {
        let mut file = registry::tests::open(9_999);
        file.case.plan.content = hash;
        let mut intake = self.queue().intake(0).unwrap();
        intake.write(content).await.unwrap();
        let id = intake.id();
        let mail = NewMail {
            envelope: Envelope::from_sender(ReversePath::Null).to("a@b.example".parse().unwrap()),
            origin: Origin {
                listener: "mx".into(),
                client: Client::unnamed(([192, 0, 2, 1], 25).into()),
                helo: "x".into(),
                protocol: Protocol::Esmtp,
                login: None,
                tls: None,
                forwarded: None,
                arrival: clock::now(),
            },
            disposition: Disposition::Held(HoldReason::new("rule")),
            archive: None,
        };
        let mail = self.queue().compose(intake, mail).await.unwrap();
        let annex = annex(id, &file, None).unwrap();
        self.queue().commit_with(mail, annex).await.unwrap();
        self.app.moderation().opened(id, file);
        id
    }
}

#[tokio::test]
async fn a_search_keeps_nobody_waiting_while_it_looks() {
    let home = Home::new();
    let moderation = home.app.moderation();
    let file = registry::tests::open(9_999);
    let ids: Vec<_> = (1..=1_000).map(|number| QueueId::new(clock::now(), number)).collect();
    for id in &ids {
        moderation.opened(*id, file.clone());
    }
    let all = Search::new(&Query::default());
    let is_free = |_: &CaseFile| moderation.registry.try_lock().is_ok();
    let found = moderation.search(&all, None, ids.len(), &is_free);
    assert_eq!(found.cases.len(), ids.len(), "somebody else had to wait");
    assert_eq!(found.next, None);

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let Found { cases, next } = moderation.search(&all, after, 300, &|_| true);
        seen.extend(cases.into_iter().map(|(id, _)| id));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids, "each once, in their order");
}

fn approve() -> Command {
    let who = Actor::Moderator("boss@own.example".parse().unwrap());
    let by = By { who, proof: Proof::Link, from: None };
    Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 }
}

#[tokio::test]
async fn content_that_is_not_what_was_held_is_never_released() {
    let home = Home::new();
    let (same, other) = (Fingerprint::of(b"text\r\n"), Fingerprint::of(b"tixt\r\n"));
    let (sound, altered) =
        (home.hold(b"text\r\n", same).await, home.hold(b"text\r\n", other).await);
    let moderation = home.app.moderation();
    let refused = moderation.take(altered, approve()).await;
    assert!(matches!(refused, Err(TakeError::Altered)), "{refused:?}");
    moderation.take(sound, approve()).await.unwrap();
    assert_eq!((home.queue().stats().held, home.queue().stats().ready), (1, 1));
    assert_eq!(moderation.case(sound).unwrap().state_name(), "released");
    home.expect_damaged(altered).await;
    let again = moderation.take(altered, approve()).await;
    assert!(matches!(again, Err(TakeError::Refused(_))), "{again:?}");
    // An operator has looked at it.
    let sent = |annex| async {
        let mail = home.queue().pin(altered).await?;
        home.queue().release_with(&mail, "root", None, annex).await
    };
    moderation.overtake(altered, QueueDeed::Released, "root", sent).await.unwrap();
    let file = moderation.case(altered).unwrap();
    assert_eq!((file.state_name(), home.queue().stats().ready), ("released", 2));
}

#[tokio::test]
async fn content_in_a_file_of_its_own_is_compared_too_and_damage_keeps_it_on_hold() {
    let home = Home::new();
    let content = b"0123456789abcdef".repeat(1 << 18);
    let hash = Fingerprint::of(&content);
    let damaged = home.hold(&content, hash).await;
    let files = files_below(home.directory.path());
    let is_content = |file: &&PathBuf| fs::metadata(file).unwrap().len() == content.len() as u64;
    let file = files.iter().find(is_content).expect("a file of its own");
    let mut changed = content.clone();
    changed[3_000_000] ^= 1;
    fs::write(file, changed).unwrap();
    let sound = home.hold(&content, hash).await;
    let moderation = home.app.moderation();
    let refused = moderation.take(damaged, approve()).await;
    assert!(matches!(refused, Err(TakeError::Altered)), "{refused:?}");
    home.expect_damaged(damaged).await;
    moderation.take(sound, approve()).await.unwrap();
    assert_eq!((home.queue().stats().held, home.queue().stats().ready), (1, 1));
}

#[tokio::test]
async fn a_mail_whose_content_is_missing_ends_its_case_when_its_time_comes() {
    let home = Home::new();
    let content = b"0123456789abcdef".repeat(1 << 18);
    let id = home.hold(&content, Fingerprint::of(&content)).await;
    let files = files_below(home.directory.path());
    let is_content = |file: &&PathBuf| fs::metadata(file).unwrap().len() == content.len() as u64;
    fs::remove_file(files.iter().find(is_content).expect("a file of its own")).unwrap();
    let moderation = home.app.moderation();
    let mut file = (*moderation.case(id).unwrap()).clone();
    let at = clock::now();
    let expiry = Expiry { at, warning: None, action: AtExpiry::Release };
    file.case.plan.expiry = Some(expiry);
    moderation.keep(id, file);
    moderation.tick(id).await;
    home.expect_damaged(id).await;
    // Nothing is tried again, and it is not forgotten while an operator has it.
    let later = at.plus(Duration::from_secs(9_999 * 86_400));
    assert_eq!(moderation.registry().due(later, 9), []);
}

#[tokio::test]
async fn of_a_mail_that_is_too_large_to_attach_nothing_but_the_header_is_read() {
    let home = Home::new();
    let header = format!("Subject: large\r\nX-Long: {}\r\n\r\n", "x".repeat(300_000));
    let mut content = header.clone().into_bytes();
    content.resize(12 << 20, b'y');
    let id = home.hold(&content, Fingerprint::of(&content)).await;
    let files = files_below(home.directory.path());
    let is_content = |file: &&PathBuf| fs::metadata(file).unwrap().len() == content.len() as u64;
    let file = files.iter().find(is_content).expect("a file of its own");
    // Whoever reads on finds that the rest is missing.
    fs::write(file, &content[..1 << 20]).unwrap();
    let moderation = home.app.moderation();
    let case = (*moderation.case(id).unwrap()).clone();
    let to = To::Moderator("boss@own.example".parse().unwrap());
    let owed = Owed { number: 0, to, word: Word::Request };
    for attach in [Attach::Original, Attach::Header] {
        let case = CaseFile { attach, ..case.clone() };
        let original = moderation.original(id, &owed, &case).await.unwrap();
        assert!(original.bytes == header, "{} bytes", original.bytes.len());
    }
    let nothing = CaseFile { attach: Attach::Nothing, ..case };
    assert!(moderation.original(id, &owed, &nothing).await.unwrap().bytes.is_empty());
}

fn files_below(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn what_was_decided_is_still_there_at_the_next_start_and_what_is_of_tomorrow_is_left_alone() {
    let home = Home::new();
    let hash = Fingerprint::of(b"text\r\n");
    let (decided, tomorrow) = (home.hold(b"text\r\n", hash).await, home.hold(b"", hash).await);
    home.app.moderation().take(decided, approve()).await.unwrap();
    let mut newer = Annex::default();
    newer.put_case(tomorrow, br#"{"format":99,"of":"tomorrow"}"#);
    home.queue().write(newer).await.unwrap();

    let again = home.another(CancellationToken::new());
    assert_eq!(again.case(decided), home.app.moderation().case(decided));
    assert_eq!(again.case(tomorrow), None);
    assert_eq!(home.queue().cases().cases.len(), 2, "nothing is thrown away");
    let again = Arc::new(again);
    let refused = again.take(decided, approve()).await;
    assert!(matches!(refused, Err(TakeError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn of_a_mail_that_left_unseen_nobody_is_said_to_have_discarded_it() {
    let home = Home::new();
    for is_sent in [true, false] {
        let id = home.hold(b"text\r\n", Fingerprint::of(b"text\r\n")).await;
        match is_sent {
            true => home.queue().release(id, "somebody").await.unwrap(),
            false => home.queue().delete(id, "somebody").await.unwrap(),
        };
        let gone = home.app.moderation().take(id, approve()).await;
        assert!(matches!(gone, Err(TakeError::Gone)), "{gone:?}");
        let file = home.app.moderation().case(id).unwrap();
        assert_eq!(file.state_name(), "gone");
        assert_eq!(file.case.progress.history.last().unwrap().by, By::clock());
    }
}

#[tokio::test]
async fn nobody_is_reminded_of_a_mail_that_is_gone() {
    let home = Home::new();
    let hash = Fingerprint::of(b"text\r\n");
    let (gone, here) = (home.hold(b"text\r\n", hash).await, home.hold(b"text\r\n", hash).await);
    home.queue().delete(gone, "somebody").await.unwrap();
    let moderation = home.app.moderation();
    for (id, state) in [(gone, "gone"), (here, "waiting")] {
        let mut file = (*moderation.case(id).unwrap()).clone();
        file.case.progress.asked = Timestamp::from_secs(1);
        file.case.plan.remind_every = Some(60);
        file.case.plan.expiry = None;
        moderation.keep(id, file);
        moderation.tick(id).await;
        let file = moderation.case(id).unwrap();
        let owed = file.case.progress.owed.iter();
        let reminders = owed.filter(|owed| owed.word == Word::Reminder).count();
        assert_eq!((file.state_name(), reminders), (state, usize::from(state == "waiting")));
    }
}

#[tokio::test]
async fn an_old_case_is_forgotten_in_memory_and_on_the_disk() {
    let home = Home::new();
    let id = home.hold(b"text\r\n", Fingerprint::of(b"text\r\n")).await;
    let moderation = home.app.moderation();
    // Not open ones, whoever thinks that they are old.
    moderation.forget(id).await;
    assert!(moderation.case(id).is_some());
    moderation.keep(id, decided_long_ago(&moderation.case(id).unwrap()));
    moderation.forget(id).await;
    assert_eq!((moderation.case(id), home.queue().cases().cases.len()), (None, 0));
    let gone = moderation.take(id, approve()).await;
    assert!(matches!(gone, Err(TakeError::NoCase(_))), "{gone:?}");
}

#[tokio::test]
async fn what_cannot_be_forgotten_is_tried_again_later_and_what_an_operator_has_is_never() {
    let home = Home::new();
    let hash = Fingerprint::of(b"text\r\n");
    let (lost, waits) = (home.hold(b"text\r\n", hash).await, home.hold(b"text\r\n", hash).await);
    let moderation = home.app.moderation();
    moderation.keep(lost, decided_long_ago(&moderation.case(lost).unwrap()));
    let left = decided_long_ago(&moderation.case(waits).unwrap());
    moderation.keep(waits, CaseFile { also_held: Some("a table".into()), ..left });
    let keep = moderation.settings.load().rules.keep_cases;
    let now = clock::now();
    assert_eq!(moderation.registry().old(now, keep, 9), [lost]);
    assert!(moderation.next_chore().is_some_and(|at| at <= now));
    home.queue().shutdown().await;
    moderation.forget(lost).await;
    moderation.forget(waits).await;
    assert!(moderation.case(lost).is_some() && moderation.case(waits).is_some());
    assert_eq!(moderation.registry().old(clock::now(), keep, 9), []);
    assert!(moderation.next_chore() > Some(now), "nobody asks again at once");
    let later = clock::now().plus(Duration::from_secs(9));
    assert_eq!(moderation.registry().old(later, keep, 9), [lost]);
}

/// A case that was decided when the clock began, and that owes nothing.
fn decided_long_ago(file: &CaseFile) -> CaseFile {
    let then = Timestamp::from_secs(1);
    let (mut file, _) = file.take(&approve(), then).unwrap();
    file.case.progress.owed.clear();
    file
}

#[tokio::test]
async fn trust_that_cannot_be_ended_is_told_mail_by_mail() {
    let home = Home::new();
    let (moderation, hash) = (home.app.moderation(), Fingerprint::of(b"text\r\n"));
    let mut ids = [home.hold(b"text\r\n", hash).await, home.hold(b"text\r\n", hash).await];
    ids.sort_unstable();
    let until = clock::now().plus(Duration::from_secs(9_999));
    let trust = || {
        for id in ids {
            let file = (*moderation.case(id).unwrap()).clone();
            moderation.keep(id, CaseFile { trust: Some(Trust { until }), ..file });
        }
    };
    trust();
    let ended = moderation.distrust("Ann", None, "root").await;
    assert_eq!((ended.mails, ended.left.len()), (ids.to_vec(), 0));
    trust();
    home.queue().shutdown().await;
    let ended = moderation.distrust("ann", None, "root").await;
    let left: Vec<QueueId> = ended.left.iter().map(|(id, _)| *id).collect();
    assert_eq!((ended.mails, left), (Vec::new(), ids.to_vec()));
}

#[tokio::test]
async fn gathered_alerts_go_to_those_who_run_the_gateway_when_they_are_sent() {
    let home = Home::new();
    let before: Address = "former@gate.example".parse().unwrap();
    let key = |kind| pace::Key { reader: before.clone(), kind };
    let settings = home.app.moderation().settings.load_full();
    let to = |kind| settings.reader_of(&key(kind)).address;
    assert_eq!(to(Gathered::Alerts).as_str(), "postmaster@gate.example");
    assert_eq!((to(Gathered::Requests), to(Gathered::News)), (before.clone(), before.clone()));
}

/// A clock that was ahead is set back: what it wrote makes nobody a stranger for what is written now.
#[tokio::test]
async fn no_day_that_is_remembered_becomes_an_earlier_one() {
    let home = Home::new();
    let (moderation, now) = (home.app.moderation(), clock::now());
    let address = |name: &str| -> Address { format!("{name}@far.example").parse().unwrap() };
    let ann = ReversePath::Mailbox("ann@own.example".parse().unwrap());
    let two = Recipient { original: Some(address("list")), ..Recipient::new(address("two")) };
    let recipients = [Recipient::new(address("one")), two];
    let names = ["one", "two", "list"].map(address);
    let pairs = names.map(|name| correspondents::pair(ann.address().unwrap(), &name));
    let ahead = correspondents::day(now) + 300;
    let mut annex = Annex::default();
    pairs.iter().for_each(|pair| annex.put_acquaintance(*pair, ahead));
    home.queue().write(annex).await.unwrap();

    let acquainted = moderation.acquainted(&ann, &recipients, now).await.unwrap();
    let mut written = Annex::default();
    acquainted.remember(&ann, &recipients, &mut written, now);
    let mut file = registry::tests::open(9_999);
    file.mail.sender = ann;
    let recipient = |address| mailweir_moderation::notice::Recipient {
        address,
        is_outside: true,
        is_hidden: false,
    };
    file.mail.recipients = vec![recipient(address("one")), recipient(address("new"))];
    file.mail.reasons = vec![mailweir_moderation::rule::Reason::NewCorrespondent(1)];
    remember_at_rest(home.queue(), &file, &mut written).await;
    assert!(!written.is_empty(), "of somebody new it is written");
    home.queue().write(written).await.unwrap();
    let days = home.queue().acquaintances(pairs.to_vec()).await.unwrap();
    assert_eq!(days, [Some(ahead); 3]);
}

#[tokio::test]
async fn whoever_is_silent_for_too_long_is_new_again_and_then_forgotten() {
    let home = Home::new();
    let (moderation, now) = (home.app.moderation(), clock::now());
    let today = correspondents::day(now);
    let address = |number: u32| -> Address { format!("u{number}@far.example").parse().unwrap() };
    let ann = ReversePath::Mailbox("ann@own.example".parse().unwrap());
    let recipients: Vec<Recipient> = (0..2_500).map(address).map(Recipient::new).collect();
    let written = |numbers: std::ops::Range<u32>, day: &dyn Fn(u32) -> u32| {
        let mut annex = Annex::default();
        for number in numbers {
            let pair = correspondents::pair(ann.address().unwrap(), &address(number));
            annex.put_acquaintance(pair, day(number));
        }
        home.queue().write(annex)
    };
    // `forget_correspondents` is 400 d. The seventh last day with mail is six days ago.
    let ago = |number: u32| [(number / 4) % 7, 400, 407, 9_999][number as usize % 4];
    written(0..2_500, &|number| today - ago(number)).await.unwrap();
    for is_swept in [false, true] {
        if is_swept {
            moderation.forget_silent(now).await.unwrap();
        }
        let acquainted = moderation.acquainted(&ann, &recipients, now).await.unwrap();
        let known = recipients.iter().filter(|one| acquainted.knows(&one.address)).count();
        assert_eq!(known, 1_250);
    }
    let count = || {
        let left = home.queue().all_acquaintances(mailweir_queue::Pair::default(), 9_999).unwrap();
        assert_eq!(left.next, None);
        left.pairs.len()
    };
    assert_eq!(count(), 1_250);
    // The clock stands ten years ahead, and there is mail.
    let ahead = 3_650;
    for day in 0..7 {
        let number = 2_500 + day;
        let then = now.plus(Duration::from_secs(u64::from(ahead + day) * 86_400));
        moderation.forget_silent(then).await.unwrap();
        assert_eq!(count(), 1_250 + day as usize, "day {day}");
        written(number..number + 1, &|_| today + ahead + day).await.unwrap();
    }
    // Set back, it makes nobody forgotten either; and on the seventh day it is what others say, too.
    moderation.forget_silent(now).await.unwrap();
    assert_eq!(count(), 1_257);
    let then = now.plus(Duration::from_secs(u64::from(ahead + 6) * 86_400));
    moderation.forget_silent(then).await.unwrap();
    assert_eq!(count(), 7);
}

#[tokio::test]
async fn whoever_writes_while_silent_pairs_are_read_is_not_forgotten() {
    let home = Home::new();
    let (moderation, today) = (home.app.moderation(), correspondents::day(clock::now()));
    let (silent, writes) = ([1; 12], [2; 12]);
    let mut annex = Annex::default();
    annex.put_acquaintance(silent, today - 1);
    annex.put_acquaintance(writes, today);
    home.queue().write(annex).await.unwrap();
    // Both were silent when they were read.
    moderation.forget_pairs(vec![silent, writes], today).await.unwrap();
    let days = home.queue().acquaintances(vec![silent, writes]).await.unwrap();
    assert_eq!(days, [None, Some(today)]);
}
