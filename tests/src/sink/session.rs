//! One conversation of a sink, along its script.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::watch,
};

use super::{
    log::{Line, Log, Outcome, Received, path},
    script::{Act, Point, Protocol, Script},
};

pub(super) struct Session {
    stream: BufReader<TcpStream>,
    log: Arc<watch::Sender<Log>>,
    number: usize,
    script: Script,
    hello: String,
    mail: Option<String>,
    rcpt: Vec<String>,
}

/// The conversation is over: by script, or because the peer left.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Session {
    pub(super) fn new(
        stream: TcpStream,
        log: Arc<watch::Sender<Log>>,
        number: usize,
        script: Script,
    ) -> Self {
        // A delayed second packet would come as a surprise, 40 ms late.
        stream.set_nodelay(true).expect("a socket");
        let stream = BufReader::new(stream);
        Self { stream, log, number, script, hello: String::new(), mail: None, rcpt: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        let Err(Over) = self.converse().await;
        let number = self.number;
        self.log.send_modify(|log| log.connections[number].ended = true);
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, Over> {
        self.answer(Point::Connect, None, "220 sink.test ESMTP").await?;
        loop {
            let line = self.command().await?;
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" | "LHLO" => self.hello(verb, argument).await?,
                "AUTH" => self.auth(argument).await?,
                "MAIL" => self.mail(argument).await?,
                "RCPT" => self.rcpt(argument).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.forget();
                    self.answer(Point::Rset, None, "250 2.0.0 Ok").await?;
                }
                "NOOP" => self.say("250 2.0.0 Ok").await?,
                "QUIT" => {
                    self.answer(Point::Quit, None, "221 2.0.0 Bye").await?;
                    return Err(Over);
                }
                _ => self.say("500 5.5.2 Command not recognized").await?,
            }
        }
    }

    async fn hello(&mut self, verb: &str, name: &str) -> Result<(), Over> {
        let lmtp = self.script.protocol == Protocol::Lmtp;
        if verb.eq_ignore_ascii_case("LHLO") != lmtp {
            return self.say("500 5.5.1 Wrong protocol").await;
        }
        self.forget();
        self.hello = name.to_owned();
        let mut usual = "250 sink.test".to_owned();
        if !verb.eq_ignore_ascii_case("HELO") {
            for extension in &self.script.extensions {
                usual = format!("{usual}\n{extension}");
            }
        }
        self.answer(Point::Hello, None, &usual).await.map(drop)
    }

    /// Believes every password.
    async fn auth(&mut self, argument: &str) -> Result<(), Over> {
        let challenges: &[&str] = match argument.to_ascii_uppercase().as_str() {
            "PLAIN" => &["334 "],
            "LOGIN" => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            mechanism if mechanism.starts_with("LOGIN ") => &["334 UGFzc3dvcmQ6"],
            _ => &[],
        };
        for challenge in challenges {
            self.say(challenge).await?;
            self.command().await?;
        }
        self.answer(Point::Auth, None, "235 2.7.0 Authentication successful").await.map(drop)
    }

    async fn mail(&mut self, argument: &str) -> Result<(), Over> {
        if self.hello.is_empty() || self.mail.is_some() {
            return self.say("503 5.5.1 Bad sequence of commands").await;
        }
        if self.answer(Point::Mail, None, "250 2.1.0 Ok").await? < 300 {
            self.mail = Some(argument.to_owned());
        }
        Ok(())
    }

    async fn rcpt(&mut self, argument: &str) -> Result<(), Over> {
        if self.mail.is_none() {
            return self.say("503 5.5.1 Need MAIL before RCPT").await;
        }
        if self.answer(Point::Rcpt, Some(path(argument)), "250 2.1.5 Ok").await? < 300 {
            self.rcpt.push(argument.to_owned());
        }
        Ok(())
    }

    async fn data(&mut self) -> Result<(), Over> {
        if self.rcpt.is_empty() {
            return self.say("554 5.5.1 No valid recipients").await;
        }
        if self.answer(Point::Data, None, "354 End data with <CR><LF>.<CR><LF>").await? != 354 {
            return Ok(());
        }
        let wire = self.content().await?;
        let index = self.receive(wire);
        let accepted = self.verdicts().await?;
        let outcome =
            if accepted.is_empty() { Outcome::Refused } else { Outcome::Accepted(accepted) };
        self.log.send_modify(|log| log.messages[index].outcome = outcome);
        self.forget();
        Ok(())
    }

    /// Logs a mail that nobody has been told about yet.
    fn receive(&self, wire: Vec<u8>) -> usize {
        let mut index = 0;
        self.log.send_modify(|log| {
            index = log.messages.len();
            log.messages.push(Received {
                connection: self.number,
                hello: self.hello.clone(),
                mail: self.mail.clone().unwrap_or_default(),
                rcpt: self.rcpt.clone(),
                wire,
                outcome: Outcome::Unanswered,
            });
        });
        index
    }

    /// Answers the dot: once in SMTP, once for each recipient in LMTP (RFC 2033 section 4.2).
    /// Returns who was told 2yz.
    async fn verdicts(&mut self) -> Result<Vec<String>, Over> {
        let recipients: Vec<String> = self.rcpt.iter().map(|rcpt| path(rcpt).to_owned()).collect();
        if self.script.protocol == Protocol::Smtp {
            let code = self.answer(Point::Dot, None, "250 2.0.0 Ok: queued as SINK").await?;
            return Ok(if code < 300 { recipients } else { Vec::new() });
        }
        let mut accepted = Vec::new();
        for recipient in recipients {
            if self.answer(Point::Dot, Some(&recipient), "250 2.1.5 Ok").await? < 300 {
                accepted.push(recipient);
            }
        }
        Ok(accepted)
    }

    fn forget(&mut self) {
        self.mail = None;
        self.rcpt.clear();
    }

    /// Does what the script says, or gives the usual reply; returns the code of the reply.
    async fn answer(
        &mut self,
        point: Point,
        recipient: Option<&str>,
        usual: &str,
    ) -> Result<u16, Over> {
        let act = self.script.act(point, recipient).unwrap_or_else(|| Act::Reply(usual.to_owned()));
        match act {
            Act::Reply(reply) => {
                self.say(&reply).await?;
                Ok(code(&reply))
            }
            Act::ReplyTwice(reply) => {
                self.say(&reply).await?;
                self.say(&reply).await?;
                Ok(code(&reply))
            }
            Act::Close(reply) => {
                self.say(&reply).await?;
                self.stream.get_mut().shutdown().await?;
                self.hang().await
            }
            Act::CutShort(reply) => {
                self.say("354 Go ahead").await?;
                self.stream.read_u8().await?;
                self.say(&reply).await?;
                Err(Over)
            }
            Act::Drop => Err(Over),
            Act::Hang => self.hang().await,
        }
    }

    /// Reads on until the peer leaves. Closing with unread input would reset the connection, and
    /// the peer could lose the last reply.
    async fn hang<T>(&mut self) -> Result<T, Over> {
        let mut chunk = [0; 4096];
        loop {
            let length = self.stream.read(&mut chunk).await?;
            if length == 0 {
                return Err(Over);
            }
            self.saw(&chunk[..length]);
        }
    }

    async fn say(&mut self, reply: &str) -> Result<(), Over> {
        let lines: Vec<&str> = reply.lines().collect();
        let code = &reply[..reply.len().min(3)];
        let mut wire = String::new();
        for (n, line) in lines.iter().enumerate() {
            let text = if n == 0 { line.get(4..).unwrap_or_default() } else { line };
            let mark = if n + 1 == lines.len() { ' ' } else { '-' };
            wire += &format!("{code}{mark}{text}\r\n");
        }
        self.note(Line::Ours(reply.replace('\n', " / ")));
        self.stream.get_mut().write_all(wire.as_bytes()).await?;
        Ok(())
    }

    async fn command(&mut self) -> Result<String, Over> {
        let line = self.line().await?;
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        self.note(Line::Theirs(text.clone()));
        Ok(text)
    }

    /// The bytes up to and with the line that is a dot. Only CR LF ends a line.
    async fn content(&mut self) -> Result<Vec<u8>, Over> {
        let mut wire: Vec<u8> = Vec::new();
        loop {
            let starts_line = wire.is_empty() || wire.ends_with(b"\r\n");
            let line = self.line().await?;
            wire.extend_from_slice(&line);
            if starts_line && line == b".\r\n" {
                self.note(Line::Theirs(format!("({} bytes of content)", wire.len())));
                return Ok(wire);
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, Over> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        self.saw(&line);
        if line.ends_with(b"\n") { Ok(line) } else { Err(Over) }
    }

    fn note(&self, line: Line) {
        self.log.send_modify(|log| log.connections[self.number].lines.push(line));
    }

    fn saw(&self, bytes: &[u8]) {
        self.log.send_modify(|log| log.connections[self.number].bytes.extend_from_slice(bytes));
    }
}

fn code(reply: &str) -> u16 {
    reply.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0)
}
