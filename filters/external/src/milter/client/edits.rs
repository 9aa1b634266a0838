//! What a filter changes in a mail, as it says so at the end of the body.

use mailweir_mail::{Address, ReversePath};

use super::{
    super::{Actions, Fault, Response, Steps, value::from_wire},
    Limits,
    negotiation::Agreed,
};
use crate::{
    edit,
    verdict::{Decision, Edit, Verdict},
};

/// The changes so far.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<Edit>,
    /// How many were said, but for parts of a body that have anything in them: those have an end of their own.
    said: usize,
    /// Bytes of all but the body.
    bytes: usize,
    /// A new body: it stands in all its parts at the place of the first.
    body: Option<Body>,
    quarantine: Option<Box<str>>,
}

#[derive(Debug)]
struct Body {
    place: usize,
    bytes: Vec<u8>,
}

impl Edits {
    /// One more.
    pub(super) fn add(
        &mut self,
        response: Response,
        agreed: &Agreed,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let packet = response.name();
        if !agreed.actions.contain(needed(&response)) {
            return Err(Fault::NotNegotiated(packet));
        }
        if !matches!(&response, Response::ReplBody(bytes) if !bytes.is_empty()) {
            self.said += 1;
            if self.said > limits.edits {
                return Err(Fault::MostEdits(limits.edits));
            }
        }
        let exact = agreed.steps.contain(Steps::HDR_LEADSPC);
        let field = |name: &[u8], value: &[u8]| field(packet, name, value, exact, limits);
        let edit = match response {
            Response::ReplBody(bytes) => return self.body(&bytes, limits),
            Response::Quarantine(reason) => {
                self.quarantine = Some(one_line(&reason));
                return Ok(());
            }
            Response::AddHeader { name, value } => {
                let (name, value) = field(&name, &value)?;
                Edit::Append { name, value }
            }
            Response::InsHeader { index, name, value } => {
                let (name, value) = field(&name, &value)?;
                Edit::Insert { above: at(index).saturating_sub(1), name, value }
            }
            Response::ChgHeader { index, name, value } => {
                let (nth, deletes) = (at(index).max(1), value.is_empty());
                let (name, value) = field(&name, &value)?;
                match deletes {
                    true => Edit::Remove { name, nth: Some(nth) },
                    false => Edit::Change { name, nth, value },
                }
            }
            Response::ChgFrom(texts) => Edit::Sender(sender(packet, &texts)?),
            Response::AddRcpt(text) => Edit::AddRecipient(address(packet, &text)?),
            Response::AddRcptPar(texts) => {
                Edit::AddRecipient(address(packet, texts.first().map_or(&[], |text| text))?)
            }
            Response::DelRcpt(text) => Edit::RemoveRecipient(address(packet, &text)?),
            _ => return Err(Fault::Misplaced { packet, stage: "BODYEOB" }),
        };
        self.push(edit, limits)
    }

    /// All of them.
    pub(super) fn verdict(self) -> Verdict {
        let Self { mut edits, body, quarantine, .. } = self;
        if let Some(Body { place, bytes }) = body {
            edits.insert(place, Edit::Body(bytes.into()));
        }
        let decision = if quarantine.is_some() { Decision::Hold } else { Decision::Pass };
        Verdict { decision, edits, reason: quarantine.unwrap_or_default() }
    }

    fn push(&mut self, edit: Edit, limits: &Limits) -> Result<(), Fault> {
        self.bytes += size(&edit);
        self.edits.push(edit);
        if self.bytes > limits.edited {
            return Err(Fault::LongEdits(limits.edited));
        }
        Ok(())
    }

    fn body(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
        let place = self.edits.len();
        let body = self.body.get_or_insert(Body { place, bytes: Vec::new() });
        if body.bytes.len() + bytes.len() > limits.body {
            return Err(Fault::LongBody(limits.body));
        }
        body.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// What must have been announced for it.
const fn needed(response: &Response) -> Actions {
    match response {
        Response::AddHeader { .. } | Response::InsHeader { .. } => Actions::ADDHDRS,
        Response::ChgHeader { .. } => Actions::CHGHDRS,
        Response::ChgFrom(_) => Actions::CHGFROM,
        Response::AddRcpt(_) => Actions::ADDRCPT,
        Response::AddRcptPar(_) => Actions::ADDRCPT_PAR,
        Response::DelRcpt(_) => Actions::DELRCPT,
        Response::ReplBody(_) => Actions::CHGBODY,
        Response::Quarantine(_) => Actions::QUARANTINE,
        _ => Actions::NONE,
    }
}

/// Name and value, with the space behind the colon that filters leave out unless they know better.
fn field(
    packet: &'static str,
    name: &[u8],
    value: &[u8],
    exact: bool,
    limits: &Limits,
) -> Result<(Box<str>, Box<[u8]>), Fault> {
    if name.len() + value.len() > limits.field {
        return Err(Fault::LongField(limits.field));
    }
    let name = std::str::from_utf8(name).ok().filter(|name| edit::is_field_name(name));
    let name = name.ok_or(Fault::FieldName(packet))?;
    Ok((name.into(), from_wire(value, exact)))
}

fn sender(packet: &'static str, texts: &[Box<[u8]>]) -> Result<ReversePath, Fault> {
    let text: &[u8] = texts.first().map_or(&[], |text| text);
    if matches!(text, b"" | b"<>") {
        return Ok(ReversePath::Null);
    }
    address(packet, text).map(ReversePath::Mailbox)
}

/// With angle brackets or without.
fn address(packet: &'static str, text: &[u8]) -> Result<Address, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::Value(packet, "its address"))?;
    let text = text.trim_matches(' ');
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    let address = Address::parse(inside.unwrap_or(text));
    address.map_err(|error| Fault::Address { packet, error })
}

fn size(edit: &Edit) -> usize {
    match edit {
        Edit::Append { name, value }
        | Edit::Insert { name, value, .. }
        | Edit::Change { name, value, .. } => name.len() + value.len(),
        Edit::Remove { name, .. } => name.len(),
        Edit::Body(bytes) => bytes.len(),
        Edit::Sender(path) => path.as_str().len(),
        Edit::AddRecipient(address) | Edit::RemoveRecipient(address) => address.as_str().len(),
    }
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// A reason for the log: no control characters, and not without end.
fn one_line(text: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(text);
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(LONGEST_REASON).collect::<String>().trim().into()
}

/// Characters of a reason.
const LONGEST_REASON: usize = 500;
