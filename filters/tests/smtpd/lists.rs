//! Lists that both sides are given. `%name` is a table of [`TABLES`].

/// One configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists {
    pub(crate) client: &'static str,
    pub(crate) helo: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) relay: &'static str,
    pub(crate) recipient: &'static str,
    pub(crate) data: &'static str,
    pub(crate) end_of_data: &'static str,
    /// `smtpd_delay_reject`.
    pub(crate) delay: bool,
}

const RELAY: &str = "permit_mynetworks reject_unauth_destination";
const NONE: Lists = Lists {
    client: "",
    helo: "",
    sender: "",
    relay: RELAY,
    recipient: "",
    data: "",
    end_of_data: "",
    delay: true,
};

const fn client(client: &'static str) -> Lists {
    Lists { client, ..NONE }
}

const fn helo(helo: &'static str) -> Lists {
    Lists { helo, ..NONE }
}

const fn sender(sender: &'static str) -> Lists {
    Lists { sender, ..NONE }
}

const fn recipient(recipient: &'static str) -> Lists {
    Lists { recipient, ..NONE }
}

/// Restriction classes.
pub(crate) const CLASSES: &[(&str, &str)] = &[
    ("strict", "reject_non_fqdn_helo_hostname, reject_non_fqdn_sender"),
    ("nothing_at_all", "reject"),
    ("lenient", "permit_mynetworks"),
    ("bare", "%all"),
];

/// Texts of tables.
pub(crate) const TABLES: &[(&str, &str)] = &[
    (
        "all",
        "host.c.example REJECT host\nc.example REJECT parent\n192.0.2 REJECT net\n2001:db8 DEFER six\n\
         known.example REJECT 5.1.8 known\nb@b.example REJECT 5.1.1 gone\nb+x@ 450 4.2.1 full\n\
         pc REJECT\npc.example REJECT 4.1.1 mapped\n<> REJECT null\nb@ DEFER 4.1.6 moved\nunknown DUNNO\n",
    ),
    (
        "codes",
        "pc.example 554 text\npc 450 4.3.2 busy\na..b 550 5.1.1\n1-2.3 554\n203.0.113.9 501 5.5.4  two  spaces\n",
    ),
    (
        "permits",
        "a@a.example OK\n<> RELAY\nsub.known.example 1234\na@pc OK really\nknown.example dunno\n",
    ),
    (
        "waits",
        "b@b.example defer_if_permit Later\nc@c.example DEFER_IF_REJECT 4.2.0 Perhaps\nb@relay.example defer_if_reject\n\
         b@here.example defer_if_permit\nx@b.example defer_if_permit, reject\n",
    ),
    (
        "classes",
        "a@a.example strict\n<> nothing_at_all\nsub.known.example lenient, reject\na@pc warn_if_reject nothing_at_all\n\
         known.example check_sender_access texthash:/x\n",
    ),
    (
        "wrong",
        "a@a.example no_such_restriction\n<> permit, no_such\na@pc defer, no_such\nknown.example strict no_such\n",
    ),
    (
        "acts",
        "a@a.example HOLD for a look\n<> INFO seen\nsub.known.example WARN beware of it\na@pc FILTER discard:x\n\
         b@known.example BCC copy@here.example\nknown.example REDIRECT other@here.example\n",
    ),
    (
        "mistakes",
        "a@a.example FILTER nothing\n<> REDIRECT nobody\nsub.known.example BCC nobody\na@pc PREPEND nothing\n",
    ),
    ("discards", "a@a.example DISCARD\n<> DISCARD silently\na@pc HOLD\n"),
    ("headers", "a@a.example PREPEND X-One: 1\n<> PREPEND X-Null: 1\n"),
];

/// All of them.
pub(crate) const LISTS: &[Lists] = &[
    NONE,
    client("reject"),
    client("reject_unknown_client_hostname"),
    client("reject_unknown_reverse_client_hostname"),
    client("permit_mynetworks, reject_unknown_client"),
    client("%all"),
    client("check_client_access %all, reject"),
    client("check_client_access %codes"),
    client("check_reverse_client_hostname_access %all"),
    client("check_reverse_client_hostname_access %permits"),
    client("reject_plaintext_session"),
    client("permit_sasl_authenticated, permit_tls_all_clientcerts, defer"),
    client("bare"),
    helo("reject_invalid_helo_hostname"),
    helo("reject_invalid_hostname, reject_non_fqdn_hostname"),
    helo("reject_non_fqdn_helo_hostname"),
    helo("%all"),
    helo("check_helo_access %codes"),
    helo("permit_mynetworks, warn_if_reject reject_non_fqdn_helo_hostname, permit"),
    sender("reject_non_fqdn_sender"),
    sender("%all"),
    sender("check_sender_access %permits, reject"),
    sender("check_sender_access %classes"),
    sender("check_sender_access %wrong"),
    sender("check_sender_access %acts"),
    sender("check_sender_access %mistakes"),
    sender("check_sender_access %discards, reject_non_fqdn_sender"),
    sender("check_sender_access %headers, warn_if_reject strict"),
    sender("reject_unlisted_sender, reject_multi_recipient_bounce"),
    sender("bare"),
    recipient("%all"),
    recipient("check_recipient_access %waits"),
    recipient("check_recipient_access %waits, reject"),
    recipient("check_recipient_access %waits, defer_if_permit, permit"),
    recipient("check_recipient_access %waits check_recipient_access %all"),
    recipient(
        "reject_non_fqdn_recipient, reject_unlisted_recipient, reject_multi_recipient_bounce",
    ),
    recipient("warn_if_reject nothing_at_all, strict"),
    recipient("warn_if_reject warn_if_reject reject, defer"),
    recipient("defer_if_reject, reject"),
    recipient("defer_if_reject, defer_if_permit, reject"),
    recipient("defer_if_permit"),
    recipient("permit_auth_destination, reject"),
    recipient("lenient, nothing_at_all"),
    recipient("bare, reject_unauth_pipelining"),
    Lists {
        relay: "permit_mynetworks, defer_unauth_destination",
        recipient: "permit, reject",
        ..NONE
    },
    Lists { relay: "defer_if_reject reject_unauth_destination", recipient: "reject", ..NONE },
    Lists { client: "permit", helo: "permit", sender: "permit", recipient: "reject", ..NONE },
    Lists { client: "defer_if_permit", sender: "reject_non_fqdn_sender", ..NONE },
    Lists { sender: "defer_if_reject", recipient: "reject_non_fqdn_helo_hostname", ..NONE },
    Lists { client: "warn_if_reject", helo: "reject_invalid_helo_hostname", ..NONE },
    Lists { data: "reject_multi_recipient_bounce, check_recipient_access %all", ..NONE },
    Lists { data: "defer", ..NONE },
    Lists { data: "check_sender_access %acts, defer_if_permit", ..NONE },
    Lists { data: "defer_if_reject, nothing_at_all", ..NONE },
    Lists { end_of_data: "check_recipient_access %waits, check_helo_access %all", ..NONE },
    Lists { end_of_data: "check_sender_access %headers, reject", ..NONE },
    Lists { end_of_data: "warn_if_reject reject", ..NONE },
    Lists { delay: false, ..client("%all") },
    Lists { delay: false, ..client("defer_if_permit") },
    Lists { delay: false, ..helo("reject_invalid_helo_hostname, check_helo_access %codes") },
    Lists { delay: false, ..sender("check_sender_access %acts, reject_non_fqdn_sender") },
    Lists { delay: false, sender: "defer_if_permit", recipient: "permit", ..NONE },
    Lists { delay: false, sender: "check_sender_access %discards", recipient: "reject", ..NONE },
];
