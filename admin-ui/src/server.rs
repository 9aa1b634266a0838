//! The listener's loop, with the limits that hold for a whole connection (`attacks.md` H12).
//!
//! `axum::serve` sets none of them: a peer that sends its header a byte a minute would stay for
//! ever.

mod taken;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
    time::sleep,
};

use self::taken::{Counted, Taken};

/// Answers requests on `listener` until `stop` completes. HTTP/1.1 only; connections that are
/// still open then are closed with the runtime.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let accept = async {
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let answered = answer(stream, ConnectInfo(peer), router.clone());
                    tokio::spawn(async move {
                        answered.await;
                        drop(permit);
                    });
                }
                // Out of descriptors: those who hold them need time (`attacks.md` J7).
                Err(_) => sleep(BACK_OFF).await,
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = stop => {}
    }
}

/// Answers all requests of one connection. What goes wrong there concerns nobody else.
async fn answer<S>(stream: S, peer: ConnectInfo<SocketAddr>, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let taken = Taken::default();
    let stream = Counted::new(stream, taken.clone());
    let router = TowerToHyperService::new(router);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        _ = connection => {}
        () = is_over(&taken) => {}
    }
}

/// Completes when a peer took next to nothing for [`CONNECTION_TIME`], whatever it took before.
async fn is_over(taken: &Taken) {
    let mut before = 0;
    loop {
        sleep(CONNECTION_TIME).await;
        let now = taken.bytes();
        if now - before < CONNECTION_TIME.as_secs() * SLOWEST {
            return;
        }
        before = now;
    }
}

const MAX_CONNECTIONS: usize = 64;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// For one request's header, also while waiting for the next request.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// For a connection on which little is taken; long enough for a browser, short enough for a thief of connections.
const CONNECTION_TIME: Duration = Duration::from_secs(120);

/// Bytes a second: a large mail goes over a slow line to its end, and whoever takes less is a thief of connections.
const SLOWEST: u64 = 16 * 1024;

const BACK_OFF: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::{body::Body, routing::get};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::Instant,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_gets_all_of_a_large_answer_and_a_thief_does_not() {
        let slow = taken_by(|_| 32 * 1024).await;
        assert!(slow.0 > SIZE && slow.1 > 2 * CONNECTION_TIME, "{slow:?}");
        let thief = taken_by(|_| 256).await;
        assert!(thief.0 < SIZE && thief.1 < CONNECTION_TIME + Duration::from_secs(20), "{thief:?}");
        let fast_at_first = taken_by(|second| if second < 8 { 1 << 20 } else { 256 }).await;
        assert!((8 << 20..SIZE).contains(&fast_at_first.0), "{fast_at_first:?}");
        assert!(fast_at_first.1 < 2 * CONNECTION_TIME + Duration::from_secs(20));
    }

    /// What a peer gets that takes so many bytes in each second, and how long that is.
    async fn taken_by(rate: impl Fn(u64) -> usize) -> (usize, Duration) {
        let router = Router::new().route("/", get(|| async { Body::from(vec![b'x'; SIZE]) }));
        let (ours, mut theirs) = duplex(BUFFER);
        let peer = ConnectInfo((Ipv4Addr::LOCALHOST, 1).into());
        let answering = tokio::spawn(answer(ours, peer, router));
        theirs.write_all(REQUEST).await.unwrap();
        let begun = Instant::now();
        let mut taken = 0;
        for second in 0.. {
            let mut bytes = Vec::new();
            let most = rate(second) as u64;
            (&mut theirs).take(most).read_to_end(&mut bytes).await.unwrap();
            if bytes.is_empty() {
                break;
            }
            taken += bytes.len();
            sleep(Duration::from_secs(1)).await;
        }
        answering.await.unwrap();
        (taken, begun.elapsed())
    }

    const SIZE: usize = 10 << 20;

    const BUFFER: usize = 4_096;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
}
