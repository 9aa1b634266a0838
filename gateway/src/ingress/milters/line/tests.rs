//! A milter that drips, is at work for ever, or answers twice. The clock is the runtime's, and nothing waits.

use std::os::fd::AsFd as _;

use tempfile::TempDir;
use tokio::net::UnixListener;

use super::*;

/// A line to a milter that wants to hear everything, and the other end of it.
async fn line() -> (Line, UnixStream) {
    let place = TempDir::new().unwrap();
    let path = place.path().join("milter");
    let socket = UnixListener::bind(&path).unwrap();
    let server = Server::Unix(path);
    let opened = Line::open(&server, 1_000);
    let milter = async {
        let (mut milter, _) = socket.accept().await.unwrap();
        let _ = milter.read(&mut [0; 100]).await.unwrap();
        milter.write_all(b"\0\0\0\x0dO\0\0\0\x06\0\0\0\0\0\0\0\0").await.unwrap();
        milter
    };
    let (line, milter) = tokio::join!(opened, milter);
    (line.unwrap(), milter)
}

/// What comes of a greeting, if the milter says this piece by piece, with so much time before each.
async fn greeted(pieces: impl Iterator<Item = &'static [u8]>, pause: Duration) -> String {
    let (mut line, mut milter) = line().await;
    let macros = Macros::default();
    let told = line.tell(Told::Helo("client.example"), &macros, LIMIT);
    let says = async {
        for piece in pieces {
            tokio::time::sleep(pause).await;
            if milter.write_all(piece).await.is_err() {
                return;
            }
        }
        std::future::pending().await
    };
    let answer = tokio::select! {
        answer = told => answer,
        () = says => panic!("it was hung up on without an answer"),
    };
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(Failed(why)) => why.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn i7_half_an_answer_does_not_put_the_end_off() {
    let halves = [&b"\0\0"[..], b"\0\x01", b"c"];
    let third = LIMIT / 4;
    assert_eq!(greeted(halves.into_iter(), third).await, "Continue");
    assert_eq!(greeted(halves.into_iter(), LIMIT / 2).await, "it said nothing for 30 s");
}

#[tokio::test(start_paused = true)]
async fn i7_work_without_end_is_waited_for_no_longer_than_clients_wait() {
    let work = |times: usize| std::iter::repeat_n(&b"\0\0\0\x01p"[..], times);
    let done = work(20).chain([&b"\0\0\0\x01c"[..]]);
    assert_eq!(greeted(done, LIMIT * 2 / 3).await, "Continue");
    let why = greeted(work(900), LIMIT * 2 / 3).await;
    assert_eq!(why, "it is at work for longer than anybody waits");
}

#[tokio::test]
async fn i7_a_second_answer_that_the_runtime_has_not_heard_of_makes_it_untrue() {
    let (mut line, mut milter) = line().await;
    let macros = Macros::default();
    let answers = async {
        let _ = milter.read(&mut [0; 100]).await.unwrap();
        milter.write_all(b"\0\0\0\x01c").await.unwrap();
        milter
    };
    let (told, milter) = tokio::join!(line.tell(Told::Helo("a"), &macros, LIMIT), answers);
    assert_eq!(told.unwrap(), Answer::Continue);
    rustix::io::write(milter.as_fd(), b"\0\0\0\x01c").unwrap();
    let Failed(why) =
        line.tell(Told::Mail(&["<a@client.example>"]), &macros, LIMIT).await.unwrap_err();
    assert_eq!(&*why, &*Fault::Unasked.to_string());
}

const LIMIT: Duration = Duration::from_secs(30);
