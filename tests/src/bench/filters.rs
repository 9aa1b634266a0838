//! What filters of other people cost: the relay row without one, with a program by pipe(8) and with a server by SMTP, set up as
//! Postfix's FILTER_README has them, for both; the programs alone, without a server around them; and Mailweir with the checks and
//! the rules of its own that take the place of such filters.

mod builtin;
mod script;
mod tube;

use std::{fmt::Write as _, io, path::Path};

use self::{builtin::Tables, script::Script, tube::Tube};
use super::{
    Figure, Pair, Settings,
    contestant::{Contestant, Mailweir, NextHop, Running, StockPostfix},
    figures::losses,
    load,
};
use crate::{filter_readme, free_address, tools};

/// Runs all rows, in turn within each round.
///
/// # Errors
/// If a server cannot be started, or mail does not arrive or does not pass its filter.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let binary = settings.mailweir.as_deref().ok_or_else(|| io::Error::other("no program"))?;
    let tables = Tables::write()?;
    let plain = Mailweir::new(binary);
    let checked = Mailweir::new(binary).with(&tables.sections());
    let (piped_postfix, piped) = (PipedPostfix::new()?, PipedMailweir::new(binary)?);
    let (tubed_postfix, tubed) = (Tubed::postfix()?, Tubed::mailweir(binary)?);
    let relay = |contestant: &dyn Contestant| load::relay(contestant, settings.seconds);

    let mut rates: [Vec<f64>; ROWS.len()] = Default::default();
    let mut beside_checked = Vec::new();
    for round in 1..=settings.rounds {
        let mut line = format!("round {round}/{}:", settings.rounds);
        for row in turns(round) {
            // What the row before has left to be written is not of this one.
            rustix::fs::sync();
            let rate = match row {
                Row::Postfix => relay(&StockPostfix::default()),
                Row::PostfixBySmtp => tubed_postfix.relay(settings.seconds),
                Row::PostfixByPipe => piped_postfix.script.looked_for(|| relay(&piped_postfix)),
                Row::PostfixPrograms => piped_postfix.programs(settings.seconds),
                Row::TubeAlone => relay(&tube::Alone),
                Row::BySmtp => tubed.relay(settings.seconds),
                Row::Mailweir => relay(&plain),
                Row::Checked => {
                    let [beside, checked] =
                        load::relay_in_turns([&plain, &checked], settings.seconds)?;
                    beside_checked.push(beside);
                    Ok(checked)
                }
                Row::ByPipe => piped.script.looked_for(|| relay(&piped)),
                Row::Programs => piped.programs(settings.seconds),
            }?;
            rates[row as usize].push(rate);
            let _ = write!(line, "  {} {rate:.0}/s", row.name());
        }
        progress(&line);
    }
    Ok(Report::of(rates, &beside_checked))
}

/// The rows of a round: every other round goes backwards, so that no row is always behind the same one.
fn turns(round: usize) -> [Row; ROWS.len()] {
    let mut rows = ROWS;
    if round.is_multiple_of(2) {
        rows.reverse();
    }
    rows
}

/// What is compared with each other stands together.
#[derive(Clone, Copy)]
enum Row {
    Postfix,
    PostfixBySmtp,
    PostfixByPipe,
    PostfixPrograms,
    TubeAlone,
    BySmtp,
    Mailweir,
    Checked,
    ByPipe,
    Programs,
}

const ROWS: [Row; 10] = [
    Row::Postfix,
    Row::PostfixBySmtp,
    Row::PostfixByPipe,
    Row::PostfixPrograms,
    Row::TubeAlone,
    Row::BySmtp,
    Row::Mailweir,
    Row::Checked,
    Row::ByPipe,
    Row::Programs,
];

impl Row {
    const fn name(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix",
            Self::PostfixBySmtp => "Postfix SMTP",
            Self::PostfixByPipe => "Postfix pipe",
            Self::PostfixPrograms => "its programs alone",
            Self::Mailweir => "Mailweir",
            Self::Checked => "checked",
            Self::BySmtp => "SMTP",
            Self::ByPipe => "pipe",
            Self::Programs => "its programs alone",
            Self::TubeAlone => "SMTP filter alone",
        }
    }
}

/// The figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    plain: Pair,
    smtp: Pair,
    pipe: Pair,
    programs: Pair,
    tube_alone: Figure,
    checked: Figure,
    cost_of_checks: Figure,
    smtp_cost: Pair,
    pipe_cost: Pair,
    beside_programs: Figure,
}

impl Report {
    /// `beside_checked`: the rates without checks that took turns with those that have them.
    fn of(rates: [Vec<f64>; ROWS.len()], beside_checked: &[f64]) -> Self {
        let [postfix, postfix_smtp, postfix_pipe, postfix_programs, rates @ ..] = rates;
        let [tube_alone, smtp, mailweir, checked, pipe, programs] = rates;
        let cost_of_checks = losses(beside_checked, &checked);
        let beside_programs = beside_programs(&mailweir, &pipe, &programs);
        let plain = Pair::new("relay", postfix, Some(mailweir));
        let smtp = Pair::new("relay, SMTP filter", postfix_smtp, Some(smtp));
        let pipe = Pair::new("relay, pipe filter", postfix_pipe, Some(pipe));
        let programs = Pair::new("programs of the pipe filter", postfix_programs, Some(programs));
        Self {
            smtp_cost: Pair::cost("cost of the SMTP filter", &plain, &smtp),
            pipe_cost: Pair::cost("cost of the pipe filter", &plain, &pipe),
            tube_alone: Figure::rate("SMTP filter alone", tube_alone),
            checked: Figure::rate("relay, checks and rules", checked),
            cost_of_checks: Figure::of("cost of checks and rules", "%", cost_of_checks, "under 10"),
            beside_programs: Figure::of(
                "pipe filter by its programs",
                "times",
                beside_programs,
                "at most 1",
            ),
            plain,
            smtp,
            pipe,
            programs,
        }
    }

    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            format!("{:34} {:>10} {:>10} {:>8}  wanted\n", "", "Postfix", "Mailweir", "ratio");
        text += &self.plain.line("relay, mails/s", "");
        text += &self.smtp.line("relay, SMTP filter, mails/s", "");
        text += &self.pipe.line("relay, pipe filter, mails/s", "");
        text += &self.programs.line("programs of that alone, mails/s", "");
        text += &self.tube_alone.line();
        text += &self.smtp_cost.cost_line("cost of the SMTP filter, times", "under 2");
        text += &self.pipe_cost.cost_line("cost of the pipe filter, times", "");
        text += &self.beside_programs.line();
        text += &self.checked.line();
        text + &self.cost_of_checks.line()
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let pairs =
            [&self.plain, &self.smtp, &self.pipe, &self.programs, &self.smtp_cost, &self.pipe_cost];
        let figures =
            [&self.tube_alone, &self.checked, &self.cost_of_checks, &self.beside_programs];
        let pairs: String = pairs.into_iter().map(Pair::json).collect();
        figures.into_iter().fold(pairs, |text, figure| text + &figure.json())
    }
}

/// What a mail takes longer for a filter, by what the programs of the filter alone take, round by round.
fn beside_programs(plain: &[f64], piped: &[f64], programs: &[f64]) -> Vec<f64> {
    let rounds = plain.iter().zip(piped).zip(programs);
    rounds.map(|((plain, piped), programs)| (1.0 / piped - 1.0 / plain) * programs).collect()
}

/// A server with a content filter by SMTP ("advanced content filter"), which takes everything as it is.
struct Tubed<C> {
    server: C,
    tube: Tube,
}

impl Tubed<StockPostfix> {
    fn postfix() -> io::Result<Self> {
        let back = free_address()?;
        let tube = Tube::start(back)?;
        let scan = tube.address();
        let server = StockPostfix::default()
            .with("content_filter", &format!("scan:[{}]:{}", scan.ip(), scan.port()))
            .with("receive_override_options", "no_address_mappings")
            .with_service(&format!(
                "scan unix - - n - {CONCURRENCY} smtp -o smtp_send_xforward_command=yes \
                 -o disable_mime_output_conversion=yes -o smtp_generic_maps="
            ))
            .with_service(&format!(
                "{back} inet n - n - {CONCURRENCY} smtpd -o content_filter= \
                 -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters \
                 -o smtpd_helo_restrictions= -o smtpd_client_restrictions= \
                 -o smtpd_sender_restrictions= -o smtpd_relay_restrictions= \
                 -o smtpd_recipient_restrictions=permit_mynetworks,reject \
                 -o mynetworks=127.0.0.0/8 -o smtpd_authorized_xforward_hosts=127.0.0.0/8"
            ));
        Ok(Self { server, tube })
    }
}

impl Tubed<Mailweir> {
    fn mailweir(binary: &Path) -> io::Result<Self> {
        let back = free_address()?;
        let tube = Tube::start(back)?;
        let filter = format!("type = \"smtp\"\nto = \"smtp://{}\"", tube.address());
        let server = Mailweir::new(binary).with(&sections(&filter, &back.to_string()));
        Ok(Self { server, tube })
    }
}

impl<C: Contestant> Tubed<C> {
    fn relay(&self, seconds: f64) -> io::Result<f64> {
        let before = self.tube.connections();
        let rate = load::relay(&self.server, seconds)?;
        if self.tube.connections() == before {
            return Err(io::Error::other(format!("{} passes its filter by", self.server.name())));
        }
        Ok(rate)
    }
}

/// Postfix with a content filter by pipe(8) ("simple content filter").
struct PipedPostfix {
    server: StockPostfix,
    script: Script,
}

impl PipedPostfix {
    fn new() -> io::Result<Self> {
        let script = Script::new()?;
        let service = format!(
            "filter unix - n n - {CONCURRENCY} pipe flags=Rq user={USER} null_sender= \
             argv={} -f ${{sender}} -- ${{recipient}}",
            script.path().display()
        );
        let server = StockPostfix::default()
            .with_at_listener("content_filter", "filter:dummy")
            .with_service(&service);
        Ok(Self { server, script })
    }

    /// The script alone: mail goes as far as into the `maildrop` of a Postfix that stands still.
    fn programs(&self, seconds: f64) -> io::Result<f64> {
        let postfix = self.server.run(NextHop::Nowhere)?;
        self.write(&postfix)?;
        postfix.halt()?;
        self.script.alone(seconds, &[])
    }

    fn write(&self, postfix: &crate::postfix::Postfix) -> io::Result<()> {
        let sendmail = tools::find("sendmail").ok_or(io::ErrorKind::NotFound)?;
        let configuration = postfix.open_to_programs()?;
        let settings = format!("MAIL_CONFIG={}\nexport MAIL_CONFIG", configuration.display());
        self.script.write(|place| {
            filter_readme::simple(place, &sendmail.display().to_string(), &settings, "")
        })
    }
}

impl Contestant for PipedPostfix {
    fn name(&self) -> &'static str {
        self.server.name()
    }

    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>> {
        let postfix = self.server.run(next_hop)?;
        self.write(&postfix)?;
        Ok(Box::new(postfix))
    }
}

/// Mailweir with the same script.
struct PipedMailweir {
    server: Mailweir,
    script: Script,
}

impl PipedMailweir {
    fn new(binary: &Path) -> io::Result<Self> {
        let back = free_address()?;
        let script = Script::new()?;
        // Where the user of filters can run it.
        let own = script.place().join("mailweir");
        std::fs::copy(binary, &own)?;
        let sendmail = format!("{} sendmail", own.display());
        script.write(|place| filter_readme::simple(place, &sendmail, "", ""))?;
        let filter = format!(
            "type = \"pipe\"\nuser = {USER:?}\nflags = \"Rq\"\nnull_sender = \"\"\n\
             command = [{:?}, \"-f\", \"${{sender}}\", \"--\", \"${{recipient}}\"]",
            script.path()
        );
        let server = Mailweir::new(binary).with(&sections(&filter, &back.to_string()));
        Ok(Self { server, script })
    }

    /// The script alone: mail goes to a sink.
    fn programs(&self, seconds: f64) -> io::Result<f64> {
        let sink = crate::peers::SmtpSink::start()?;
        let back = sink.address().to_string();
        self.script.alone(seconds, &[("MAILWEIR_RETURN", &back)])
    }
}

impl Contestant for PipedMailweir {
    fn name(&self) -> &'static str {
        self.server.name()
    }

    fn start(&self, next_hop: NextHop) -> io::Result<Box<dyn Running>> {
        self.server.start(next_hop)
    }
}

/// A filter, and the listener where it hands mail back.
fn sections(filter: &str, back: &str) -> String {
    format!(
        "[[filter]]\nname = \"scan\"\n{filter}\nreturns_to = \"back\"\n\
         concurrency_limit = {CONCURRENCY}\n\
         [[listener]]\nname = \"back\"\nbind = [{back:?}]\nmode = \"filter\"\n\
         networks = [\"127.0.0.1/32\"]\nxforward_hosts = [\"127.0.0.1/32\"]\n"
    )
}

/// As FILTER_README limits its filters.
const CONCURRENCY: usize = 10;

/// Whom the scripts run as.
const USER: &str = "nobody";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_round_goes_backwards() {
        let places = |round| turns(round).map(|row| row as usize);
        assert_eq!(places(1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(places(2), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn what_a_filter_adds_is_compared_with_its_programs() {
        // 1 ms a mail, 5 ms with the filter, of which its programs alone take 2 ms.
        assert_eq!(beside_programs(&[1000.0], &[200.0], &[500.0]), [2.0]);
    }
}
