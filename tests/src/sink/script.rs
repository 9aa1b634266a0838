//! What a sink says and does, point by point.

/// The plan of one connection. Without further words everything is accepted.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) protocol: Protocol,
    pub(super) extensions: Vec<String>,
    acts: Vec<(Point, Option<String>, Act)>,
}

/// What the sink speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Smtp,
    Lmtp,
}

/// Where in the conversation something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Instead of the greeting.
    Connect,
    /// In answer to EHLO, HELO or LHLO. A positive reply carries the extensions.
    Hello,
    /// In answer to AUTH.
    Auth,
    /// In answer to MAIL.
    Mail,
    /// In answer to RCPT.
    Rcpt,
    /// In answer to DATA.
    Data,
    /// After the dot that ends the content.
    Dot,
    /// In answer to RSET.
    Rset,
    /// In answer to QUIT.
    Quit,
}

/// What happens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// This reply, such as `450 4.2.0 Try later`. Several lines are divided by `\n`.
    Reply(String),
    /// This reply, twice.
    ReplyTwice(String),
    /// This reply, then the end of the connection: `421 4.3.2 Shutting down`.
    Close(String),
    /// `354`, then this reply in the midst of the content, then the end of the connection with
    /// bytes unread: what is still on its way cannot be written.
    CutShort(String),
    /// The end of the connection, without a word.
    Drop,
    /// Silence, until the peer hangs up.
    Hang,
}

impl Script {
    /// SMTP that offers what an ordinary server offers and accepts everything.
    #[must_use]
    pub fn smtp() -> Self {
        Self { protocol: Protocol::Smtp, extensions: Vec::new(), acts: Vec::new() }
            .offering(&["PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8", "DSN"])
            .offering_also("ENHANCEDSTATUSCODES")
    }

    /// LMTP that offers what an ordinary server offers and accepts everything.
    #[must_use]
    pub fn lmtp() -> Self {
        Self { protocol: Protocol::Lmtp, ..Self::smtp() }
    }

    /// Offers these extensions and no others.
    #[must_use]
    pub fn offering(mut self, extensions: &[&str]) -> Self {
        self.extensions = extensions.iter().map(ToString::to_string).collect();
        self
    }

    /// Offers one more extension.
    #[must_use]
    pub fn offering_also(mut self, extension: &str) -> Self {
        self.extensions.push(extension.to_owned());
        self
    }

    /// Does this at a point of the conversation, whoever the mail is for.
    #[must_use]
    pub fn at(mut self, point: Point, act: Act) -> Self {
        self.acts.push((point, None, act));
        self
    }

    /// Answers this at a point of the conversation.
    #[must_use]
    pub fn replying(self, point: Point, reply: &str) -> Self {
        self.at(point, Act::Reply(reply.to_owned()))
    }

    /// Answers this to the RCPT of one recipient; in LMTP with [`Point::Dot`], after the content.
    #[must_use]
    pub fn replying_for(mut self, recipient: &str, point: Point, reply: &str) -> Self {
        self.acts.push((point, Some(recipient.to_owned()), Act::Reply(reply.to_owned())));
        self
    }

    /// What is planned: what was said about this recipient, else about this point.
    pub(super) fn act(&self, point: Point, recipient: Option<&str>) -> Option<Act> {
        let planned = |whom: Option<&str>| {
            let mut acts = self.acts.iter();
            acts.find(|(at, only, _)| *at == point && only.as_deref() == whom)
        };
        let own = recipient.and_then(|recipient| planned(Some(recipient)));
        own.or_else(|| planned(None)).map(|(_, _, act)| act.clone())
    }
}
