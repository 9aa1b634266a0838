//! Whoever says nothing for too long is not waited for: a command that was stopped, and not ended, would keep what it
//! was given for ever.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Sleep, sleep},
};

/// A reader that fails when no byte comes for [`PATIENCE`]. Only the time counts in which somebody waits for one.
pub(super) struct Patient<R> {
    from: R,
    wait: Option<Pin<Box<Sleep>>>,
}

impl<R> Patient<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, wait: None }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Patient<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { from, wait } = self.get_mut();
        if let Poll::Ready(read) = Pin::new(from).poll_read(context, buffer) {
            *wait = None;
            return Poll::Ready(read);
        }
        ready!(wait.get_or_insert_with(|| Box::pin(sleep(PATIENCE))).as_mut().poll(context));
        let minutes = PATIENCE.as_secs() / 60;
        let text = format!("nothing came for {minutes} minutes");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)))
    }
}

/// How long a byte is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often who has nothing to send says so.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        time::Instant,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for_and_who_is_slow_is() {
        let (mut to, from) = tokio::io::duplex(16);
        let mut from = Patient::new(from);
        let begun = Instant::now();
        let slow = async {
            for _ in 0..10 {
                sleep(SIGN_OF_LIFE).await;
                to.write_all(b"x").await.unwrap();
            }
        };
        let mut bytes = [0; 10];
        tokio::join!(slow, async { from.read_exact(&mut bytes).await.unwrap() });
        sleep(10 * PATIENCE).await;
        assert_eq!(begun.elapsed(), 10 * (SIGN_OF_LIFE + PATIENCE));
        let error = from.read_u8().await.unwrap_err();
        assert_eq!(error.to_string(), "nothing came for 5 minutes");
        assert_eq!(begun.elapsed(), 10 * SIGN_OF_LIFE + 11 * PATIENCE);
    }
}
