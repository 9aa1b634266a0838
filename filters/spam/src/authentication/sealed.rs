//! What trusted hosts have sealed about a mail that was changed since (RFC 8617 section 7.2).

use mailweir_mail::Domain;

use crate::arc::{ArcOutcome, ArcResult, ArcSet};

/// What trusted hosts say of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed<'a> {
    /// Nothing for it.
    Nothing,
    /// This one saw it pass.
    Vouched(&'a Domain),
    /// One saw it pass, if the chain is theirs: name servers do not tell.
    Unclear,
}

/// Whether a trusted host saw the mail of this author's domain pass DMARC, the chain holds, and no host that is not trusted had
/// the mail since.
pub(super) fn vouching<'a>(
    arc: &'a ArcOutcome,
    author: &Domain,
    is_trusted: impl Fn(&Domain) -> bool,
) -> Sealed<'a> {
    let mut trusted = arc.sets.iter().take_while(|set| is_trusted(&set.sealer));
    let Some(set) = trusted.find(|set| saw_pass(set, author)) else { return Sealed::Nothing };
    match arc.result {
        ArcResult::Pass => Sealed::Vouched(&set.sealer),
        ArcResult::TempError => Sealed::Unclear,
        ArcResult::None | ArcResult::Fail(_) => Sealed::Nothing,
    }
}

fn saw_pass(set: &ArcSet, author: &Domain) -> bool {
    let plain = plain(&set.results);
    // The first is the id of the host.
    plain.split(';').skip(1).any(|result| {
        let mut words = result.split_ascii_whitespace();
        let passes =
            words.next().and_then(|word| word.split_once('=')).is_some_and(|(method, result)| {
                let name = method.split('/').next().unwrap_or_default();
                name.eq_ignore_ascii_case("dmarc") && result.eq_ignore_ascii_case("pass")
            });
        // Some hosts do not say of whom; then it was of whoever is signed as the author.
        let mut authors = words.filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            name.eq_ignore_ascii_case("header.from").then_some(value)
        });
        passes && authors.all(|of| Domain::parse(of).is_ok_and(|of| of == *author))
    })
}

/// The text without comments, and with a blank in place of what is quoted: what strangers wrote stands in these.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut depth, mut is_quoted) = (0_usize, false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if is_quoted || depth > 0 => {
                characters.next();
            }
            '"' if depth == 0 => {
                is_quoted = !is_quoted;
                plain.push(' ');
            }
            _ if is_quoted => {}
            '(' => depth = depth.saturating_add(1),
            ')' if depth > 0 => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arc::ArcFault;

    fn set(instance: u64, sealer: &str, results: &str) -> ArcSet {
        ArcSet { instance, sealer: sealer.parse().unwrap(), results: results.into() }
    }

    fn chain(result: ArcResult, sets: Vec<ArcSet>) -> ArcOutcome {
        let seals_checked = sets.len();
        ArcOutcome { result, sets, oldest_pass: None, seals_checked }
    }

    fn says(arc: &ArcOutcome, is_trusted: impl Fn(&Domain) -> bool) -> Sealed<'_> {
        vouching(arc, &"a.example".parse().unwrap(), is_trusted)
    }

    fn is_list(domain: &Domain) -> bool {
        domain.as_ascii() == "list.example"
    }

    #[test]
    fn a_trusted_host_vouches_for_what_it_saw_pass() {
        let passed =
            "i=1; list.example; spf=fail;\r\n\tDMARC/1=pass (p=reject) header.from=a.example";
        let arc = chain(ArcResult::Pass, vec![set(1, "list.example", passed)]);
        assert_eq!(says(&arc, is_list), Sealed::Vouched(&"list.example".parse().unwrap()));
        assert_eq!(says(&arc, |_| false), Sealed::Nothing);
    }

    #[test]
    fn f9_a_chain_that_does_not_hold_vouches_for_nothing() {
        for result in [ArcResult::None, ArcResult::Fail(ArcFault::TestingKey)] {
            let sets = vec![set(1, "list.example", "list.example; dmarc=pass")];
            assert_eq!(says(&chain(result, sets), is_list), Sealed::Nothing);
        }
    }

    #[test]
    fn f8_a_chain_whose_keys_cannot_be_looked_up_is_unclear_if_it_would_count() {
        let sealed = |results| chain(ArcResult::TempError, vec![set(1, "list.example", results)]);
        let passed = sealed("list.example; dmarc=pass");
        assert_eq!(says(&passed, is_list), Sealed::Unclear);
        assert_eq!(says(&passed, |_| false), Sealed::Nothing);
        assert_eq!(says(&sealed("list.example; dmarc=fail"), is_list), Sealed::Nothing);
    }

    #[test]
    fn what_an_untrusted_host_has_had_since_is_vouched_for_by_nobody() {
        let seen = set(1, "list.example", "list.example; dmarc=pass");
        let since = set(2, "other.example", "other.example; dmarc=fail; arc=pass");
        let newer = set(2, "list.example", "list.example; dmarc=fail; arc=pass");
        let sets = vec![since, seen.clone()];
        assert_eq!(says(&chain(ArcResult::Pass, sets), is_list), Sealed::Nothing);
        let sets = vec![newer, seen];
        assert!(matches!(says(&chain(ArcResult::Pass, sets), is_list), Sealed::Vouched(_)));
    }

    #[test]
    fn f5_what_strangers_wrote_is_no_result() {
        for results in [
            "list.example; spf=none (; dmarc=pass) smtp.helo=x",
            "list.example; dkim=fail reason=\"x; dmarc=pass\"",
            "list.example; dkim=fail reason=\"x\\\"; dmarc=pass\"",
            "list.example; spf=none (\\); dmarc=pass) smtp.helo=x",
            "list.example; dmarc=fail dmarc=pass",
            "list.example; xdmarc=pass",
            "dmarc=pass",
            "list.example; spf=none (; dmarc=pass",
            "list.example; dmarc=pass header.from=b.example",
            "list.example; dmarc=pass Header.From=b.example",
            "list.example; dmarc=pass header.from=a.example header.from=b.example",
        ] {
            let arc = chain(ArcResult::Pass, vec![set(1, "list.example", results)]);
            assert_eq!(says(&arc, is_list), Sealed::Nothing, "{results}");
        }
    }
}
