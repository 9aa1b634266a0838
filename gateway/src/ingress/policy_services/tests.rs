//! Servers that behave, and servers that do not.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use mailweir_policy::client::NoAnswer;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpListener, UnixListener},
    sync::mpsc,
};

use super::*;

/// What a server does with a question: what it says, and whether it hangs up then.
type Script = fn(usize) -> (&'static [u8], bool);

/// A server by TCP that follows a script, by the number of the question. Returns what tells of each connection.
async fn server(script: Script) -> (Service, mpsc::UnboundedReceiver<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = format!("inet:{}", socket.local_addr().unwrap());
    let (connected, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut questions = 0;
        while let Ok((tcp, _)) = socket.accept().await {
            connected.send(()).unwrap();
            let mut tcp = BufReader::new(tcp);
            while read_question(&mut tcp).await {
                let (says, ends) = script(questions);
                questions += 1;
                tcp.write_all(says).await.unwrap();
                if ends {
                    break;
                }
            }
        }
    });
    (Service::parse(&service).unwrap(), connections)
}

async fn read_question(tcp: &mut BufReader<TcpStream>) -> bool {
    let mut line = String::new();
    while tcp.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        if line == "\n" {
            return true;
        }
        line.clear();
    }
    false
}

fn terms() -> Terms {
    Terms { retry_delay: Duration::from_millis(1), ..Terms::default() }
}

fn services() -> PolicyServices {
    PolicyServices::new(Timestamp::from_secs(1))
}

async fn ask(
    services: &PolicyServices,
    service: &Service,
    terms: &Terms,
) -> Result<String, Trouble> {
    let answer = services.ask(service, terms, b"request=smtpd_access_policy\n\n").await;
    answer.map(|answer| answer.action.into())
}

fn times(connections: &mut mpsc::UnboundedReceiver<()>) -> usize {
    std::iter::from_fn(|| connections.try_recv().ok()).count()
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_question() {
    let (service, mut connections) = server(|_| (b"action=DUNNO\n\n", false)).await;
    let services = services();
    for _ in 0..5 {
        assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("DUNNO"));
    }
    assert_eq!(times(&mut connections), 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_has_closed_is_made_anew_at_once() {
    let (service, mut connections) = server(|_| (b"action=DUNNO\n\n", true)).await;
    let services = services();
    let once = Terms { try_limit: 1, ..terms() };
    for _ in 0..5 {
        assert_eq!(ask(&services, &service, &once).await.as_deref(), Ok("DUNNO"));
    }
    assert_eq!(times(&mut connections), 5);
}

#[tokio::test]
async fn a_connection_has_its_number_of_questions_and_its_time() {
    let (service, mut connections) = server(|_| (b"action=DUNNO\n\n", false)).await;
    let services = services();
    let two = Terms { request_limit: 2, ..terms() };
    for _ in 0..6 {
        ask(&services, &service, &two).await.unwrap();
    }
    assert_eq!(times(&mut connections), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_idle_for_long_or_old_is_closed_though_nobody_asks() {
    for (max_idle, max_ttl) in [(5, 1_000), (1_000, 5)] {
        let (service, _connections) = server(|_| (b"action=DUNNO\n\n", false)).await;
        let services = services();
        let terms = Terms {
            max_idle: Duration::from_secs(max_idle),
            max_ttl: Duration::from_secs(max_ttl),
            ..terms()
        };
        ask(&services, &service, &terms).await.unwrap();
        let asked = asked(services.known.as_ref().unwrap(), service.server());
        assert_eq!(lock(&asked.kept).idle.len(), 1);
        sleep(Duration::from_secs(6)).await;
        let kept = lock(&asked.kept);
        assert_eq!((kept.idle.len(), kept.is_watched), (0, false));
    }
}

#[tokio::test]
async fn i4_a_second_answer_ends_the_connection_and_answers_nobody() {
    let script: Script = |number| match number {
        0 => (b"action=DUNNO\n\naction=OK\n\n", false),
        _ => (b"action=REJECT\n\n", false),
    };
    let (service, mut connections) = server(script).await;
    let services = services();
    assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("DUNNO"));
    assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("REJECT"));
    assert_eq!(times(&mut connections), 2);
}

#[tokio::test]
async fn i4_a_second_answer_that_comes_late_answers_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let (go_on, told) = std::sync::mpsc::channel();
    let (tell, second_is_there) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let (mut first, _) = socket.accept().unwrap();
        first.write_all(b"action=DUNNO\n\n").unwrap();
        told.recv().unwrap();
        first.write_all(b"action=OK\n\n").unwrap();
        tell.send(()).unwrap();
        let (mut second, _) = socket.accept().unwrap();
        second.write_all(b"action=REJECT\n\n").unwrap();
        let _ = second.read(&mut [0; 99]);
    });
    let service = Service::parse(&format!("unix:{}", path.display())).unwrap();
    let services = services();
    assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("DUNNO"));
    // The runtime does nothing meanwhile, so that it has not heard of what is there.
    go_on.send(()).unwrap();
    second_is_there.recv().unwrap();
    assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("REJECT"));
    drop(services);
    server.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn i4_a_server_that_is_silent_on_old_connections_is_asked_on_a_new_one() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service::parse(&format!("inet:{}", socket.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((tcp, _)) = socket.accept().await {
            let mut tcp = BufReader::new(tcp);
            assert!(read_question(&mut tcp).await);
            tcp.write_all(b"action=DUNNO\n\n").await.unwrap();
            open.push(tcp);
        }
    });
    let (services, terms) = (services(), terms());
    let question = || ask(&services, &service, &terms);
    for answer in <[_; 3]>::from(tokio::join!(question(), question(), question())) {
        assert_eq!(answer.as_deref(), Ok("DUNNO"));
    }
    let asked = asked(services.known.as_ref().unwrap(), service.server());
    assert_eq!(lock(&asked.kept).idle.len(), 3);
    assert_eq!(question().await.as_deref(), Ok("DUNNO"));
    assert_eq!(lock(&asked.kept).idle.len(), 1);
}

#[tokio::test]
async fn i4_what_is_no_answer_is_asked_for_again_and_then_given_up() {
    for (script, expected) in [
        ((|_| (&b""[..], true)) as Script, Trouble::Closed),
        (|_| (b"action=OK\n", true), Trouble::Closed),
        (|_| (b"5.7.2\n\n", false), Trouble::Nonsense(NoAnswer::Attribute)),
        (|_| (&[b'a'; 100_000], true), Trouble::Nonsense(NoAnswer::Large)),
    ] {
        let (service, mut connections) = server(script).await;
        let services = services();
        assert_eq!(ask(&services, &service, &terms()).await, Err(expected));
        assert_eq!(times(&mut connections), 2);
    }
    let (service, mut connections) =
        server(|number| if number == 0 { (b"", true) } else { (b"action=OK\n\n", false) }).await;
    assert_eq!(ask(&services(), &service, &terms()).await.as_deref(), Ok("OK"));
    assert_eq!(times(&mut connections), 2);
}

#[tokio::test(start_paused = true)]
async fn i4_a_server_that_hangs_is_waited_for_as_long_as_the_terms_say() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service::parse(&format!("inet:{}", silent.local_addr().unwrap())).unwrap();
    let terms = Terms { timeout: Duration::from_secs(100), try_limit: 3, ..Terms::default() };
    let (services, began) = (services(), Instant::now());
    let trouble = ask(&services, &service, &terms).await;
    assert_eq!(trouble, Err(Trouble::Silent(terms.timeout)));
    let waited = began.elapsed().as_secs();
    assert!((302..304).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn there_is_an_end_to_the_connections() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service::parse(&format!("inet:{}", silent.local_addr().unwrap())).unwrap();
    let services = services();
    let asked = asked(services.known.as_ref().unwrap(), service.server());
    let most = u32::try_from(MOST_QUESTIONS).unwrap();
    let _all = asked.questions.acquire_many(most).await.unwrap();
    let trouble = ask(&services, &service, &terms()).await;
    assert_eq!(trouble, Err(Trouble::Crowded(MOST_QUESTIONS)));
}

#[tokio::test]
async fn a_server_may_have_a_local_socket_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy");
    let service = Service::parse(&format!("unix:{}", path.display())).unwrap();
    let services = services();
    let gone = ask(&services, &service, &terms()).await;
    assert!(matches!(gone, Err(Trouble::Unreachable(_))), "{gone:?}");
    let socket = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut unix, _) = socket.accept().await.unwrap();
        unix.write_all(b"action=REJECT no\n\n").await.unwrap();
        let _ = unix.read(&mut [0; 99]).await;
    });
    assert_eq!(ask(&services, &service, &terms()).await.as_deref(), Ok("REJECT no"));
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_supposed_and_no_instance_comes_twice() {
    let service = Service::parse("inet:127.0.0.1:1").unwrap();
    let supposed = ask(&PolicyServices::supposed(), &service, &terms()).await;
    assert_eq!(supposed, Err(Trouble::Supposed));
    let services = services();
    let name = |services: &PolicyServices| services.instance(services.begin()).to_string();
    assert_ne!(name(&services), name(&services));
    assert_ne!(name(&services), name(&PolicyServices::new(Timestamp::from_secs(2))));
}
