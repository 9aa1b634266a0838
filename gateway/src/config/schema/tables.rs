//! What tables do with content and addresses.

use std::num::NonZeroU32;

use mailweir_mail::Address;

use crate::config::{
    charset::CharsetName,
    rewriting::{
        AddressClass, ExtensionUser, HeaderRewriteClient, NameOrTable, RecipientClass, SenderClass,
    },
    section::section,
    table::TableName,
    units::ByteSize,
};

section! {
    /// Rules about what a mail says, in tables as Postfix writes them: `/pattern/ ACTION text`. They
    /// hold for mail that comes in by listeners of the modes "mx" and "submission"; a listener may
    /// have tables of its own. A changed file counts within a second.
    pub table "checks" Checks {
        /// Tables for the headers of the mail itself; the first rule of the first table that matches
        /// counts. A header over several lines is one text.
        header_checks: Vec<TableName> = [], postfix "header_checks";
        /// Tables for MIME headers, those of the mail itself (`Content-Type`, ...) as well as those of
        /// its parts. Absent: `header_checks`.
        mime_header_checks: Option<Vec<TableName>>, postfix "mime_header_checks";
        /// Tables for the headers of attached mails. Absent: `header_checks`.
        nested_header_checks: Option<Vec<TableName>>, postfix "nested_header_checks";
        /// Tables for each line of the body as it was sent, encoded or not.
        body_checks: Vec<TableName> = [], postfix "body_checks";
        /// Tables for all headers as a person reads them: decoded from any charset and encoding, as
        /// UTF-8, compatibility forms as one (NFKC).
        decoded_header_checks: Vec<TableName> = [];
        /// Tables for each line of text that a person reads: text parts decoded, HTML as text.
        text_body_checks: Vec<TableName> = [];
        /// Tables for the names of attachments, however they are encoded, also of those inside
        /// archives and attached mails.
        attachment_name_checks: Vec<TableName> = [];
        /// Tables for what attachments really are, by their first bytes: `application/pdf`, ...; also
        /// of those inside archives and attached mails.
        attachment_type_checks: Vec<TableName> = [];
        /// How much of each part's body `body_checks` look at.
        body_checks_size_limit: ByteSize = 51200, postfix "body_checks_size_limit";
        /// How much of a header the checks look at.
        header_size_limit: ByteSize = 102400, postfix "header_size_limit";
        /// How deep parts may stand in parts; what is deeper is taken as lines of a body.
        mime_nesting_limit: NonZeroU32 = 100, postfix "mime_nesting_limit";
        /// Whether everything behind the header of the mail is lines of a body to `body_checks`.
        disable_mime_input_processing: bool = false, postfix "disable_mime_input_processing";
        /// In which charsets text may be that names none and is no UTF-8, the likeliest first; at
        /// most 8. A rule counts if it matches any plausible reading.
        unlabelled_charsets: Vec<CharsetName> = ["euc-kr", "shift_jis", "gb18030", "big5", "windows-1252"];
        /// How much text of each part `text_body_checks` look at.
        text_body_checks_size_limit: ByteSize = "1 MiB";
    }
}

section! {
    /// Addresses rewritten by Postfix's tables, in Postfix's order: as mail comes in by listeners of
    /// the modes "mx" and "submission", and as it leaves. A changed file counts within a second. A
    /// table that cannot tell makes the mail wait.
    pub table "rewriting" Rewriting {
        /// The characters that divide a user's name from an extension, as in `user+ext@example.org`.
        /// Absent: there are no extensions.
        recipient_delimiter: Option<String>, postfix "recipient_delimiter";
        /// Whether an extension that a table does not have is put to what it has: "canonical",
        /// "virtual", "generic". Postfix's other words are for its local delivery and mean nothing here.
        propagate_unmatched_extensions: Vec<ExtensionUser> = ["canonical", "virtual"], postfix "propagate_unmatched_extensions";
        /// Tables that give addresses another form, such as `first.last@example.org`.
        canonical_maps: Vec<TableName> = [], postfix "canonical_maps";
        /// Which addresses `canonical_maps` change.
        canonical_classes: Vec<AddressClass> = ["envelope_sender", "envelope_recipient", "header_sender", "header_recipient"], postfix "canonical_classes";
        /// The same for senders alone; asked before `canonical_maps`.
        sender_canonical_maps: Vec<TableName> = [], postfix "sender_canonical_maps";
        /// Which addresses `sender_canonical_maps` change: those of the envelope, of the header.
        sender_canonical_classes: Vec<SenderClass> = ["envelope_sender", "header_sender"], postfix "sender_canonical_classes";
        /// The same for recipients alone; asked before `canonical_maps`.
        recipient_canonical_maps: Vec<TableName> = [], postfix "recipient_canonical_maps";
        /// Which addresses `recipient_canonical_maps` change: those of the envelope, of the header.
        recipient_canonical_classes: Vec<RecipientClass> = ["envelope_recipient", "header_recipient"], postfix "recipient_canonical_classes";
        /// Domains that hide what is below them: `user@host.example.org` is shown as
        /// `user@example.org`. `!example.org` hides nothing. The first that fits decides.
        masquerade_domains: Vec<String> = [], postfix "masquerade_domains";
        /// Users whose domain stays, such as "root": names or tables.
        masquerade_exceptions: Vec<NameOrTable> = [], postfix "masquerade_exceptions";
        /// Which addresses are masqueraded.
        masquerade_classes: Vec<AddressClass> = ["envelope_sender", "header_sender", "header_recipient"], postfix "masquerade_classes";
        /// Tables of aliases: an address, of any domain, that stands for one or more others.
        virtual_alias_maps: Vec<TableName> = [], postfix "virtual_alias_maps" "virtual_maps";
        /// Domains that have aliases and nothing else: names or tables. Mail for them is accepted from
        /// anywhere, and refused for addresses that are no alias. Absent: the domains that
        /// `virtual_alias_maps` have as keys, as far as they have any: patterns, `static:`, `socketmap:`,
        /// `tcp:` and tables made of others have none.
        virtual_alias_domains: Option<Vec<NameOrTable>>, postfix "virtual_alias_domains";
        /// How many addresses one recipient may have in the end; the mail is put off if there are more.
        virtual_alias_expansion_limit: NonZeroU32 = 1000, postfix "virtual_alias_expansion_limit";
        /// How often an alias may lead to an alias.
        virtual_alias_recursion_limit: NonZeroU32 = 1000, postfix "virtual_alias_recursion_limit";
        /// Who gets a copy of every mail.
        always_bcc: Option<Address>, postfix "always_bcc";
        /// Tables of who gets a copy of a sender's mail.
        sender_bcc_maps: Vec<TableName> = [], postfix "sender_bcc_maps";
        /// Tables of who gets a copy of a recipient's mail.
        recipient_bcc_maps: Vec<TableName> = [], postfix "recipient_bcc_maps";
        /// For whose mail the addresses in headers are rewritten too. "permit_inet_interfaces": clients
        /// on this machine. "permit_mynetworks": those in `networks` of the listener.
        /// "permit_sasl_authenticated": those who logged in. "static:all": everybody. Empty: nobody.
        local_header_rewrite_clients: Vec<HeaderRewriteClient> = ["permit_inet_interfaces"], postfix "local_header_rewrite_clients";
        /// Tables of users who have moved: their mail is refused, and the new address named.
        relocated_maps: Vec<TableName> = [], postfix "relocated_maps";
        /// Tables of where mail for an address or a domain goes: `transport:next hop`. They come before
        /// all routes and are asked at every attempt.
        transport_maps: Vec<TableName> = [], postfix "transport_maps";
        /// Tables of the relay for a sender's mail. They come before routes for "*", and after those
        /// that name the recipient's domain.
        sender_dependent_relayhost_maps: Vec<TableName> = [], postfix "sender_dependent_relayhost_maps";
        /// Tables that give addresses the form by which other sites know them, in the envelope and the
        /// header of what leaves by SMTP.
        smtp_generic_maps: Vec<TableName> = [], postfix "smtp_generic_maps";
    }
}
