//! `[spam]`: what is asked about a stranger before its mail is taken, and who has to wait.
//!
//! Nothing is asked of other people, and nobody waits, unless it is written.

use std::{num::NonZeroU32, time::Duration};

use mailweir_spam::{
    greylist,
    lists::{List, Weight},
    symbols::Points,
};

use super::{
    check::positive,
    choice::WrittenGreylist,
    problem::Problems,
    raw::RawTable,
    schema::SpamSection,
    setting::{Element, Refusal, Setting},
    units::shown,
    value::RawValue,
};

/// What is asked about a stranger before its mail is taken, and who has to wait.
#[derive(Clone, Debug)]
pub struct BeforeData {
    /// The lists that are asked about the client's address.
    pub client_lists: Vec<List>,
    /// The lists that are asked about the domains that it names.
    pub domain_lists: Vec<List>,
    /// Who has to come again; `None`: nobody.
    pub greylisting: Option<Greylisting>,
    /// How long a stranger waits for the greeting; zero: not at all.
    pub greet_wait: Duration,
    /// How many mails of one network are taken in an hour; `None`: any number.
    pub network_rate: Option<NonZeroU32>,
    /// How many mails of one sender's domain are taken in an hour; `None`: any number.
    pub sender_rate: Option<NonZeroU32>,
}

/// Who has to come again, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greylisting {
    /// Who.
    pub whom: Greylisted,
    /// When, and how long it is remembered.
    pub settings: greylist::Settings,
}

/// Who has to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greylisted {
    /// Those of whom what is known weighs so much.
    From(Points),
    /// Everybody.
    Everybody,
}

impl BeforeData {
    /// For `mailweir check`: begins with a semicolon, if there is anything to say.
    pub(super) fn describe(&self) -> String {
        let mut text = String::new();
        let lists = self.client_lists.len() + self.domain_lists.len();
        if lists > 0 {
            text += &format!("; lists asked: {lists}");
        }
        match self.greylisting.map(|it| it.whom) {
            Some(Greylisted::Everybody) => text += "; all are greylisted",
            Some(Greylisted::From(points)) => {
                text += &format!("; greylisted from {points} points on");
            }
            None => {}
        }
        if !self.greet_wait.is_zero() {
            text += &format!("; greeted after {}", shown(self.greet_wait));
        }
        for (rate, whose) in [(self.network_rate, "network"), (self.sender_rate, "sender's domain")]
        {
            if let Some(rate) = rate {
                text += &format!("; at most {rate} mails of a {whose} in an hour");
            }
        }
        text
    }
}

/// A list as `postscreen_dnsbl_sites` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListSite(Box<str>);

impl ListSite {
    /// Whether what is on the list speaks for a mail.
    fn permits(&self) -> bool {
        let weight = self.0.split_once('*').and_then(|(_, weight)| Weight::parse(weight).ok());
        weight.is_some_and(|weight| weight.thousandths() < 0)
    }
}

impl Setting for ListSite {
    const ALLOWED: &'static str =
        "a list as Postfix writes it, such as \"bl.example.net=127.0.0.[2..11]*2\"";
    const EXAMPLE: &'static str = "\"bl.example.net*2\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?.trim();
        match List::parse(text) {
            Ok(_) => Ok(Self(text.into())),
            Err(error) => Refusal::new(value, format_args!("{text:?}: {error}")).alone(),
        }
    }
}

impl Element for ListSite {
    const LIST_ALLOWED: &'static str = "a list of lists in DNS as Postfix writes them, such as \
                                        [\"bl.example.net=127.0.0.[2..11]*2\", \"wl.example.net*-2\"]";
    const LIST_EXAMPLE: &'static str = "[\"bl.example.net*2\", \"wl.example.net*-2\"]";
}

/// Checks the keys of the section that are about this.
pub(super) fn check(
    table: &RawTable,
    section: &SpamSection,
    problems: &mut Problems<'_>,
) -> BeforeData {
    if section.greet_wait > LONGEST_WAIT {
        let message =
            format!("{} is more than mail servers wait for a greeting", shown(section.greet_wait));
        problems.error(table, "greet_wait", message).help("at most 1 min; Postfix has 6 s");
    }
    for (index, site) in section.rhsbl_sites.iter().enumerate().filter(|(_, site)| site.permits()) {
        let message = format!("{:?} would speak for whoever writes such a name", site.0);
        problems
            .element_error(table, "rhsbl_sites", index, message)
            .help("lists of senders of wanted mail go by addresses: dnsbl_sites");
    }
    BeforeData {
        client_lists: lists(&section.dnsbl_sites),
        domain_lists: lists(&section.rhsbl_sites),
        greylisting: greylisting(table, section, problems),
        greet_wait: section.greet_wait,
        network_rate: section.network_rate,
        sender_rate: section.sender_rate,
    }
}

fn greylisting(
    table: &RawTable,
    section: &SpamSection,
    problems: &mut Problems<'_>,
) -> Option<Greylisting> {
    let (delay, retry_window) = (section.greylist_delay, section.greylist_retry_window);
    let keep = section.greylist_keep;
    let times = [
        ("greylist_delay", delay),
        ("greylist_retry_window", retry_window),
        ("greylist_keep", keep),
    ];
    positive(table, &times, problems);
    if delay > retry_window {
        let message = format!("nobody could pass: the window closes after {}", shown(retry_window));
        problems.error(table, "greylist_delay", message);
    }
    let whom = match section.greylist {
        WrittenGreylist::Never => return None,
        WrittenGreylist::Suspicious => {
            let Some(points) = section.greylist_from.points() else {
                let message = "nobody would ever be suspicious: nobody is greylisted";
                let problem = problems.error(table, "greylist_from", message);
                problem.help("a number of points, or greylist = \"never\"");
                return None;
            };
            Greylisted::From(points)
        }
        WrittenGreylist::Always => Greylisted::Everybody,
    };
    let settings =
        greylist::Settings { delay, retry_window, keep, ..greylist::Settings::default() };
    Some(Greylisting { whom, settings })
}

/// Each was read as its setting was.
pub(super) fn lists(sites: &[ListSite]) -> Vec<List> {
    List::all(sites.iter().map(|ListSite(text)| &**text)).unwrap_or_default()
}

/// RFC 5321 section 4.5.3.2.1 has clients wait for 5 minutes; not all do.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
