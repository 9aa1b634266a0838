//! French. The words of moderation are those of Sympa. Signs of two parts (`:`, `;`, `?`, `!`) stand
//! behind a space that does not break.

use super::{Ground, Label, Opening, Remark, Tag, Term, Verb, Ways};
use crate::{
    case::{AtExpiry, Refused},
    numbers::NumberKind,
};

pub(super) const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "Valider",
        Verb::Reject => "Refuser",
        Verb::Return => "Renvoyer pour correction",
        Verb::Discard => "Supprimer sans avis",
        Verb::Hold => "Mettre en attente",
        Verb::Release => "Libérer",
        Verb::Forward => "Transmettre à un autre modérateur",
        Verb::Comment => "Commenter",
        Verb::Confirm => "Envoyer",
        Verb::Decline => "Ne pas envoyer",
        Verb::Cancel => "Annuler l’envoi",
        Verb::Open => "Voir le détail",
    }
}

pub(super) const fn term(term: Term) -> &'static str {
    match term {
        Term::Pending => "En attente de validation",
        Term::AwaitsOperator => "En attente d’un administrateur",
        Term::Moderator => "Modérateur",
        Term::Sender => "Expéditeur",
        Term::Administrator => "Administrateur",
        Term::Deputy => "Suppléant",
        Term::Absence => "Absence",
        Term::Reminder => "Relance",
        Term::PostReview => "Contrôle a posteriori",
        Term::Clock => "Automatique, délai écoulé",
        Term::NoSubject => "(sans objet)",
        Term::NoName => "(sans nom)",
        Term::NullSender => "(aucune)",
    }
}

pub(super) const fn tag(tag: Tag) -> &'static str {
    match tag {
        Tag::Request => "À valider",
        Tag::Confirm => "À confirmer",
        Tag::Reminder => "Relance",
        Tag::Escalation => "À valider, sans réponse",
        Tag::Forwarded => "À valider, transmis",
        Tag::HandedOn => "Transmis",
        Tag::ExpirySoon => "Échéance proche",
        Tag::NoModerator => "Sans modérateur",
        Tag::Held => "En attente",
        Tag::Delayed => "Envoi différé",
        Tag::Approved => "Validé",
        Tag::Sent => "Envoyé",
        Tag::Rejected => "Refusé",
        Tag::Returned => "À corriger",
        Tag::Discarded => "Supprimé",
        Tag::Cancelled => "Annulé",
        Tag::Expired => "Délai dépassé",
        Tag::Gone => "Plus en attente",
        Tag::Damaged => "Endommagé",
        Tag::Unclear => "Réponse non comprise",
        Tag::NotDone => "Sans effet",
        Tag::Done => "Pris en compte",
        Tag::Digest => "À valider, liste",
        Tag::DigestOfNews => "Traités, liste",
    }
}

pub(super) const fn label(label: Label) -> &'static str {
    match label {
        Label::From => "De",
        Label::EnvelopeSender => "Adresse d’envoi réelle",
        Label::Login => "Identifiant",
        Label::Client => "Connexion depuis",
        Label::Recipients => "À",
        Label::SentTo => "Envoyé à",
        Label::NotSentTo => "Non envoyé à",
        Label::Subject => "Objet",
        Label::Arrival => "Reçu",
        Label::Size => "Taille",
        Label::Attachments => "Pièces jointes",
        Label::Rule => "Règle",
        Label::Why => "Motif de la mise en attente",
        Label::Expiry => "Date limite",
        Label::WaitsUntil => "En attente jusqu’au",
        Label::SentAt => "Envoi prévu",
        Label::Beginning => "Début du texte",
        Label::Decision => "Décision",
        Label::DecidedBy => "Décidé par",
        Label::DecidedAt => "Décidé le",
        Label::Reason => "Motif",
        Label::Comment => "Commentaire",
        Label::Moderators => "Modérateurs",
        Label::Progress => "Avancement",
        Label::History => "Historique",
        Label::Case => "Référence",
        Label::Outside => "externe",
        Label::Hidden => "copie cachée",
        Label::LeftOut => "exclu",
        Label::ReleasedInQueue => "Libéré directement dans la file d’attente",
        Label::DeletedInQueue => "Supprimé directement dans la file d’attente",
    }
}

pub(super) fn opening(opening: Opening<'_>) -> String {
    let fixed = match opening {
        Opening::Request => "Un message attend votre validation.",
        Opening::Reminder => "Un message attend toujours votre validation.",
        Opening::Escalation => {
            "Personne n’a encore traité ce message. Vous êtes sollicité à votre tour."
        }
        Opening::Forwarded { by: Some(by) } => {
            return format!("{by} vous transmet la décision sur ce message.");
        }
        Opening::Forwarded { by: None } => "La décision sur ce message vous a été transmise.",
        Opening::ExpirySoon => {
            "Un message attend toujours votre validation et la date limite approche."
        }
        Opening::Confirm => "Merci de confirmer l’envoi de votre message.",
        Opening::ConfirmStill => "Votre message attend toujours votre confirmation.",
        Opening::NoModerator { needed } => {
            return format!(
                "Un message attend une validation, mais il manque des modérateurs (validations \
                 nécessaires\u{a0}: {needed})."
            );
        }
        Opening::Held => "Votre message n’est pas encore parti. Il attend une validation.",
        Opening::Delayed { at: Some(at) } => {
            return format!(
                "Votre message partira le {at}. D’ici là, vous pouvez annuler son envoi."
            );
        }
        Opening::Delayed { at: None } => "Votre message n’est pas encore parti.",
        Opening::StillWaiting => {
            "Votre message n’est pas encore parti. Personne ne l’a encore traité."
        }
        Opening::Settled => "Ce message a été traité.",
        Opening::Approved => "Votre message a été validé et envoyé.",
        Opening::PartlyApproved => {
            "Votre message a été validé pour une partie de ses destinataires et leur a été envoyé."
        }
        Opening::Sent => "Votre message a été envoyé.",
        Opening::Rejected => "Votre message a été refusé. Il n’a pas été envoyé.",
        Opening::Returned => {
            "Votre message vous est renvoyé pour correction. Il n’a pas été envoyé."
        }
        Opening::Cancelled => "L’envoi de votre message a été annulé.",
        Opening::Expired => {
            "Personne n’a traité votre message dans le délai prévu. Il n’a pas été envoyé."
        }
        Opening::Gone => {
            "Votre message n’est plus en attente. Les administrateurs de la messagerie peuvent dire s’il a été envoyé."
        }
        Opening::Damaged => {
            "Votre message a été endommagé sur ce serveur et n’a pas été envoyé. Il est entre les mains des administrateurs de la messagerie."
        }
        Opening::AwaitsOperator => {
            "Votre message n’est pas encore parti. Il attend une autorisation des administrateurs de la messagerie."
        }
        Opening::NotSent => "Votre message n’a pas été envoyé.",
        Opening::Unclear => "Votre réponse n’a pas été comprise. Rien n’a changé.",
        Opening::NotProven => {
            "Une réponse a été reçue en votre nom, sans preuve que vous l’avez envoyée. Rien n’a changé."
        }
        Opening::NotDone => "Votre réponse n’a pas pu être prise en compte.",
        Opening::Done => "Votre réponse a été prise en compte. Merci.",
        Opening::Digest { count: 1 } => "Un message attend votre validation.",
        Opening::Digest { count } => {
            return format!("{count} messages attendent votre validation.");
        }
        Opening::DigestOfNews { count: 1 } => "Un message a été traité.",
        Opening::DigestOfNews { count } => return format!("{count} messages ont été traités."),
        Opening::DigestOfAlerts { count: 1 } => {
            "Un message attend une validation, mais il manque des modérateurs."
        }
        Opening::DigestOfAlerts { count } => {
            return format!(
                "{count} messages attendent une validation, mais il manque des modérateurs."
            );
        }
    };
    fixed.to_owned()
}

pub(super) fn remark(remark: Remark<'_>) -> String {
    let fixed = match remark {
        Remark::DeputyOf(whom) => {
            return format!("Vous êtes sollicité en tant que suppléant de {whom}.");
        }
        Remark::Step { step, of } => return format!("Étape {step} sur {of}"),
        Remark::Votes { given: given @ (0 | 1), needed } => {
            return format!("{given} validation sur {needed}");
        }
        Remark::Votes { given, needed } => return format!("{given} validations sur {needed}"),
        Remark::AtExpiry(action) => {
            let what = match action {
                AtExpiry::Reject => "refusé",
                AtExpiry::Release => "envoyé",
                AtExpiry::Discard => "supprimé",
            };
            return format!("Sans décision d’ici là, le message sera automatiquement {what}.");
        }
        Remark::NothingToDo => "Vous n’avez rien à faire.",
        Remark::SendAgain => "Merci de le corriger et de l’envoyer à nouveau.",
        Remark::MayCancel => "Tant qu’aucune décision n’est prise, vous pouvez annuler l’envoi.",
        Remark::NameSomebody => "Merci de désigner un modérateur ou de décider vous-même.",
        Remark::LinksOnlyShow => {
            "Les liens ouvrent une page. Rien ne se passe avant votre confirmation sur cette page."
        }
        Remark::HowToAnswer { approve, reject } => {
            return format!(
                "Vous pouvez répondre à ce message\u{a0}: écrivez «\u{a0}{approve}\u{a0}» ou \
                 «\u{a0}{reject}\u{a0}» sur la première ligne et, si besoin, un motif en dessous."
            );
        }
        Remark::AnswerWithLogIn => {
            "Merci d’utiliser les liens de la demande, ou de répondre depuis un logiciel qui s’identifie auprès de \
             notre serveur de messagerie."
        }
        Remark::KeepToYourself(ways) => match ways {
            Ways::Links => {
                "Merci de ne pas transférer ce message\u{a0}: ses liens décident en votre nom."
            }
            Ways::Answer => {
                "Merci de ne pas transférer ce message\u{a0}: son adresse de réponse décide en votre \
                 nom."
            }
            Ways::Both => {
                "Merci de ne pas transférer ce message\u{a0}: ses liens et son adresse de réponse \
                 décident en votre nom."
            }
        },
        Remark::PlainLinks => "Si les boutons ne fonctionnent pas\u{a0}:",
        Remark::MailAttached => "Le message d’origine est joint.",
        Remark::HeaderAttached => "L’en-tête du message d’origine est joint.",
        Remark::More(1) | Remark::MorePeople(1) => "et 1 autre",
        Remark::More(count) | Remark::MorePeople(count) => return format!("et {count} autres"),
        Remark::TextGoesOn => "[…]",
        Remark::Recipients { all: 1, outside: 0 } => "1 destinataire",
        Remark::Recipients { all: 1, .. } => "1 destinataire (externe)",
        Remark::Recipients { all, outside: 0 } => return format!("{all} destinataires"),
        Remark::Recipients { all, outside: 1 } => {
            return format!("{all} destinataires (1 externe)");
        }
        Remark::Recipients { all, outside } => {
            return format!("{all} destinataires ({outside} externes)");
        }
        Remark::SentBefore(1) => "1 autre destinataire (déjà envoyé)",
        Remark::SentBefore(count) => {
            return format!("{count} autres destinataires (déjà envoyé)");
        }
        Remark::Administrator(name) => return format!("Administrateur {name}"),
        Remark::Automatic { gateway } => return format!("Avis automatique de {gateway}"),
    };
    fixed.to_owned()
}

pub(super) fn ground(ground: Ground<'_>) -> String {
    match ground {
        Ground::Outside(1) => "Un destinataire est externe.".into(),
        Ground::Outside(count) => format!("{count} destinataires sont externes."),
        Ground::NewCorrespondent(1) => {
            "L’expéditeur n’a encore jamais écrit à un destinataire.".into()
        }
        Ground::NewCorrespondent(count) => {
            format!("L’expéditeur n’a encore jamais écrit à {count} destinataires.")
        }
        Ground::Recipients(count) => format!("Il a {count} destinataires."),
        Ground::Subject(words) => format!("Son objet\u{a0}: {words}"),
        Ground::Text(words) => format!("Son texte\u{a0}: {words}"),
        Ground::AttachmentName(words) => format!("Nom d’une pièce jointe\u{a0}: {words}"),
        Ground::AttachmentType(words) => format!("Type d’une pièce jointe\u{a0}: {words}"),
        Ground::Attachment => "Il a une pièce jointe.".into(),
        Ground::Size(size) => format!("Sa taille\u{a0}: {size}"),
        Ground::Numbers(kind, count) => format!("{}\u{a0}: {count}", number(kind)),
        Ground::Time => "L’heure de son envoi.".into(),
    }
}

const fn number(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::KrResidentNumber => "Numéros d’identification coréens",
        NumberKind::JpMyNumber => "Numéros individuels japonais (My Number)",
        NumberKind::FrNir => "Numéros de sécurité sociale",
        NumberKind::CardNumber => "Numéros de carte bancaire",
        NumberKind::Iban => "Numéros de compte (IBAN)",
    }
}

pub(super) const fn refusal(refused: &Refused) -> &'static str {
    match refused {
        Refused::Closed(_) => "Ce message a déjà été traité.",
        Refused::Scheduled { .. } => "Il est déjà validé et attend l’heure de son envoi.",
        Refused::NotTheirs => "La décision sur ce message ne vous revient pas, ou plus.",
        Refused::OwnMail => "Nul ne décide de son propre message.",
        Refused::VotedAlready { .. } => "Votre validation est déjà comptée.",
        Refused::DecidesAlready => "Cette personne décide déjà de ce message.",
        Refused::Full => "Le nombre de remarques sur ce message est atteint.",
        Refused::NoWords => "Un motif est nécessaire.",
        Refused::TooLong => "C’est trop long : 4 000 caractères au plus en une fois.",
        Refused::NoSuchRecipient => "Aucun de ces destinataires ne reste.",
        Refused::NotOwed => "Aucun avis de ce genre n’est dû.",
        Refused::Past => "Cette heure est passée.",
        Refused::NoTrust | Refused::TrustTooLong | Refused::NoLogIn => {
            "Les prochains messages de cet expéditeur ne peuvent pas être dispensés ainsi."
        }
    }
}
