//! What the driver of a connection does next.

use super::outcome::{Attempt, Closed};

/// The driver's next duty.
///
/// What is to be written may be collected: it must be on its way before a [`Step::Read`],
/// a [`Step::StartTls`], a [`Step::Ready`] or a [`Step::Close`] is carried out.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step<'a> {
    /// Flush, then wait for bytes until [`super::Client::deadline`].
    Read,
    /// Send these bytes.
    Write(&'a [u8]),
    /// Flush, shake hands, then call [`super::Client::tls_started`] or
    /// [`super::Client::tls_failed`]. What was read past the last reply must not be used.
    StartTls,
    /// Send the content of the mail in hand through an [`super::Encoder`], its end included, then
    /// call [`super::Client::content_sent`]. On the way [`super::Client::content_progress`] keeps the
    /// deadline away.
    Content,
    /// The mail in hand is through: record what became of its recipients, one outcome each, in the
    /// order of [`super::Outgoing::indices`].
    Finished(Vec<Attempt>),
    /// The mail in hand was not tried: the connection, which had carried others, was over.
    Returned,
    /// No mail is in hand: [`super::Client::begin`] the next one, or [`super::Client::quit`].
    /// Bytes and the end of the connection are to be reported in this state too.
    Ready,
    /// Flush and close the connection.
    Close(&'a Closed),
}

/// How a connection was lost, as the driver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The peer closed it.
    Closed,
    /// It broke; with the error's text.
    Failed(Box<str>),
}
