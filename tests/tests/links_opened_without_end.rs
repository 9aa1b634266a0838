//! A link of a notice that is opened without end over real sockets decides nothing, writes nothing
//! and costs no memory; the form on its page decides all the same (`attacks.md` H1).
//!
//! Twenty thousand times by default; `MAILWEIR_GETS` says how many. The gateway runs in this process, and the
//! clients keep nothing but one answer each. What counts is the most memory that this process ever had
//! (`VmHWM` of proc(5)); therefore this is one test in a file of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::{fs, net::SocketAddr, time::Instant};

use mailweir::control::operation::{Answer, Operation, Place};
use mailweir_mail::QueueId;
use mailweir_moderation::case::State;
use mailweir_tests::{
    gateway::{Gateway, Setup, loopback_address, mail},
    person::Person,
    sink::{Script, Sink},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    task::JoinSet,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn h1_get_and_head_requests_without_end_change_nothing_and_a_post_still_decides() {
    let scene = Scene::start().await;
    let (id, link) = scene.held().await;
    let before = scene.gateway.moderation().case(id).unwrap();
    let (steps, syncs) = (scene.journal().await, scene.syncs().await);
    scene.open(&link, 400).await;
    let memory = peak_memory();

    let begin = Instant::now();
    let opened = scene.open(&link, requests()).await;
    let (time, grown) = (begin.elapsed(), peak_memory().saturating_sub(memory));
    println!(
        "{opened} requests in {:.1} s, on {} connections; memory grew by {} KiB at most",
        time.as_secs_f64(),
        opened.div_ceil(ON_ONE_CONNECTION),
        grown / 1024
    );
    assert!(grown <= allowed(opened), "{grown} bytes");
    assert_eq!(scene.gateway.moderation().case(id).unwrap(), before);
    assert_eq!((scene.journal().await, scene.syncs().await), (steps, syncs), "a visit is no step");
    scene.gateway.queue().expect(id, Place::Hold).await;

    let mut ann = Person::at(scene.pages);
    let page = ann.open(&link).await;
    let visits = page.body.matches("scanner/").count();
    assert!((1..=MOST_VISITS).contains(&visits), "{visits} visits are shown");
    ann.choose(&link, "choice=approve").await.expect_done();
    let State::Closed(end) = &scene.gateway.moderation().case(id).unwrap().case.progress.state
    else {
        panic!("not decided")
    };
    assert_eq!(end.by.who.to_string(), "moderator ann@local.example");
    scene.sink.expect(2).await;
}

fn requests() -> usize {
    let wanted = std::env::var("MAILWEIR_GETS").ok();
    wanted.map_or(20_000, |number| number.parse().expect("MAILWEIR_GETS is a number"))
}

/// What threads and buffers take that were not needed before, and a few bytes for each request. A visit
/// that is kept takes more than these, its name alone, and a page that is kept a hundred times more.
const fn allowed(requests: usize) -> usize {
    BUFFERS + requests * A_FEW_BYTES
}

/// A gateway with pages and one rule, in front of a sink.
struct Scene {
    gateway: Gateway,
    sink: Sink,
    pages: SocketAddr,
}

impl Scene {
    async fn start() -> Self {
        let sink = Sink::start(Script::smtp()).await;
        let pages = SocketAddr::from((loopback_address(), 8_025));
        let admin = format!("bind = [\"{pages}\"]\npublic_url = \"http://{pages}\"");
        let setup = Setup::before(&sink).in_front_of_us().section("admin", &admin).sections(RULE);
        Self { gateway: Gateway::start(&setup).await, sink, pages }
    }

    /// A mail that waits, and Ann's link.
    async fn held(&self) -> (QueueId, String) {
        let secret = mail().from("a@other.example").content(SECRET);
        let id = self.gateway.submit(secret).await.expect_accepted();
        let notice = self.sink.expect(1).await.remove(0);
        // It is gone, and that is on the disk.
        self.gateway.log().expect("qmgr[*]: *: removed").await;
        (id, notice.link(self.pages))
    }

    /// Opens a link so often, from several connections at once that are kept open for a while.
    async fn open(&self, link: &str, times: usize) -> usize {
        let mut scanners = JoinSet::new();
        for number in 0..SCANNERS {
            let times = times / SCANNERS + usize::from(number < times % SCANNERS);
            scanners.spawn(scan(self.pages, link.to_owned(), number, times));
        }
        scanners.join_all().await.into_iter().sum()
    }

    /// The entries of the journal.
    async fn journal(&self) -> usize {
        let all = Operation::Journal { id: None, verdict: false };
        let told = self.gateway.queue().ask(all).await;
        told.iter().filter(|answer| matches!(answer, Answer::JournalEntry(_))).count()
    }

    /// How often the store was synced to the disk.
    async fn syncs(&self) -> String {
        let metrics = Person::at(self.pages).open("/metrics").await.body;
        let name = "mailweir_store_fsync_seconds_count";
        metrics.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    }
}

async fn scan(pages: SocketAddr, link: String, scanner: usize, times: usize) -> usize {
    let mut opened = 0;
    let mut body = Vec::new();
    while opened < times {
        let mut stream = BufReader::new(TcpStream::connect(pages).await.unwrap());
        for _ in 0..ON_ONE_CONNECTION.min(times - opened) {
            let method = if opened % 3 == 2 { "HEAD" } else { "GET" };
            let query = ["", "?approve", "?reject", "?cancel"][opened % 4];
            // Another name each time: as much to remember as can be.
            let request = format!(
                "{method} {link}{query} HTTP/1.1\r\nHost: {pages}\r\n\
                 User-Agent: scanner/{scanner}.{opened} {FILLER}\r\n\r\n"
            );
            stream.get_mut().write_all(request.as_bytes()).await.unwrap();
            read(&mut stream, method, &mut body).await;
            opened += 1;
        }
    }
    opened
}

/// Reads one answer, and leaves the connection open.
async fn read(stream: &mut BufReader<TcpStream>, method: &str, body: &mut Vec<u8>) {
    let (mut line, mut length) = (String::new(), None);
    stream.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 200 "), "{line:?}");
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    if method == "GET" {
        body.resize(length.expect("the length of the page"), 0);
        stream.read_exact(body).await.unwrap();
        assert!(body.windows(8).any(|words| words == b"a secret"), "another page");
    }
}

fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

const RULE: &str = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
                    subject = [\"secret\"]\nmoderators = [\"ann@local.example\"]\n";

const SECRET: &str = "Subject: a secret\r\n\r\ntext\r\n";

const FILLER: &str = "Mozilla/5.0 (compatible; SafeLinkProtection; +https://scanner.example/about)";

const SCANNERS: usize = 8;

/// No connection is kept for longer than two minutes: another one before that.
const ON_ONE_CONNECTION: usize = 250;

/// As many as are remembered of one case.
const MOST_VISITS: usize = 20;

const BUFFERS: usize = 1024 * 1024;

const A_FEW_BYTES: usize = 40;
