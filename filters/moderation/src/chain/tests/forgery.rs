//! What a client can put into the header that a trusted host writes: its name, its reverse name, its
//! identity, its certificate, the sender and the recipient. None of it becomes the address.

use super::*;

/// A stranger's address as trusted hosts write it, with something of the stranger's choice in it.
fn forged(template: &str, text: &str) -> Walk {
    let header = format!("Received: {}\n", template.replace('%', text));
    let accept = WalkOptions {
        local_origin: Origin::Accept,
        authenticated_origin: Origin::Accept,
        ..WalkOptions::default()
    };
    walked("192.0.2.1", &header, &accept)
}

#[test]
fn nothing_that_a_client_chooses_becomes_its_address_or_its_log_in() {
    for template in TEMPLATES {
        for text in TEXTS {
            let walk = forged(template, text);
            assert!(!walk.is_trusted(), "{template} with {text}:\n{walk}");
        }
    }
}

#[test]
fn two_texts_that_work_together_do_no_better() {
    let name_and_recipient =
        "from % (unknown [203.0.113.9]) by mx.example (Postfix) with SMTP id 1 for <%>; now";
    let name_and_reverse = "from % (% [203.0.113.9]) by mx.example with SMTP id 1; now";
    let two = TEMPLATES.iter().copied().filter(|template| template.matches('%').count() > 1);
    for template in two.chain([name_and_recipient, name_and_reverse]) {
        for first in TEXTS {
            for second in TEXTS {
                let template = template.replacen('%', first, 1);
                let walk = forged(&template, second);
                assert!(!walk.is_trusted(), "{template} with {second}:\n{walk}");
            }
        }
    }
}

/// `%` is the stranger's.
const TEMPLATES: &[&str] = &[
    "from % (unknown [203.0.113.9]) by mx.example (Postfix) with ESMTP id 1 for <a@example>; now",
    "from h.example (% [203.0.113.9]) by mx.example (Postfix) with ESMTP id 1 for <a@example>; now",
    "from h.example (h.example [203.0.113.9]) (Client CN \"%\", Issuer \"x\" (not verified)) \
     by mx.example (Postfix) with ESMTPS id 1; now",
    "from h.example (h.example [203.0.113.9]) by mx.example (Postfix) with ESMTP id 1 for <%>; now",
    "from [203.0.113.9] (helo=%) by mx.example with esmtp (Exim 4.98) id 1; now",
    "from [203.0.113.9] (helo=h ident=%) by mx.example with esmtp (Exim 4.98) id 1; now",
    "from h.example ([203.0.113.9] helo=%) by mx.example with esmtp (Exim 4.98) id 1; now",
    "from h.example ([203.0.113.9]:25 helo=h ident=%) by mx.example with esmtp (Exim 4.98) \
     (envelope-from <%>) id 1 for a@example; now",
    "from % (%@h.example [203.0.113.9] (may be forged)) by mx.example (8.18.1/8.18.1) with SMTP; now",
    "from unknown (HELO %) (%@203.0.113.9) by mx.example with SMTP; now",
    "from unknown (HELO %) (%@203.0.113.9 with plain) by mx.example with SMTP; now",
    "from [203.0.113.9] (account a HELO %) by mx.example (CommuniGate Pro SMTP) with ESMTPS id 1; now",
    "from % (203.0.113.9:4711) by mx.example with SMTP; now",
    "from % (203.0.113.9) by mx.example (10.0.0.1) with Microsoft SMTP Server id 15.2; now",
    "from % (h [::ffff:203.0.113.9]) by mx.example with esmtp id 1; now",
];

const TEXTS: &[&str] = &[
    "192.0.2.2",
    "[192.0.2.2]",
    "x [192.0.2.2]",
    "x [192.0.2.2] y",
    "x (y@192.0.2.2) z",
    "HELO",
    "x (HELO",
    "x ([192.0.2.2])",
    "([192.0.2.2])",
    "(192.0.2.2)",
    "x (y [192.0.2.2])",
    "x (y [192.0.2.2]) by z",
    "x (y [192.0.2.2]) by z with SMTP; now",
    "x (y [192.0.2.2]) by z with ESMTPSA id 1; now",
    "x) ([192.0.2.2]",
    "x]) ([192.0.2.2",
    "x] [192.0.2.2",
    "[192.0.2.2])",
    "by",
    "by z with ESMTPSA",
    "by z with local",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "<",
    ">",
    ";",
    "\\",
    "x(",
    "x[",
    "\"a) ([192.0.2.2]) by mx.example with SMTP id 1; \"@x",
    "\"a\" ([192.0.2.2]) by mx.example with ESMTPSA id \"@x",
    "a)([192.0.2.2]) by z id <",
    "\"a\\\" ([192.0.2.2]) by z with ESMTPSA id <\\\"\"@x",
    "helo=x [192.0.2.2]",
    "x helo=[192.0.2.2]",
    "x HELO [192.0.2.2]",
    "[192.0.2.2]:25",
    "192.0.2.2@192.0.2.2",
    "@[192.0.2.2]",
    "with ESMTPSA",
    "(Exim 4.98)",
];
