use mailweir_mail::Domain;
use mailweir_tables::keys::Extensions;

use super::{
    super::{Addressing, Classes, Masquerade, MatchList, testing::*},
    *,
};

fn mail(sender: &str, recipients: &[&str]) -> Envelope {
    let sender = ReversePath::Mailbox(address(sender));
    recipients.iter().fold(Envelope::from_sender(sender), |mail, text| mail.to(address(text)))
}

fn rewritten(rules: &RewritingRules, envelope: Envelope) -> Rewritten {
    now(rewrite(rules, envelope, &[], &NoRemote)).unwrap()
}

fn failed(rules: &RewritingRules, envelope: Envelope) -> RewriteError {
    now(rewrite(rules, envelope, &[], &NoRemote)).unwrap_err()
}

fn recipients(rewritten: &Rewritten) -> Vec<&str> {
    rewritten.envelope.recipients.iter().map(|recipient| recipient.address.as_str()).collect()
}

/// `main.cf` of a site: `+` begins extensions, `our.test` is local.
fn site() -> RewritingRules {
    RewritingRules {
        addressing: Addressing {
            extensions: Extensions::new("+"),
            origin: Some(Domain::parse("our.test").unwrap()),
            destinations: MatchList::default().name("host.our.test"),
            ..Addressing::default()
        },
        ..RewritingRules::default()
    }
}

fn aliases(lines: &str) -> RewritingRules {
    let mut rules = site();
    rules.virtual_aliases.maps = map(lines);
    rules
}

fn to(rules: &RewritingRules, recipient: &str) -> Vec<String> {
    let rewritten = rewritten(rules, mail("s@x.test", &[recipient]));
    recipients(&rewritten).into_iter().map(str::to_owned).collect()
}

#[test]
fn without_rules_an_envelope_stays_as_it_is() {
    let envelope = mail("s@x.test", &["a@x.test", "\"b c\"@y.test", "A@X.test."]);
    let rewritten = rewritten(&RewritingRules::default(), envelope.clone());
    assert_eq!(rewritten.envelope.recipients[..2], envelope.recipients[..2]);
    assert_eq!(rewritten.envelope.sender, envelope.sender);
    assert_eq!(rewritten.decisions, Decisions::default());
}

#[test]
fn canonical_maps_try_the_whole_address_then_the_user_then_the_domain() {
    let mut rules = site();
    rules.canonical.maps = map("joe+work@a.test  work@new.test\njoe@a.test  joe.doe@new.test\n\
         jane  jane.doe\n@b.test  everybody@new.test\n@c.test  @new.test\n");
    let sender = |text: &str| match rewritten(&rules, mail(text, &[])).envelope.sender {
        ReversePath::Mailbox(address) => address.to_string(),
        ReversePath::Null => String::new(),
    };
    assert_eq!(sender("Joe+Work@A.test"), "work@new.test");
    assert_eq!(sender("joe@a.test"), "joe.doe@new.test");
    assert_eq!(sender("joe+x@a.test"), "joe.doe+x@new.test", "the extension is propagated");
    assert_eq!(sender("jane@our.test"), "jane.doe@our.test", "a local user without its domain");
    assert_eq!(sender("jane+x@host.our.test"), "jane.doe+x@our.test");
    assert_eq!(sender("jane@x.test"), "jane@x.test", "no local user");
    assert_eq!(sender("u+x@b.test"), "everybody@new.test");
    assert_eq!(sender("u+x@c.test"), "u+x@new.test", "the user part is kept whole");
}

#[test]
fn an_extension_is_not_propagated_where_the_parameter_says_so() {
    let mut rules = site();
    rules.canonical.maps = map("joe@a.test  joe.doe@new.test\njim@a.test  @new.test\n");
    rules.propagate_in_canonical = false;
    assert_eq!(to(&rules, "joe+x@a.test"), ["joe.doe@new.test"]);
    assert_eq!(to(&rules, "jim+x@a.test"), ["jim@new.test"]);
    rules.propagate_in_canonical = true;
    assert_eq!(to(&rules, "jim+x@a.test"), ["jim+x@new.test"]);
}

#[test]
fn maps_of_a_side_come_before_the_common_ones_and_mind_their_classes() {
    let mut rules = site();
    rules.sender_canonical.maps = map("a@x.test  s@x.test\n");
    rules.recipient_canonical.maps = map("a@x.test  r@x.test\n");
    rules.canonical.maps = map("s@x.test s2@x.test\nr@x.test r2@x.test\n");
    let both = rewritten(&rules, mail("a@x.test", &["a@x.test"]));
    assert_eq!(both.envelope.sender, ReversePath::Mailbox(address("s2@x.test")));
    assert_eq!(recipients(&both), ["r2@x.test"]);

    rules.canonical.classes = Classes { envelope_recipient: false, ..Classes::ALL };
    let sender_only = rewritten(&rules, mail("a@x.test", &["a@x.test"]));
    assert_eq!(recipients(&sender_only), ["r@x.test"]);
}

#[test]
fn a_full_address_in_the_last_table_comes_before_a_domain_in_the_first() {
    let mut rules = site();
    let tables =
        [table_of("hash:/one", "@x.test one@x.test\n"), table("inline:{a@x.test=two@y.test}")];
    rules.recipient_canonical.maps = Maps::from(tables.to_vec());
    assert_eq!(to(&rules, "a@x.test"), ["two@y.test"]);
}

#[test]
fn a_canonical_loop_makes_the_mail_wait() {
    let mut rules = site();
    rules.canonical.maps = map("a@x.test b@x.test\nb@x.test a@x.test\nc@x.test C@x.test\n");
    let by = Parameter::Canonical;
    let error = failed(&rules, mail("a@x.test", &[]));
    assert_eq!(error, RewriteError::TooDeep { by, address: address("a@x.test"), limit: 10 });
    assert_eq!(to(&rules, "c@x.test"), ["C@x.test"], "an address may lead to itself");
}

#[test]
fn the_null_sender_is_asked_of_no_table() {
    let mut rules = site();
    rules.canonical.maps = Maps::from(vec![table("static:all@x.test")]);
    rules.sender_bcc = Maps::from(vec![table("static:spy@x.test")]);
    let envelope = Envelope::from_sender(ReversePath::Null).to(address("a@x.test"));
    let rewritten = rewritten(&rules, envelope);
    assert_eq!(rewritten.envelope.sender, ReversePath::Null);
    assert_eq!(rewritten.bccs, []);
}

#[test]
fn a_sender_may_become_nobody_and_a_recipient_not() {
    let mut rules = site();
    rules.canonical.maps = map("noreply@our.test <>\n");
    rules.sender_bcc = Maps::from(vec![table("static:spy@x.test")]);
    let from = |sender| rewritten(&rules, mail(sender, &["a@x.test"]));
    for nobody in ["noreply@our.test", "MAILER-DAEMON@our.test"] {
        assert_eq!(from(nobody).envelope.sender, ReversePath::Null);
        assert_eq!(from(nobody).bccs, [], "reports are not copied");
    }
    let theirs = ReversePath::Mailbox(address("mailer-daemon@x.test"));
    assert_eq!(from("mailer-daemon@x.test").envelope.sender, theirs);
    let error = failed(&rules, mail("s@x.test", &["noreply@our.test"]));
    assert!(matches!(error, RewriteError::Lookup(_)), "{error}");
}

#[test]
fn masquerading_hides_hosts_of_senders_and_by_default_of_no_recipient() {
    let mut rules = site();
    rules.masquerade = Masquerade::default().domain("our.test");
    let hidden = rewritten(&rules, mail("u@h.our.test", &["u@h.our.test"]));
    assert_eq!(hidden.envelope.sender, ReversePath::Mailbox(address("u@our.test")));
    assert_eq!(recipients(&hidden), ["u@h.our.test"]);
    assert_eq!(
        hidden.decisions.kept()[0].to_string(),
        "masquerade_domains: u@h.our.test becomes u@our.test"
    );
}

#[test]
fn an_alias_stands_for_several_addresses_which_may_be_aliases() {
    let rules = aliases(
        "team@our.test  joe@our.test, jane@x.test outside@y.test\njoe@our.test  joe@mail.test\n\
         sales@our.test  team@our.test\nlocal@our.test bare\n@old.test  @new.test\n",
    );
    let team = ["joe@mail.test", "jane@x.test", "outside@y.test"];
    assert_eq!(to(&rules, "team@our.test"), team);
    assert_eq!(to(&rules, "Sales@our.test"), team);
    assert_eq!(to(&rules, "local@our.test"), ["bare@our.test"], "completed with myorigin");
    assert_eq!(to(&rules, "any.one+x@old.test"), ["any.one+x@new.test"]);
    assert_eq!(to(&rules, "joe+x@our.test"), ["joe+x@mail.test"]);
    assert_eq!(to(&rules, "nobody@our.test"), ["nobody@our.test"]);
}

#[test]
fn an_alias_may_have_itself_among_its_addresses() {
    let rules = aliases("joe@our.test  joe@our.test, copy@x.test\n");
    assert_eq!(to(&rules, "joe@our.test"), ["joe@our.test", "copy@x.test"]);
    assert_eq!(to(&rules, "JOE@our.test"), ["joe@our.test", "copy@x.test"]);
}

#[test]
fn quoted_names_are_looked_up_with_and_without_quotes() {
    let rules = aliases("\"john doe\"@our.test  jd@x.test\n");
    assert_eq!(to(&rules, "\"john doe\"@our.test"), ["jd@x.test"]);
    let rules = aliases("@our.test  @x.test\n");
    assert_eq!(to(&rules, "\"john doe\"@our.test"), ["\"john doe\"@x.test"]);
}

#[test]
fn aliases_that_lead_in_a_circle_make_the_mail_wait() {
    let rules = aliases("a@our.test b@our.test\nb@our.test a@our.test\n");
    let (by, address) = (Parameter::VirtualAlias, address("a@our.test"));
    let error = failed(&rules, mail("s@x.test", &["a@our.test"]));
    assert_eq!(error, RewriteError::TooDeep { by, address, limit: 1000 });
}

#[test]
fn aliases_that_multiply_make_the_mail_wait() {
    let rules = aliases("a@our.test a@our.test, b@our.test\nb@our.test a@our.test, b@our.test\n");
    assert_eq!(to(&rules, "a@our.test"), ["a@our.test", "b@our.test"], "each leads to itself");

    let thousand: Vec<_> = (0..1001).map(|n| format!("u{n}@x.test")).collect();
    let rules = aliases(&format!("big@our.test {}\n", thousand.join(" ")));
    let error = failed(&rules, mail("s@x.test", &["big@our.test"]));
    let big = address("big@our.test");
    assert_eq!(error, RewriteError::TooMany { address: big, limit: 1000 });
    let rules = aliases(&format!("big@our.test {}\n", thousand[..1000].join(" ")));
    assert_eq!(to(&rules, "big@our.test").len(), 1000);
}

#[test]
fn an_address_that_is_too_long_makes_the_mail_wait() {
    let mut rules = aliases("a@our.test a-longer-name@our.test\n");
    rules.virtual_aliases.address_length_limit = 20;
    let error = failed(&rules, mail("s@x.test", &["a@our.test"]));
    let address = address("a@our.test");
    assert_eq!(error, RewriteError::TooLong { address, limit: 20 });
}

#[test]
fn a_table_that_cannot_tell_makes_the_mail_wait() {
    for broken in ["fail:broken", "inline:{a@x.test=<>}", "inline:{a@x.test={a@b@c}}"] {
        let mut rules = site();
        rules.virtual_aliases.maps = Maps::from(vec![table(broken)]);
        let error = failed(&rules, mail("s@x.test", &["a@x.test"]));
        assert!(matches!(error, RewriteError::Lookup(_)), "{broken}: {error}");
    }
}

#[test]
fn a_recipient_that_was_written_twice_is_kept_once() {
    let rules = aliases("b@our.test a@our.test\n");
    let twice = mail("s@x.test", &["a@our.test", "A@our.test", "b@our.test"]);
    let kept = rewritten(&rules, twice.clone());
    assert_eq!(recipients(&kept), ["a@our.test", "a@our.test"]);
    let originals = kept.envelope.recipients.iter().map(|recipient| recipient.original.clone());
    assert_eq!(originals.collect::<Vec<_>>(), [None, Some(address("b@our.test"))]);

    let rules = RewritingRules { enable_original_recipient: false, ..rules };
    assert_eq!(recipients(&rewritten(&rules, twice)), ["a@our.test"]);
}

#[test]
fn copies_go_to_those_the_maps_name_and_nobody_is_told() {
    let mut rules = aliases("archive@our.test  vault@x.test\n");
    rules.sender_bcc = map("boss@our.test  archive@our.test\n");
    rules.recipient_bcc = map("@x.test  watch@our.test\n");
    rules.always_bcc = Some(address("all@our.test"));
    let copied = rewritten(&rules, mail("boss@our.test", &["a@x.test", "b@y.test"]));
    let expected = ["vault@x.test", "a@x.test", "watch@our.test", "b@y.test", "all@our.test"];
    assert_eq!(recipients(&copied), expected);
    let silent = |nth: usize| copied.envelope.recipients[nth].notify == Notify::Never;
    assert_eq!([0, 1, 2, 3, 4].map(silent), [true, false, true, false, true]);
    let bccs = ["archive@our.test", "watch@our.test", "all@our.test"].map(address);
    assert_eq!(copied.bccs, bccs);
    let vault = &copied.envelope.recipients[0];
    assert_eq!(vault.original, Some(address("archive@our.test")));
    assert_eq!(recipients(&rewritten(&rules, mail("boss@our.test", &[])))[..], ["vault@x.test"]);
}

#[test]
fn the_copy_of_a_copy_is_not_made() {
    let mut rules = site();
    rules.recipient_bcc = Maps::from(vec![table("static:watch@our.test")]);
    assert_eq!(to(&rules, "a@x.test"), ["a@x.test", "watch@our.test"]);
}

#[test]
fn a_report_names_the_recipient_that_the_sender_wrote() {
    let rules = aliases("a@our.test b@x.test\nc@our.test d@x.test\n");
    let mut envelope = mail("s@x.test", &["a@our.test", "c@our.test", "e@our.test"]);
    let given = OriginalRecipient::new("rfc822;first@y.test");
    envelope.recipients[1].orcpt = given.clone();
    let after = rewritten(&rules, envelope).envelope.recipients;
    assert_eq!(after[0].orcpt, OriginalRecipient::new("rfc822;a@our.test"));
    assert_eq!(after[1].orcpt, given);
    assert_eq!(after[2].orcpt, None, "what is not rewritten stays as it is");
}

#[test]
fn a_mail_that_is_rewritten_again_keeps_what_was_written_first() {
    let rules = aliases("a@our.test b@our.test\nb@our.test c@x.test\n");
    let mut envelope = mail("s@x.test", &["b@our.test"]);
    envelope.recipients[0].original = Some(address("a@our.test"));
    let again = rewritten(&rules, envelope);
    assert_eq!(recipients(&again), ["c@x.test"]);
    assert_eq!(again.envelope.recipients[0].original, Some(address("a@our.test")));
}

#[test]
fn success_is_reported_where_an_alias_is_written_out_and_not_again() {
    let rules = aliases("a@our.test b@x.test, c@x.test\n");
    let wish = |failure| Notify::On { success: true, failure, delay: false };
    let with = |notify| {
        let mut envelope = mail("s@x.test", &["a@our.test", "plain@x.test"]);
        envelope.recipients.iter_mut().for_each(|recipient| recipient.notify = notify);
        rewritten(&rules, envelope)
    };
    let both = with(wish(true));
    let after: Vec<_> = both.envelope.recipients.iter().map(|r| r.notify).collect();
    let failure_only = Notify::On { success: false, failure: true, delay: false };
    assert_eq!(after, [failure_only, failure_only, wish(true)]);
    assert_eq!(both.expanded.len(), 1);
    assert_eq!(both.expanded[0].address, address("a@our.test"));
    assert_eq!(with(wish(false)).envelope.recipients[0].notify, Notify::Never);
}

#[test]
fn an_address_beyond_ascii_asks_for_smtputf8() {
    let rules = aliases("a@our.test 홍길동@x.test\n");
    assert!(rewritten(&rules, mail("s@x.test", &["a@our.test"])).envelope.smtputf8);
    assert!(!rewritten(&rules, mail("s@x.test", &["b@our.test"])).envelope.smtputf8);
}

#[test]
fn decisions_name_the_table_and_the_line() {
    let rules = aliases("# aliases\n\nteam@our.test  a@x.test, b@x.test\n");
    let decisions = rewritten(&rules, mail("s@x.test", &["team@our.test"])).decisions;
    let [decision] = decisions.kept() else { panic!("{decisions:?}") };
    assert_eq!(
        decision.to_string(),
        "virtual_alias_maps: team@our.test becomes a@x.test, b@x.test \
         (hash:/etc/postfix/map, line 3)"
    );
}

#[test]
fn copies_that_other_rules_ask_for_are_aliases_and_have_no_copies() {
    let mut rules = RewritingRules::default();
    rules.virtual_aliases.maps = map("audit@our.test audit@store.test\n");
    rules.recipient_bcc = map("audit@our.test never@our.test\n");
    let envelope = Envelope::from_sender(ReversePath::Null).to(address("joe@our.test"));
    let copies = [address("audit@our.test")];
    let rewritten = now(rewrite(&rules, envelope, &copies, &NoRemote)).unwrap();
    let copy = &rewritten.envelope.recipients[1];
    assert_eq!(copy.address, address("audit@store.test"));
    assert_eq!(copy.notify, Notify::Never);
    assert_eq!(rewritten.envelope.recipients.len(), 2);
}
