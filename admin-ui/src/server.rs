//! The listener's loop, with the limits that hold for a whole connection (`attacks.md` H12).
//!
//! `axum::serve` sets none of them: a peer that sends its header a byte a minute would stay for
//! ever.

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
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};

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
async fn answer(stream: TcpStream, peer: ConnectInfo<SocketAddr>, router: Router) {
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
    drop(timeout(CONNECTION_TIME, connection).await);
}

const MAX_CONNECTIONS: usize = 64;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// For one request's header, also while waiting for the next request.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// For a whole connection; long enough for a browser, short enough for a thief of connections.
const CONNECTION_TIME: Duration = Duration::from_secs(120);

const BACK_OFF: Duration = Duration::from_millis(200);
