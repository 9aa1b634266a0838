//! What can be done, as forms: one for each choice, all with the nonce of the page. What is done most
//! stands on a bar that is always in sight, so that one tap decides.

use std::fmt::Write as _;

use mailweir_moderation::{
    case::MOST_WORDS,
    notice::{
        clean, escaped,
        words::{Label, PageWord},
    },
    page::Choice,
};

use super::{
    answer::LOG_IN,
    form::ASKS_FOR_RECIPIENTS,
    html::{Leaf, mark},
};

/// What the reader was about to do.
#[derive(Default)]
pub(super) struct Draft {
    /// These choices are in front.
    pub(super) focus: Vec<Choice>,
    /// What they wrote, if it was of no use as yet.
    pub(super) words: String,
}

/// All choices with the words and details that may belong to them.
pub(super) fn all(leaf: &Leaf<'_>, choices: &[Choice]) -> String {
    let mut html = String::new();
    let (first, more): (Vec<Choice>, Vec<Choice>) =
        choices.iter().copied().partition(|choice| is_usual(*choice));
    section(leaf, PageWord::YourDecision, &first, &mut html);
    section(leaf, PageWord::MoreChoices, &more, &mut html);
    html
}

/// The buttons of the usual choices; what the reader came for is the first.
pub(super) fn bar(leaf: &Leaf<'_>, choices: &[Choice]) -> String {
    let mut usual: Vec<Choice> =
        choices.iter().copied().filter(|choice| is_usual(*choice)).collect();
    if usual.is_empty() {
        return String::new();
    }
    let chosen = usual.iter().find(|choice| leaf.draft.focus.contains(choice)).copied();
    usual.sort_by_key(|choice| Some(*choice) != chosen);
    let mut html = "<div class=\"bar\">".to_owned();
    for choice in usual {
        let chosen = if chosen == Some(choice) { " chosen" } else { "" };
        let _ = write!(
            html,
            "<button form=\"{}\" class=\"{}{chosen}\">{}</button>",
            choice.name(),
            look(choice),
            escaped(choice.verb().text(leaf.sight.language)),
        );
    }
    html.push_str("</div>");
    html
}

/// Name and password.
pub(super) fn log_in(leaf: &Leaf<'_>) -> String {
    let text = |word: PageWord| escaped(word.text(leaf.sight.language));
    let mut html = String::new();
    begin(leaf, LOG_IN, &mut html);
    let _ = write!(
        html,
        "<label>{}<input name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" \
         spellcheck=\"false\" required></label>\
         <label>{}<input name=\"password\" type=\"password\" autocomplete=\"current-password\" \
         required></label><button class=\"yes\">{}</button></form>",
        text(PageWord::LogInName),
        text(PageWord::Password),
        text(PageWord::LogIn),
    );
    html
}

/// Choices with details under a heading. Those without are forms that nobody sees: their buttons stand
/// on the bar.
fn section(leaf: &Leaf<'_>, heading: PageWord, choices: &[Choice], html: &mut String) {
    let (detailed, plain): (Vec<Choice>, Vec<Choice>) =
        choices.iter().copied().partition(|choice| has_details(*choice));
    for choice in plain {
        begin(leaf, choice.name(), html);
        html.push_str("</form>");
    }
    if detailed.is_empty() {
        return;
    }
    let _ = write!(
        html,
        "<section class=\"choices\"><h2>{}</h2>",
        escaped(heading.text(leaf.sight.language))
    );
    detailed.into_iter().for_each(|choice| form(leaf, choice, html));
    html.push_str("</section>");
}

fn form(leaf: &Leaf<'_>, choice: Choice, html: &mut String) {
    let is_chosen = leaf.draft.focus.contains(&choice);
    let open = if is_chosen { " open" } else { "" };
    let verb = escaped(choice.verb().text(leaf.sight.language));
    let _ = write!(html, "<details class=\"card\"{open}><summary>{verb}</summary>");
    begin(leaf, choice.name(), html);
    match choice {
        Choice::Approve => approve(leaf, is_chosen, html),
        Choice::Reject => words(leaf, PageWord::ReasonIfAny, is_chosen, html),
        Choice::Return => needed_words(leaf, PageWord::Correction, is_chosen, html),
        Choice::Comment => needed_words(leaf, PageWord::OnlySaid, is_chosen, html),
        Choice::Discard => {
            let text = escaped(PageWord::SilentlyGone.text(leaf.sight.language));
            let _ = write!(html, "<p>{text}</p>");
            words(leaf, PageWord::RecordIfAny, is_chosen, html);
        }
        Choice::Forward => forward(leaf, html),
        Choice::Send | Choice::Decline | Choice::Cancel => {}
    }
    let _ = write!(html, "<button class=\"{}\">{verb}</button></form></details>", look(choice));
}

/// The form of a choice, with what proves that it is one of this page.
fn begin(leaf: &Leaf<'_>, choice: &str, html: &mut String) {
    let _ = write!(
        html,
        "<form id=\"{choice}\" method=\"post\" action=\"{}\" autocomplete=\"off\">\
         <input type=\"hidden\" name=\"nonce\" value=\"{}\">\
         <input type=\"hidden\" name=\"choice\" value=\"{choice}\">",
        escaped(leaf.name),
        escaped(leaf.nonce),
    );
}

fn approve(leaf: &Leaf<'_>, is_chosen: bool, html: &mut String) {
    let language = leaf.sight.language;
    words(leaf, PageWord::CommentIfAny, is_chosen, html);
    recipients(leaf, html);
    let _ = write!(
        html,
        "<label>{} ({})<input name=\"at\" type=\"datetime-local\"></label>",
        escaped(PageWord::SendLater.text(language)),
        leaf.sight.zone,
    );
    // Only who has logged in is known again.
    if leaf.sight.file.mail.login.is_some() {
        let _ = write!(
            html,
            "<label>{}<select name=\"days\"><option value=\"0\">{}</option>",
            escaped(PageWord::TrustSender.text(language)),
            escaped(PageWord::NotTrusted.text(language)),
        );
        for days in [1, 7, 30] {
            let _ = write!(html, "<option>{days}</option>");
        }
        html.push_str("</select></label>");
    }
}

/// Who gets it, where there are several, and no more than somebody would go through.
fn recipients(leaf: &Leaf<'_>, html: &mut String) {
    let language = leaf.sight.language;
    let recipients = &leaf.sight.file.mail.recipients;
    if !(2..=MOST_RECIPIENTS).contains(&recipients.len()) {
        return;
    }
    let only = leaf.sight.file.case.progress.only.as_deref();
    let _ = write!(
        html,
        "<fieldset><legend>{}</legend><input type=\"hidden\" name=\"{ASKS_FOR_RECIPIENTS}\" value=\"1\">",
        escaped(PageWord::WhoGetsIt.text(language)),
    );
    let mut numbered: Vec<_> = (0_u32..).zip(recipients).collect();
    numbered.sort_by_key(|(_, one)| (!one.is_outside, !one.is_hidden));
    for (number, one) in numbered {
        let is_left = only.is_none_or(|only| only.contains(&number));
        let state = if is_left { "checked" } else { "disabled" };
        let address = escaped(&clean::line(one.address.as_str(), MOST_ADDRESS));
        let _ = write!(
            html,
            "<label class=\"tick\"><input type=\"checkbox\" name=\"for\" value=\"{number}\" {state}>\
             <span><span dir=\"auto\">{address}</span>"
        );
        let marks = [(one.is_outside, Label::Outside), (one.is_hidden, Label::Hidden)];
        for (_, label) in marks.into_iter().filter(|(is, _)| *is) {
            mark(label.text(language), html);
        }
        html.push_str("</span></label>");
    }
    html.push_str("</fieldset>");
}

fn forward(leaf: &Leaf<'_>, html: &mut String) {
    let _ = write!(
        html,
        "<label>{}<input name=\"to\" type=\"email\" inputmode=\"email\" autocapitalize=\"none\" \
         maxlength=\"254\" required></label>",
        escaped(PageWord::ForwardTo.text(leaf.sight.language)),
    );
}

fn words(leaf: &Leaf<'_>, label: PageWord, is_chosen: bool, html: &mut String) {
    area(leaf, label, "", is_chosen, html);
}

fn needed_words(leaf: &Leaf<'_>, label: PageWord, is_chosen: bool, html: &mut String) {
    area(leaf, label, " required", is_chosen, html);
}

fn area(leaf: &Leaf<'_>, label: PageWord, required: &str, is_chosen: bool, html: &mut String) {
    let words = if is_chosen { &*leaf.draft.words } else { "" };
    // The first line end in a text area is not part of it.
    let _ = write!(
        html,
        "<label>{}<textarea name=\"words\" rows=\"3\" maxlength=\"{MOST_WORDS}\" dir=\"auto\"{required}>\n{}</textarea></label>",
        escaped(label.text(leaf.sight.language)),
        escaped(words),
    );
}

/// Whether it stands on the bar.
const fn is_usual(choice: Choice) -> bool {
    match choice {
        Choice::Approve | Choice::Send | Choice::Reject | Choice::Decline | Choice::Cancel => true,
        Choice::Return | Choice::Forward | Choice::Comment | Choice::Discard => false,
    }
}

/// Whether there is more to say than that.
const fn has_details(choice: Choice) -> bool {
    !matches!(choice, Choice::Send | Choice::Decline | Choice::Cancel)
}

const fn look(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve | Choice::Send => "yes",
        Choice::Reject | Choice::Decline | Choice::Cancel | Choice::Discard => "no",
        Choice::Return | Choice::Forward | Choice::Comment => "plain",
    }
}

/// Recipients that a form lists. A mail to more goes to all of them or to none.
const MOST_RECIPIENTS: usize = 200;

/// Characters of an address.
const MOST_ADDRESS: usize = 254;
