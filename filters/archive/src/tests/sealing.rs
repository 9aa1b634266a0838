//! What has no seal gets one, what had one gets it again, and what is not what was sealed gets no other.

use super::*;
use crate::export::{NoProof, Proofs};

/// On a full disk, or after a failed sync: it has no seal, and nobody could prove what is in it.
#[test]
fn a_segment_that_was_left_is_sealed_at_the_next_start() {
    for options in [Options::default(), encrypted(1)] {
        let mut home = Home::with(options);
        let one = home.write(&["one", "two"])[0];
        home.archive().abandon();
        let [three, four] = [home.write(&["three"])[0], home.write(&["four"])[0]];
        let mut proofs = Proofs::new(home.places().clone());
        assert_eq!(proofs.of(&one.head, 1).unwrap(), Err(NoProof::NotSealed));
        home.restart();
        let sealed = home.archive().take_sealed();
        assert_eq!(sealed.iter().map(|root| root.segment).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(home.roots(), sealed);
        let mut proofs = Proofs::new(home.places().clone());
        for record in [one, three, four] {
            let proof = proofs.of(&record.head, record.place.segment).unwrap().unwrap();
            proof.verify(&record.head, &sealed).unwrap();
        }
        assert_eq!(home.verify().findings, []);
        // Once.
        let (bytes, _) = home.only_segment();
        home.write(&["five"]);
        home.restart();
        assert_eq!((home.only_segment().0, home.roots().len()), (bytes, 3));
        assert_eq!(home.verify().findings, []);
    }
}

/// The machine stops while it is sealed, before or after each step.
#[test]
fn a_crash_while_a_segment_of_before_is_sealed_is_made_good() {
    let mut home = Home::new();
    home.write(&["one"]);
    home.archive().abandon();
    home.write(&["two"]);
    home.stop();
    let (unsealed, _) = home.only_segment();
    home.start();
    let (sealed, roots) = (home.only_segment().0, home.roots());
    let later = Timestamp::from_secs(now().as_secs() + 9);
    for cut in unsealed.len()..=sealed.len() {
        home.stop();
        fs::write(home.places().segment(1), &sealed[..cut]).unwrap();
        fs::write(home.places().roots(), format!("{}\n", roots[0])).unwrap();
        home.start_at(later);
        assert_eq!(home.roots().len(), 2, "cut at {cut}");
        assert_eq!(home.verify().findings, [], "cut at {cut}");
        let is_whole = cut == sealed.len();
        assert_eq!(home.only_segment().0 == sealed, is_whole, "sealed when it was sealed");
    }
}

#[test]
fn a_segment_that_was_left_is_sealed_only_as_far_as_the_next_one_says_and_if_it_is_whole() {
    let mut home = Home::new();
    let one = home.write(&["one", "two"]);
    home.write(&["three"]);
    home.archive().abandon();
    home.write(&["four"]);
    home.stop();
    let (sound, _) = home.only_segment();
    for place in [one[1].place, home.first_of(1)] {
        let mut damaged = sound.clone();
        damaged[usize::try_from(place.at).unwrap() + 20] ^= 4;
        fs::write(home.places().segment(1), &damaged).unwrap();
        home.restart();
        assert_eq!(home.only_segment().0, damaged, "nothing is written to it");
        home.stop();
    }
    // A payload may be damaged, and all others have their proof.
    let mut damaged = sound.clone();
    damaged[usize::try_from(one[0].place.at).unwrap() + Head::LEN + 3] ^= 4;
    fs::write(home.places().segment(1), &damaged).unwrap();
    home.start();
    assert_eq!(home.only_segment().0[..sound.len()], damaged);
    let findings = home.verify().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].what, What::Changed { seq: 1 });
    let proof = Proofs::new(home.places().clone()).of(&one[1].head, 1).unwrap();
    assert_eq!(proof.unwrap().records, 3);
}

#[test]
fn a_seal_that_is_damaged_is_shown_once_and_written_again_as_the_list_has_it() {
    let mut home = Home::new();
    let one = home.write(&["one"])[0];
    let (_, unsealed) = home.only_segment();
    home.archive().seal(now()).unwrap();
    let (sealed, _) = home.only_segment();
    let (path, roots) = (home.places().segment(1), home.roots());
    let later = Timestamp::from_secs(now().as_secs() + 86_400);
    let from = usize::try_from(unsealed).unwrap();
    let flipped = (from..sealed.len()).map(|at| {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    for bytes in flipped.chain((from..sealed.len()).map(|len| sealed[..len].to_vec())) {
        home.stop();
        fs::write(&path, &bytes).unwrap();
        let report = home.verify();
        let is_cut = bytes.len() == from;
        let found = report.findings.iter().any(|found| found.at == Some(unsealed));
        assert_eq!((found, report.torn), (!is_cut, 0), "{report:?}");
        let proof = Proofs::new(home.places().clone()).of(&one.head, 1).unwrap().unwrap();
        proof.verify(&one.head, &roots).unwrap();

        let left = home.start_at(later);
        assert_eq!(left, Left { seal: Some(path.clone()), ..Left::default() });
        assert_eq!((home.only_segment().0, home.roots()), (sealed.clone(), roots.clone()));
        assert_eq!(home.verify().findings, []);
        home.restart();
    }
    home.write(&["two"]);
    assert_eq!(home.verify().findings, []);
}

/// Records were cut off together with the seal: no other seal is made in its place, and no number is given again.
#[test]
fn a_segment_that_is_not_what_the_list_says_is_left_as_it_is() {
    let mut home = Home::new();
    home.write(&["one"]);
    let (_, first) = home.only_segment();
    home.write(&["two"]);
    home.archive().seal(now()).unwrap();
    home.stop();
    let path = home.places().segment(1);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(first).unwrap();
    let left = home.start();
    assert_eq!(left, Left { damaged: Some(path), ..Left::default() });
    assert_eq!(home.write(&["three"])[0].head.seq, 3, "there was another second record");
    home.restart();
    assert_eq!(home.only_segment().1, first);
    let findings = home.verify().findings;
    let has = |what: &dyn Fn(&What) -> bool| findings.iter().any(|found| what(&found.what));
    assert!(has(&|what| matches!(what, What::SealLost { is_whole: false, .. })), "{findings:?}");
    assert!(has(&|what| *what == What::Missing { first: 2, last: 2 }), "{findings:?}");
}
