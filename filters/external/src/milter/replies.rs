//! Every reply text of the milter protocol, in one file: what a filter means that gives no words of its own, and what is said
//! of a mail server's words before they reach a session. Codes and words are Postfix's, where it has them.

use mailweir_mail::{Enhanced, Reply};

/// REJECT, without a reply of the filter's own.
pub(super) const REJECTED: Reply = Reply::new(550, Enhanced(5, 7, 1), "Command rejected");

/// TEMPFAIL, likewise.
pub(super) const LATER: Reply =
    Reply::new(451, Enhanced(4, 7, 1), "Service unavailable - try again later");

/// SHUTDOWN and CONN_FAIL.
pub(super) const CLOSED: Reply = Reply::new(421, Enhanced(4, 7, 0), "Server closing connection");

pub(super) const BAD_SENDER: Reply =
    Reply::new(501, Enhanced(5, 1, 7), "Bad sender address syntax");

pub(super) const BAD_RECIPIENT: Reply =
    Reply::new(501, Enhanced(5, 1, 3), "Bad recipient address syntax");

/// No filter is shown a part of a header, and no mail goes on that none was shown.
pub const LONG_HEADER: Reply =
    Reply::new(552, Enhanced(5, 3, 4), "Message header size exceeds limit");

pub(super) const NO_FIELD: Reply =
    Reply::new(550, Enhanced(5, 6, 0), "A header field has a name that none can have");
