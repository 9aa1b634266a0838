//! From what was asked for to what tantivy evaluates, for the eyes of who asks.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use super::people::{address_matches, domain_term, whole_term, words_match};
use super::schema::{ATTACHMENT, Fields, UNREAD};
use super::searcher::Scope;
use super::terms::PartOfWord;
use crate::query::{Address, Clause, Place, Value};
use crate::words::{Pattern, Wanted, folded};

const SECONDS_OF_A_DAY: i64 = 86_400;

type Boxed = Box<dyn Query>;

/// What of `clause` is found within `scope`, where days begin `utc_offset` seconds before those of UTC.
pub(super) fn compile(
    fields: Fields,
    clause: &Clause,
    scope: &Scope<'_>,
    utc_offset: i32,
) -> Boxed {
    let sight = match scope {
        Scope::WithBcc => Sight::All,
        Scope::Addresses(own) => Sight::Own(own.iter().map(|own| folded(own)).collect()),
    };
    let compiler = Compiler { fields, sight, utc_offset: i64::from(utc_offset) };
    let asked = compiler.clause(clause);
    match &compiler.sight {
        Sight::All => asked,
        Sight::Own(own) => all(vec![compiler.mail_of(own), asked]),
    }
}

/// What of Bcc may be seen.
enum Sight {
    All,
    /// Only whether one of these addresses is there, each in one form of width and case.
    Own(Vec<String>),
}

struct Compiler {
    fields: Fields,
    sight: Sight,
    utc_offset: i64,
}

impl Compiler {
    fn clause(&self, clause: &Clause) -> Boxed {
        match clause {
            Clause::All(clauses) => self.every(clauses),
            Clause::Any(clauses) => any(clauses.iter().map(|clause| self.clause(clause)).collect()),
            Clause::Not(_) => self.every(std::slice::from_ref(clause)),
            Clause::Words(Place::Anywhere, wanted) => self.anywhere(wanted),
            Clause::Words(place, wanted) => {
                self.in_place(*place, |field| words(field, wanted), |own| words_match(own, wanted))
            }
            Clause::Address(place, asked) => self.in_place(
                *place,
                |field| address(field, asked),
                |own| address_matches(own, asked),
            ),
            Clause::Exact(key, Value::Whole(value)) => whole(self.fields.key(*key), value),
            Clause::Exact(key, Value::Begins(part)) => begins(self.fields.key(*key), part.clone()),
            Clause::Days(from, before) => self.days(*from, *before),
            Clause::Larger(size) => range(
                Bound::Included(Term::from_field_u64(self.fields.size, *size)),
                Bound::Unbounded,
            ),
            Clause::Smaller(size) => range(
                Bound::Unbounded,
                Bound::Excluded(Term::from_field_u64(self.fields.size, *size)),
            ),
            Clause::Attachment => whole(self.fields.facts, ATTACHMENT),
            Clause::Unread => whole(self.fields.facts, UNREAD),
        }
    }

    fn every(&self, clauses: &[Clause]) -> Boxed {
        let mut parts = Vec::with_capacity(clauses.len() + 1);
        for clause in clauses {
            parts.push(match clause {
                Clause::Not(clause) => (Occur::MustNot, self.clause(clause)),
                clause => (Occur::Must, self.clause(clause)),
            });
        }
        if parts.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            parts.push((Occur::Must, Box::new(AllQuery)));
        }
        match <[(Occur, Boxed); 1]>::try_from(parts) {
            Ok([(_, only)]) => only,
            Err(parts) => Box::new(BooleanQuery::new(parts)),
        }
    }

    /// In one field, and in that of those whom its addresses stand for. `Anywhere` is no place of that kind.
    /// `is_asked`: whether a search for an address alone finds what is asked for.
    fn in_place(
        &self,
        place: Place,
        query: impl Fn(Field) -> Boxed,
        is_asked: impl Fn(&str) -> bool,
    ) -> Boxed {
        let Some(field) = self.fields.place(place) else { return Box::new(EmptyQuery) };
        if place == Place::Bcc {
            return any(self.hidden(field, &query, &is_asked));
        }
        let expanded = self.fields.expanded(place);
        let expanded = expanded.map(|field| self.hidden(field, &query, &is_asked));
        let mut parts = vec![query(field)];
        parts.extend(expanded.into_iter().flatten());
        any(parts)
    }

    /// In a field of hidden recipients, as far as they may be seen.
    fn hidden(
        &self,
        field: Field,
        query: &impl Fn(Field) -> Boxed,
        is_asked: &impl Fn(&str) -> bool,
    ) -> Vec<Boxed> {
        match &self.sight {
            Sight::All => vec![query(field)],
            Sight::Own(own) => {
                let asked = own.iter().filter(|own| is_asked(own));
                asked.map(|own| whole(field, &whole_term(own))).collect()
            }
        }
    }

    fn anywhere(&self, wanted: &Wanted) -> Boxed {
        let Fields { subject, text, file, from, to, cc, .. } = self.fields;
        let mut parts: Vec<Boxed> =
            [text, subject, from, to, cc, file].map(|field| words(field, wanted)).into();
        for field in self.fields.hidden() {
            let query = |field| words(field, wanted);
            parts.extend(self.hidden(field, &query, &|own| words_match(own, wanted)));
        }
        any(parts)
    }

    /// Mail of these addresses.
    fn mail_of(&self, own: &[String]) -> Boxed {
        any(own.iter().map(|own| whole(self.fields.owner, own)).collect())
    }

    fn days(&self, from: Option<i64>, before: Option<i64>) -> Boxed {
        let second = |day: i64| {
            let second = day.saturating_mul(SECONDS_OF_A_DAY).saturating_sub(self.utc_offset);
            Term::from_field_i64(self.fields.time, second)
        };
        range(
            from.map_or(Bound::Unbounded, |day| Bound::Included(second(day))),
            before.map_or(Bound::Unbounded, |day| Bound::Excluded(second(day))),
        )
    }
}

/// All of what is wanted, in one field.
fn words(field: Field, wanted: &Wanted) -> Boxed {
    let mut parts: Vec<Boxed> = Vec::new();
    match wanted.phrase.as_slice() {
        [] => {}
        [(_, only)] => parts.push(whole(field, only)),
        phrase => {
            let terms =
                phrase.iter().map(|(at, term)| (*at, Term::from_field_text(field, term))).collect();
            parts.push(Box::new(PhraseQuery::new_with_offset(terms)));
        }
    }
    parts.extend(wanted.singles.iter().map(|c| begins(field, c.to_string())));
    if let Some((pattern, part)) = wanted.pattern.clone() {
        parts.push(Box::new(PartOfWord { field, pattern, part }));
    }
    all(parts)
}

fn address(field: Field, asked: &Address) -> Boxed {
    match asked {
        Address::Whole(address) => whole(field, &whole_term(address)),
        Address::Domain(domain) => whole(field, &domain_term(domain)),
    }
}

fn whole(field: Field, term: &str) -> Boxed {
    Box::new(TermQuery::new(Term::from_field_text(field, term), IndexRecordOption::Basic))
}

fn begins(field: Field, part: String) -> Boxed {
    Box::new(PartOfWord { field, pattern: Pattern::Begins, part })
}

fn range(from: Bound<Term>, to: Bound<Term>) -> Boxed {
    match (&from, &to) {
        (Bound::Unbounded, Bound::Unbounded) => Box::new(AllQuery),
        _ => Box::new(RangeQuery::new(from, to)),
    }
}

fn all(parts: Vec<Boxed>) -> Boxed {
    one_or(parts, BooleanQuery::intersection)
}

fn any(parts: Vec<Boxed>) -> Boxed {
    one_or(parts, BooleanQuery::union)
}

/// The only one as it is; none finds nothing.
fn one_or(parts: Vec<Boxed>, several: impl FnOnce(Vec<Boxed>) -> BooleanQuery) -> Boxed {
    match <[Boxed; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) if parts.is_empty() => Box::new(EmptyQuery),
        Err(parts) => Box::new(several(parts)),
    }
}
