//! The command line of a program: words, each one argument, never a shell.

use super::{Mail, Spelling, Template, To};

/// A program and its arguments, before they are about a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The program's path.
    pub program: Box<str>,
    /// Its arguments, in their order.
    pub arguments: Vec<Template>,
    /// How addresses in them are spelled.
    pub spelling: Spelling,
}

impl Arguments {
    /// Whether an argument names the next hop.
    #[must_use]
    pub fn name_next_hop(&self) -> bool {
        self.arguments.iter().any(Template::names_next_hop)
    }

    /// The arguments for a mail and some of its recipients, in their order. One that names a part of a recipient is
    /// repeated for each. None is left out because it is empty: that would make another one of the next.
    ///
    /// # Errors
    /// An argument begins with a part of the mail, and that with a dash: the program would take it for an option.
    /// Gives that part (Postfix `allow_min_user`).
    pub fn about(&self, mail: &Mail<'_>, recipients: &[To<'_>]) -> Result<Vec<String>, String> {
        let mut all = Vec::with_capacity(self.arguments.len() + recipients.len());
        for template in &self.arguments {
            let mut add = |to: Option<&To<'_>>| {
                let text = template.expand(mail, to, &self.spelling);
                if text.starts_with('-') && !template.begins_with_text(mail, to, &self.spelling) {
                    return Err(text);
                }
                all.push(text);
                Ok(())
            };
            if template.is_of_recipient() {
                recipients.iter().try_for_each(|to| add(Some(to)))?;
            } else {
                add(None)?;
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use mailweir_mail::{
        Address, Client, Envelope, Forwarded, Login, Origin, Protocol, QueueId, ReversePath,
        Timestamp,
    };

    use super::{super::TemplateError, *};

    fn arguments(words: &[&str]) -> Arguments {
        Arguments {
            program: "/usr/bin/filter".into(),
            arguments: words.iter().map(|word| word.parse().unwrap()).collect(),
            spelling: spelling(),
        }
    }

    fn spelling() -> Spelling {
        Spelling {
            null_sender: "MAILER-DAEMON".into(),
            fold_domain: false,
            fold_local_part: false,
            quote: false,
        }
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    struct Case {
        envelope: Envelope,
        origin: Origin,
        next_hop: &'static str,
    }

    impl Case {
        fn from(sender: ReversePath) -> Self {
            let address: SocketAddr = "192.0.2.7:40123".parse().unwrap();
            let origin = Origin {
                listener: "mx".into(),
                client: Client { address, name: Some("mail.far.example".into()) },
                helo: "helo.example".into(),
                protocol: Protocol::Esmtp,
                login: Some(Login { user: "ann".into(), mechanism: "PLAIN".into() }),
                tls: None,
                forwarded: None,
                arrival: Timestamp::from_secs(1_795_210_205),
            };
            Self { envelope: Envelope::from_sender(sender), origin, next_hop: "Own.Example" }
        }

        fn usual() -> Self {
            Self::from(ReversePath::Mailbox(address("Bob@Far.example")))
        }

        fn about(&self, arguments: &Arguments, to: &[&str]) -> Result<Vec<String>, String> {
            let all: Vec<Address> = to.iter().map(|to| address(to)).collect();
            let recipients: Vec<To<'_>> = all.iter().map(recipient).collect();
            let mail = Mail {
                id: QueueId::new(Timestamp::from_secs(1_795_210_205), 1),
                envelope: &self.envelope,
                origin: &self.origin,
                size: 4_711,
                next_hop: self.next_hop,
            };
            arguments.about(&mail, &recipients)
        }
    }

    fn recipient(address: &Address) -> To<'_> {
        let (user, extension) =
            address.local_part().split_once('+').unwrap_or((address.local_part(), ""));
        To { address, original: None, user, extension }
    }

    #[test]
    fn the_command_of_the_filter_readme_gets_what_it_expects() {
        let arguments = arguments(&["-f", "${sender}", "--", "${recipient}"]);
        let said = Case::usual().about(&arguments, &["Ann@own.example", "eve+x@own.example"]);
        let expected = ["-f", "Bob@Far.example", "--", "Ann@own.example", "eve+x@own.example"];
        assert_eq!(said.unwrap(), expected);
    }

    #[test]
    fn every_macro_of_pipe_has_its_value() {
        let words = [
            "$client_address",
            "$(client_helo)",
            "${client_hostname}",
            "${client_port}",
            "${client_protocol}",
            "${domain}",
            "<${envid}>",
            "${extension}",
            "${mailbox}",
            "${nexthop}",
            "${original_recipient}",
            "${recipient}",
            "${sasl_method}",
            "${sasl_sender}",
            "${sasl_username}",
            "${size}",
            "${user}",
            "a$$b${sender}c$size.",
        ];
        let said = Case::usual().about(&arguments(&words), &["eve+x@own.example"]).unwrap();
        let expected = [
            "192.0.2.7",
            "helo.example",
            "mail.far.example",
            "40123",
            "ESMTP",
            "own.example",
            "<>",
            "x",
            "eve+x",
            "Own.Example",
            "eve+x@own.example",
            "eve+x@own.example",
            "PLAIN",
            "",
            "ann",
            "4711",
            "eve",
            "a$bBob@Far.examplec4711.",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn the_client_is_whom_a_relay_names() {
        let words = ["${client_address}", "${client_hostname}", "${client_helo}", "${client_port}"];
        let mut case = Case::usual();
        case.origin.forwarded = Some(Box::new(Forwarded {
            address: Some("198.51.100.9".parse().unwrap()),
            helo: Some("told.example".into()),
            ..Forwarded::default()
        }));
        let said = case.about(&arguments(&words), &["ann@own.example"]).unwrap();
        assert_eq!(said, ["198.51.100.9", "unknown", "told.example", "unknown"]);
    }

    #[test]
    fn an_empty_argument_stays_in_its_place() {
        let mut arguments = arguments(&["${sender}", "x", "${extension}"]);
        arguments.spelling.null_sender = "".into();
        let said = Case::from(ReversePath::Null).about(&arguments, &["ann@own.example"]);
        assert_eq!(said.unwrap(), ["", "x", ""]);
        arguments.spelling = spelling();
        let said = Case::from(ReversePath::Null).about(&arguments, &["ann@own.example"]);
        assert_eq!(said.unwrap(), ["MAILER-DAEMON", "x", ""]);
    }

    #[test]
    fn what_a_mail_brings_is_never_an_option() {
        let case = Case::from(ReversePath::Mailbox(address("-oQ/tmp@far.example")));
        let refused = case.about(&arguments(&["-f", "${sender}"]), &["ann@own.example"]);
        assert_eq!(refused, Err("-oQ/tmp@far.example".to_owned()));
        let refused = Case::usual().about(&arguments(&["${recipient}"]), &["-x@own.example"]);
        assert_eq!(refused, Err("-x@own.example".to_owned()));
        let said = case.about(&arguments(&["--from=${sender}"]), &["ann@own.example"]);
        assert_eq!(said.unwrap(), ["--from=-oQ/tmp@far.example"]);
        let choice = arguments(&["${extension?--ext=${extension}}", "${extension:${user}}"]);
        let said = Case::usual().about(&choice, &["eve+x@own.example"]);
        assert_eq!(said.unwrap(), ["--ext=x", ""]);
        let refused = Case::usual().about(&choice, &["-x@own.example"]);
        assert_eq!(refused, Err("-x".to_owned()));
        let behind = arguments(&["${extension?+}${user}"]);
        assert_eq!(Case::usual().about(&behind, &["-x@own.example"]), Err("-x".to_owned()));
    }

    #[test]
    fn nothing_of_a_mail_is_read_as_a_macro_or_by_a_shell() {
        let sender = address("\"$(id) ${size} `x` ;&|\"@far.example");
        let case = Case::from(ReversePath::Mailbox(sender));
        let said = case.about(&arguments(&["${sender}"]), &["ann@own.example"]).unwrap();
        assert_eq!(said, ["$(id) ${size} `x` ;&|@far.example"]);
    }

    #[test]
    fn addresses_are_spelled_as_the_flags_say() {
        let mut arguments = arguments(&["${sender}", "${recipient}", "${user}", "${nexthop}"]);
        let case = Case::from(ReversePath::Mailbox(address("\"B b\"@Far.example")));
        let to = ["\"A a\"@Own.example"];
        let said = |arguments: &Arguments| case.about(arguments, &to).unwrap();
        assert_eq!(
            said(&arguments),
            ["B b@Far.example", "A a@Own.example", "\"A a\"", "Own.Example"]
        );
        arguments.spelling.quote = true;
        arguments.spelling.fold_domain = true;
        let folded = ["\"B b\"@Far.example", "\"A a\"@own.example", "\"A a\"", "own.example"];
        assert_eq!(said(&arguments), folded);
        arguments.spelling.fold_local_part = true;
        assert_eq!(said(&arguments)[1..3], ["\"a a\"@own.example", "\"a a\""]);
    }

    #[test]
    fn a_choice_stands_where_its_macro_has_a_value() {
        let words = ["${extension?+${extension}}", "${extension:none}", "${sasl_sender?x}"];
        let arguments = arguments(&words);
        let said = |to| Case::usual().about(&arguments, &[to]).unwrap();
        assert_eq!(said("eve+x@own.example"), ["+x", "", ""]);
        assert_eq!(said("eve@own.example"), ["", "none", ""]);
    }

    #[test]
    fn a_template_that_names_no_macro_is_refused() {
        let error = |text: &str| text.parse::<Template>().unwrap_err();
        assert!(
            error("${sendr}").to_string().starts_with("there is no macro ${sendr}; pipe(8) has")
        );
        for text in ["$", "a$ b", "${", "${sender", "$()", "${?x}", "$-"] {
            assert!(matches!(error(text), TemplateError::NoName { .. }), "{text:?}");
        }
        let deep = format!("{}x{}", "${size?".repeat(20), "}".repeat(20));
        assert_eq!(error(&deep), TemplateError::TooDeep);
    }
}
