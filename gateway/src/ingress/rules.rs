//! From what rules decided to what the log says of it.

use mailweir_filters::checks::{Decision, Verb};
use mailweir_mail::{QueueId, RuleAction, RuleApplied, TransactionSummary};

/// The event of a decision about content.
///
/// # Errors
/// A warning instead: the rule could not be applied.
pub(super) fn event(
    decision: &Decision,
    id: QueueId,
    listener: &str,
    transaction: &TransactionSummary,
) -> Result<RuleApplied, String> {
    let Decision { context, place, line, action, text } = decision;
    let verb = match action {
        Ok(verb) => verb,
        Err(error) => return Err(format!("{place}: {error}; the line is kept as it is")),
    };
    Ok(RuleApplied {
        id: Some(id),
        listener: listener.into(),
        action: rule_action(*verb),
        about: format!("{} {line}", context.log_word()).into(),
        rule: place.to_string().into(),
        text: text.clone(),
        transaction: transaction.clone(),
    })
}

const fn rule_action(verb: Verb) -> RuleAction {
    match verb {
        Verb::Reject => RuleAction::Reject,
        Verb::Discard => RuleAction::Discard,
        Verb::Hold => RuleAction::Hold,
        Verb::Filter => RuleAction::Filter,
        Verb::Redirect => RuleAction::Redirect,
        Verb::Bcc => RuleAction::Bcc,
        Verb::Strip => RuleAction::Strip,
        Verb::Ignore => RuleAction::Ignore,
        Verb::Prepend => RuleAction::Prepend,
        Verb::Replace => RuleAction::Replace,
        Verb::Pass => RuleAction::Pass,
        Verb::Warn => RuleAction::Warn,
        Verb::Info => RuleAction::Info,
        Verb::Dunno => RuleAction::Dunno,
    }
}
