//! Hours, days and the times in notices are those of the place where people live.

use std::time::Duration;

use mailweir::{clock, time_zone::TimeZone};
use mailweir_mail::{Date, Timestamp};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Received, Script, Sink},
};

#[tokio::test]
async fn each_reads_the_time_of_their_own_zone() {
    let people = "[[moderation.moderator]]\naddress = \"bob@local.example\"\n\
                  time_zone = \"America/Phoenix\"\n";
    let (gateway, sink) = moderated("Asia/Seoul", "", people).await;
    let _ = gateway.submit(mail().from("a@other.example")).await.expect_accepted();
    for notice in sink.expect(2).await {
        let zone = if notice.recipients() == ["bob@local.example"] {
            "(UTC-07:00)"
        } else {
            "(UTC+09:00)"
        };
        let text = text_part(&notice);
        assert!(text.contains(zone), "{text}");
        assert_eq!(text.matches("(UTC").count(), text.matches(zone).count(), "{text}");
    }
}

/// Zones without summer time, twelve hours from UTC: what is right in one is wrong in the other.
#[tokio::test]
async fn hours_are_those_of_the_gateway_s_zone() {
    let zone: TimeZone = "Etc/GMT-12".parse().unwrap();
    let there = |at: Timestamp| {
        let minute = zone.local(at).minute;
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    let hour = Duration::from_secs(3_600);
    let before = Timestamp::from_micros(clock::now().as_micros() - 3_600_000_000);
    let hours = format!("hours = [\"{}-{}\"]", there(before), there(clock::now().plus(hour)));
    for (name, waits) in [("Etc/GMT-12", true), ("UTC", false)] {
        let (gateway, _sink) = moderated(name, &hours, "").await;
        let answer = gateway.submit(mail().from("a@other.example")).await;
        assert_eq!(answer.reply().contains("(held for approval)"), waits, "{name} {hours}");
    }
}

/// It is never the same day in both places.
#[tokio::test]
async fn days_are_those_of_the_one_who_is_away() {
    let first: TimeZone = "Etc/GMT-14".parse().unwrap();
    let days = [clock::now(), clock::now().plus(Duration::from_secs(86_400))];
    let [today, tomorrow] = days.map(|at: Timestamp| -> Date { first.date(at) });
    let people = ["ann", "bob"].map(|name| {
        let zone = if name == "ann" { "Etc/GMT-14" } else { "Etc/GMT+12" };
        format!(
            "[[moderation.moderator]]\naddress = \"{name}@local.example\"\n\
             time_zone = \"{zone}\"\nabsent = [\"{today}..{tomorrow}\"]\n\
             deputy = \"{name}-deputy@local.example\"\n"
        )
    });
    let (gateway, sink) = moderated("UTC", "", &people.concat()).await;
    let _ = gateway.submit(mail().from("a@other.example")).await.expect_accepted();
    let notices = sink.expect(2).await;
    let mut asked: Vec<_> = notices.iter().flat_map(|mail| mail.recipients()).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["ann-deputy@local.example", "bob@local.example"]);
}

async fn moderated(zone: &str, condition: &str, people: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).sections(&format!(
        "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
         moderators = [\"ann@local.example\", \"bob@local.example\"]\nattach = \"none\"\n\
         {condition}\n{people}"
    ));
    let setup = setup.section("server", &format!("time_zone = \"{zone}\"\n"));
    (Gateway::start(&setup).await, sink)
}

fn text_part(notice: &Received) -> String {
    let text = notice.text().replace("=\r\n", "").replace("=\n", "");
    let (_, text) = text.split_once("text/plain").expect("a text part");
    text.split_once("text/html").expect("an HTML part").0.to_owned()
}
