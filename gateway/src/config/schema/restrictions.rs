//! Who may send what, as Postfix's restrictions say it, and which addresses take mail.

use std::{num::NonZeroU32, time::Duration};

use mailweir_mail::Network;

use crate::config::{
    address_verify::{VerifyMap, VerifySender},
    choice::TempfailAction,
    reply_code::{RejectCode, VerifyCode, VerifyDeferCode},
    restrictions::RestrictionText,
    section::section,
    table::TableName,
    words::Label,
};

section! {
    /// Who may connect, greet, send and be written to, in lists of restrictions as Postfix writes
    /// them; an element may hold several. They hold for the listeners of the modes "mx" and
    /// "submission"; a listener may have lists of its own. In each list the first restriction that
    /// permits or refuses ends it. A changed table counts within a second.
    pub(in crate::config) table "restrictions" RestrictionsSection {
        /// About the client. A table alone is for its name and address.
        client: Option<Vec<RestrictionText>>, postfix "smtpd_client_restrictions";
        /// About what it calls itself. A table alone is for that name.
        helo: Option<Vec<RestrictionText>>, postfix "smtpd_helo_restrictions";
        /// About the sender. A table alone is for its address.
        sender: Option<Vec<RestrictionText>>, postfix "smtpd_sender_restrictions";
        /// Who may send to where. The list must end the question for strangers. Absent: clients in
        /// `networks` and those who logged in may send to anywhere, strangers to `domains.relay`.
        relay: Option<Vec<RestrictionText>>, postfix "smtpd_relay_restrictions";
        /// About each recipient. A table alone is for its address.
        recipient: Option<Vec<RestrictionText>>, postfix "smtpd_recipient_restrictions";
        /// Before the content comes.
        data: Option<Vec<RestrictionText>>, postfix "smtpd_data_restrictions";
        /// When the content has come.
        end_of_data: Option<Vec<RestrictionText>>, postfix "smtpd_end_of_data_restrictions";
        /// Whether the lists about client, greeting and sender wait for RCPT, so that the log names
        /// sender and recipient, and old clients hear the refusal.
        delay_reject: bool = true, postfix "smtpd_delay_reject";
        /// Whether the relay list comes before the recipient list.
        relay_before_recipient: bool = true, postfix "smtpd_relay_before_recipient_restrictions";
        /// Whether recipients that do not exist are refused at the end of the lists.
        reject_unlisted_recipient: bool = true, postfix "smtpd_reject_unlisted_recipient";
        /// Whether senders of our domains that do not exist are refused.
        reject_unlisted_sender: bool = false, postfix "smtpd_reject_unlisted_sender";
        /// What `reject_unknown_helo_hostname` does while DNS cannot tell.
        unknown_helo_hostname_tempfail_action: TempfailAction = "defer_if_permit", postfix "unknown_helo_hostname_tempfail_action";
        /// What `reject_unknown_sender_domain` and `..._recipient_domain` do while DNS cannot tell.
        unknown_address_tempfail_action: TempfailAction = "defer_if_permit", postfix "unknown_address_tempfail_action";
        /// What `reject_unverified_sender` does while nobody can tell whether the address takes mail.
        unverified_sender_tempfail_action: TempfailAction = "defer_if_permit", postfix "unverified_sender_tempfail_action";
        /// What `reject_unverified_recipient` does then.
        unverified_recipient_tempfail_action: TempfailAction = "defer_if_permit", postfix "unverified_recipient_tempfail_action";
        /// What a client hears instead of the next hop's words when `reject_unverified_sender`
        /// refuses.
        unverified_sender_reject_reason: Option<String>, postfix "unverified_sender_reject_reason";
        /// The same of `reject_unverified_recipient`.
        unverified_recipient_reject_reason: Option<String>, postfix "unverified_recipient_reject_reason";
        /// Whether `example.com` in an access table is for `host.example.com` too. Otherwise
        /// `.example.com` is.
        parent_domain_matches_subdomains: bool = true, postfix "parent_domain_matches_subdomains";
        /// What the null sender `<>` is looked up as.
        null_access_lookup_key: String = "<>", postfix "smtpd_null_access_lookup_key";
        /// What a client hears that a block list names.
        default_rbl_reply: String = "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", postfix "default_rbl_reply";
        /// Tables of other replies, by the domain of the list.
        rbl_reply_maps: Vec<TableName> = [], postfix "rbl_reply_maps";
        /// Tables of the fingerprints of clients that may relay, for `permit_tls_clientcerts`.
        relay_clientcerts: Vec<TableName> = [], postfix "relay_clientcerts";
        /// Where the first mail exchanger of a domain must be for `permit_mx_backup`. Empty:
        /// anywhere.
        permit_mx_backup_networks: Vec<Network> = [], postfix "permit_mx_backup_networks";
        /// How long a question to a policy server (`check_policy_service`) may take: connecting, asking and
        /// being answered.
        policy_service_timeout: Duration = "100s", postfix "smtpd_policy_service_timeout";
        /// How long a connection to a policy server waits for the next question.
        policy_service_max_idle: Duration = "300s", postfix "smtpd_policy_service_max_idle";
        /// How long a connection to a policy server is used in all.
        policy_service_max_ttl: Duration = "1000s", postfix "smtpd_policy_service_max_ttl";
        /// How many questions one connection to a policy server carries. 0: any number.
        policy_service_request_limit: u32 = 0, postfix "smtpd_policy_service_request_limit";
        /// How often a policy server is asked the same, until it answers.
        policy_service_try_limit: NonZeroU32 = 2, postfix "smtpd_policy_service_try_limit";
        /// The pause before it is asked again.
        policy_service_retry_delay: Duration = "1s", postfix "smtpd_policy_service_retry_delay";
        /// What is done without an answer, as in an access table.
        policy_service_default_action: String = "451 4.3.5 Server configuration problem", postfix "smtpd_policy_service_default_action";
        /// What policy servers hear as `policy_context`.
        policy_service_policy_context: Option<String>, postfix "smtpd_policy_service_policy_context";
        /// Whether a reply says which table does not have a user.
        show_user_unknown_table_name: bool = true, postfix "show_user_unknown_table_name";
        /// Of `REJECT` in access tables.
        access_map_reject_code: RejectCode = 554, postfix "access_map_reject_code";
        /// Of `DEFER`, `DEFER_IF_PERMIT` and `DEFER_IF_REJECT` in access tables.
        access_map_defer_code: RejectCode = 450, postfix "access_map_defer_code";
        /// Of `defer`.
        defer_code: RejectCode = 450, postfix "defer_code";
        /// Of `reject_invalid_helo_hostname`.
        invalid_hostname_reject_code: RejectCode = 501, postfix "invalid_hostname_reject_code";
        /// Of block lists in DNS.
        maps_rbl_reject_code: RejectCode = 554, postfix "maps_rbl_reject_code";
        /// Of `reject_multi_recipient_bounce`.
        multi_recipient_bounce_reject_code: RejectCode = 550, postfix "multi_recipient_bounce_reject_code";
        /// Of `reject_non_fqdn_helo_hostname`, `..._sender` and `..._recipient`.
        non_fqdn_reject_code: RejectCode = 504, postfix "non_fqdn_reject_code";
        /// Of `reject_plaintext_session`.
        plaintext_reject_code: RejectCode = 450, postfix "plaintext_reject_code";
        /// Of `reject`.
        reject_code: RejectCode = 554, postfix "reject_code";
        /// Of `reject_unauth_destination`; `defer_unauth_destination` takes 100 off.
        relay_domains_reject_code: RejectCode = 554, postfix "relay_domains_reject_code";
        /// Of `reject_unknown_sender_domain` and `..._recipient_domain`.
        unknown_address_reject_code: RejectCode = 450, postfix "unknown_address_reject_code";
        /// Of `reject_unknown_client_hostname` and `..._reverse_client_hostname`.
        unknown_client_reject_code: RejectCode = 450, postfix "unknown_client_reject_code";
        /// Of `reject_unknown_helo_hostname`.
        unknown_hostname_reject_code: RejectCode = 450, postfix "unknown_hostname_reject_code";
        /// Of addresses of our own that do not exist.
        unknown_local_recipient_reject_code: RejectCode = 550, postfix "unknown_local_recipient_reject_code";
        /// Of addresses that do not exist, in domains that we relay for.
        unknown_relay_recipient_reject_code: RejectCode = 550, postfix "unknown_relay_recipient_reject_code";
        /// Of addresses that do not exist, in virtual alias domains.
        unknown_virtual_alias_reject_code: RejectCode = 550, postfix "unknown_virtual_alias_reject_code";
        /// Of addresses that do not exist, in virtual mailbox domains.
        unknown_virtual_mailbox_reject_code: RejectCode = 550, postfix "unknown_virtual_mailbox_reject_code";
        /// Of `reject_unverified_sender`, if the address takes no mail.
        unverified_sender_reject_code: VerifyCode = 450, postfix "unverified_sender_reject_code";
        /// Of `reject_unverified_sender`, if nobody can tell now, or yet.
        unverified_sender_defer_code: VerifyDeferCode = 450, postfix "unverified_sender_defer_code";
        /// Of `reject_unverified_recipient`, if the address takes no mail.
        unverified_recipient_reject_code: VerifyCode = 450, postfix "unverified_recipient_reject_code";
        /// Of `reject_unverified_recipient`, if nobody can tell now, or yet.
        unverified_recipient_defer_code: VerifyDeferCode = 450, postfix "unverified_recipient_defer_code";
    }
}

section! {
    /// Restrictions under a name of their own, to stand in a list or in the value of a table. Repeat
    /// the section for each.
    pub(in crate::config) tables "restrictions.class" ClassSection {
        /// The name.
        name: Label, postfix "smtpd_restriction_classes";
        /// What it stands for. A table alone looks up what the list is about that uses the class.
        rules: Vec<RestrictionText>;
    }
}

section! {
    /// How `reject_unverified_sender` and `reject_unverified_recipient` find out whether an address
    /// takes mail: the next hop is asked as for a mail that ends after RCPT, and its answer is
    /// remembered.
    pub(in crate::config) table "address_verify" AddressVerifySection {
        /// Whom probes come from: an address, or a user of the host name. "<>": nobody, which some
        /// sites refuse. "double-bounce" of the host name takes mail here, whatever restrictions say,
        /// and it goes nowhere. To any other address mail goes as to all addresses, and rules say who
        /// may send it.
        sender: VerifySender = "double-bounce", postfix "address_verify_sender" "double_bounce_sender";
        /// The file, in the data directory, in which answers survive a restart. Empty: none. It is
        /// written over, so it can be no other file of the configuration.
        map: VerifyMap = "verify_cache", postfix "address_verify_map";
        /// How long a good answer is believed.
        positive_expire_time: Duration = "31d", postfix "address_verify_positive_expire_time";
        /// When a good answer is asked for anew, while the old one still counts.
        positive_refresh_time: Duration = "7d", postfix "address_verify_positive_refresh_time";
        /// Whether any other answer is remembered. If not, clients hear no such answer: verification
        /// is in progress, and each mail asks anew.
        negative_cache: bool = true, postfix "address_verify_negative_cache";
        /// How long any other answer is believed.
        negative_expire_time: Duration = "3d", postfix "address_verify_negative_expire_time";
        /// When any other answer is asked for anew.
        negative_refresh_time: Duration = "3h", postfix "address_verify_negative_refresh_time";
        /// One more than the times that a session waits for `poll_delay` while a next hop has not
        /// answered. 1: it never waits.
        poll_count: NonZeroU32 = 3, postfix "address_verify_poll_count";
        /// How long each time is. An answer that comes sooner ends it.
        poll_delay: Duration = "3s", postfix "address_verify_poll_delay";
    }
}
