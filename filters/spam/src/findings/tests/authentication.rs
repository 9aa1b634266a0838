//! What is found out about who sent a mail, as evidence.

use mailweir_mail::{Domain, Timestamp};

use super::*;
use crate::{
    arc::{ArcFault, ArcOutcome, ArcResult, ArcSet},
    authentication::{Authentication, Ruling, Stranger},
    dkim::{
        Fault, KeyFault, Weakness,
        tests::{read, signer::TestSigner},
    },
    dmarc::{DmarcResult, Policy},
    dns::{
        Budget,
        table::{Table, at_once},
    },
    iprev::Iprev,
    spf::SpfResult,
    symbols::Symbol,
};

/// When the mails are read: 2026-11-20.
const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);

const MAIL: &[u8] =
    b"From: Ann <ann@author.example>\r\nTo: bob@own.example\r\nSubject: x\r\n\r\ntext\r\n";

const STRANGER: Stranger<'static> = Stranger {
    client: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    helo: "mx.author.example",
    mail_from: Some("ann@author.example"),
    ours: "gate.own.example",
};

fn zone() -> Table {
    let signer = TestSigner::of("author.example");
    Table::default()
        .ptr("192.0.2.1", &["mx.author.example"])
        .a("mx.author.example", &["192.0.2.1"])
        .txt("author.example", &["v=spf1 a:mx.author.example -all"])
        .txt("_dmarc.author.example", &["v=DMARC1; p=reject"])
        .txt(&signer.key_name(), &[&signer.record()])
}

fn find(mail: &[u8], dns: &Table) -> Authentication {
    at_once(Authentication::of(&STRANGER, &read(&[mail]), None, &Budget::new(dns, 100), dns, NOW))
}

/// Of an honest mail with a signature.
fn honest() -> Authentication {
    find(&TestSigner::of("author.example").sign(MAIL), &zone())
}

fn trusted(domain: &Domain) -> bool {
    domain.as_ascii() == "list.example"
}

fn evidence(found: &Authentication) -> Vec<Finding> {
    of_authentication(found, &found.ruling(trusted), &STRANGER)
}

/// The findings about an honest mail of which one thing is otherwise.
fn changed(change: impl Fn(&mut Authentication)) -> Vec<Finding> {
    let mut found = honest();
    change(&mut found);
    evidence(&found)
}

/// Of these findings that of one symbol.
fn only(found: &[Finding], symbol: Symbol) -> Vec<String> {
    shown(found.iter().filter(|finding| finding.symbol() == symbol))
}

/// The findings about a mail whose signature is otherwise.
fn signature(cause: Option<&Fault>, weaknesses: &[Weakness]) -> Vec<Finding> {
    changed(|found| {
        found.dkim.outcomes[0].cause = cause.cloned();
        found.dkim.outcomes[0].weaknesses = weaknesses.to_vec();
    })
}

fn dmarc(result: DmarcResult, policy: Policy) -> Vec<Finding> {
    changed(|found| {
        found.dmarc.result = result;
        found.dmarc.policy = policy;
    })
}

fn chain(result: ArcResult) -> ArcOutcome {
    let results = "list.example; dmarc=pass header.from=author.example".into();
    let set = ArcSet { instance: 1, sealer: "list.example".parse().unwrap(), results };
    ArcOutcome { result, sets: vec![set], oldest_pass: None, seals_checked: 1 }
}

fn iprev(iprev: &Iprev) -> Vec<Finding> {
    changed(|found| found.iprev = iprev.clone())
}

fn spf(result: SpfResult) -> Vec<Finding> {
    changed(|found| found.spf.result = result)
}

fn arc(result: &ArcResult) -> Vec<Finding> {
    changed(|found| {
        found.dmarc.result = DmarcResult::Fail;
        found.arc = chain(result.clone());
    })
}

const MANY: fn(&mut Authentication) = |found| found.dkim.not_looked_at = 990;
const UNSIGNED: fn(&mut Authentication) = |found| found.dkim.outcomes.clear();
const LEFT_OUT: Weakness = Weakness::PartOfBody { unsigned: 9 };
const SHORT: Weakness = Weakness::ShortKey { bits: 1024 };
const TWO_FROM: Weakness = Weakness::OpenField { field: "from", present: 2, signed: 1 };

/// Evidence of each kind, at least once.
pub(super) fn all() -> Vec<Finding> {
    let mut all = evidence(&honest());
    for each in [Iprev::Fail, Iprev::TempError, Iprev::PermError] {
        all.extend(iprev(&each));
    }
    all.extend(
        [
            SpfResult::None,
            SpfResult::Neutral,
            SpfResult::Fail,
            SpfResult::SoftFail,
            SpfResult::TempError,
            SpfResult::PermError,
        ]
        .into_iter()
        .flat_map(spf),
    );
    all.extend(signature(Some(&Fault::BodyChanged), &[LEFT_OUT, SHORT, TWO_FROM]));
    all.extend(signature(Some(&Fault::Unclear), &[]));
    all.extend(changed(MANY));
    all.extend(changed(UNSIGNED));
    for (result, policy) in [
        (DmarcResult::None, Policy::None),
        (DmarcResult::Fail, Policy::None),
        (DmarcResult::Fail, Policy::Quarantine),
        (DmarcResult::Fail, Policy::Reject),
        (DmarcResult::TempError, Policy::None),
        (DmarcResult::PermError, Policy::None),
    ] {
        all.extend(dmarc(result, policy));
    }
    let broken = ArcResult::Fail(ArcFault::TooManySets);
    for result in [ArcResult::Pass, ArcResult::TempError, broken] {
        all.extend(arc(&result));
    }
    all
}

#[test]
fn an_honest_mail_shows_who_sent_it_and_nothing_else() {
    assert_eq!(
        shown(&evidence(&honest())),
        [
            "IPREV_PASS 1 192.0.2.1 is mx.author.example",
            "SPF_PASS 1 192.0.2.1 for author.example: a:mx.author.example of author.example matches",
            "DKIM_VALID 1 author.example: k",
            "DKIM_VALID_AUTHOR 1 author.example: k",
            "DMARC_PASS 1 author.example: aligned by DKIM",
        ]
    );
    let score = Weights::default().score(evidence(&honest()));
    assert!((-10..=0).contains(&score.total().tenths()), "{}", score.log_line());
}

#[test]
fn a_forged_mail_shows_what_is_wrong_with_it() {
    let dns =
        zone().ptr("192.0.2.1", &["mx.elsewhere.example"]).txt("author.example", &["v=spf1 -all"]);
    let found = find(MAIL, &dns);
    assert_eq!(
        shown(&evidence(&found)),
        [
            "IPREV_FAIL 1 192.0.2.1",
            "SPF_FAIL 1 192.0.2.1 for author.example: -all of author.example matches",
            "DKIM_NONE 1 ",
            "DMARC_REJECT 1 author.example: neither SPF nor DKIM is aligned",
        ]
    );
}

#[test]
fn a_sender_without_a_domain_is_told_without_one() {
    let nobody = Stranger { helo: "localhost", mail_from: None, ..STRANGER };
    let (mail, dns) = (read(&[MAIL]), zone());
    let found =
        at_once(Authentication::of(&nobody, &mail, None, &Budget::new(&dns, 100), &dns, NOW));
    let findings = of_authentication(&found, &found.ruling(trusted), &nobody);
    assert_eq!(only(&findings, Symbol::SpfNone), ["SPF_NONE 1 no domain to ask about"]);
}

#[test]
fn the_name_of_a_client_is_looked_at_only_where_there_is_one() {
    let name = "dsl-192-0-2-1.provider.example";
    assert_eq!(
        shown(&iprev(&Iprev::Pass(name.into()))[..2]),
        [format!("IPREV_PASS 1 192.0.2.1 is {name}"), format!("RDNS_DYNAMIC 1 {name}")]
    );
    assert_eq!(shown(&iprev(&Iprev::PermError)[..1]), ["RDNS_NONE 1 192.0.2.1"]);
}

#[test]
fn f3_signatures_that_let_others_add_to_the_mail_are_told_and_none_of_them_is_valid() {
    let body = signature(None, &[LEFT_OUT]);
    let text = "author.example: it leaves a part of the body unsigned (l=), 9 bytes";
    assert_eq!(only(&body, Symbol::DkimBodyLength), [format!("DKIM_BODY_LENGTH 1 {text}")]);
    let from = signature(None, &[TWO_FROM]);
    let text = "author.example: of 2 from fields it signs 1";
    assert_eq!(only(&from, Symbol::DkimFromUnsigned), [format!("DKIM_FROM_UNSIGNED 1 {text}")]);
    for found in [&body, &from] {
        assert_eq!(only(found, Symbol::DkimValid), [""; 0]);
        assert_eq!(only(found, Symbol::DkimValidAuthor), [""; 0]);
    }
    let unsigned = signature(Some(&Fault::FromNotSigned), &[]);
    assert_eq!(
        only(&unsigned, Symbol::DkimFromUnsigned),
        ["DKIM_FROM_UNSIGNED 1 author.example: it does not sign the From field"]
    );
    assert_eq!(only(&unsigned, Symbol::DkimInvalid), [""; 0]);
    // Nobody has added anything yet: it is valid, and odd.
    let whole = signature(None, &[Weakness::PartOfBody { unsigned: 0 }]);
    assert!(only(&whole, Symbol::DkimBodyLength)[0].starts_with("DKIM_BODY_LENGTH 0.3 "));
    assert_eq!(only(&whole, Symbol::DkimValidAuthor).len(), 1);
}

#[test]
fn f2_short_keys_and_signatures_that_nobody_looked_at_are_told() {
    let short = signature(None, &[SHORT]);
    let text = "DKIM_WEAK_KEY 1 author.example: its key has 1024 bits";
    assert_eq!(only(&short, Symbol::DkimWeakKey), [text]);
    assert_eq!(only(&short, Symbol::DkimValid).len(), 1);
    let shorter = signature(Some(&KeyFault::TooShort { bits: 512 }.into()), &[]);
    assert_eq!(only(&shorter, Symbol::DkimWeakKey).len(), 1);
    assert_eq!(only(&shorter, Symbol::DkimInvalid).len(), 1);
    let many = changed(MANY);
    let text = "DKIM_MANY_SIGNATURES 1 990 beyond the first 1";
    assert_eq!(only(&many, Symbol::DkimManySignatures), [text]);
}

#[test]
fn a_key_under_test_counts_as_no_signature() {
    for cause in [None, Some(&Fault::BodyChanged)] {
        let found = signature(cause, &[Weakness::TestingKey]);
        let dkim: Vec<_> =
            found.iter().map(Finding::symbol).filter(|of| of.name().starts_with("DKIM")).collect();
        assert_eq!(dkim, [Symbol::DkimNone]);
    }
}

#[test]
fn a_signature_of_somebody_else_is_not_the_author_s() {
    let signer = TestSigner::of("list.example");
    let dns = zone().txt(&signer.key_name(), &[&signer.record()]);
    let found = evidence(&find(&signer.sign(MAIL), &dns));
    assert_eq!(only(&found, Symbol::DkimValid), ["DKIM_VALID 1 list.example: k"]);
    assert_eq!(only(&found, Symbol::DkimValidAuthor), [""; 0]);
}

#[test]
fn f8_what_name_servers_do_not_tell_weighs_nothing() {
    let weights = Weights::default();
    for (found, symbol) in [
        (iprev(&Iprev::TempError), Symbol::IprevTemperror),
        (spf(SpfResult::TempError), Symbol::SpfTemperror),
        (signature(Some(&Fault::Unclear), &[]), Symbol::DkimTemperror),
        (dmarc(DmarcResult::TempError, Policy::None), Symbol::DmarcTemperror),
        (arc(&ArcResult::TempError), Symbol::ArcTemperror),
    ] {
        let unclear: Vec<_> =
            found.into_iter().filter(|finding| finding.symbol() == symbol).collect();
        assert_eq!(unclear.len(), 1, "{symbol}");
        assert_eq!(weights.score(unclear).total().tenths(), 0, "{symbol}");
    }
}

#[test]
fn f9_only_a_trusted_host_s_seal_takes_the_place_of_a_failure() {
    let failed = |arc: ArcOutcome| {
        let mut found = honest();
        found.dmarc.result = DmarcResult::Fail;
        found.dmarc.policy = Policy::Reject;
        found.arc = arc;
        found
    };
    let found = failed(chain(ArcResult::Pass));
    let trusted = evidence(&found);
    assert_eq!(only(&trusted, Symbol::ArcTrusted), ["ARC_TRUSTED 1 list.example saw it pass"]);
    assert_eq!(only(&trusted, Symbol::ArcValid), ["ARC_VALID 1 sealed by list.example"]);
    assert_eq!(only(&trusted, Symbol::DmarcReject), [""; 0]);
    let others = of_authentication(&found, &found.ruling(|_| false), &STRANGER);
    assert_eq!(only(&others, Symbol::ArcTrusted), [""; 0]);
    assert_eq!(only(&others, Symbol::DmarcReject).len(), 1);
    let broken = evidence(&failed(chain(ArcResult::Fail(ArcFault::TooManySets))));
    assert_eq!(only(&broken, Symbol::ArcInvalid), ["ARC_INVALID 1 there are more than 50 sets"]);
    assert_eq!(only(&broken, Symbol::DmarcReject).len(), 1);
}

#[test]
fn f4_an_author_that_nobody_can_tell_is_told_as_the_reason() {
    let two = MAIL.to_ascii_lowercase();
    let two = [b"From: x@a.example\r\n", &*two].concat();
    for (mail, text) in [
        (&b"Subject: x\r\n\r\n"[..], "it has no From field that names anybody"),
        (&two, "its From field cannot be read in one way only"),
    ] {
        let dns = Table::default();
        let found = find(mail, &dns);
        let why = [format!("DMARC_PERMERROR 1 {text}")];
        assert_eq!(only(&evidence(&found), Symbol::DmarcPermerror), why);
    }
    let silent = Table::default().unclear_txt("_dmarc.a.example");
    let found = find(b"From: x@a.example, y@b.example\r\n\r\n", &silent);
    assert!(matches!(found.ruling(trusted), Ruling::NoAuthor(_)));
    assert_eq!(only(&evidence(&found), Symbol::DmarcTemperror).len(), 1);
}

#[test]
fn of_a_header_that_was_cut_nobody_knows_whether_it_is_signed() {
    let long = format!("X-Pad: {}\r\n", "x".repeat(300 * 1024));
    let found = evidence(&find(&[long.as_bytes(), MAIL].concat(), &zone()));
    assert_eq!(only(&found, Symbol::DkimNone), [""; 0]);
    let why = "DMARC_PERMERROR 1 its header is too long to be read";
    assert_eq!(only(&found, Symbol::DmarcPermerror), [why]);
}
