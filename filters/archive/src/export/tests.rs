//! What is taken out of an archive, and what it proves.

use std::{process::Command, sync::LazyLock};

use mailweir_mail::{Envelope, QueueId, ReversePath};
use mailweir_test_servers::tools;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{
    manifest::{Content, Unlike},
    *,
};
use crate::{
    Archive, Draft, Options, Reader, Written,
    commit::Salt,
    entry::{self, Direction, Ending, Fared, Note, Source},
    frame::Kind,
    import::{self, Mails, envelope},
    payload::Packer,
    roots::{self, Root},
};

const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

/// An archive with mails in it.
struct Home {
    place: TempDir,
    archive: Archive,
    captures: Vec<(Written, Capture)>,
}

impl Home {
    fn of(mails: &[&[u8]]) -> Self {
        let place = TempDir::new().unwrap();
        let (archive, _) =
            Archive::open(&place.path().join("archive"), Options::default(), NOW).unwrap();
        let mut home = Self { place, archive, captures: Vec::new() };
        let mut packer = Packer::new().unwrap();
        for (serial, content) in (1..).zip(mails) {
            let capture = capture(serial, content);
            let payload = packer.pack(&entry::encode(&capture).unwrap(), content).unwrap();
            let draft = Draft::of_capture(&capture, payload);
            let written = home.archive.append(vec![draft], NOW).unwrap();
            home.captures.push((written[0], capture));
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn roots(&self) -> Vec<Root> {
        let lines = roots::read(&self.archive.places().roots()).unwrap();
        lines.into_iter().map(Result::unwrap).collect()
    }

    fn export(&self, form: Form, name: &str, hidden: bool) -> Taken {
        let mut exporter = Exporter::begin(form, &self.path(name), said(hidden)).unwrap();
        self.add_all(&mut exporter);
        exporter.finish().unwrap()
    }

    fn add_all(&self, exporter: &mut Exporter) {
        let reader = Reader::new(self.archive.places().clone());
        let mut proofs = Proofs::new(self.archive.places().clone());
        for (Written { head, place }, capture) in &self.captures {
            let mut record = reader.read_sound(*place).unwrap();
            record.payload.summary().unwrap();
            let proof = proofs.of(head, place.segment).unwrap();
            let outcome = outcome(capture);
            let mail = Mail { head, capture, outcome: Some(&outcome) };
            exporter.add(mail, proof, record.payload).unwrap();
        }
    }

    /// What the manifest of a mailbox says of it.
    fn named(&self, name: &str) -> Vec<Content> {
        let manifest = File::open(self.path(&format!("{name}.manifest.json"))).unwrap();
        let mut checked = manifest::verify(manifest, &self.roots()).unwrap();
        checked.files.remove(name).unwrap()
    }

    /// The contents of all mails of an export, as import reads them.
    fn imported(&self, name: &str, form: import::Form) -> Vec<Vec<u8>> {
        let mails = Mails::of(&[self.path(name)], form);
        mails.map(|mail| mail.unwrap().content.content(u64::MAX).unwrap().unwrap()).collect()
    }
}

fn said(hidden: bool) -> Said {
    Said { by: "auditor".into(), at: NOW, query: "\"quoted\" \\ query\n".into(), hidden }
}

fn capture(serial: u32, content: &[u8]) -> Capture {
    let sender = ReversePath::Mailbox("\"From  x\"@own.example".parse().unwrap());
    let envelope = Envelope::from_sender(sender).to("bob@far.example".parse().unwrap());
    Capture {
        id: QueueId::new(NOW, serial),
        envelope: envelope.to("boss@own.example".parse().unwrap()),
        origin: envelope::origin(None, NOW),
        note: Note {
            direction: Direction::Outbound,
            rule: None,
            keep_days: None,
            held: None,
            source: Source::Accepted,
        },
        content: Hash::of(content),
        salt: Salt::from_bytes([serial as u8; 16]),
        size: content.len() as u64,
    }
}

fn outcome(capture: &Capture) -> Outcome {
    let fared =
        |at| Fared { delivered: true, relay: Some("mx[192.0.2.1]:25".into()), reply: None, at };
    let recipients = vec![fared(Some(NOW)), fared(None)];
    Outcome { id: capture.id, end: Ending::Delivered, recipients, decisions: Vec::new() }
}

static MAILS: LazyLock<Vec<&[u8]>> = LazyLock::new(|| {
    vec![
        b"From: a@own.example\r\nTo: Bob <bob@far.example>\r\nSubject: ../../etc/passwd\r\n\r\nFrom here\r\n>From there\r\n",
        b"Subject: =cmd|'/C calc'!A0\r\n\r\n.\r\n\r\nFrom x@y.example Fri Nov 20 21:30:05 2026\r\nSubject: forged\r\n\r\n",
        b"no header\r\n",
    ]
});

#[test]
fn files_are_byte_for_byte_and_a_copy_of_the_roots_proves_them() {
    let mut home = Home::of(&MAILS);
    home.archive.seal(NOW).unwrap();
    let taken = home.export(Form::Eml, "out", true);
    let bytes = MAILS.iter().map(|mail| mail.len() as u64).sum();
    assert_eq!(taken, Taken { mails: 3, bytes, proven: 3, missing: 0 });
    let mut names: Vec<String> =
        fs::read_dir(home.path("out")).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
    names.sort_unstable();
    let ids: Vec<String> =
        home.captures.iter().map(|(_, capture)| capture.id.to_string()).collect();
    let expected = [
        format!("0000000001-{}.eml", ids[0]),
        format!("0000000002-{}.eml", ids[1]),
        format!("0000000003-{}.eml", ids[2]),
        "manifest.json".to_owned(),
    ];
    assert_eq!(
        names, expected,
        "the number of the record and the queue id, and nothing of the mail"
    );
    for (file, mail) in expected.iter().zip(MAILS.iter()) {
        assert_eq!(fs::read(home.path("out").join(file)).unwrap(), *mail);
    }
    let manifest = fs::read(home.path("out/manifest.json")).unwrap();
    let roots = home.roots();
    // Without the archive.
    fs::remove_dir_all(home.path("archive")).unwrap();
    let checked = manifest::verify(manifest.as_slice(), &roots).unwrap();
    assert_eq!(checked.proven, [1, 2, 3]);
    let hashes: Vec<_> = checked.files.values().flatten().map(|one| one.sha256).collect();
    assert_eq!(hashes, MAILS.iter().map(|mail| Hash::of(mail)).collect::<Vec<_>>());
    assert_eq!((checked.unproven, checked.wrong), (vec![], vec![]));
}

#[test]
fn a_manifest_that_was_changed_and_a_list_of_others_prove_nothing() {
    let mut home = Home::of(&MAILS);
    home.archive.seal(NOW).unwrap();
    home.export(Form::Eml, "out", true);
    let manifest = fs::read_to_string(home.path("out/manifest.json")).unwrap();
    let roots = home.roots();
    let wrong = |manifest: &str, roots: &[Root]| {
        let checked = manifest::verify(manifest.as_bytes(), roots).unwrap();
        assert_eq!(checked.proven.len() + checked.wrong.len(), 3);
        checked.wrong
    };
    assert_eq!(wrong(&manifest, &roots), []);
    let all = |why| vec![(1, why), (2, why), (3, why)];
    assert_eq!(wrong(&manifest, &[]), all(ProofError::NotListed));
    let mut other = roots[0];
    other.seal.root = Hash::of(b"other");
    assert_eq!(wrong(&manifest, &[other]), all(ProofError::OtherRoot));
    assert_eq!(wrong(&manifest, &[roots[0], other]), all(ProofError::OtherRoot));
    // A head of another record, a path of another one, and a number that is not the one of the head.
    let heads: Vec<String> = home.captures.iter().map(|(it, _)| proof::written(&it.head)).collect();
    let swapped = manifest.replace(&heads[0], &heads[1]);
    assert_eq!(wrong(&swapped, &roots), [(1, ProofError::OtherRecord)]);
    let renumbered = manifest.replacen("\"seq\":1", "\"seq\":9", 1);
    assert_eq!(wrong(&renumbered, &roots), [(9, ProofError::OtherRecord)]);
    let leaf = home.captures[1].0.head.leaf().to_string();
    let forged = manifest.replacen(&leaf, &Hash::of(b"x").to_string(), 1);
    assert_ne!(forged, manifest);
    assert_eq!(wrong(&forged, &roots), [(1, ProofError::Path)]);
    let damaged = manifest.replacen(&heads[2], &heads[2].replacen('4', "5", 1), 1);
    assert_eq!(wrong(&damaged, &roots), [(3, ProofError::Head)]);
    for (from, to) in [("\"count\":3", "\"count\":2"), ("export/1", "export/2"), ("\n]", "\n")] {
        let changed = manifest.replacen(from, to, 1);
        assert!(manifest::verify(changed.as_bytes(), &roots).is_err(), "{from}");
    }
    for cut in 0..manifest.len() - 1 {
        assert!(manifest::verify(&manifest.as_bytes()[..cut], &roots).is_err(), "cut at {cut}");
    }
}

#[test]
fn mails_of_a_segment_that_is_still_written_to_have_no_proof_and_say_so() {
    let home = Home::of(&MAILS);
    let taken = home.export(Form::Zip, "out.zip", true);
    assert_eq!((taken.mails, taken.proven), (3, 0));
    home.export(Form::Mbox, "out.mbox", true);
    let manifest = File::open(home.path("out.mbox.manifest.json")).unwrap();
    let checked = manifest::verify(manifest, &[]).unwrap();
    assert_eq!(checked.unproven[0], (1, "its segment is not sealed yet".to_owned()));
    assert_eq!((checked.unproven.len(), checked.wrong), (3, vec![]));
}

#[test]
fn a_damaged_segment_gives_no_proof() {
    let mut home = Home::of(&MAILS);
    home.archive.seal(NOW).unwrap();
    let Written { head, place } = home.captures[1].0;
    let path = home.archive.places().segment(place.segment);
    let mut bytes = fs::read(&path).unwrap();
    bytes[usize::try_from(place.at).unwrap() + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut proofs = Proofs::new(home.archive.places().clone());
    for _ in 0..2 {
        assert_eq!(proofs.of(&head, place.segment).unwrap(), Err(NoProof::Damaged));
    }
}

#[test]
fn who_may_not_see_hidden_recipients_finds_none_in_a_manifest() {
    let home = Home::of(&MAILS[..1]);
    home.export(Form::Mbox, "all", true);
    home.export(Form::Mbox, "some", false);
    let read = |name: &str| fs::read_to_string(home.path(name)).unwrap();
    let (all, some) = (read("all.manifest.json"), read("some.manifest.json"));
    assert!(all.contains("boss@own.example") && all.contains("bob@far.example"));
    assert!(!some.contains("boss") && some.contains("bob@far.example"), "{some}");
    assert_eq!(all.matches("192.0.2.1").count(), 2);
    assert_eq!(some.matches("192.0.2.1").count(), 1, "nor how they fared");
    assert_eq!(read("all"), read("some"));
}

#[test]
fn what_is_not_finished_leaves_nothing_and_nothing_is_written_over() {
    let home = Home::of(&MAILS);
    let there = || {
        let entries = fs::read_dir(home.place.path()).unwrap();
        entries.filter(|entry| name(&entry.as_ref().unwrap().path()) != "archive").count()
    };
    for form in Form::ALL {
        let path = home.path("out");
        let mut exporter = Exporter::begin(form, &path, said(true)).unwrap();
        home.add_all(&mut exporter);
        assert!(!path.exists(), "what stands there is whole");
        assert!(matches!(Exporter::begin(form, &path, said(true)), Err(ExportError::Exists(_))));
        drop(exporter);
        assert_eq!(there(), 0, "{form:?}");

        let exporter = Exporter::begin(form, &path, said(true)).unwrap();
        fs::write(&path, "of somebody else").unwrap();
        assert!(matches!(exporter.finish(), Err(ExportError::Exists(_))));
        assert!(matches!(Exporter::begin(form, &path, said(true)), Err(ExportError::Exists(_))));
        assert_eq!((there(), fs::read(&path).unwrap()), (1, b"of somebody else".to_vec()));
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn content_that_fails_or_is_another_ends_the_export() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk"))
        }
    }
    let home = Home::of(&MAILS);
    let (Written { head, .. }, capture) = &home.captures[0];
    let mail = Mail { head, capture, outcome: None };
    let unproven = || Err(NoProof::NotSealed);
    for form in Form::ALL {
        let begin = || Exporter::begin(form, &home.path("out"), said(true)).unwrap();
        // What is peeked at, and what comes behind it.
        let late = MAILS[0].chain(Fails);
        assert!(matches!(
            begin().add(mail, unproven(), late),
            Err(ExportError::Read { seq: 1, .. })
        ));
        let large = io::repeat(b'x').take(1 << 20).chain(Fails);
        assert!(matches!(
            begin().add(mail, unproven(), large),
            Err(ExportError::Read { seq: 1, .. })
        ));
        let other = begin().add(mail, unproven(), MAILS[1]);
        assert!(matches!(other, Err(ExportError::OtherContent(1))));
    }
}

#[test]
fn what_could_not_be_taken_out_stands_in_the_manifest() {
    let home = Home::of(&MAILS);
    let mut exporter = Exporter::begin(Form::Eml, &home.path("out"), said(true)).unwrap();
    exporter.miss(Missing { seq: 7, why: "it was erased".into() });
    assert_eq!(exporter.finish().unwrap().missing, 1);
    let manifest = fs::read_to_string(home.path("out/manifest.json")).unwrap();
    assert!(manifest.contains("\"missing\":[{\"seq\":7,\"why\":\"it was erased\"}]"), "{manifest}");
    assert!(manifest.contains(r#""query":"\"quoted\" \\ query\n""#), "{manifest}");
}

#[test]
fn a_zip_file_is_sound_to_others() {
    if !tools::require(&["unzip"]) {
        return;
    }
    let mut home = Home::of(&MAILS);
    home.archive.seal(NOW).unwrap();
    home.export(Form::Zip, "out.zip", true);
    let unzip = |arguments: &[&str]| {
        let run =
            Command::new("unzip").args(arguments).current_dir(home.place.path()).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    };
    let said = String::from_utf8(unzip(&["-t", "out.zip"])).unwrap();
    assert!(said.contains("No errors detected"), "{said}");
    let (_, capture) = &home.captures[1];
    let file = format!("0000000002-{}.eml", capture.id);
    assert_eq!(unzip(&["-p", "out.zip", &file]), MAILS[1]);
    let manifest = unzip(&["-p", "out.zip", "manifest.json"]);
    assert_eq!(manifest::verify(manifest.as_slice(), &home.roots()).unwrap().proven.len(), 3);
    unzip(&["out.zip", "-d", "unzipped"]);
    let files = Mails::of(&[home.path("unzipped")], import::Form::Eml);
    assert_eq!(
        files.map(|mail| mail.is_ok()).collect::<Vec<_>>(),
        [true, true, false],
        "no header"
    );
}

/// Python's mailbox module finds in a mailbox of ours the mails that are in it, and no other.
#[test]
fn a_mailbox_has_as_many_mails_for_python_as_went_in() {
    if !tools::require(&["python3"]) {
        return;
    }
    let home = Home::of(&MAILS);
    home.export(Form::Mbox, "out.mbox", true);
    let run = Command::new("python3")
        .args(["-c", PYTHON])
        .current_dir(home.place.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let lengths: Vec<String> = MAILS.iter().map(|mail| lines(mail).len().to_string()).collect();
    assert_eq!(String::from_utf8(run.stdout).unwrap().trim(), format!("3 {}", lengths.join(" ")));
}

/// Who has the manifest can write into it what they like of a mail, but not of its record.
#[test]
fn a_manifest_with_another_sender_or_hash_proves_the_records_and_no_more() {
    let mut home = Home::of(&MAILS);
    home.archive.seal(NOW).unwrap();
    home.export(Form::Eml, "out", true);
    let manifest = fs::read_to_string(home.path("out/manifest.json")).unwrap();
    let verify = |from: &str, to: &str| {
        let changed = manifest.replacen(from, to, 1);
        assert_ne!(changed, manifest);
        manifest::verify(changed.as_bytes(), &home.roots())
    };
    let checked = verify("x\\\"@own.example", "y\\\"@own.example").unwrap();
    assert_eq!((checked.proven, checked.wrong), (vec![1, 2, 3], vec![]));
    let other = Hash::of(b"other");
    let checked = verify(&Hash::of(MAILS[0]).to_string(), &other.to_string()).unwrap();
    assert_eq!(checked.proven, [2, 3]);
    assert_eq!(checked.wrong, [(1, ProofError::OtherContent)], "though mail and manifest agree");
    let (file, contents) = checked.files.first_key_value().unwrap();
    assert_eq!((contents[0].seq, contents[0].sha256), (1, other));
    let there = fs::read(home.path("out").join(file)).unwrap();
    assert_eq!(manifest::compare(&there[..], contents).unwrap(), [(1, Unlike::Other)]);

    let head = home.captures[0].0.head;
    let written = head.at.rfc3339();
    let recorded = format!("\"recorded\":\"{written}\"");
    let checked = verify(&recorded, &recorded.replace("\"2026", "\"2025")).unwrap();
    assert_eq!(checked.wrong, [(1, ProofError::OtherRecord)]);
    let outcome = proof::written(&Head { kind: Kind::Outcome, ..head });
    let checked = verify(&proof::written(&head), &outcome).unwrap();
    assert_eq!(checked.wrong, [(1, ProofError::OtherRecord)]);
    let twice = verify("\"seq\":2", "\"seq\":1");
    assert!(matches!(twice, Err(ManifestError::Twice(1))));
}

#[test]
fn a_mailbox_is_what_its_manifest_names_to_the_byte() {
    let home = Home::of(&MAILS);
    home.export(Form::Mbox, "out", true);
    let named = home.named("out");
    let mailbox = fs::read(home.path("out")).unwrap();
    let unlike = |mailbox: &[u8]| manifest::compare(mailbox, &named).unwrap();
    assert_eq!(unlike(&mailbox), []);
    let all = [1, 2, 3].map(|seq| (seq, Unlike::Other));
    assert_eq!(unlike(b""), all);
    assert_eq!(unlike(&mailbox[..mailbox.len() - 1]), all[2..]);
    assert_eq!(unlike(&[&mailbox[..], b"\n"].concat()).len(), 1);
    assert_eq!(unlike(&[&mailbox[..], b"From x\n\nanother\n\n"].concat()).len(), 1);
    // A mail that the manifest does not name stands before the first.
    let begin = usize::try_from(named[1].byte.unwrap()).unwrap();
    assert_eq!(manifest::compare(&mailbox[..], &named[1..]).unwrap(), all[1..2]);
    assert_eq!(manifest::compare(&mailbox[begin..], &named[1..]).unwrap().len(), 2);
    let is_same = manifest::compare(&mailbox[..], &[named[0], named[0], named[2]]).unwrap();
    assert!(!is_same.is_empty());
}

#[test]
fn lone_lfs_are_not_taken_for_another_mail() {
    let mails: [&[u8]; 4] = [b"\n\na\r\n", b"a\nb", b"no end", b"\r\n"];
    let home = Home::of(&mails);
    home.export(Form::Mbox, "out", true);
    let mailbox = fs::read(home.path("out")).unwrap();
    let unlike = manifest::compare(&mailbox[..], &home.named("out")).unwrap();
    assert_eq!(unlike, [(1, Unlike::LineEnds), (2, Unlike::LineEnds)]);
}

/// How a mail stands in a mailbox.
fn lines(mail: &[u8]) -> String {
    let text = format!("\n{}", String::from_utf8_lossy(mail).replace("\r\n", "\n"));
    text.replace("\n>From ", "\n>>From ").replace("\nFrom ", "\n>From ")[1..].to_owned()
}

const PYTHON: &str = r#"
import mailbox
box = mailbox.mbox("out.mbox", create=False)
print(len(box), *(len(box.get_bytes(key)) for key in box.keys()))
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_mailbox_is_read_back_as_it_was_written(
        mails in prop::collection::vec(
            prop::collection::vec(prop_oneof![
                Just("From ".to_owned()),
                Just(">>From x".to_owned()),
                Just("From x@y.example Fri Nov 20 21:30:05 2026".to_owned()),
                Just("Subject: x".to_owned()),
                Just(String::new()),
                Just(">".to_owned()),
                "\\PC{0,40}",
            ], 1..8),
            1..6,
        ),
    ) {
        let mails: Vec<Vec<u8>> =
            mails.iter().map(|lines| (lines.join("\r\n") + "\r\n").into_bytes()).collect();
        let home = Home::of(&mails.iter().map(Vec::as_slice).collect::<Vec<_>>());
        home.export(Form::Mbox, "out", true);
        prop_assert_eq!(home.imported("out", import::Form::Mbox), mails);
    }

    #[test]
    fn whatever_bytes_a_mail_has_it_is_one_mail_of_a_mailbox(
        mails in prop::collection::vec(prop::collection::vec(
            prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'>')], 1..200), 1..4),
    ) {
        let home = Home::of(&mails.iter().map(Vec::as_slice).collect::<Vec<_>>());
        home.export(Form::Mbox, "out", true);
        // All but the line ends is as it was.
        let plain = |mail: &Vec<u8>| -> Vec<u8> {
            mail.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect()
        };
        let imported = home.imported("out", import::Form::Mbox);
        prop_assert_eq!(imported.iter().map(plain).collect::<Vec<_>>(), mails.iter().map(plain).collect::<Vec<_>>());
    }

    #[test]
    fn only_lone_lfs_keep_a_mailbox_from_being_compared(
        mails in prop::collection::vec("(From |>From |[>F\r\n]|\r\n|\n\n|a){1,40}", 1..4),
    ) {
        let home = Home::of(&mails.iter().map(String::as_bytes).collect::<Vec<_>>());
        home.export(Form::Mbox, "out", true);
        let is_kept = |mail: &String| !mail.replace("\r\n", "").contains('\n');
        let lost: Vec<_> = (1..)
            .zip(&mails)
            .filter(|(_, mail)| !is_kept(mail))
            .map(|(seq, _)| (seq, Unlike::LineEnds))
            .collect();
        let mailbox = fs::read(home.path("out")).unwrap();
        prop_assert_eq!(manifest::compare(&mailbox[..], &home.named("out")).unwrap(), lost);
    }

    #[test]
    fn no_byte_of_a_mailbox_is_changed_unseen(
        mail in "(From |>From |>|F|\r|\r\n|a){1,20}",
        at: prop::sample::Index,
        byte in prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'>')],
        is_added: bool,
    ) {
        let home = Home::of(&[mail.as_bytes()]);
        home.export(Form::Mbox, "out", true);
        let whole = fs::read(home.path("out")).unwrap();
        let begin = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let at = begin + at.index(whole.len() - begin);
        let mut changed = whole.clone();
        changed.splice(at..at + usize::from(!is_added), [byte]);
        prop_assume!(changed != whole);
        let unlike = manifest::compare(&changed[..], &home.named("out")).unwrap();
        prop_assert_eq!(unlike.len(), 1);
    }
}
