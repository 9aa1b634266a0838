//! Every restriction of postconf(5) is known, or refused with a reason.

use crate::restrictions::{names, *};

/// As postconf(5) of Postfix 3.8 has them under `smtpd_client_restrictions` and those that follow,
/// with older names that 3.8 still reads. `!`: refused with a reason.
const POSTFIX: &str = "
    check_ccert_access check_client_access check_client_a_access check_client_mx_access
    check_client_ns_access check_reverse_client_hostname_access
    check_reverse_client_hostname_a_access check_reverse_client_hostname_mx_access
    check_reverse_client_hostname_ns_access check_sasl_access permit_inet_interfaces
    permit_mynetworks permit_sasl_authenticated permit_tls_all_clientcerts permit_tls_clientcerts
    reject_rbl_client permit_dnswl_client reject_rhsbl_client permit_rhswl_client
    reject_rhsbl_reverse_client reject_unknown_client_hostname
    reject_unknown_reverse_client_hostname check_policy_service defer defer_if_permit
    defer_if_reject permit reject_multi_recipient_bounce reject_plaintext_session
    reject_unauth_pipelining reject sleep warn_if_reject check_helo_access check_helo_a_access
    check_helo_mx_access check_helo_ns_access reject_invalid_helo_hostname
    reject_non_fqdn_helo_hostname reject_rhsbl_helo reject_unknown_helo_hostname
    check_sender_access check_sender_a_access check_sender_mx_access check_sender_ns_access
    reject_authenticated_sender_login_mismatch reject_known_sender_login_mismatch
    reject_non_fqdn_sender reject_rhsbl_sender reject_sender_login_mismatch
    reject_unauthenticated_sender_login_mismatch reject_unknown_sender_domain
    reject_unlisted_sender reject_unverified_sender check_recipient_access
    check_recipient_a_access check_recipient_mx_access check_recipient_ns_access
    permit_auth_destination permit_mx_backup reject_non_fqdn_recipient reject_rhsbl_recipient
    reject_unauth_destination defer_unauth_destination reject_unknown_recipient_domain
    reject_unlisted_recipient reject_unverified_recipient !check_etrn_access
    reject_unknown_client reject_invalid_hostname reject_non_fqdn_hostname reject_unknown_hostname
    reject_unknown_address check_recipient_maps reject_rbl permit_naked_ip_address
    !reject_maps_rbl !check_relay_domains";

#[test]
fn every_restriction_of_postfix_is_known_or_refused_with_a_reason() {
    for name in POSTFIX.split_whitespace() {
        let (name, known) = name.strip_prefix('!').map_or((name, true), |name| (name, false));
        let argument = match names::find(name) {
            Some(names::Meaning::Table(_)) => " hash:/table",
            Some(names::Meaning::List(_)) => " list.example",
            Some(names::Meaning::Service(_)) => " inet:policy:1",
            Some(names::Meaning::Seconds(_)) => " 1",
            _ => "",
        };
        let relay = format!("reject_unauth_destination {}{argument}", name.to_uppercase());
        let texts = ListTexts { relay: &relay, ..ListTexts::default() };
        let read = Restrictions::read(&texts, Settings::default());
        match read {
            Ok(_) => assert!(known, "{name}"),
            Err(errors) => {
                assert!(!known, "{errors:?}");
                let unsupported =
                    RestrictionError::Unsupported { name: name.to_uppercase().into(), reason: "" };
                let ListError::Restriction { source, .. } = &errors[0] else {
                    panic!("{errors:?}")
                };
                assert_eq!(
                    std::mem::discriminant(source),
                    std::mem::discriminant(&unsupported),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_known_that_postfix_does_not_know() {
    let postfix: Vec<_> =
        POSTFIX.split_whitespace().map(|name| name.trim_start_matches('!')).collect();
    for name in names::all() {
        assert!(postfix.contains(&name), "{name}");
    }
}

#[test]
fn a_misspelt_name_is_put_right() {
    for (wrong, right) in [
        ("reject_unauth_destinaton", Some("reject_unauth_destination")),
        ("permit_sasl_authenticate", Some("permit_sasl_authenticated")),
        ("reject_unkown_client_hostname", Some("reject_unknown_client_hostname")),
        ("rejekt", Some("reject")),
        ("greylisting", None),
        ("x", None),
    ] {
        assert_eq!(names::nearest(wrong), right, "{wrong}");
    }
    assert_eq!(names::nearest(&"a".repeat(100_000)), None);
}
