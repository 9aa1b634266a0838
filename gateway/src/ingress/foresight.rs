//! Whether a mail that a Postfix in front has may need an approval: the rules of a listener, asked
//! before the mail is here.
//!
//! Addresses take the same forms, and the same mail needs nobody, as when it comes; what cannot be
//! known is taken for possible ([`mailweir_moderation::rule::Prospect`]).

use mailweir_filters::{ForOneMail, rewriting::RewriteError};
use mailweir_mail::{Address, Envelope, Login, Recipient, ReversePath};
use mailweir_moderation::{
    action::{Need, need},
    case::RuleName,
    reply::address::Meant,
    rule::{Expected, Prospect},
};
use mailweir_tables::PatternSteps;

use super::{addressing, listener::Listener, recipients, senders::Submitter};
use crate::clock;

/// A mail that somebody else has.
#[derive(Debug)]
pub(crate) struct Enquiry<'a> {
    /// The envelope sender as written; empty: the null sender.
    pub(crate) sender: &'a str,
    /// Whoever logged in there.
    pub(crate) login: Option<Login>,
    /// The recipients.
    pub(crate) recipients: Asked,
    /// Bytes, if all of it has come.
    pub(crate) size: Option<u64>,
}

/// What is known of the recipients of such a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// These and no others.
    Exactly(Vec<Address>),
    /// One more, behind so many. It is asked again of each further one.
    Next(Address, usize),
    /// Some, or some that cannot be read.
    Unknown,
}

/// What is foreseen of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Foreseen {
    /// The rule by which it may need us, and what for. `None`: it needs nobody.
    pub(crate) need: Option<(RuleName, Need)>,
    /// How many addresses the recipients that were asked about stand for.
    pub(crate) addresses: usize,
    /// Whether it answers a notice: then it matters who logged in to hand it in.
    pub(crate) is_answer: bool,
}

impl Asked {
    fn known(&self) -> &[Address] {
        match self {
            Self::Exactly(recipients) => recipients,
            Self::Next(recipient, _) => std::slice::from_ref(recipient),
            Self::Unknown => &[],
        }
    }
}

/// Whether the mail may need us.
///
/// # Errors
/// A table cannot tell.
pub(crate) async fn foresee(
    listener: &Listener,
    mail: Enquiry<'_>,
) -> Result<Foreseen, RewriteError> {
    let Some(moderation) = listener.moderation() else { return Ok(Foreseen::default()) };
    let submitter = mail.login.map(Submitter::named);
    let answers = |one: &Address| matches!(moderation.meant(one), Meant::Answer(_));
    let is_answer = mail.recipients.known().iter().any(answers);
    let needs_nobody = Foreseen { is_answer, ..Foreseen::default() };
    let sender = match mail.sender {
        "" => Ok(ReversePath::Null),
        sender => Address::parse(sender).map(ReversePath::Mailbox),
    };
    if !moderation.has_rules() {
        return Ok(needs_nobody);
    }
    let envelope = match sender {
        Ok(sender) if moderation.needs_nobody(&sender, submitter.as_ref()) => {
            return Ok(needs_nobody);
        }
        Ok(sender) => Some(in_final_form(listener, sender, &mail.recipients).await?),
        Err(_) => None,
    };
    let steps = PatternSteps::all();
    let lookups = ForOneMail { remote: listener.remote_maps(), steps: &steps };
    let ours = match &envelope {
        Some(envelope) => recipients::ours(listener, envelope, &lookups).await?,
        None => Default::default(),
    };
    let addresses = envelope.iter().flat_map(|envelope| &envelope.recipients);
    let addresses: Vec<Address> = addresses.map(|one| one.address.clone()).collect();
    let prospect = Prospect {
        listener: listener.name(),
        login: submitter.as_ref().map(Submitter::name),
        sender: envelope.as_ref().and_then(|envelope| envelope.sender.address()),
        recipients: match &mail.recipients {
            _ if envelope.is_none() => Expected::Unknown,
            Asked::Exactly(_) => Expected::Exactly(&addresses),
            Asked::Next(_, before) => {
                Expected::Next { addresses: &addresses, count: before + addresses.len() }
            }
            Asked::Unknown => Expected::Unknown,
        },
        is_ours: &|domain| ours.contains(domain),
        size: mail.size,
        time: moderation.rules.time_zone.local(clock::now()),
    };
    let rules = &moderation.rules.rules;
    let possible = moderation.rules.matching.foresee(&prospect).into_iter();
    let possible = possible.filter_map(|(number, chance)| {
        rules.get(number).map(|rule| (&rule.rule.name, &rule.action, chance))
    });
    let need = need(possible).map(|(rule, need)| (rule.clone(), need));
    Ok(Foreseen { need, addresses: addresses.len(), is_answer })
}

/// The envelope as rules about addresses would leave it.
async fn in_final_form(
    listener: &Listener,
    sender: ReversePath,
    asked: &Asked,
) -> Result<Envelope, RewriteError> {
    let mut envelope = Envelope::from_sender(sender);
    envelope.recipients = asked.known().iter().cloned().map(Recipient::new).collect();
    let addressed = addressing::address(listener, &envelope, Vec::new()).await?;
    Ok(addressed.envelope(envelope, None, listener.served()).envelope)
}
