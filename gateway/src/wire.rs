//! A connection as bytes, with or without TLS.
//!
//! An idle connection owns no buffer: one is made when bytes arrive and freed when they are used
//! up, so that thousands of waiting peers cost little.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use mailweir_auth::TlsExporter;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// A connection, in clear or under TLS.
#[derive(Debug)]
pub(crate) enum Wire {
    /// In clear.
    Plain(TcpStream),
    /// From a program on this machine, by a local socket.
    Local(UnixStream),
    /// Under TLS.
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
    /// No more: a TLS handshake failed, or half of what had to be written could not be.
    Gone,
}

impl Wire {
    /// Takes the connection in clear out, to begin TLS on it. `None` if there is none.
    pub(crate) fn take_plain(&mut self) -> Option<TcpStream> {
        match std::mem::replace(self, Self::Gone) {
            Self::Plain(tcp) => Some(tcp),
            other @ (Self::Local(_) | Self::Tls(_) | Self::Gone) => {
                *self = other;
                None
            }
        }
    }

    /// What a log-in can be bound to, in TLS 1.3 (RFC 9266).
    pub(crate) fn exporter(&self) -> Option<TlsExporter> {
        let label = b"EXPORTER-Channel-Binding";
        let exported = self.served()?.export_keying_material([0; 32], label, Some(&[]));
        exported.ok().map(TlsExporter)
    }

    /// The TLS connection, if we are its server.
    pub(crate) fn served(&self) -> Option<&ServerConnection> {
        let Self::Tls(tls) = self else { return None };
        let tokio_rustls::TlsStream::Server(server) = &**tls else { return None };
        Some(server.get_ref().1)
    }

    /// Whether a program that came by a local socket is gone. Elsewhere nobody knows.
    pub(crate) fn has_hung_up(&self) -> bool {
        let Self::Local(local) = self else { return false };
        // The system tells of it unasked (poll(2)).
        let mut end = [PollFd::new(local, PollFlags::empty())];
        poll(&mut end, Some(&Timespec::default())).is_ok()
            && end[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    /// Waits for bytes and returns them, at most `limit`; empty when the peer has closed.
    ///
    /// Cancel-safe: nothing read is lost.
    ///
    /// # Errors
    /// As the socket or the TLS layer says.
    pub(crate) async fn read_some(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        std::future::poll_fn(|context| {
            match self {
                Self::Plain(tcp) => ready!(tcp.poll_read_ready(context))?,
                Self::Local(local) => ready!(local.poll_read_ready(context))?,
                Self::Tls(_) | Self::Gone => {}
            }
            let mut buffer = Vec::with_capacity(limit);
            let stream = Pin::new(&mut *self);
            ready!(tokio_util::io::poll_read_buf(stream, context, &mut buffer))?;
            Poll::Ready(Ok(buffer))
        })
        .await
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Local(local) => Pin::new(local).poll_read(context, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Self::Local(local) => Pin::new(local).poll_write(context, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Local(local) => Pin::new(local).poll_flush(context),
            Self::Tls(tls) => Pin::new(tls).poll_flush(context),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Local(local) => Pin::new(local).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(context),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}
