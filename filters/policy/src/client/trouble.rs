//! Why there is no answer.

use std::time::Duration;

use super::NoAnswer;

/// Why a policy server has not answered. The text goes behind `policy server NAME`, and says whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(Box<str>),
    /// It hung up instead of answering, which the protocol asks it to do when it cannot tell.
    #[error("closed the connection without an answer")]
    Closed,
    /// The connection broke.
    #[error("cannot be talked to: {0}")]
    Broken(Box<str>),
    /// It said nothing, or not enough, for so long.
    #[error("has not answered within {} s", .0.as_secs())]
    Silent(Duration),
    /// It said something else.
    #[error("answered nonsense: {0}")]
    Nonsense(#[from] NoAnswer),
    /// All connections that it may have are in use, and none was free in time.
    #[error("was not asked: {0} questions are open there already")]
    Crowded(usize),
    /// The client has made us ask too much.
    #[error("was not asked: this client makes us ask too much")]
    Denied,
    /// Nobody is asked, because the mail is only supposed.
    #[error("would be asked")]
    Supposed,
}
