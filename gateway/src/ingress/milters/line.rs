//! A connection to a milter.

use std::{io, os::fd::AsFd, time::Duration};

use bytes::Bytes;
use mailweir_external::{
    edit::{self, OwnFields},
    milter::{
        Answer, Client, Event, Fault, LONG_HEADER, Limits, MacroLists, Macros, Next, Offer, Peer,
    },
    verdict::{Decision, Verdict},
};
use mailweir_policy::client::Server;
use mailweir_queue::{BodyError, Content, ContentReader};
use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::{Instant, timeout, timeout_at},
};

/// A milter has failed, and how.
#[derive(Debug)]
pub(super) struct Failed(pub(super) Box<str>);

/// A connection, and what was said on it.
pub(super) struct Line {
    stream: Box<dyn Stream>,
    client: Client,
    /// What is not sent yet, for nothing waits for it.
    out: Vec<u8>,
    /// When it must have answered, however often it says that it is at work.
    end: Instant,
}

/// What is told before the content.
#[derive(Clone, Copy)]
pub(super) enum Told<'t> {
    Connect(&'t Peer),
    Helo(&'t str),
    Mail(&'t [&'t str]),
    Rcpt(&'t [&'t str]),
    Data,
}

trait Stream: AsyncRead + AsyncWrite + AsFd + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + AsFd + Send + Sync + Unpin> Stream for T {}

impl Line {
    /// Connects, and comes to terms.
    pub(super) async fn open(server: &Server, body_limit: usize) -> Result<Self, Failed> {
        let stream = timeout(CONNECT_LIMIT, connect(server)).await;
        let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = stream.map_err(|error| failed(format!("no connection to it: {error}")))?;
        let mut out = Vec::new();
        let limits = Limits::new(body_limit);
        let client = Client::new(Offer::default(), MacroLists::default(), limits, &mut out);
        let mut line = Self { stream, client, out, end: Instant::now() + CONNECT_LIMIT };
        match line.hear(CONNECT_LIMIT).await? {
            Event::Negotiated => Ok(line),
            Event::Progress | Event::Answer(_) | Event::End(_) => Err(out_of_turn()),
        }
    }

    /// Tells it of a step of the session.
    pub(super) async fn tell(
        &mut self,
        told: Told<'_>,
        macros: &Macros,
        limit: Duration,
    ) -> Result<Answer, Failed> {
        self.end = Instant::now() + LONGEST_WORK.max(limit);
        self.ask(limit, |it, out| match told {
            Told::Connect(peer) => it.connect(peer, macros, out),
            Told::Helo(name) => it.helo(name, macros, out),
            Told::Mail(words) => it.mail(words, macros, out),
            Told::Rcpt(words) => it.rcpt(words, macros, out),
            Told::Data => it.data(macros, out),
        })
        .await
    }

    /// Asks at a stage.
    async fn ask(
        &mut self,
        limit: Duration,
        call: impl FnOnce(&mut Client, &mut Vec<u8>) -> Result<Next, Fault>,
    ) -> Result<Answer, Failed> {
        self.take_what_has_come()?;
        match call(&mut self.client, &mut self.out)? {
            Next::Known(answer) => Ok(answer),
            Next::Wait => match self.hear(limit).await? {
                Event::Answer(answer) => Ok(answer),
                Event::Negotiated | Event::Progress | Event::End(_) => Err(out_of_turn()),
            },
        }
    }

    /// Shows a whole mail.
    pub(super) async fn show(
        &mut self,
        (content, own): (&Content, &OwnFields),
        macros: &Macros,
        limit: Duration,
    ) -> Result<Result<Verdict, Failed>, BodyError> {
        self.end = Instant::now() + LONGEST_WORK.max(limit);
        let mut reader = content.reader();
        let Some((header, mut piece)) = read_header(&mut reader).await? else {
            // That is the fault of the mail: it passes nobody by, and the filter has not failed.
            return Ok(Ok(of_answer(Answer::Refuse(LONG_HEADER))));
        };
        let mut said = self.show_header(&header, own, macros, limit).await;
        loop {
            match said {
                Ok(Answer::Continue) => {}
                Ok(answer) => return Ok(Ok(of_answer(answer))),
                Err(failed) => return Ok(Err(failed)),
            }
            let mut rest = &piece[..];
            said = Ok(Answer::Continue);
            while let (false, Ok(Answer::Continue)) = (rest.is_empty(), &said) {
                said = self.ask(limit, |it, out| it.body(&mut rest, out)).await;
            }
            if self.out.len() > MOST_UNSENT
                && let Err(failed) = self.send(limit).await
            {
                return Ok(Err(failed));
            }
            match reader.next().await? {
                Some(next) => piece = next,
                None => break,
            }
        }
        Ok(match said {
            Ok(Answer::Continue) => self.end(macros, limit).await,
            Ok(answer) => Ok(of_answer(answer)),
            Err(failed) => Err(failed),
        })
    }

    async fn show_header(
        &mut self,
        header: &[u8],
        own: &OwnFields,
        macros: &Macros,
        limit: Duration,
    ) -> Result<Answer, Failed> {
        for (name, value) in edit::shown(header, own).filter_map(super::about::named) {
            match self.ask(limit, |it, out| it.header(name, value, out)).await? {
                Answer::Continue => {}
                answer => return Ok(answer),
            }
        }
        self.ask(limit, |it, out| it.end_of_header(macros, out)).await
    }

    async fn end(&mut self, macros: &Macros, limit: Duration) -> Result<Verdict, Failed> {
        loop {
            match self.client.rest_of_body(&mut self.out)? {
                Next::Known(Answer::Continue) => break,
                Next::Known(answer) => return Ok(of_answer(answer)),
                Next::Wait => match self.hear(limit).await? {
                    Event::Answer(Answer::Continue) => {}
                    Event::Answer(answer) => return Ok(of_answer(answer)),
                    Event::Negotiated | Event::Progress | Event::End(_) => {
                        return Err(out_of_turn());
                    }
                },
            }
        }
        self.take_what_has_come()?;
        match self.client.end_of_body(macros, &mut self.out)? {
            Next::Known(answer) => Ok(of_answer(answer)),
            Next::Wait => match self.hear(limit).await? {
                Event::End(verdict) => Ok(verdict),
                Event::Answer(answer) => Ok(of_answer(answer)),
                Event::Negotiated | Event::Progress => Err(out_of_turn()),
            },
        }
    }

    /// Sends what is due, and waits for what it comes to. When the milter says that it is at work its time begins anew, but not
    /// beyond [`Line::end`]; with half an answer it does not.
    async fn hear(&mut self, limit: Duration) -> Result<Event, Failed> {
        self.send(limit).await?;
        let mut buffer = [0; PIECE];
        let mut until = Instant::now() + limit;
        loop {
            let patience = until.min(self.end);
            let Ok(read) = timeout_at(patience, self.stream.read(&mut buffer)).await else {
                self.client.give_up();
                return Err(failed(match until <= self.end {
                    true => format!("it said nothing for {} s", limit.as_secs()),
                    false => "it is at work for longer than anybody waits".to_owned(),
                }));
            };
            let read =
                read.map_err(|error| failed(format!("the connection to it broke: {error}")))?;
            if read == 0 {
                self.client.give_up();
                return Err(failed("it closed the connection".to_owned()));
            }
            let mut input = &buffer[..read];
            let mut said = None;
            while let Some(event) = self.client.receive(&mut input)? {
                match event {
                    Event::Progress => until = Instant::now() + limit,
                    event => said = Some(event),
                }
            }
            if let Some(event) = said {
                return Ok(event);
            }
        }
    }

    async fn send(&mut self, limit: Duration) -> Result<(), Failed> {
        let sent = timeout(limit, self.stream.write_all(&self.out)).await;
        self.out.clear();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(format!("the connection to it broke: {error}"))),
            Err(_) => Err(failed(format!("it read nothing for {} s", limit.as_secs()))),
        }
    }

    /// What it says unasked makes it untrue. The kernel is asked: the runtime may not have heard yet of what is there.
    fn take_what_has_come(&mut self) -> Result<(), Failed> {
        let mut buffer = [0; PIECE];
        match recv(&self.stream, &mut buffer[..], RecvFlags::DONTWAIT) {
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(()),
            Ok((0, _)) => Err(failed("it closed the connection".to_owned())),
            Ok((read, _)) => {
                let mut input = &buffer[..read];
                while self.client.receive(&mut input)?.is_some() {}
                Ok(())
            }
            Err(error) => Err(failed(format!("the connection to it broke: {error}"))),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        failed(fault.to_string())
    }
}

async fn connect(server: &Server) -> io::Result<Box<dyn Stream>> {
    Ok(match server {
        Server::Inet(host, port) => {
            let stream = TcpStream::connect((&**host, *port)).await?;
            // Without it things are only slower.
            let _ = stream.set_nodelay(true);
            Box::new(stream)
        }
        Server::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

/// The header, with the empty line behind it, and what was read of the body with it. The header is in memory; the body flows. `None`:
/// the header is too long.
async fn read_header(reader: &mut ContentReader) -> Result<Option<(Bytes, Bytes)>, BodyError> {
    let (mut mail, mut looked_at) = (Bytes::new(), 0);
    loop {
        if let Some(end) = edit::end_of_header(&mail, looked_at) {
            let body = mail.split_off(end);
            return Ok(Some((mail, body)).filter(|_| end <= MOST_HEADER));
        }
        if mail.len() > MOST_HEADER {
            return Ok(None);
        }
        looked_at = mail.len();
        mail = match reader.next().await? {
            Some(piece) if mail.is_empty() => piece,
            Some(piece) => [mail, piece].concat().into(),
            None => return Ok(Some((mail, Bytes::new()))),
        };
    }
}

/// What an answer says of a whole mail.
fn of_answer(answer: Answer) -> Verdict {
    match answer {
        Answer::Continue | Answer::Accept => Verdict::nothing("accepted"),
        Answer::Refuse(reply) | Answer::Close(reply) => {
            Verdict { decision: Decision::Refuse(reply), ..Verdict::nothing("refused") }
        }
        Answer::Discard => {
            Verdict { decision: Decision::Discard, ..Verdict::nothing("it wants it thrown away") }
        }
    }
}

fn failed(why: String) -> Failed {
    Failed(why.into())
}

fn out_of_turn() -> Failed {
    failed("it answered out of turn".to_owned())
}

/// Postfix `milter_connect_timeout`.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A client waits ten minutes for the answer to its mail (RFC 5321 section 4.5.3.2.6), and few wait much longer.
const LONGEST_WORK: Duration = Duration::from_secs(1_800);

/// Bytes of a header that is shown.
const MOST_HEADER: usize = 1 << 20;

/// Bytes that may wait to be sent together.
const MOST_UNSENT: usize = 1 << 16;

/// As much of an answer as is read at once.
const PIECE: usize = 4_096;

#[cfg(test)]
mod tests;
