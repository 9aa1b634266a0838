use mailweir_mail::{
    Address, BodyType, Client, Enhanced, Envelope, EnvelopeId, Forwarded, HoldReason, Login,
    Notify, Origin, OriginalRecipient, Protocol, Recipient, Reply, Return, ReversePath, Stage,
    Timestamp, TlsSummary, Transport,
};
use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::progress::{
    ArchiveDebt, FailureCause, LastReply, Notice, Order, Outcome, Progress, RecipientStatus, State,
};

#[test]
fn records_of_format_1_stay_readable_k7() {
    let progress = waiting();
    let bytes = progress.encode();
    assert_eq!(hex(&bytes), STATE_V1);
    assert_eq!(Progress::decode(&unhex(STATE_V1)), Ok(progress));
    assert_eq!(hex(&sample().encode()), ENVELOPE_V1);
    assert_eq!(EnvelopeRecord::decode(&unhex(ENVELOPE_V1)), Ok(sample()));
}

#[test]
fn what_the_first_version_cannot_say_is_written_in_the_second() {
    let mut record = sample();
    record.envelope.filter = Transport::parse("smtp:[192.0.2.1]:10025");
    record.envelope.recipients[0].original = Some("first@b.example".parse().unwrap());
    assert_eq!(hex(&record.encode()), ENVELOPE_V2);
    assert_eq!(EnvelopeRecord::decode(&unhex(ENVELOPE_V2)), Ok(record));
}

#[test]
fn mail_for_the_archive_is_written_in_the_third_and_other_mail_owes_it_nothing() {
    let progress = Progress { archive: ArchiveDebt::Capture, ..waiting() };
    assert_eq!(hex(&progress.encode()), STATE_V3);
    assert_eq!(Progress::decode(&unhex(STATE_V3)), Ok(progress));
    let record = EnvelopeRecord { archive: Some("keep 7 years".into()), ..sample() };
    assert_eq!(hex(&record.encode()), ENVELOPE_V3);
    assert_eq!(EnvelopeRecord::decode(&unhex(ENVELOPE_V3)), Ok(record));
    assert_eq!(Progress::decode(&unhex(STATE_V1)).unwrap().archive, ArchiveDebt::Nothing);
    for older in [ENVELOPE_V1, ENVELOPE_V2] {
        assert_eq!(EnvelopeRecord::decode(&unhex(older)).unwrap().archive, None);
    }
}

#[test]
fn mail_with_filters_ahead_is_written_in_the_fourth_with_its_note_or_without() {
    for (archive, written) in [(None, ENVELOPE_V4), (Some("keep".into()), ENVELOPE_V4_KEPT)] {
        let mut record = EnvelopeRecord { archive, ..sample() };
        record.envelope.ahead = vec!["virus".into(), "spam".into()];
        record.envelope.behind = Some("footer".into());
        assert_eq!(hex(&record.encode()), written);
        assert_eq!(EnvelopeRecord::decode(&unhex(written)), Ok(record));
    }
}

#[test]
fn what_a_relay_has_told_of_a_mail_is_written_in_the_fifth_behind_all_others() {
    for (archive, written) in [(None, ENVELOPE_V5), (Some("keep".into()), ENVELOPE_V5_KEPT)] {
        let mut record = EnvelopeRecord { archive, ..sample() };
        record.origin.forwarded = Some(Box::new(Forwarded {
            name: Some("far.example".into()),
            address: Some("2001:db8::7".parse().unwrap()),
            port: Some(40123),
            helo: None,
            protocol: Some("ESMTP".into()),
            ident: Some("4jWT59000pz7".into()),
            source: Some("REMOTE".into()),
        }));
        assert_eq!(hex(&record.encode()), written);
        assert_eq!(EnvelopeRecord::decode(&unhex(written)), Ok(record));
    }
    assert_eq!(EnvelopeRecord::decode(&unhex(ENVELOPE_V4)).unwrap().origin.forwarded, None);
}

#[test]
fn who_decided_stands_behind_what_the_archive_is_to_get_as_long_as_it_says() {
    let decisions: Vec<Bytes> = vec!["kim".into(), "root".into()];
    let progress = Progress { archive: ArchiveDebt::Outcome, decisions, ..waiting() };
    let written = progress.encode();
    let behind = b"\x02\x03kim\x04root";
    let end = written.len() - codec::END.len();
    assert_eq!((&written[end - behind.len()..end], written[1]), (&behind[..], ARCHIVE_FORMAT));
    assert_eq!(Progress::decode(&written), Ok(progress));
    for lie in [3, 5, 0x7f, 0x80] {
        let mut record = written[..end].to_vec();
        record[end - 5] = lie;
        codec::seal(&mut record);
        record[1] = ARCHIVE_FORMAT;
        assert_ne!(Progress::decode(&record).map(|read| read.decisions.len()), Ok(2), "{lie}");
    }
}

#[test]
fn a_note_that_lies_about_its_length_makes_no_sense() {
    let payload = &unhex(ENVELOPE_V3)[codec::HEADER..];
    let payload = &payload[..payload.len() - codec::END.len()];
    let length = payload.len() - "keep 7 years".len() - 1;
    for lie in [11, 13, 0x7f] {
        let mut record = [&[b'E'; codec::HEADER], payload].concat();
        record[codec::HEADER + length] = lie;
        codec::seal(&mut record);
        record[1] = ARCHIVE_FORMAT;
        assert_eq!(EnvelopeRecord::decode(&record), Err(RecordError::Malformed), "{lie}");
    }
}

#[test]
fn a_newer_version_is_refused_by_name_k7() {
    let mut bytes = sample().encode();
    bytes[1] = FORMAT + 1;
    assert_eq!(EnvelopeRecord::decode(&bytes), Err(RecordError::UnknownVersion(FORMAT + 1)));
    bytes[1] = 0;
    assert_eq!(EnvelopeRecord::decode(&bytes), Err(RecordError::UnknownVersion(0)));
}

#[test]
fn a_torn_record_is_told_from_a_damaged_one_j3() {
    let bytes = sample().encode();
    for end in 0..bytes.len() {
        assert_eq!(EnvelopeRecord::decode(&bytes[..end]), Err(RecordError::Torn), "{end}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(EnvelopeRecord::decode(&longer), Err(RecordError::Torn));
    assert_eq!(Progress::decode(&bytes), Err(RecordError::NotThis));
}

#[test]
fn every_flipped_bit_is_noticed_j12() {
    let bytes = sample().encode();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(EnvelopeRecord::decode(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn a_body_is_framed_without_being_copied() {
    let mut writer = BodyWriter::new(7);
    writer.push(b"con");
    writer.push(b"tent");
    let record = writer.finish(crc32fast::hash(b"content"));
    assert_eq!(&content_of(&record)[..], b"content");
    let content = decode_body(&record).unwrap();
    assert_eq!(content, content_of(&record));
    assert_eq!(content.as_ptr(), content_of(&record).as_ptr());
}

proptest! {
    #[test]
    fn every_envelope_reads_back(record in envelope_record()) {
        prop_assert_eq!(EnvelopeRecord::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn every_progress_reads_back(progress in progress()) {
        prop_assert_eq!(Progress::decode(&progress.encode()), Ok(progress));
    }

    #[test]
    fn no_payload_makes_the_readers_panic(kind in 0..3_usize, payload in vec(any::<u8>(), 0..300)) {
        // With a right checksum, so that the readers get to see it.
        let kind = [Kind::Envelope, Kind::State, Kind::Body][kind];
        let mut record = vec![0; codec::HEADER];
        record[0] = kind.tag();
        record.extend_from_slice(&payload);
        codec::seal(&mut record);
        for format in 1..=FORMAT {
            record[1] = format;
            let _ = EnvelopeRecord::decode(&record);
            let _ = Progress::decode(&record);
            let _ = decode_body(&record.clone().into());
        }
    }

    #[test]
    fn no_mutated_payload_makes_the_readers_panic(
        progress in progress(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut record = progress.encode();
        record.truncate(record.len() - codec::END.len());
        let at = codec::HEADER + at.index(record.len() - codec::HEADER);
        record[at] = byte;
        let format = record[1];
        codec::seal(&mut record);
        record[1] = format;
        if let Ok(read) = Progress::decode(&record) {
            prop_assert_eq!(Progress::decode(&read.encode()), Ok(read));
        }
    }
}

fn waiting() -> Progress {
    Progress {
        state: State::Ready { not_before: TIME },
        attempts: 0,
        alive_since: TIME,
        delay: Notice::NotDue,
        recipients: vec![RecipientStatus::Pending { last: None }],
        archive: ArchiveDebt::Nothing,
        decisions: Vec::new(),
    }
}

fn sample() -> EnvelopeRecord {
    let sender = ReversePath::Mailbox("sender@a.example".parse().unwrap());
    EnvelopeRecord {
        envelope: Envelope::from_sender(sender).to("rcpt@b.example".parse().unwrap()),
        origin: Origin {
            listener: "mx".into(),
            client: Client::unnamed("192.0.2.1:4711".parse().unwrap()),
            helo: "client.example".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            forwarded: None,
            arrival: TIME,
        },
        body: BodyRecord { location: BodyLocation::Store, size: 7, checksum: 0x0102_0304 },
        archive: None,
    }
}

prop_compose! {
    fn envelope_record()(
        (sender, recipients) in (option::of(address()), vec(recipient(), 0..5)),
        (eight_bit, smtputf8, ret) in (any::<bool>(), any::<bool>(), 0..3_u8),
        envid in option::of("[ -~]{1,100}"),
        filter in option::of("[a-z]{0,8}:[!-~]{0,20}"),
        origin in origin(),
        (spooled, size, checksum) in (any::<bool>(), any::<u64>(), any::<u32>()),
        note in option::of(vec(any::<u8>(), 0..300)),
        (ahead, behind) in (vec("[a-z]{1,9}", 0..3), option::of("[a-z]{1,9}")),
    ) -> EnvelopeRecord {
        EnvelopeRecord {
            envelope: Envelope {
                sender: sender.map_or(ReversePath::Null, ReversePath::Mailbox),
                recipients,
                body: if eight_bit { BodyType::EightBitMime } else { BodyType::SevenBit },
                smtputf8,
                ret: [None, Some(Return::Full), Some(Return::Headers)][usize::from(ret)],
                envid: envid.map(|text| EnvelopeId::new(&text).unwrap()),
                filter: filter.map(|text| Transport::parse(&text).unwrap()),
                ahead: ahead.iter().map(|name| name.as_str().into()).collect(),
                behind: behind.map(Into::into),
            },
            origin,
            body: BodyRecord {
                location: if spooled { BodyLocation::Spool } else { BodyLocation::Store },
                size,
                checksum,
            },
            archive: note.map(Bytes::from),
        }
    }
}

prop_compose! {
    fn recipient()(
        address in address(),
        never in any::<bool>(),
        (success, failure, delay) in any::<(bool, bool, bool)>(),
        orcpt in option::of("[ -~]{1,50}"),
        original in option::of(address()),
    ) -> Recipient {
        let notify = if never { Notify::Never } else { Notify::On { success, failure, delay } };
        let orcpt = orcpt.and_then(|text| OriginalRecipient::new(&format!("rfc822;{text}")));
        Recipient { address, notify, orcpt, original }
    }
}

prop_compose! {
    fn forwarded()(
        (name, helo) in (option::of("\\PC{0,20}"), option::of("\\PC{0,20}")),
        (address, port) in any::<(Option<std::net::IpAddr>, Option<u16>)>(),
        (protocol, ident) in (option::of("[A-Z]{1,9}"), option::of("[!-~]{1,20}")),
        source in option::of("LOCAL|REMOTE"),
    ) -> Forwarded {
        Forwarded {
            name: name.map(Into::into),
            address,
            port,
            helo: helo.map(Into::into),
            protocol: protocol.map(Into::into),
            ident: ident.map(Into::into),
            source: source.map(Into::into),
        }
    }
}

prop_compose! {
    fn origin()(
        (listener, helo) in ("\\PC{0,20}", "\\PC{0,20}"),
        (ip, port) in (any::<std::net::IpAddr>(), any::<u16>()),
        name in option::of("[a-z.]{1,20}"),
        protocol in 0..3_usize,
        login in option::of(("\\PC{0,20}", "[A-Z]{1,9}")),
        tls in option::of(("TLSv1.[23]", "[A-Z_]{1,30}", any::<u16>())),
        forwarded in option::of(forwarded()),
        arrival in any::<u64>(),
    ) -> Origin {
        Origin {
            listener: listener.into(),
            client: Client { address: (ip, port).into(), name: name.map(Into::into) },
            helo: helo.into(),
            protocol: [Protocol::Smtp, Protocol::Esmtp, Protocol::Lmtp][protocol],
            login: login.map(|(user, mechanism)| Login {
                user: user.into(),
                mechanism: mechanism.into(),
            }),
            tls: tls.map(|(version, cipher, bits)| TlsSummary {
                version: version.into(),
                cipher: cipher.into(),
                bits,
            }),
            forwarded: forwarded.map(Box::new),
            arrival: Timestamp::from_micros(arrival),
        }
    }
}

fn address() -> impl Strategy<Value = Address> {
    "([a-z0-9]{1,10}|\"[ a-z@]{1,10}\"|[а-я]{1,5})@([a-z]{1,10}\\.example|\\[192\\.0\\.2\\.1\\])"
        .prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    fn progress()(
        state in state(),
        (attempts, alive_since) in any::<(u32, u64)>(),
        delay in notice(),
        recipients in vec(status(), 0..5),
        archive in archive_debt(),
        decisions in vec(vec(any::<u8>(), 0..200).prop_map(Bytes::from), 0..4),
    ) -> Progress {
        let alive_since = Timestamp::from_micros(alive_since);
        let decisions = if archive == ArchiveDebt::Nothing { Vec::new() } else { decisions };
        Progress { state, attempts, alive_since, delay, recipients, archive, decisions }
    }
}

fn state() -> impl Strategy<Value = State> {
    let time = || any::<u64>().prop_map(Timestamp::from_micros);
    let reason = || "\\PC{0,40}".prop_map(|text| HoldReason::new(&text));
    let by = || "\\PC{0,20}".prop_map(Box::from);
    let order = prop_oneof![
        reason().prop_map(Order::Hold),
        by().prop_map(Order::Requeue),
        by().prop_map(Order::Delete),
        Just(Order::Expire),
    ];
    prop_oneof![
        stage().prop_map(|next| State::Screening { next }),
        (reason(), time(), stage()).prop_map(|(reason, since, resume)| State::Held {
            reason,
            since,
            resume
        }),
        time().prop_map(|not_before| State::Ready { not_before }),
        (any::<u32>(), option::of(order))
            .prop_map(|(attempt, order)| State::Delivering { attempt, order }),
        Just(State::Finished(Outcome::Delivered)),
        Just(State::Finished(Outcome::Failed)),
        Just(State::Finished(Outcome::Deleted)),
        Just(State::Corrupt),
    ]
}

fn stage() -> impl Strategy<Value = Stage> {
    let all = [Stage::Filter, Stage::Moderate, Stage::Archive, Stage::Sign, Stage::Route];
    prop::sample::select(all.to_vec())
}

fn notice() -> impl Strategy<Value = Notice> {
    let all = [Notice::NotDue, Notice::AfterAttempt, Notice::Owed, Notice::Settled];
    prop::sample::select(all.to_vec())
}

fn archive_debt() -> impl Strategy<Value = ArchiveDebt> {
    let all = [ArchiveDebt::Nothing, ArchiveDebt::Capture, ArchiveDebt::Outcome];
    prop::sample::select(all.to_vec())
}

fn status() -> impl Strategy<Value = RecipientStatus> {
    let cause = prop_oneof![Just(FailureCause::Refused), Just(FailureCause::Expired)];
    prop_oneof![
        option::of(last_reply()).prop_map(|last| RecipientStatus::Pending { last }),
        (last_reply(), notice())
            .prop_map(|(last, report)| RecipientStatus::Delivered { last, report }),
        (last_reply(), cause, notice()).prop_map(|(last, cause, report)| RecipientStatus::Failed {
            last,
            cause,
            report
        }),
    ]
}

prop_compose! {
    fn last_reply()(
        (code, enhanced) in (any::<u16>(), option::of(any::<(u8, u16, u16)>())),
        text in "\\PC{0,80}",
        relay in option::of("[a-z0-9.:]{1,30}"),
        (at, attempt) in any::<(u64, u32)>(),
    ) -> LastReply {
        let enhanced = enhanced.map(|(class, subject, detail)| Enhanced(class, subject, detail));
        let reply = Reply { code, enhanced, text: text.into() };
        LastReply { reply, relay: relay.map(Into::into), at: Timestamp::from_micros(at), attempt }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

const TIME: Timestamp = Timestamp::from_micros(1_795_210_205_000_042);

// Written by the first version. Never to be edited: a new format gets new constants.
const STATE_V1: &str = "530115000000bce4cb36036af190f2bb600600006af190f2bb6006000001005aa5";
const ENVELOPE_V1: &str = "45015d00000005e3425d0007848688086af190f2bb600600026d780e3139322e302e322e\
    313a34373131000e636c69656e742e6578616d706c650100000000001073656e64657240\
    612e6578616d706c6500000000010e7263707440622e6578616d706c650d005aa5";

// Written by the second version.
const ENVELOPE_V2: &str = "4502860000006804e3850007848688086af190f2bb600600026d780e3139322e302e32\
    2e313a34373131000e636c69656e742e6578616d706c650100000000001073656e6465\
    7240612e6578616d706c6500000000010e7263707440622e6578616d706c650d000116\
    736d74703a5b3139322e302e322e315d3a3130303235010f666972737440622e657861\
    6d706c655aa5";

// Written by the third version.
const STATE_V3: &str = "53031600000058ebe467036af190f2bb600600006af190f2bb600600000100015aa5";
const ENVELOPE_V3: &str = "45036c000000ce233e3b0007848688086af190f2bb600600026d780e3139322e302e32\
    2e313a34373131000e636c69656e742e6578616d706c650100000000001073656e6465\
    7240612e6578616d706c6500000000010e7263707440622e6578616d706c650d000000\
    0c6b65657020372079656172735aa5";

// Written by the fourth version.
const ENVELOPE_V4: &str = "450474000000ef9ce27a0007848688086af190f2bb600600026d780e3139322e302e322e313a34373131000e63\
    6c69656e742e6578616d706c650100000000001073656e64657240612e6578616d706c6500000000010e726370\
    7440622e6578616d706c650d00000002057669727573047370616d0106666f6f746572005aa5";
const ENVELOPE_V4_KEPT: &str = "450479000000cf8eee300007848688086af190f2bb600600026d780e3139322e302e322e313a34373131000e63\
    6c69656e742e6578616d706c650100000000001073656e64657240612e6578616d706c6500000000010e726370\
    7440622e6578616d706c650d00000002057669727573047370616d0106666f6f74657201046b6565705aa5";

// Written by the fifth version.
const ENVELOPE_V5: &str = "4505a1000000486d04190007848688086af190f2bb600600026d780e3139322e302e322e313a34373131000e63\
    6c69656e742e6578616d706c650100000000001073656e64657240612e6578616d706c6500000000010e726370\
    7440622e6578616d706c650d000000000000010b6661722e6578616d706c65010b323030313a6462383a3a3701\
    05343031323300010545534d5450010c346a57543539303030707a37010652454d4f54455aa5";
const ENVELOPE_V5_KEPT: &str = "4505a6000000484882d90007848688086af190f2bb600600026d780e3139322e302e322e313a34373131000e63\
    6c69656e742e6578616d706c650100000000001073656e64657240612e6578616d706c6500000000010e726370\
    7440622e6578616d706c650d000000000001046b656570010b6661722e6578616d706c65010b323030313a6462\
    383a3a370105343031323300010545534d5450010c346a57543539303030707a37010652454d4f54455aa5";
