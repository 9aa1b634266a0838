//! How the evidence of many tokens becomes one judgement: the method of Robinson, with Fisher's test.
//!
//! Each token has a probability, drawn towards one half as long as few mails had it. Of the strongest it is asked how likely
//! good mail has so much against it, and how likely spam has so much for it: where both are unlikely, as in a
//! newsletter that somebody reads, the answer stays near one half.
//!
//! Words of one mail depend on each other, which the test does not know. So a word speaks once: alone, or in one pair. Only
//! 80 tokens speak at all, and few of a kind that comes in crowds. Measured by cross-validation in ten parts, spam caught
//! while two of 1,250 good mails are taken for spam: so 99.5 %; where a word may speak more than once 99.0 %; with the sum of
//! the logarithms of odds 98.8 %; pairs of words further apart added less than 0.1. With 150 tokens twice as many good
//! mails of lists that were not learned were taken for spam, with 1,000 many times as many.

use std::cmp::Reverse;

use super::Mails;
use super::opinion::{Clue, MOST_CLUES, Opinion};
use super::table::Counts;
use crate::tokens::{Kind, Token, Tokens};

/// A token that says something.
#[derive(Clone, Copy)]
struct Evidence<'t> {
    token: &'t Token,
    /// How likely a mail with it is spam.
    probability: f64,
    /// How strong it is, in front, and its hash, so that the order is the same whatever stands first.
    rank: u64,
}

/// What tokens come to of which these counts are known.
pub(super) fn judge(
    tokens: &Tokens,
    mails: Mails,
    counts: impl Fn(&Token) -> Option<Counts>,
) -> Opinion {
    let mut known = 0;
    let mut evidence = Vec::new();
    for token in tokens.as_slice() {
        let Some(counts) = counts(token) else { continue };
        known += 1;
        let probability = probability(counts, mails);
        let strength = (probability - 0.5).abs();
        if strength >= LEAST_STRENGTH {
            let rank = ((strength * STRONGEST) as u64) << 40 | token.hash() >> 24;
            evidence.push(Evidence { token, probability, rank });
        }
    }
    let spoken = speakers(in_order(evidence), tokens);
    let clues = |is_of: fn(f64) -> bool| {
        let clues = spoken.iter().filter(|item| is_of(item.probability)).take(MOST_CLUES);
        let text = |item: &Evidence<'_>| tokens.text(item.token);
        clues.map(|item| Clue { text: text(item), probability: item.probability }).collect()
    };
    Opinion {
        probability: fisher(&spoken),
        known,
        spam: clues(|probability| probability > 0.5),
        ham: clues(|probability| probability < 0.5),
    }
}

/// How likely a mail with a token is spam, if as much spam as good mail comes: Robinson's f(w). That one class was learned
/// more often than the other makes no difference.
fn probability(counts: Counts, mails: Mails) -> f64 {
    let ham = f64::from(counts.ham) / f64::from(mails.ham);
    let spam = f64::from(counts.spam) / f64::from(mails.spam);
    let seen = f64::from(counts.sum());
    // Tokens whose counts were all taken back say nothing.
    let spamminess = if seen > 0.0 { spam / (ham + spam) } else { 0.5 };
    (DOUBT * 0.5 + seen * spamminess) / (DOUBT + seen)
}

/// The strongest first. Put in order as far as it is asked for, which is seldom far.
fn in_order(mut evidence: Vec<Evidence<'_>>) -> impl Iterator<Item = Evidence<'_>> {
    let order = |item: &Evidence<'_>| Reverse(item.rank);
    let (mut next, mut ordered) = (0, 0);
    std::iter::from_fn(move || {
        if next == ordered {
            let rest = evidence.get_mut(ordered..)?;
            let count = rest.len().min(AT_ONCE);
            if count < rest.len() {
                rest.select_nth_unstable_by_key(count, order);
            }
            rest.get_mut(..count)?.sort_unstable_by_key(order);
            ordered += count;
        }
        next += 1;
        evidence.get(next - 1).copied()
    })
}

/// Who speaks, of evidence in order.
fn speakers<'t>(
    evidence: impl Iterator<Item = Evidence<'t>>,
    tokens: &Tokens,
) -> Vec<Evidence<'t>> {
    let mut has_spoken = vec![false; tokens.word_count()];
    let mut crowds = [0_usize; 2];
    let mut speakers = Vec::with_capacity(MOST_SPEAKERS);
    for item in evidence {
        let has_spoken_before = item
            .token
            .words()
            .any(|word| has_spoken.get(word).is_none_or(|has_spoken| *has_spoken));
        if has_spoken_before || !has_room(tokens.kind(item.token), &mut crowds) {
            continue;
        }
        for word in item.token.words() {
            if let Some(has_spoken) = has_spoken.get_mut(word) {
                *has_spoken = true;
            }
        }
        speakers.push(item);
        if speakers.len() == MOST_SPEAKERS {
            break;
        }
    }
    speakers
}

/// Whether one more of this kind may speak. Fields that one program writes come together, and so do the elements of HTML.
fn has_room(kind: Kind, crowds: &mut [usize; 2]) -> bool {
    let [fields, elements] = crowds;
    let (crowd, most) = match kind {
        Kind::Field | Kind::Id | Kind::To | Kind::Trouble | Kind::Shape => (fields, MOST_FIELDS),
        Kind::Html => (elements, MOST_ELEMENTS),
        Kind::Word
        | Kind::Shout
        | Kind::Subject
        | Kind::FromName
        | Kind::FromHost
        | Kind::ReplyTo
        | Kind::Mailer
        | Kind::Part
        | Kind::Host
        | Kind::Link => return true,
    };
    *crowd += 1;
    *crowd <= most
}

/// Fisher's test, both ways: 0 for good mail, 1 for spam.
fn fisher(evidence: &[Evidence<'_>]) -> f64 {
    let (mut against_ham, mut against_spam) = (0.0, 0.0);
    for item in evidence {
        against_ham -= (1.0 - item.probability).ln();
        against_spam -= item.probability.ln();
    }
    let spam = 1.0 - chance(against_ham, evidence.len());
    let ham = 1.0 - chance(against_spam, evidence.len());
    f64::midpoint(1.0 + spam, -ham).clamp(0.0, 1.0)
}

/// How likely so many independent probabilities have a product whose negative logarithm is at least this: the upper tail of
/// the chi-square distribution with twice as many degrees of freedom.
fn chance(sum: f64, count: usize) -> f64 {
    let mut term = (-sum).exp();
    let mut chance = term;
    let mut step = 1.0;
    for _ in 1..count {
        term *= sum / step;
        chance += term;
        step += 1.0;
    }
    chance.min(1.0)
}

/// Tokens that speak.
const MOST_SPEAKERS: usize = 80;

/// Evidence that is put in order at once.
const AT_ONCE: usize = 256;

/// Of those, how the header and the text look.
const MOST_FIELDS: usize = 3;

/// Of those, what the HTML is made of.
const MOST_ELEMENTS: usize = 12;

/// How far from one half a token is at least that speaks.
const LEAST_STRENGTH: f64 = 0.1;

/// One half is told from the next strength by 24 bits.
const STRONGEST: f64 = 33_554_431.0;

/// How many mails the doubt about a token is worth.
const DOUBT: f64 = 0.45;
