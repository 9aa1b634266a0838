//! One Received header: who handed the mail over, to whom, by which protocol (RFC 5321 section 4.4).
//!
//! The forms are those of Postfix, Exim, sendmail, Exchange, qmail, Gmail, Courier and Mailweir. A
//! header that can be read in two ways is an error: it might have been written to be.

use std::{fmt, net::IpAddr};

use super::{
    source::FromClause,
    token::{Token, Tokens},
};

/// What a Received header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Where the mail came from.
    pub source: Source,
    /// The host that wrote the header, as it calls itself, in lower case. Where that is `localhost`:
    /// what it says in parentheses (amavis).
    pub by: Option<Box<str>>,
    /// The protocol, in upper case: `ESMTPS`.
    pub with: Option<Box<str>>,
}

/// Where a mail came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the client of this address. IPv4 in IPv6 clothes is IPv4.
    Address(IpAddr),
    /// From the host itself, or it does not want to tell.
    Local(LocalForm),
    /// From another program of the same host, whose header stands below: qmail's
    /// `(qmail 4711 invoked from network)`.
    SameHost,
}

impl Source {
    /// The address, if there is one.
    #[must_use]
    pub const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Local(_) | Self::SameHost => None,
        }
    }
}

/// How a header says that a mail began at its host, or hides where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalForm {
    /// Postfix: `by host (Postfix, from userid 1000)`.
    Userid,
    /// Exim: `from user by host with local`.
    WithLocal,
    /// Exchange: `from host ([fe80::1]) by host with mapi`.
    Mapi,
    /// sendmail: `(from user@localhost) by host`.
    Submit,
    /// qmail: `(qmail 4711 invoked by uid 1000)`.
    InvokedByUid,
    /// `by host ...` without a from clause, such as Postfix with `smtpd_hide_client_session`.
    NoFromClause,
}

impl Received {
    /// Reads a header, its name included, with lines that end with CRLF.
    ///
    /// # Errors
    /// What is ambiguous or missing.
    pub fn parse(field: &[u8]) -> Result<Self, ReceivedError> {
        let colon = field.iter().position(|byte| *byte == b':');
        let value = colon.map(|at| &field[at + 1..]).ok_or(ReceivedError::NoFrom)?;
        if has_control_character(value) {
            return Err(ReceivedError::ControlCharacter);
        }
        let mut tokens = Tokens::of(value);
        match tokens.next()? {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(b"from") => from_client(tokens),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(b"by") => {
                let clauses = Clauses::read(Some(Keyword::By), tokens)?;
                let source = Source::Local(clauses.local_form());
                Ok(clauses.received(source))
            }
            Some(Token::Comment(comment)) => of_comment(comment, tokens),
            _ => Err(ReceivedError::NoFrom),
        }
    }

    /// Whether the client had logged in (RFC 3848, RFC 6531): `ESMTPA`, `ESMTPSA` and the like.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.with.as_deref().is_some_and(|with| AUTHENTICATED.contains(&with))
    }

    /// Whether Exchange took the mail from a mailbox.
    #[must_use]
    pub fn is_mapi(&self) -> bool {
        self.with.as_deref() == Some("MAPI")
    }
}

impl fmt::Display for LocalForm {
    /// How such a header looks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Userid => "(Postfix, from userid ...)",
            Self::WithLocal => "with local",
            Self::Mapi => "with mapi",
            Self::Submit => "(from user@localhost)",
            Self::InvokedByUid => "(... invoked by uid ...)",
            Self::NoFromClause => "no from clause",
        })
    }
}

/// Why a Received header is not believed though its writer is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceivedError {
    /// Longer than `header_size_limit`, or all of them together are too much to keep.
    #[error("the header is too long")]
    TooLong,
    /// A control character that is neither white space nor part of a line end.
    #[error("there is a control character in the header")]
    ControlCharacter,
    /// A comment in a comment, and so on.
    #[error("comments are nested too deep")]
    CommentTooDeep,
    /// A parenthesis, bracket or quote without its counterpart.
    #[error("{0} is never closed")]
    Unclosed(char),
    /// A closing character without its counterpart, or a backslash where none may be.
    #[error("{0} stands where it has no meaning")]
    Stray(char),
    /// Neither `from` nor `by` nor a form of local origin.
    #[error("it begins in no known way")]
    NoFrom,
    /// The from clause is followed by no `by`.
    #[error("it does not say who received the mail")]
    NoBy,
    /// A clause that must be there once is there twice.
    #[error("there are two \"{0}\" clauses")]
    Twice(&'static str),
    /// Quotes or angle brackets where the client's name should be.
    #[error("the client's name is quoted")]
    QuotedName,
    /// A second semicolon: the date is not behind the first.
    #[error("there are two semicolons")]
    TwoSemicolons,
    /// The from clause has no address.
    #[error("it gives no address of the client")]
    NoAddress,
    /// What should be an address is none.
    #[error("the address of the client cannot be read")]
    BadAddress,
    /// The only address stands where the client's own words stand.
    #[error("the only address may be what the client called itself")]
    MaybeName,
    /// Two addresses, of which the client may have put one there.
    #[error("it gives two addresses of the client")]
    TwoAddresses,
}

/// Behind `from`.
fn from_client(mut tokens: Tokens<'_>) -> Result<Received, ReceivedError> {
    let (from, keyword) = read_from(&mut tokens)?;
    let clauses = Clauses::read(Some(keyword), tokens)?;
    if clauses.by.is_none() {
        return Err(ReceivedError::NoBy);
    }
    let by_exim = clauses.comments.iter().any(|comment| comment.starts_with(b"Exim "));
    let source = match from.address(by_exim) {
        Ok(address) => Source::Address(address),
        Err(ReceivedError::NoAddress) if clauses.is_with_local() => {
            Source::Local(LocalForm::WithLocal)
        }
        Err(error) => return Err(error),
    };
    Ok(clauses.received(source))
}

/// The from clause, and the keyword of the next one. The first word is the client's name, whatever
/// it is.
fn read_from<'t>(tokens: &mut Tokens<'t>) -> Result<(FromClause<'t>, Keyword), ReceivedError> {
    let mut clause = FromClause::default();
    let mut has_name = false;
    while let Some(token) = tokens.next()? {
        match token {
            Token::Word(word) if has_name => match Keyword::of(word) {
                Some(Keyword::From) => return Err(ReceivedError::Twice("from")),
                Some(keyword) => return Ok((clause, keyword)),
                None => {}
            },
            Token::Literal(literal) if has_name => clause.other_literals.push(literal),
            Token::Literal(literal) => clause.leading_literal = Some(literal),
            Token::Comment(comment) => clause.comments.push(comment),
            Token::Quoted | Token::Angle => return Err(ReceivedError::QuotedName),
            Token::Semicolon => return Err(ReceivedError::NoBy),
            Token::Word(_) => {}
        }
        has_name = true;
    }
    Err(ReceivedError::NoBy)
}

/// A header that begins with a comment.
fn of_comment(comment: &[u8], tokens: Tokens<'_>) -> Result<Received, ReceivedError> {
    let clauses = Clauses::read(None, tokens)?;
    let says = |words: &[u8]| comment.windows(words.len()).any(|window| window == words);
    let source = match clauses.by {
        None if comment.starts_with(b"qmail ") && says(b" invoked from network") => {
            Source::SameHost
        }
        None if says(b" invoked by uid ") => Source::Local(LocalForm::InvokedByUid),
        Some(_) if comment.starts_with(b"from ") && !says(b"[") => Source::Local(LocalForm::Submit),
        _ => return Err(ReceivedError::NoFrom),
    };
    Ok(clauses.received(source))
}

/// What stands behind the from clause.
#[derive(Debug, Default)]
struct Clauses<'t> {
    by: Option<&'t [u8]>,
    with: Option<&'t [u8]>,
    comments: Vec<&'t [u8]>,
    /// The comment right behind the name of the `by` clause.
    by_comment: Option<&'t [u8]>,
}

impl<'t> Clauses<'t> {
    /// Reads to the end, from behind `keyword`.
    fn read(keyword: Option<Keyword>, mut tokens: Tokens<'t>) -> Result<Self, ReceivedError> {
        let mut clauses = Self::default();
        let mut open = keyword;
        let mut behind_by = false;
        while let Some(token) = tokens.next()? {
            let follows_by = std::mem::take(&mut behind_by);
            match (token, open) {
                (Token::Comment(comment), _) => {
                    clauses.comments.push(comment);
                    if follows_by {
                        clauses.by_comment = Some(comment);
                    }
                }
                (Token::Semicolon, _) => {
                    let is_last = !tokens.rest().contains(&b';');
                    return if is_last { Ok(clauses) } else { Err(ReceivedError::TwoSemicolons) };
                }
                (Token::Word(text) | Token::Literal(text), Some(keyword)) => {
                    behind_by = keyword == Keyword::By;
                    clauses.set(keyword, text)?;
                    open = None;
                }
                (Token::Quoted | Token::Angle, Some(_)) => open = None,
                (Token::Word(word), None) => {
                    open = Keyword::of(word);
                    if open == Some(Keyword::From) {
                        return Err(ReceivedError::Twice("from"));
                    }
                }
                (Token::Literal(_) | Token::Quoted | Token::Angle, None) => {}
            }
        }
        Ok(clauses)
    }

    fn set(&mut self, keyword: Keyword, text: &'t [u8]) -> Result<(), ReceivedError> {
        let (clause, name) = match keyword {
            Keyword::By => (&mut self.by, "by"),
            Keyword::With => (&mut self.with, "with"),
            Keyword::From | Keyword::Via | Keyword::Id | Keyword::For => return Ok(()),
        };
        match clause.replace(text) {
            None => Ok(()),
            Some(_) => Err(ReceivedError::Twice(name)),
        }
    }

    fn is_with_local(&self) -> bool {
        let is = |word: &[u8]| self.with.is_some_and(|with| with.eq_ignore_ascii_case(word));
        is(b"local") || is(b"local-smtp") || is(b"local-esmtp") || is(b"local-bsmtp")
    }

    fn local_form(&self) -> LocalForm {
        let from_userid = |comment: &&[u8]| {
            comment.windows(USERID.len()).any(|window| window.eq_ignore_ascii_case(USERID))
        };
        if self.by_comment.as_ref().is_some_and(from_userid) {
            LocalForm::Userid
        } else if self.is_with_local() {
            LocalForm::WithLocal
        } else {
            LocalForm::NoFromClause
        }
    }

    fn received(&self, source: Source) -> Received {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let by = match (self.by, self.by_comment) {
            (Some(by), Some(comment)) if by.eq_ignore_ascii_case(b"localhost") => {
                let name = comment.split(u8::is_ascii_whitespace).next().unwrap_or_default();
                Some(if name.is_empty() { by } else { name })
            }
            (by, _) => by,
        };
        Received {
            source,
            by: by.map(|by| text(by).to_ascii_lowercase().into()),
            with: self.with.map(|with| text(with).to_ascii_uppercase().into()),
        }
    }
}

/// A word that begins a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keyword {
    From,
    By,
    Via,
    With,
    Id,
    For,
}

impl Keyword {
    fn of(word: &[u8]) -> Option<Self> {
        KEYWORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, key)| *key)
    }
}

/// White space is blanks, tabs, and line ends of folds.
fn has_control_character(text: &[u8]) -> bool {
    text.iter().enumerate().any(|(at, byte)| match byte {
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || text[at - 1] != b'\r',
        b'\t' => false,
        byte => byte.is_ascii_control(),
    })
}

const KEYWORDS: [(&[u8], Keyword); 6] = [
    (b"from", Keyword::From),
    (b"by", Keyword::By),
    (b"via", Keyword::Via),
    (b"with", Keyword::With),
    (b"id", Keyword::Id),
    (b"for", Keyword::For),
];

const USERID: &[u8] = b"from userid ";

/// The protocols that say that the client had logged in.
const AUTHENTICATED: [&str; 8] =
    ["ESMTPA", "ESMTPSA", "LMTPA", "LMTPSA", "UTF8SMTPA", "UTF8SMTPSA", "UTF8LMTPA", "UTF8LMTPSA"];
