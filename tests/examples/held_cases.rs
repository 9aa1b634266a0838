//! What it costs to list, search and decide while very many mails wait for people.
//!
//! ```text
//! cargo run --release -p mailweir-tests --example held_cases -- 100000
//! ```
//! A gateway in this process, with as many held mails in its store as are asked for. Printed is the
//! median and the longest of 50 calls each: at the server alone, and over HTTP as a program has it.

#![expect(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use mailweir::store::Store;
use mailweir_mail::{
    Client, Envelope, HoldReason, Origin, Protocol, QueueId, ReversePath, Timestamp,
};
use mailweir_moderation::{
    case_file::CaseFile,
    search::{Query, Search},
};
use mailweir_queue::{Annex, Disposition, NewMail, Queue};
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::main]
async fn main() {
    let count: u32 = std::env::args().nth(1).map_or(100_000, |word| word.parse().unwrap());
    let sink = Sink::start(Script::smtp()).await;
    let admin = free_address().unwrap();
    let mut gateway = Gateway::start(&setup(&sink, admin)).await;
    let secret = mail().from("ann@local.example").content("Subject: a secret\r\n\r\ntext\r\n");
    let first = gateway.submit(secret).await.expect_accepted();
    sink.expect(1).await;
    let pattern = CaseFile::clone(&*gateway.moderation().case(first).unwrap());
    gateway.stop().await;

    let began = Instant::now();
    let store = Store::in_dir(gateway.data_dir()).open(|_| {}).unwrap();
    let ids = fill(&store, &pattern, count).await;
    store.shutdown().await;
    drop(store);
    println!("{count} mails on hold, written in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    gateway.start_again().await;
    println!("started in {:.2} s", began.elapsed().as_secs_f64());

    let office = Office { gateway, admin };
    office.at_the_server();
    office.over_http(&ids).await;
}

struct Office {
    gateway: Gateway,
    admin: SocketAddr,
}

impl Office {
    fn at_the_server(&self) {
        let moderation = self.gateway.moderation();
        let boss = "boss@local.example".parse().unwrap();
        let queries = [
            ("list, first page", Query::default()),
            ("search, found nowhere", words("nowhere")),
            ("search, found in the last", words("subject number last")),
            ("one moderator's", Query { mine: Some(boss), ..Query::default() }),
            ("one sender's", Query { sender: Some("x@local.example".into()), ..Query::default() }),
        ];
        for (name, query) in queries {
            let took = (0..ROUNDS).map(|_| {
                let began = Instant::now();
                let found = moderation.search(&Search::new(&query), None, 100, &|_| true);
                std::hint::black_box(found);
                began.elapsed()
            });
            told(&format!("server: {name}"), took.collect());
        }
    }

    async fn over_http(&self, ids: &[QueueId]) {
        for (name, path) in [
            ("list, first page", "/api/v1/held"),
            ("search, found nowhere", "/api/v1/held?search=nowhere"),
            ("search, found in the last", "/api/v1/held?search=subject+number+last"),
        ] {
            let mut took = Vec::new();
            for _ in 0..ROUNDS {
                took.push(self.ask("GET", path, "").await);
            }
            told(&format!("HTTP: {name}"), took);
        }
        let mut took = Vec::new();
        for id in ids.iter().step_by((ids.len() / ROUNDS).max(1)).take(ROUNDS) {
            let path = format!("/api/v1/held/{id}/reject");
            took.push(self.ask("POST", &path, "{\"reason\":\"no\"}").await);
        }
        told("HTTP: decide, one after the other", took);
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Duration {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer decides\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        began.elapsed()
    }
}

fn told(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1_000.0;
    let (median, longest) = (&took[took.len() / 2], &took[took.len() - 1]);
    println!("{name:38} {:8.2} ms {:8.2} ms", milliseconds(median), milliseconds(longest));
}

async fn fill(queue: &Queue, pattern: &CaseFile, count: u32) -> Vec<QueueId> {
    let mut ids = Vec::new();
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(SIDE_BY_SIDE) {
        let held = some.iter().map(|&number| hold(queue.clone(), pattern.clone(), number, count));
        let tasks: Vec<_> = held.map(tokio::spawn).collect();
        for task in tasks {
            ids.push(task.await.unwrap());
        }
    }
    ids
}

async fn hold(queue: Queue, mut file: CaseFile, number: u32, count: u32) -> QueueId {
    let last = if number + 1 == count { "last" } else { "some" };
    file.mail.subject = format!("The subject of the mail with the number {number}, {last}").into();
    file.case.progress.owed.clear();
    let mut intake = queue.intake(0).unwrap();
    intake.write(b"Subject: x\r\n\r\ntext\r\n").await.unwrap();
    let id = intake.id();
    let mail = NewMail {
        envelope: Envelope::from_sender(ReversePath::Null).to("a@far.example".parse().unwrap()),
        origin: Origin {
            listener: "mx".into(),
            client: Client::unnamed(([192, 0, 2, 1], 25).into()),
            helo: "x".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            arrival: Timestamp::from_secs(1_795_210_205),
        },
        disposition: Disposition::Held(HoldReason::new("rule")),
    };
    let mail = queue.compose(intake, mail).await.unwrap();
    let mut annex = Annex::default();
    annex.put_case(id, &file.to_json().unwrap());
    queue.commit_with(mail, annex).await.unwrap();
    id
}

fn words(words: &str) -> Query {
    Query { words: words.into(), ..Query::default() }
}

fn setup(sink: &Sink, admin: SocketAddr) -> Setup {
    Setup::before(sink).section("admin", &format!("bind = [\"{admin}\"]")).sections(
        "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\nsubject = [\"secret\"]\n\
         moderators = [\"boss@local.example\"]\ntells_sender = false\n\
         [[admin.api_token]]\nname = \"decides\"\nrights = \"decide\"\n\
         sha256 = \"531b7889cc23e052d082553286d7ed8a12353334cc9a8c0eb12fc1413137ca9d\"\n",
    )
}

const ROUNDS: usize = 50;

const SIDE_BY_SIDE: usize = 256;
