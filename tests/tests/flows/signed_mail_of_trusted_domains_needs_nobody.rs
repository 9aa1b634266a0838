//! A verified signature of a trusted domain that answers for From lets mail pass; whatever leaves a doubt
//! does not.

use mailweir_tests::{
    dkim::Signer,
    dns::FakeDns,
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_signed_mail_passes_and_all_that_only_look_like_one_wait() {
    let (gateway, sink, _dns) = office("").await;
    let signer = partner;
    for (what, content) in [
        ("signed", signer().sign(MAIL)),
        (
            "from below the domain",
            signer().sign(&MAIL.replace("partner.test>", "eu.partner.test>")),
        ),
        ("changed on top only", format!("X-Seen: yes\r\n{}", signer().sign(MAIL))),
    ] {
        let answer = gateway.submit(mail().from("x@other.test").content(content)).await;
        assert!(!answer.reply().contains("(held"), "{what}: {}", answer.reply());
        let id = answer.expect_accepted();
        let line = format!("{id}: needs no approval: signed by partner.test");
        gateway.log().expect(&line).await;
    }
    sink.expect(3).await;
    let stranger = Signer::of("stranger.test");
    for (what, content) in [
        ("not signed", MAIL.to_owned()),
        ("signed by a domain that nobody trusts", stranger.sign(MAIL)),
        ("signed for somebody else", signer().sign(&MAIL.replace("@partner.test", "@victim.test"))),
        ("another body", signer().sign(MAIL).replace("the text", "the test")),
        ("another subject", signer().sign(MAIL).replace("news", "hews")),
        ("From not signed", signer().covering("to:subject").sign(MAIL)),
        ("a part of the body signed", signer().saying("l=3;").sign(MAIL)),
        ("expired", signer().saying("t=1000; x=2000;").sign(MAIL)),
        ("a second From", format!("From: boss@victim.test\r\n{}", signer().sign(MAIL))),
        (
            "two authors",
            signer()
                .sign(&MAIL.replace("<ann@partner.test>", "<ann@partner.test>, boss@victim.test")),
        ),
        ("claims to be of another", stranger.sign(MAIL).replace("d=stranger", "d=partner")),
        ("a key that is not there", signer().sign(MAIL).replace("s=k;", "s=q;")),
    ] {
        let answer = gateway.submit(mail().from("ann@partner.test").content(content)).await;
        assert!(answer.reply().contains("(held for approval)"), "{what}: {}", answer.reply());
    }
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_makes_it_wait_and_nobody_is_asked_for_nothing() {
    let (gateway, sink, dns) = office("subject = [\"news\"]").await;
    let other = MAIL.replace("Subject: news", "Subject: other");
    gateway.submit(mail().content(partner().sign(&other))).await.expect_accepted();
    sink.expect_one().await;
    assert_eq!(dns.queries("k._domainkey.partner.test", "TXT"), 0, "no rule means it");
    dns.change("k._domainkey.partner.test SERVFAIL");
    let answer = gateway.submit(mail().content(partner().sign(MAIL))).await;
    assert!(answer.reply().contains("(held for approval)"), "{}", answer.reply());
    assert!(dns.queries("k._domainkey.partner.test", "TXT") > 0);
}

const MAIL: &str = "From: Ann\r\n <ann@partner.test>\r\nTo: user@local.example\r\n\
                    Subject: news\r\n\r\nthis  is the text \r\n\r\n";

fn partner() -> Signer {
    Signer::of("partner.test")
}

/// A gateway that trusts a partner, and at which all else waits that meets `conditions`.
async fn office(conditions: &str) -> (Gateway, Sink, FakeDns) {
    let zone = partner().record() + &Signer::of("stranger.test").record();
    let dns = FakeDns::start(&zone).await;
    let sink = Sink::start(Script::smtp()).await;
    let rule = format!(
        "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\nattach = \"none\"\n\
         moderators = [\"ann@local.example\"]\n{conditions}\n"
    );
    let setup = Setup::before(&sink)
        .section("dns", &format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address()))
        .section("moderation", "dkim_domains = [\"partner.test\"]")
        .sections(&rule);
    (Gateway::start(&setup).await, sink, dns)
}
