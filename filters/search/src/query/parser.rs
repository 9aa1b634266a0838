//! From pieces to a query.

use super::lexer::{Kind, Token, tokens};
use super::{
    Address, Clause, Key, MAX_CLAUSES, MAX_DEPTH, MAX_PARTS, Place, Query, QueryError, Status,
    Value, value,
};
use crate::words::{Pattern, Wanted, folded, wanted};

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        clauses: 0,
        parts: 0,
        depth: 0,
        status: Vec::new(),
    };
    let clause = parser.all(Place::Anywhere)?;
    match parser.peek() {
        Some(token) => fail(token.at, "No parenthesis was opened that this one closes."),
        None => Ok(Query { clause, status: parser.status }),
    }
}

/// Whether `name` before a colon names a field.
pub(super) fn is_field(name: &str) -> bool {
    field(&folded(name)).is_some()
}

/// What a field wants behind its colon.
#[derive(Clone, Copy)]
enum Field {
    Words(Place),
    Exact(Key),
    Status,
    Date,
    After,
    Before,
    Larger,
    Smaller,
    Has,
}

fn field(name: &str) -> Option<Field> {
    Some(match name {
        "from" => Field::Words(Place::From),
        "to" => Field::Words(Place::To),
        "cc" => Field::Words(Place::Cc),
        "bcc" => Field::Words(Place::Bcc),
        "subject" => Field::Words(Place::Subject),
        "text" => Field::Words(Place::Text),
        "file" => Field::Words(Place::File),
        "login" => Field::Exact(Key::Login),
        "ip" => Field::Exact(Key::Ip),
        "message-id" => Field::Exact(Key::MessageId),
        "id" => Field::Exact(Key::Id),
        "direction" => Field::Exact(Key::Direction),
        "status" => Field::Status,
        "date" => Field::Date,
        "after" => Field::After,
        "before" => Field::Before,
        "larger" => Field::Larger,
        "smaller" => Field::Smaller,
        "has" => Field::Has,
        _ => return None,
    })
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    clauses: usize,
    parts: usize,
    depth: usize,
    status: Vec<Status>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    /// Up to a closing parenthesis or the end.
    fn all(&mut self, place: Place) -> Result<Clause, QueryError> {
        let mut clauses = Vec::new();
        while self.peek().is_some_and(|token| token.kind != Kind::Close) {
            clauses.extend(self.either(place)?);
        }
        Ok(match <[Clause; 1]>::try_from(clauses) {
            Ok([only]) => only,
            Err(clauses) => Clause::All(clauses),
        })
    }

    /// Things with `OR` between them.
    fn either(&mut self, place: Place) -> Result<Option<Clause>, QueryError> {
        let at = self.peek().map_or(0, |token| token.at);
        let statuses = self.status.len();
        let mut clauses = Vec::from_iter(self.one(place)?);
        let mut is_choice = false;
        while self.peek().is_some_and(|token| token.kind == Kind::Or) {
            let or = self.take().map_or(at, |token| token.at);
            if self.peek().is_none_or(|token| matches!(token.kind, Kind::Close | Kind::Or)) {
                return fail(or, "OR needs something on both sides.");
            }
            is_choice = true;
            clauses.extend(self.one(place)?);
        }
        if is_choice && self.status.len() > statuses {
            return fail(at, "status: can be asked for beside other words, but not with OR.");
        }
        Ok(if clauses.len() > 1 { Some(Clause::Any(clauses)) } else { clauses.pop() })
    }

    /// One thing, with the minus signs before it.
    fn one(&mut self, place: Place) -> Result<Option<Clause>, QueryError> {
        let mut excluded = false;
        let mut at = 0;
        while let Some(Token { at: minus, .. }) =
            self.peek().filter(|token| token.kind == Kind::Not)
        {
            at = *minus;
            excluded = !excluded;
            self.next += 1;
        }
        let Some(token) = self.take() else {
            return fail(at, "Nothing stands behind this minus sign.");
        };
        let clause = match token.kind {
            Kind::Open => self.group(token.at, place)?,
            Kind::Name(name) => self.field(&name, token.at, place, excluded)?,
            Kind::Word(word) => self.word(&word, token.at, place)?,
            Kind::Phrase(phrase) => self.phrase(&phrase, token.at, place)?,
            Kind::Or => return fail(token.at, "OR needs something on both sides."),
            Kind::Close | Kind::Not => return fail(token.at, "Something is missing here."),
        };
        Ok(if excluded { clause.map(|clause| Clause::Not(Box::new(clause))) } else { clause })
    }

    fn group(&mut self, at: usize, place: Place) -> Result<Option<Clause>, QueryError> {
        if self.depth == MAX_DEPTH {
            return fail(
                at,
                &format!("More than {MAX_DEPTH} parentheses stand within each other."),
            );
        }
        self.depth += 1;
        let clause = self.all(place)?;
        self.depth -= 1;
        match self.take() {
            Some(_) => Ok((clause != Clause::All(Vec::new())).then_some(clause)),
            None => fail(at, "This parenthesis is never closed."),
        }
    }

    fn field(
        &mut self,
        name: &str,
        at: usize,
        outer: Place,
        excluded: bool,
    ) -> Result<Option<Clause>, QueryError> {
        let name = folded(name);
        let Some(field) = field(&name) else { return fail(at, "This is no field.") };
        if outer != Place::Anywhere {
            return fail(at, &format!("{name}: stands within the parentheses of another field."));
        }
        let Some(token) = self.take() else {
            return fail(at, &format!("Nothing stands behind {name}:"));
        };
        let text = match (token.kind, field) {
            (Kind::Open, Field::Words(place)) => return self.group(token.at, place),
            (Kind::Word(word), Field::Words(place)) => {
                return self.word(&word, token.at, place)?.map_or_else(
                    || fail(token.at, &format!("No letter or digit stands behind {name}:")),
                    |clause| Ok(Some(clause)),
                );
            }
            (Kind::Phrase(phrase), Field::Words(place)) => {
                return self.phrase(&phrase, token.at, place);
            }
            (Kind::Word(text) | Kind::Phrase(text), _) => text,
            _ => return fail(token.at, &format!("{name}: needs a value behind its colon.")),
        };
        self.count(at)?;
        self.value(field, &name, &text, token.at, excluded)
    }

    fn value(
        &mut self,
        field: Field,
        name: &str,
        text: &str,
        at: usize,
        excluded: bool,
    ) -> Result<Option<Clause>, QueryError> {
        let text = folded(text.trim());
        let days = || value::days(&text).map_or_else(|| fail(at, &day_wanted(name)), Ok);
        let size = || {
            let message = format!("{name}: wants a size, as 500K or 5M.");
            value::size(&text).map_or_else(|| fail(at, &message), Ok)
        };
        Ok(Some(match field {
            Field::Date => match value::range(&text) {
                Some((from, before)) => Clause::Days(from, before),
                None => return fail(at, &day_wanted(name)),
            },
            Field::After => Clause::Days(Some(days()?.0), None),
            Field::Before => Clause::Days(None, Some(days()?.0)),
            Field::Larger => Clause::Larger(size()?),
            Field::Smaller => Clause::Smaller(size()?),
            Field::Has if text == "attachment" => Clause::Attachment,
            Field::Has if text == "unread" => Clause::Unread,
            Field::Has => return fail(at, "has: knows has:attachment and has:unread."),
            Field::Exact(key) => {
                let clause = exact(key, &text, at)?;
                let is_part = matches!(clause, Clause::Exact(_, Value::Begins(_)));
                self.count_parts(usize::from(is_part), at)?;
                clause
            }
            Field::Status if self.depth > 0 => {
                return fail(at, "status: cannot stand in parentheses.");
            }
            Field::Status => {
                self.status.push(Status { value: text, excluded });
                return Ok(None);
            }
            Field::Words(_) => return fail(at, "This is no value."),
        }))
    }

    /// A word as it was typed: perhaps an address, perhaps with stars.
    fn word(&mut self, word: &str, at: usize, place: Place) -> Result<Option<Clause>, QueryError> {
        self.count(at)?;
        if let Some(address) = address(word, place) {
            return Ok(Some(Clause::Address(place, address)));
        }
        let text = word.trim_matches('*');
        if text.contains('*') {
            return fail(at, "A star stands at the beginning or the end of a word.");
        }
        let wanted = wanted(text);
        if wanted.is_empty() {
            return Ok(None);
        }
        let pattern = match (word.starts_with('*'), word.ends_with('*')) {
            (false, false) => None,
            (false, true) => Some(Pattern::Begins),
            (true, false) => Some(Pattern::Ends),
            (true, true) => Some(Pattern::Within),
        };
        // Of scripts without word breaks every part is found as it is.
        let wanted = match pattern.filter(|_| wanted.is_words()) {
            Some(pattern) => part(wanted, pattern, at)?,
            None => wanted,
        };
        self.count_parts(wanted.singles.len() + usize::from(wanted.pattern.is_some()), at)?;
        Ok(Some(Clause::Words(place, wanted)))
    }

    fn phrase(
        &mut self,
        text: &str,
        at: usize,
        place: Place,
    ) -> Result<Option<Clause>, QueryError> {
        self.count(at)?;
        let wanted = wanted(text);
        if wanted.is_empty() {
            return fail(at, "No letter or digit stands in these quotation marks.");
        }
        self.count_parts(wanted.singles.len(), at)?;
        Ok(Some(Clause::Words(place, wanted)))
    }

    fn count_parts(&mut self, parts: usize, at: usize) -> Result<(), QueryError> {
        self.parts += parts;
        if self.parts > MAX_PARTS {
            let message = "parts of words and single characters.";
            return fail(at, &format!("A query has at most {MAX_PARTS} {message}"));
        }
        Ok(())
    }

    fn count(&mut self, at: usize) -> Result<(), QueryError> {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return fail(at, &format!("A query has at most {MAX_CLAUSES} words and fields."));
        }
        Ok(())
    }
}

fn part(wanted: Wanted, pattern: Pattern, at: usize) -> Result<Wanted, QueryError> {
    let Some(wanted) = wanted.with_pattern(pattern) else {
        return fail(at, "With a star before it stands one word only, without signs in it.");
    };
    let letters = wanted.pattern.as_ref().map_or(0, |(_, part)| part.chars().count());
    if letters < 2 {
        return fail(at, "Beside a star stand at least two letters.");
    }
    Ok(wanted)
}

/// `local@domain` and `@domain`, where addresses are looked for.
fn address(word: &str, place: Place) -> Option<Address> {
    if !matches!(place, Place::From | Place::To | Place::Cc | Place::Bcc) || word.contains('*') {
        return None;
    }
    let word = folded(word.trim_matches(['<', '>', ',', ';']));
    let (local, domain) = word.rsplit_once('@')?;
    match (local.is_empty(), domain.is_empty()) {
        (_, true) => None,
        (true, false) => Some(Address::Domain(domain.to_owned())),
        (false, false) => Some(Address::Whole(word)),
    }
}

fn exact(key: Key, text: &str, at: usize) -> Result<Clause, QueryError> {
    let text = if key == Key::MessageId { text.trim_matches(['<', '>']) } else { text };
    let text = match (key, text) {
        // The words of the archive's records.
        (Key::Direction, "inbound") => "in",
        (Key::Direction, "outbound") => "out",
        _ => text,
    };
    let known = text.trim_end_matches('*');
    if known.is_empty() || known.contains('*') {
        return fail(at, "A star stands only at the end of a value.");
    }
    if key == Key::Direction && !matches!(known, "in" | "out" | "internal" | "own") {
        return fail(at, "direction: is in, out, internal or own.");
    }
    let value = match (known == text, known.parse::<std::net::IpAddr>()) {
        (true, Ok(ip)) if key == Key::Ip => Value::Whole(ip.to_canonical().to_string()),
        (true, _) => Value::Whole(known.to_owned()),
        (false, _) => Value::Begins(known.to_owned()),
    };
    Ok(Clause::Exact(key, value))
}

fn day_wanted(name: &str) -> String {
    format!("{name}: wants a day, month or year, as 2026-01-15, 2026-01 or 2026.")
}

fn fail<T>(at: usize, message: &str) -> Result<T, QueryError> {
    Err(QueryError { at, message: message.to_owned() })
}
