//! Row K3: the best mail exchanger is down, the next one gets the mail. Mail by MX goes to port 25,
//! and a real gateway follows no MX to this machine (row D10); so deliveries run here by
//! themselves, with a longer reach.

use std::{net::Ipv4Addr, path::Path, sync::Arc, time::Duration};

use mailweir::{
    clock,
    config::{Config, Routes},
    egress::{
        Egress, LiveRoutes, Parts,
        resolve::{
            Ourselves, Policy, Reach,
            dns::{DnsResolver, NameServers, Settings},
        },
    },
    extraction::Program,
    observe::{Level, LogFormat, LogOptions, Observer},
    rewriting::LiveRewriting,
    store::Store,
    tables::Tables,
};
use mailweir_mail::{Client, Envelope, Origin, Protocol, ReversePath};
use mailweir_queue::{Disposition, NewMail, Queue};
use mailweir_tests::{
    dns::FakeDns,
    gateway::loopback_address,
    sink::{Point, Script, Sink},
    tools,
};
use tokio::net::TcpListener;

#[tokio::test]
async fn k3_of_three_exchangers_one_is_down_one_is_busy_and_the_last_gets_the_mail() {
    let [down, busy, last] = [(); 3].map(|()| loopback_address());
    if TcpListener::bind((last, SMTP)).await.is_err() {
        return tools::skip("port 25 of a loopback address, which takes root");
    }
    let script = Script::smtp().replying(Point::Connect, "421 4.3.2 Too busy");
    let busy_sink = Sink::start_at((busy, SMTP).into(), script).await;
    let sink = Sink::start_at((last, SMTP).into(), Script::smtp()).await;
    let dns = FakeDns::start(&zone(down, busy, last)).await;
    let directory = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(directory.path()).open(|_| {}).unwrap();
    let egress = Egress::new(parts(&queue, &dns, directory.path()));
    let running = tokio::spawn(Arc::clone(&egress).run());

    submit(&queue).await;
    let arrived = sink.expect_one().await;
    assert_eq!(arrived.recipients(), ["user@three.test"]);
    assert_eq!((busy_sink.connections(), busy_sink.attempts().len()), (1, 0));
    egress.stop();
    running.await.unwrap();
    queue.shutdown().await;
}

fn zone(down: Ipv4Addr, busy: Ipv4Addr, last: Ipv4Addr) -> String {
    format!(
        "three.test MX 10 down.three.test\nthree.test MX 20 busy.three.test\n\
         three.test MX 30 last.three.test\ndown.three.test A {down}\nbusy.three.test A {busy}\n\
         last.three.test A {last}"
    )
}

fn parts(queue: &Queue, dns: &FakeDns, directory: &Path) -> Parts {
    let (config, _) = Config::demo(directory, dns.address()).unwrap();
    let name_servers = NameServers::Listed(vec![dns.address()]);
    let dns = Settings { name_servers, timeout: Duration::from_secs(5), ..Settings::default() };
    let log = LogOptions {
        format: LogFormat::Text,
        level: Level::Error,
        hostname: "gate".into(),
        pid: 0,
    };
    let observer = Observer::start(log, Box::new(std::io::sink()), Arc::new(clock::now)).unwrap();
    let tables = Tables::new(observer.clone());
    Parts {
        queue: queue.clone(),
        observer,
        hostname: "gate.example".parse().unwrap(),
        resolver: Arc::new(DnsResolver::new(&dns).unwrap()),
        policy: Policy {
            ourselves: Ourselves { names: Vec::new(), addresses: Vec::new() },
            reach: Reach::Loopback,
        },
        mailweir: Program::this(),
        session_limit: 10,
        routes: LiveRoutes::new(Routes::new(Vec::new()), &config.smtp).unwrap(),
        rewriting: LiveRewriting::open(&config, Vec::new(), &tables).unwrap(),
    }
}

async fn submit(queue: &Queue) {
    let mut intake = queue.intake(0).unwrap();
    intake.write(b"Subject: x\r\n\r\ntext\r\n").await.unwrap();
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
        helo: "client.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: clock::now(),
    };
    let envelope = Envelope::from_sender(ReversePath::Null).to("user@three.test".parse().unwrap());
    let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive: None };
    let _ = intake.commit(mail).await.unwrap();
}

const SMTP: u16 = 25;
