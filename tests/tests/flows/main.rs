//! Stories of mail through the real gateway: one file, one story. The rows are those of
//! `attacks.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod a_lost_answer_is_logged_and_the_mail_sent_again;
mod a_reload_changes_all_or_nothing;
mod a_stop_loses_nothing;
mod a_table_that_cannot_tell_makes_mail_wait;
mod accepted_mail_is_relayed_as_it_came;
mod addresses_are_tried_out_before_mail_is_taken;
mod addresses_take_their_other_forms;
mod aliases_stand_for_others;
mod copies_go_to_whom_rules_name;
mod deferred_mail_waits_for_the_next_hop;
mod each_recipient_is_final_once;
mod held_mail_is_not_sent_until_released;
mod large_mail_goes_through_whole;
mod lmtp_answers_for_each_recipient;
mod mail_is_routed_by_dns;
mod mail_leaves_over_tls_and_logged_in;
mod mail_to_postmaster_is_always_taken;
mod mail_waits_for_people_to_approve_it;
mod many_clients_at_once_are_served;
mod moderation_knows_what_needs_nobody;
mod name_servers_have_a_say;
mod only_listed_peers_speak_for_others;
mod only_some_recipients_of_a_mail_wait;
mod others_see_generic_addresses;
mod people_log_in_by_certificate;
mod people_log_in_to_submit;
mod people_write_as_themselves;
mod rules_decide_what_becomes_of_mail;
mod rules_see_what_a_person_reads;
mod smuggled_mail_stays_one_mail;
mod strangers_cannot_relay;
mod tables_are_followed_while_mail_flows;
mod tables_say_what_becomes_of_mail;
mod tables_say_where_mail_goes;
mod the_next_exchanger_is_tried;
mod the_sender_hears_of_failure_once;
mod there_is_one_gateway_and_room_for_its_mail;
mod users_who_are_not_there_are_refused_at_rcpt;
mod who_fails_too_often_waits_until_lifted;
mod who_sends_too_much_waits_for_a_person;
