//! `mailweir sendmail`: takes mail of local programs as Postfix's sendmail(1) does, and gives it to a listener by SMTP.
//!
//! Also the program itself when it is called as `sendmail`: content filters hand mail back by it, and cron and the like
//! send by it. It keeps nothing: what it answers is what the listener answered.

mod addresses;
mod at_once;
mod delivery;
mod header;
mod input;
mod options;
mod site;
mod stream;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::rand;
use mailweir_mail::{BodyType, Envelope, Notify, Recipient};
use mailweir_smtp::client::{Attempt, ContentText, Outgoing};

use self::{
    addresses::NoAddress,
    header::{Header, Stamp},
    input::{HeaderEnd, Input, InputError},
    options::{Options, Task, Usage},
    site::{NoSite, Return, Site},
    stream::Stream,
};
use super::{ExitCode, queue};
use crate::{
    clock,
    ways_back::{RETURN, WAY_BACK},
};

/// Runs with the words behind `sendmail`. `usual_config` is read where no other file is named.
pub(super) fn run(words: &[OsString], usual_config: &Path) -> anyhow::Result<ExitCode> {
    let return_to = return_to();
    let in_filter = return_to.is_some();
    let done = match Options::parse(words) {
        Ok(options) => perform(&options, return_to, usual_config),
        Err(usage) => Ok(Err(usage.into())),
    };
    done.map(|done| {
        done.unwrap_or_else(|trouble| {
            eprintln!("sendmail: {trouble}");
            trouble.status(in_filter)
        })
    })
}

/// Why no mail was sent.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Usage(#[from] Usage),
    #[error(transparent)]
    Address(#[from] NoAddress),
    #[error("the header is larger than 1 MiB; its recipients cannot be told")]
    HeaderTooLarge,
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error("{0} does not answer: {1}")]
    NoConnection(String, io::Error),
    #[error("the mail cannot be read again from its temporary file: {0}")]
    Reread(io::Error),
    #[error("the connection to {0} was lost: {1}")]
    Lost(String, io::Error),
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Trouble {
    /// As sysexits(3) has it. In a filter of the gateway only a mail can be at fault: what is wrong with the filter's
    /// words or with the machine lets mail wait there, as with Postfix, whose sendmail ends so whatever is wrong.
    const fn status(&self, in_filter: bool) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::Address(NoAddress::NoLogin)
            | Self::Site(_)
            | Self::Input(InputError::Read(_))
                if in_filter =>
            {
                ExitCode::TryLater
            }
            Self::Usage(_) | Self::Address(NoAddress::NoLogin) => ExitCode::WrongWords,
            Self::Address(_) | Self::HeaderTooLarge => ExitCode::BadMail,
            Self::Site(_) => ExitCode::BadConfiguration,
            Self::Input(InputError::Read(_)) => ExitCode::InputFailed,
            Self::Input(InputError::Keep(_))
            | Self::NoConnection(..)
            | Self::Reread(_)
            | Self::Lost(..)
            | Self::NoRandom => ExitCode::TryLater,
        }
    }
}

fn perform(
    options: &Options,
    return_to: Option<Return>,
    usual_config: &Path,
) -> anyhow::Result<Result<ExitCode, Trouble>> {
    for warning in &options.warnings {
        eprintln!("sendmail: warning: {warning}");
    }
    let config = || options.config.clone().unwrap_or_else(|| usual_config.to_owned());
    match options.task {
        Task::Help => write!(io::stdout(), "{HELP}")?,
        Task::List => return queue::run(&queue::QueueCommand::list(config())).map(Ok),
        Task::Flush => return queue::run(&queue::QueueCommand::flush(config())).map(Ok),
        Task::Converse => return Ok(converse(options, return_to, usual_config)),
        Task::Send => return Ok(send(options, return_to, usual_config)),
    }
    Ok(Ok(ExitCode::Done))
}

fn converse(
    options: &Options,
    return_to: Option<Return>,
    usual_config: &Path,
) -> Result<ExitCode, Trouble> {
    let Site { to, .. } = Site::find(options, return_to, usual_config)?;
    let stream = stream::connect(&to).map_err(|error| Trouble::NoConnection(to.clone(), error))?;
    let input = stdin().map_err(InputError::Read)?;
    delivery::pass(&stream, input).map_err(|error| Trouble::Lost(to, error))?;
    Ok(ExitCode::Done)
}

fn send(
    options: &Options,
    return_to: Option<Return>,
    usual_config: &Path,
) -> Result<ExitCode, Trouble> {
    let site = Site::find(options, return_to, usual_config)?;
    let input = stdin().map_err(InputError::Read)?;
    let input = Input::read(input, options.keeps_dots)?;
    let envelope = envelope(options, &input, &site)?;
    let top = top(options, &input, &envelope, &site)?;

    let text = match input.eight_bit || envelope.body == BodyType::EightBitMime {
        true => ContentText::EightBit,
        false => ContentText::SevenBit,
    };
    let recipients: Vec<String> =
        envelope.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    let size = input::wire_length(&top) + input.body_size;
    let mail = Outgoing::to_all(Arc::new(envelope), size, text);
    let Site { to, way_back, hostname } = site;
    let stream = Stream::connect(&to, way_back.as_ref())
        .map_err(|error| Trouble::NoConnection(to.clone(), error))?;
    let content = top.as_slice().chain(input.body);
    let attempts = delivery::send(stream, &to, hostname, mail, content).map_err(Trouble::Reread)?;
    Ok(tell(&recipients, &attempts))
}

fn envelope(options: &Options, input: &Input, site: &Site) -> Result<Envelope, Trouble> {
    if options.header_recipients && input.header_end == HeaderEnd::TooLarge {
        return Err(Trouble::HeaderTooLarge);
    }
    let host = &site.hostname;
    let sender = addresses::sender(options.sender.as_deref(), &super::user_of_process(), host)?;
    let recipients = addresses::recipients(options, Header(&input.header), host)?;
    let notify = options.notify.unwrap_or(Notify::DEFAULT);
    let recipients = recipients.into_iter().map(|to| Recipient { notify, ..Recipient::new(to) });
    Ok(Envelope {
        recipients: recipients.collect(),
        body: options.body,
        ret: options.ret,
        envid: options.envid.clone(),
        ..Envelope::from_sender(sender)
    })
}

/// What stands above the body: the header, completed unless the mail comes from elsewhere, and never with those who get
/// it unseen, wherever the recipients were read from (Postfix `message_drop_headers`).
fn top(
    options: &Options,
    input: &Input,
    envelope: &Envelope,
    site: &Site,
) -> Result<Vec<u8>, Trouble> {
    let header = Header(&input.header);
    let mut top = Vec::new();
    if !options.relayed {
        let stamp = Stamp {
            sender: &envelope.sender,
            full_name: options.full_name.as_deref().unwrap_or_default(),
            hostname: &site.hostname,
            now: clock::now(),
            seed: seed()?,
        };
        top.extend_from_slice(header.missing(&stamp).as_bytes());
    }
    top.extend_from_slice(&header.without_hidden());
    match input.header_end {
        HeaderEnd::EmptyLine => top.extend_from_slice(b"\r\n"),
        HeaderEnd::Missing if !options.relayed => {
            let has_open_line = !top.is_empty() && !top.ends_with(b"\n");
            top.extend_from_slice(if has_open_line { b"\r\n\r\n" } else { b"\r\n" });
        }
        HeaderEnd::Missing | HeaderEnd::TooLarge => {}
    }
    Ok(top)
}

/// Says whom the server refused, and why; the status is that of the worst.
fn tell(recipients: &[String], attempts: &[Attempt]) -> ExitCode {
    let mut status = ExitCode::Done;
    for (recipient, attempt) in recipients.iter().zip(attempts) {
        match attempt {
            Attempt::Delivered { .. } | Attempt::Accepted { .. } => continue,
            Attempt::Failed { .. } => status = ExitCode::Unavailable,
            Attempt::Deferred { .. } | Attempt::Uncertain { .. } | Attempt::Postponed { .. } => {
                if status == ExitCode::Done {
                    status = ExitCode::TryLater;
                }
            }
        }
        eprintln!("sendmail: <{recipient}>: {}", attempt.reply());
    }
    status
}

fn seed() -> Result<u64, Trouble> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| Trouble::NoRandom)?;
    Ok(u64::from_ne_bytes(random))
}

/// Standard input without the lock and the buffer of the library.
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Where a filter of the gateway hands mail back.
#[expect(
    clippy::disallowed_methods,
    reason = "it is for the program that the gateway starts, and no configuration"
)]
fn return_to() -> Option<Return> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable(RETURN)
        .map(|to| Return { to, way_back: variable(WAY_BACK).and_then(|told| told.parse().ok()) })
}

/// The configuration of the program when it is called as `sendmail`. That is by programs that work in directories of
/// anybody; what lies there is not to say where mail goes.
pub(super) fn installed_config() -> PathBuf {
    PathBuf::from("/etc/mailweir/mailweir.toml")
}

const HELP: &str = "\
Take a mail of a local program as Postfix's sendmail does, and give it to a listener

Usage: mailweir sendmail [-i] [-f SENDER] [-F NAME] RECIPIENT... <MAIL
       mailweir sendmail -t [-i] [-f SENDER] [RECIPIENT...] <MAIL   recipients of the header, too
       mailweir sendmail -bs                    SMTP on standard input and output
       mailweir sendmail -bp                    list the queue
       mailweir sendmail -q                     try all mail that waits

  -i, -oi          a line with nothing but a dot is not the end of the mail
  -f, -r SENDER    the envelope sender; '' or '<>' is nobody
  -F NAME          the full name, for a From header that is added
  -G               the mail comes from elsewhere: nothing is added to its header
  -B 7BIT|8BITMIME, -N success,failure,delay|never, -R full|hdrs, -V ID
                   what stands in its body, and which reports the sender wants
  -C FILE          the configuration file
  --to HOST:PORT   the server that gets the mail, instead of what MAILWEIR_RETURN in the environment
                   says, or the first listener that takes mail of this machine without a login

Other options of sendmail are taken and change nothing. If the server refuses one recipient, nobody
gets the mail.

Exit status: 0 taken; 64 words that make no sense; 65 no recipient, or no address; 69 refused;
             74 standard input cannot be read; 75 later, perhaps; 78 no listener, or a
             configuration with errors. With MAILWEIR_RETURN 64, 74 and 78 are 75
";
