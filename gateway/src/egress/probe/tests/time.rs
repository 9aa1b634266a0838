//! Whatever a next hop does, a probe ends.

use std::{net::TcpListener, time::Duration};

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    super::{LONGEST, PATIENCE, TALK},
    Deferred,
    rig::Rig,
};

#[tokio::test(start_paused = true)]
async fn k3_a_next_hop_that_never_answers_ends_in_time() {
    let silent = silent();
    let rig = Rig::to(silent.local_addr().unwrap());
    let began = Instant::now();
    let probed = rig.probe("ann@b.example").await;
    let text = format!(
        "no answer from 127.0.0.1[127.0.0.1]:{} in time",
        silent.local_addr().unwrap().port()
    );
    assert_eq!((probed.status, &*probed.text), (Deferred, &*text));
    assert!((PATIENCE..TALK).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert_eq!(rig.egress.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn k3_hosts_that_never_answer_have_not_all_the_time_each() {
    let hosts = [(); 5].map(|()| silent());
    let ports = hosts.each_ref().map(|host| host.local_addr().unwrap().port());
    let hops = ports.map(|port| format!("[127.0.0.1]:{port}")).join(" ");
    let rig = Rig::with(&format!(
        "[rewriting]\ntransport_maps = [\"inline:{{ {{b.example = smtp:{hops}}} }}\"]\n"
    ));
    let began = Instant::now();
    assert_eq!(rig.probe("ann@b.example").await.status, Deferred);
    assert!((TALK..LONGEST).contains(&began.elapsed()), "{:?}", began.elapsed());
}

/// The kernel makes connections to it; nobody says a word on them.
fn silent() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Nobody was asked, so there is no verdict, and nothing is said of the next hop.
#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_room_among_connections_and_not_for_ever() {
    let silent = silent();
    let rig = Rig::to(silent.local_addr().unwrap());
    let taken: OwnedSemaphorePermit =
        rig.egress.sessions.clone().acquire_many_owned(2).await.unwrap();
    let began = Instant::now();
    assert_eq!(rig.try_to_probe_as("", "ann@b.example").await, None);
    assert!((TALK - PATIENCE..TALK).contains(&began.elapsed()), "{:?}", began.elapsed());
    assert!(rig.lines().is_empty(), "{:?}", rig.lines());
    silent.set_nonblocking(true).unwrap();
    assert!(silent.accept().is_err(), "nobody was there to connect");
    drop(taken);
    assert_eq!(rig.egress.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_host_has_all_its_time_from_when_there_is_room() {
    let silent = silent();
    let rig = Rig::to(silent.local_addr().unwrap());
    let taken: OwnedSemaphorePermit =
        rig.egress.sessions.clone().acquire_many_owned(2).await.unwrap();
    let (began, waits) = (Instant::now(), TALK - PATIENCE - Duration::from_secs(1));
    let (probed, ()) = tokio::join!(rig.probe("ann@b.example"), async {
        tokio::time::sleep(waits).await;
        drop(taken);
    });
    assert!(probed.text.starts_with("no answer from "), "{}", probed.text);
    assert!((waits + PATIENCE..=TALK).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_many_silent_addresses_takes_no_longer() {
    let silent = silent();
    let addresses: Vec<_> = (0..50).map(|n| format!("a{n}@b.example")).collect();
    let rig = Rig::with(&format!(
        "{}[rewriting]\nvirtual_alias_maps = [\"inline:{{ {{all@b.example = {}}} }}\"]\n",
        super::route(silent.local_addr().unwrap(), ""),
        addresses.join(", ")
    ));
    let began = Instant::now();
    assert_eq!(rig.probe("all@b.example").await.status, Deferred);
    assert!(began.elapsed() < LONGEST + Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(rig.lines().len(), 3);
}
