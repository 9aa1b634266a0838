//! What the driver of a connection does next.

use mailweir_mail::QueueId;

use super::{
    outcome::{Closed, Finished},
    outgoing::Outgoing,
};

/// The driver's next duty.
///
/// What is to be written may be collected: it must be on its way before a [`Step::Read`],
/// a [`Step::StartTls`], a [`Step::Ready`] or a [`Step::Close`] is carried out. So the end of a
/// content and the next mail's commands leave in one packet.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Step<'a> {
    /// Flush, then wait for bytes until [`super::Client::deadline`]. With
    /// [`super::Pipelining::Lookahead`], see there what the socket needs.
    Read,
    /// Send these bytes.
    Write(&'a [u8]),
    /// Flush, shake hands, then call [`super::Client::tls_started`] or
    /// [`super::Client::tls_failed`]. What was read past the last reply must not be used.
    StartTls,
    /// Send the content of this mail through an [`super::Encoder`], its end included, then call
    /// [`super::Client::content_sent`]. On the way [`super::Client::content_progress`] keeps the
    /// deadline away.
    Content(QueueId),
    /// A mail is through: record what became of its recipients.
    Finished(Finished),
    /// A mail that was not tried comes back: the connection is of no more use to it.
    Returned(Outgoing),
    /// Nothing to do: [`super::Client::begin`] the next mail, or [`super::Client::quit`]. Bytes
    /// and the end of the connection are to be reported in this state too.
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
