//! A change of the configuration redirects no mail that waits: who decides, how, and what becomes of
//! it was frozen when it came.

use mailweir::moderation::TakeError;
use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, AtExpiry, By, Command, Moderator, Proof, Refused, TellsSender},
    case_file::Attach,
};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
    wait,
};

const BEFORE: &str = "moderators = [\"ann@local.example\"]\nattach = \"none\"\nsensitive = true\n\
                      tells_sender = \"never\"\nescalate_after = \"1 d\"\n\
                      escalate_to = [\"chief@local.example\"]\n";

/// All that whoever can change the configuration might want.
const AFTER: &str = "moderators = [\"eve@local.example\"]\nattach = \"original\"\nown_mail = true\n\
                     tells_sender = \"always\"\nexpire_after = \"1 min\"\nat_expiry = \"release\"\n\
                     remind_every = \"1 min\"\n";

#[tokio::test]
async fn a_reload_and_a_restart_change_nothing_of_it() {
    for change in [Some(AFTER), None] {
        let (mut gateway, sink, id) = held().await;
        let before = gateway.moderation().case(id).unwrap();
        let changed = match change {
            Some(rule) => {
                let eve = "[[moderation.moderator]]\naddress = \"ann@local.example\"\n\
                           absent = [\"2000-01-01..2999-01-01\"]\ndeputy = \"eve@local.example\"\n";
                setup(&sink, rule).sections(eve)
            }
            None => Setup::before(&sink),
        };
        gateway.reload(&changed).await.unwrap();
        gateway.restart().await;
        let case = gateway.moderation().case(id).unwrap();
        assert_eq!(case, before);
        assert_eq!((case.attach, case.sensitive), (Attach::Nothing, true));
        assert_eq!(case.case.plan.expiry.unwrap().action, AtExpiry::Reject);
        assert_eq!(case.case.plan.tells_sender, TellsSender::Never);

        for stranger in ["eve@local.example", "chief@local.example"] {
            let refused = gateway.moderation().take(id, approve(stranger)).await;
            let not_theirs = matches!(refused, Err(TakeError::Refused(Refused::NotTheirs)));
            assert!(not_theirs, "{stranger}: {refused:?}");
        }
        // What is written of it from now on is as it was to be, too.
        let by = by("ann@local.example");
        let to = Moderator::new("bob@local.example".parse().unwrap());
        gateway.moderation().take(id, Command::Forward { by, to }).await.unwrap();
        let request = sink.expect(2).await.pop().unwrap();
        assert_eq!(request.recipients(), ["bob@local.example"]);
        assert!(!request.text().contains("message/rfc822"), "{}", request.text());
        gateway.moderation().take(id, approve("bob@local.example")).await.unwrap();
        let all = sink.expect(3).await;
        gateway.queue().expect_empty().await;
        assert!(all.iter().any(|mail| mail.recipients() == ["user@local.example"]));
        assert_eq!(sink.attempts().len(), all.len());
        let mut told = all.iter().flat_map(|mail| mail.recipients());
        assert!(told.all(|one| !one.starts_with("eve") && !one.starts_with("a@")));
    }
}

async fn held() -> (Gateway, Sink, QueueId) {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&setup(&sink, BEFORE)).await;
    let id = gateway.submit(mail().from("a@local.example")).await.expect_accepted();
    let first = sink.expect_one().await;
    assert_eq!(first.recipients(), ["ann@local.example"]);
    // The request is in the queue before the case says that it is no longer owed.
    let is_noted = async || {
        gateway.moderation().case(id).is_some_and(|file| file.case.progress.owed.is_empty())
    };
    wait::until_true("the request to be noted", is_noted).await;
    (gateway, sink, id)
}

fn setup(sink: &Sink, rule: &str) -> Setup {
    let text = format!("[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n{rule}\n");
    Setup::before(sink).sections(&text)
}

fn by(moderator: &str) -> By {
    let who = Actor::Moderator(moderator.parse().unwrap());
    By { who, proof: Proof::Login, from: None }
}

fn approve(moderator: &str) -> Command {
    let by = by(moderator);
    Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 }
}
