//! The closed list of counters, each beside its name, labels and description.
//!
//! Rows of one name stand together: the text format wants a family in one piece.

macro_rules! counters {
    ($($name:literal $help:literal { $($counter:ident $labels:literal)+ })+) => {
        /// One counter.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Counter { $($($counter,)+)+ }

        impl Counter {
            pub(super) const COUNT: usize = ROWS.len();
        }

        /// All counters, in the order in which they are printed.
        pub(super) const ROWS: &[Row] = &[$($(
            Row { counter: Counter::$counter, name: $name, help: $help, labels: $labels },
        )+)+];
    };
}

/// One line of the table.
pub(super) struct Row {
    pub(super) counter: Counter,
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'static str,
}

counters! {
    "postfix_smtpd_connects_total" "Connections from clients." { Connects "" }
    "postfix_smtpd_disconnects_total" "Sessions with clients that ended." { Disconnects "" }
    "postfix_smtpd_sasl_authentication_failures_total" "Log-ins that failed." { AuthFailures "" }
    "postfix_smtpd_forward_confirmed_reverse_dns_errors_total"
    "Clients whose name does not lead back to their address." { NamesUnconfirmed "" }
    "postfix_cleanup_messages_processed_total" "Mails queued." { Cleaned "" }
    "postfix_cleanup_messages_rejected_total" "Mails refused at the end of their content."
    { ContentRejected "" }
    "postfix_qmgr_messages_removed_total" "Mails that are done." { Removed "" }
    "postfix_qmgr_messages_expired_total" "Recipients given up because the mail was too old."
    { Expired "" }
    "postfix_smtp_messages_processed_total" "Delivery attempts, one per recipient, by outcome." {
        Sent r#"status="sent""#
        Deferred r#"status="deferred""#
        Bounced r#"status="bounced""#
    }
    "postfix_smtp_status_deferred" "The same as the outcome deferred; an older name."
    { DeferredAlias "" }
    "postfix_smtp_connection_timed_out_total" "Connections to next hops that timed out."
    { ConnectTimeouts "" }
    "postfix_bounce_non_delivery_notification_total" "Non-delivery reports sent."
    { FailureReports "" }
    "mailweir_sessions_cut_off_total" "Sessions that we ended before QUIT, by cause." {
        Timeouts r#"cause="timeout""#
        TooManyErrors r#"cause="too_many_errors""#
        ImproperPipelining r#"cause="improper_pipelining""#
    }
    "mailweir_connect_failures_total" "Connections to next hops that failed, time-outs aside."
    { ConnectFailures "" }
    "mailweir_reports_total" "Other reports sent, by kind." {
        DelayReports r#"kind="delay""#
        SuccessReports r#"kind="success""#
    }
    "mailweir_held_total" "Mails put on hold." { Held "" }
    "mailweir_released_total" "Mails taken off hold." { Released "" }
    "mailweir_requeued_total" "Mails scheduled anew by an operator." { Requeued "" }
    "mailweir_deleted_total" "Mails deleted by an operator." { Deleted "" }
    "mailweir_discarded_total" "Mails thrown away by a rule." { Discarded "" }
    "mailweir_corrupt_total" "Mails found unreadable and kept aside." { Corrupt "" }
    "mailweir_answers_lost_total" "Deliveries whose answer was lost: the mail may arrive twice."
    { AnswerLost "" }
    "mailweir_tls_failures_total" "TLS handshakes that failed." {
        TlsFailuresIn r#"direction="in""#
        TlsFailuresOut r#"direction="out""#
    }
    "mailweir_notices_total" "Starts, reloads and the like." { Notices "" }
}
