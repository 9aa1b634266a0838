//! What is not in the scenes of each rule, and how a walk is shown.

use super::*;

#[test]
fn names_are_never_taken_for_addresses() {
    for clause in [
        "from 192.0.2.1 (203.0.113.9 [203.0.113.9])",
        "from [192.0.2.1] (unknown [203.0.113.9])",
        "from [192.0.2.1] ([203.0.113.9])",
        "from [203.0.113.9] (helo=[192.0.2.1])",
        "from [203.0.113.9] (port=4711 helo=[192.0.2.1] ident=[192.0.2.2])",
        "from host.example.net ([203.0.113.9] helo=[192.0.2.1])",
        "from host.example.net ([203.0.113.9]:4711 helo=192.0.2.1)",
        "from unknown (HELO 192.0.2.1) (203.0.113.9)",
        "from unknown (HELO [192.0.2.1]) (192.0.2.1@203.0.113.9)",
        "from 192.0.2.1 (203.0.113.9)",
    ] {
        let header = format!("Received: {clause} by mx.example.org with ESMTP; now\n");
        let walk = walked("192.0.2.1", &header, &WalkOptions::default());
        let expected = Verdict::Untrusted { hop: 1, why: &Doubt::NotListed };
        assert_eq!(walk.verdict(), expected, "{clause}");
        assert_eq!(walk.hops()[1].address, Some(ip("203.0.113.9")), "{clause}");
    }
}

#[test]
fn what_cannot_be_read_for_certain_has_a_name() {
    use ReceivedError::{
        BadAddress, CommentTooDeep, ControlCharacter, MaybeName, NoAddress, NoBy, NoFrom,
        QuotedName, Stray, Twice, TwoAddresses, TwoSemicolons, Unclosed,
    };
    for (value, error) in [
        ("from a.example by mx.example with SMTP; now", NoAddress),
        ("from a.example (a.example) by mx.example with SMTP; now", NoAddress),
        ("from [192.0.2.1] by mx.example with SMTP; now", MaybeName),
        ("from a.example [192.0.2.1] by mx.example with SMTP; now", MaybeName),
        ("from a.example (a.example [192.0.2.1.4711]) by mx.example; now", BadAddress),
        ("from a.example (a.example [?.?.?.?]) by mx.example; now", BadAddress),
        ("from localhost (localhost [[UNIX: localhost]]) by mx.example; now", BadAddress),
        ("from a.example (a [192.0.2.1) by mx.example; now", BadAddress),
        ("from a.example (a 192.0.2.1]) by mx.example; now", BadAddress),
        ("from a.example (192.0.2.2 [192.0.2.1]) by mx.example; now", TwoAddresses),
        ("from a.example (a [192.0.2.1]) (b [192.0.2.2]) by mx.example; now", TwoAddresses),
        ("from a.example (a [192.0.2.1] (b [192.0.2.2])) by mx.example; now", TwoAddresses),
        ("from a.example [192.0.2.1] (a [192.0.2.2]) by mx.example; now", TwoAddresses),
        ("from [192.0.2.1] (helo=a ident=b [192.0.2.2]) by mx.example; now", TwoAddresses),
        ("from a.example ([192.0.2.1]); now", NoBy),
        ("from a.example ([192.0.2.1])", NoBy),
        ("from a.example ([192.0.2.1]) with SMTP id x; now", NoBy),
        ("a.example ([192.0.2.1]) by mx.example; now", NoFrom),
        ("(anything) from a.example ([192.0.2.1]) by mx.example; now", Twice("from")),
        ("(anything) by mx.example; now", NoFrom),
        ("", NoFrom),
        ("from a by b by c ([192.0.2.1]); now", Twice("by")),
        ("from a ([192.0.2.1]) by b with SMTP with ESMTPSA; now", Twice("with")),
        ("from a ([192.0.2.1]) by b from c; now", Twice("from")),
        ("from \"a\" ([192.0.2.1]) by b; now", QuotedName),
        ("from <a> ([192.0.2.1]) by b; now", QuotedName),
        ("from a ([192.0.2.1]) by b; now; then", TwoSemicolons),
        ("from a( ([192.0.2.1]) by b; now", Unclosed('(')),
        ("from a ([192.0.2.1])) by b; now", Stray(')')),
        ("from a ([192.0.2.1] \\x) by b; now", Stray('\\')),
        ("from a ((((((((([192.0.2.1]))))))))) by b; now", CommentTooDeep),
        ("from a ([192.0.2.1]) by b\u{0}; now", ControlCharacter),
        ("from a ([192.0.2.1]) by b\u{1b}[2J; now", ControlCharacter),
        ("from a ([192.0.2.1])\r by b; now", ControlCharacter),
    ] {
        let walk = walked("192.0.2.1", &format!("Received: {value}\n"), &WalkOptions::default());
        let why = Doubt::Unreadable(error);
        assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 1, why: &why }, "{value}");
    }
}

#[test]
fn mail_that_began_at_a_trusted_host_counts_only_where_that_is_accepted_and_only_last() {
    let accept = WalkOptions { local_origin: Origin::Accept, ..WalkOptions::default() };
    for local in [
        "by mx.example (Postfix, from userid 1000)\n\tid 4Fq; now",
        "from alice by mx.example with local (Exim 4.98)\n\t(envelope-from <a@example>) id 1t; now",
        "from alice (helo=mx) by mx.example with local-esmtp (Exim 4.98) id 1t; now",
        "from EX.example ([fe80::1%11]) by EX.example ([fe80::1%11]) with mapi id 15.02; now",
        "(from root@localhost) by mx.example (8.18.1/8.18.1/Submit) id 4A; now",
        "(qmail 4711 invoked by uid 1000); now",
        "by mx.example (Postfix) id 4Fq; now",
    ] {
        let header = format!("Received: {local}\n");
        assert_eq!(verdict("192.0.2.1", &header), "untrusted at 1", "{local}");
        assert_eq!(verdict_with("192.0.2.1", &header, accept), "trusted", "{local}");
        assert_eq!(verdict_with("203.0.113.9", &header, accept), "untrusted at 0", "{local}");
        let header = header + &from("192.0.2.1");
        assert_eq!(verdict_with("192.0.2.1", &header, accept), "untrusted at 1", "{local}");
    }
}

#[test]
fn a_listed_host_that_logs_in_is_a_relay_like_others() {
    let accept = WalkOptions { authenticated_origin: Origin::Accept, ..WalkOptions::default() };
    let relay = from("192.0.2.2").replace("ESMTPS", "ESMTPSA");
    let header = relay.clone() + &from("203.0.113.9");
    assert_eq!(verdict_with("192.0.2.1", &header, accept), "untrusted at 2");
    assert_eq!(verdict_with("192.0.2.1", &relay, accept), "trusted");
}

#[test]
fn a_log_in_is_told_by_the_protocol_alone() {
    let accept = WalkOptions { authenticated_origin: Origin::Accept, ..WalkOptions::default() };
    for (with, expected) in [
        ("ESMTPA", "trusted"),
        ("esmtpsa", "trusted"),
        ("UTF8SMTPSA", "trusted"),
        ("LMTPA", "trusted"),
        ("ESMTPS", "untrusted at 1"),
        ("ESMTPSAX", "untrusted at 1"),
        ("SMTP (with ESMTPSA)", "untrusted at 1"),
        ("SMTP id ESMTPSA", "untrusted at 1"),
        ("SMTP for <\"with ESMTPSA\"@example>", "untrusted at 1"),
    ] {
        let header = format!("Received: from a (b [203.0.113.9]) by c with {with}; now\n");
        assert_eq!(verdict_with("192.0.2.1", &header, accept), expected, "{with}");
    }
    // Where the address hides, the log-in still counts; where the header is broken, it does not.
    let hidden = "Received: by mx.example with ESMTPSA id 1; now\n";
    assert_eq!(verdict_with("192.0.2.1", hidden, accept), "trusted");
    let broken = "Received: from a (b [203.0.113.9) by c with ESMTPSA; now\n";
    assert_eq!(verdict_with("192.0.2.1", broken, accept), "untrusted at 1");
}

#[test]
fn a_host_that_hands_mail_to_itself_is_recognised_by_its_name_if_that_is_wanted() {
    let same_host = WalkOptions { inner_hops: InnerHops::SameHost, ..WalkOptions::default() };
    let hosts = TrustedHosts::parse(["192.0.2.0/24"]).unwrap();
    let listed = WalkOptions::default();
    let walked = |header: &str, options: &WalkOptions| {
        walk(ip("192.0.2.1"), &ReceivedHeaders::of(header.as_bytes()), &hosts, options).is_trusted()
    };
    let filtered = "Received: from localhost (localhost [127.0.0.1])\n\
                    \tby mx.example.org (Postfix) with ESMTP id 4B; now\n\
                    Received: from mx.example.org ([127.0.0.1])\n\
                    \tby localhost (mx.example.org [127.0.0.1]) (amavisd-new, port 10024)\n\
                    \twith ESMTP id q1; now\n"
        .to_owned();
    let header = filtered.clone() + &from("192.0.2.7");
    assert!(walked(&header, &same_host) && !walked(&header, &listed));
    // A stranger in front, another host below, and nothing below.
    assert!(!walked(&(filtered.clone() + &from("203.0.113.9")), &same_host));
    let other = from("192.0.2.7").replace("by mx.example.org", "by other.example.org");
    assert!(!walked(&(filtered.clone() + &other), &same_host));
    assert!(!walked(&filtered, &same_host));
    let qmail = "Received: (qmail 4711 invoked from network); now\n";
    assert!(walked(&format!("{qmail}{}", from("192.0.2.7")), &same_host));
    assert!(!walked(&format!("{qmail}{}", from("192.0.2.7")), &listed));
    assert!(!walked(qmail, &same_host));
}

#[test]
fn our_own_header_is_left_out_if_it_is_there() {
    let on_top = WalkOptions { own: OwnReceived::OnTop, ..WalkOptions::default() };
    let header = from("192.0.2.4") + &from("192.0.2.1");
    let walk = walked("192.0.2.4", &header, &on_top);
    let addresses: Vec<_> = walk.hops().iter().filter_map(|hop| hop.address).collect();
    assert_eq!(addresses, [ip("192.0.2.4"), ip("192.0.2.1")]);
    assert!(walk.is_trusted());
    // It must be ours: otherwise one header that counts would be left out.
    let header = from("203.0.113.9") + &from("192.0.2.1");
    let walk = walked("192.0.2.4", &header, &on_top);
    assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 1, why: &Doubt::NotOurs });
    assert_eq!(verdict_with("192.0.2.4", "", on_top), "untrusted at 1");
    assert!(walked("192.0.2.4", &from("192.0.2.4"), &on_top).began_at_peer());
}

#[test]
fn fifty_hops_are_followed_and_no_more() {
    assert_eq!(verdict("192.0.2.1", &from("192.0.2.1").repeat(50)), "trusted");
    let header = from("192.0.2.1").repeat(51);
    let walk = walked("192.0.2.1", &header, &WalkOptions::default());
    assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 51, why: &Doubt::TooManyHops });
    let on_top = WalkOptions { own: OwnReceived::OnTop, ..WalkOptions::default() };
    assert_eq!(verdict_with("192.0.2.1", &header, on_top), "trusted");
}

#[test]
fn only_headers_of_the_mail_itself_with_this_very_name_count() {
    let stranger = from("203.0.113.9");
    let other = stranger.replace("Received:", "X-Received:");
    let header = other + &stranger.replace("Received:", "Received-SPF:") + &from("192.0.2.1");
    let parts = format!("{header}Content-Type: message/rfc822\n\n{stranger}\n{stranger}");
    assert_eq!(verdict("192.0.2.1", &parts), "trusted");
    for name in ["received:", "RECEIVED:", "Received :", "Received\t:"] {
        let header = header.clone() + &stranger.replace("Received:", name);
        assert_eq!(verdict("192.0.2.1", &header), "untrusted at 2", "{name}");
    }
    // A line that is no header hides nothing.
    let header = format!("{header}no header\n{stranger}");
    assert_eq!(verdict("192.0.2.1", &header), "untrusted at 2");
}

#[test]
fn folds_and_line_ends_make_no_difference_to_what_is_read_or_recorded() {
    let folded = from("192.0.2.1");
    let hash = |header: &str| {
        let walk = walked("192.0.2.1", header, &WalkOptions::default());
        assert!(walk.is_trusted(), "{header}");
        walk.hops()[1].sha256.unwrap().to_string()
    };
    assert_eq!(hash(&folded), hash(&folded.replace('\n', "\r\n")));
    assert_eq!(hash(&folded), hash(folded.trim_end()));
    // printf 'Received: from a (b [192.0.2.1])\r\n by c; d' | sha256sum
    let known = "72f43af0efab9d154f0277f95ef350c3f437b1d7ccd6b22e052813c21e5e1b51";
    assert_eq!(hash("Received: from a (b [192.0.2.1])\n by c; d\n"), known);
    let _ = hash("Received:\n from\n\ta\n (b\n [\n 192.0.2.1\n ])\n by\n c\n");
}

#[test]
fn a_walk_is_shown_line_by_line_and_commands_no_terminal() {
    let header = from("192.0.2.1") + &from("203.0.113.9");
    let text = walked("192.0.2.4", &header, &WalkOptions::default()).to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], r"hop  0  192.0.2.4    trusted    listed as ^192\.0\.2\.[1-4]$");
    assert!(lines[1].starts_with(r"hop  1  192.0.2.1    trusted    listed as ^192"), "{text}");
    assert!(lines[2].starts_with("hop  2  203.0.113.9  untrusted  not one of"), "{text}");
    assert_eq!(lines[3], "untrusted at hop 2: not one of the trusted hosts");

    let same_host = WalkOptions { inner_hops: InnerHops::SameHost, ..WalkOptions::default() };
    let hosts = TrustedHosts::parse(["192.0.2.1"]).unwrap();
    let header = "Received: from a ([127.0.0.1]) by m\u{9b}2J\u{202e}x; now\n".repeat(2);
    let headers = ReceivedHeaders::of(header.as_bytes());
    let text = walk(ip("192.0.2.1"), &headers, &hosts, &same_host).to_string();
    assert!(text.contains(r"handed on within m\u{9b}2j\u{202e}x"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text}");
}

#[test]
fn a_walk_has_fields_for_programs() {
    let header = from("192.0.2.1") + &from("203.0.113.9");
    let walk = walked("192.0.2.4", &header, &WalkOptions::default());
    let json = serde_json::to_value(&walk).unwrap();
    assert_eq!((&json["verdict"], &json["hop"]), (&"untrusted".into(), &2.into()));
    let hop = &json["hops"][2];
    assert_eq!((&hop["hop"], &hop["address"]), (&2.into(), &"203.0.113.9".into()));
    assert_eq!((&hop["verdict"], &hop["code"]), (&"untrusted".into(), &"not-listed".into()));
    assert_eq!(hop["sha256"].as_str().map(str::len), Some(64));
    assert!(json["hops"][0]["sha256"].is_null());
}
