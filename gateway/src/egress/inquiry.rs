//! Asks the tables that have a say where mail goes, at each attempt, so that a change counts for mail
//! that waits.
//!
//! A server of tables may be slow or silent. So a few tasks ask for all mail, whoever is known is
//! sent without waiting for the others, and a mail waits for a silent server once, not once for
//! each recipient.

use std::{
    collections::VecDeque,
    mem,
    pin::pin,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_queue::{Claim, RecipientIndex};
use mailweir_tables::LookupError;
use tokio::time::{Instant, timeout_at};

use super::{
    Egress,
    by_tables::{Chosen, chosen},
    dispatch, replies,
    transport::End,
};

/// The mail that tables are to be asked for.
#[derive(Default)]
pub(super) struct Inquiries {
    waiting: VecDeque<Claim>,
    /// How many tasks ask.
    asking: usize,
}

/// Has the tables asked for a mail, and the mail sent then.
pub(super) fn enter(egress: &Arc<Egress>, claim: Claim) {
    let mut inquiries = lock(egress);
    inquiries.waiting.push_back(claim);
    if inquiries.asking < MOST_ASKING {
        inquiries.asking += 1;
        drop(inquiries);
        egress.tasks.spawn(work(Arc::clone(egress)));
    }
}

/// Asks for one mail after the other until none waits, or deliveries stop.
async fn work(egress: Arc<Egress>) {
    while let Some(claim) = next(&egress) {
        let _ = egress.stop.run_until_cancelled(inquire(&egress, claim)).await;
    }
}

fn next(egress: &Egress) -> Option<Claim> {
    let mut inquiries = lock(egress);
    if egress.stop.is_cancelled() {
        let given_back = mem::take(&mut inquiries.waiting);
        inquiries.asking -= 1;
        drop(inquiries);
        drop(given_back);
        return None;
    }
    let claim = inquiries.waiting.pop_front();
    inquiries.asking -= usize::from(claim.is_none());
    claim
}

async fn inquire(egress: &Arc<Egress>, claim: Claim) {
    let live = egress.rewriting();
    let rules = live.current();
    let routes = egress.routes();
    let claim = Arc::new(claim);
    let way = async |index: RecipientIndex| {
        let Some(recipient) = claim.envelope.recipients.get(index.as_usize()) else {
            return Ok(Chosen::Nothing);
        };
        let may_relay = routes.is_left_to_relays(recipient.address.domain());
        let sender = &claim.envelope.sender;
        rules.way(sender, &recipient.address, may_relay, live.remote()).await.map(chosen)
    };
    let send = |known| dispatch::spread(egress, &routes, &claim, known);
    if let Err(error) = one_by_one(&claim.pending, way, send).await {
        egress.warn(format!("{}: the mail is put off: {error}", claim.id));
    }
}

/// Asks for one recipient after the other. `send` gets those who are known, all together if that
/// is soon. Those for whom a table cannot tell wait, and after a server was silent all others too.
///
/// # Errors
/// Why the first of those who wait does.
async fn one_by_one<W>(
    pending: &[RecipientIndex],
    way: impl Fn(RecipientIndex) -> W,
    mut send: impl FnMut(Vec<(RecipientIndex, Chosen)>),
) -> Result<(), LookupError>
where
    W: Future<Output = Result<Chosen, LookupError>>,
{
    let mut known = Vec::with_capacity(pending.len());
    let mut trouble = Ok(());
    let mut is_silent = false;
    let mut sent = Instant::now();
    for &index in pending {
        if is_silent {
            known.push((index, unclear()));
            continue;
        }
        let mut asking = pin!(way(index));
        let answer = match timeout_at(sent + PATIENCE, &mut asking).await {
            Ok(answer) => answer,
            Err(_) => {
                if !known.is_empty() {
                    send(mem::take(&mut known));
                }
                let answer = asking.await;
                sent = Instant::now();
                answer
            }
        };
        let chosen = answer.unwrap_or_else(|error| {
            is_silent = matches!(error, LookupError::Remote { .. });
            if trouble.is_ok() {
                trouble = Err(error);
            }
            unclear()
        });
        known.push((index, chosen));
    }
    send(known);
    trouble
}

const fn unclear() -> Chosen {
    Chosen::End(End::Deferred(replies::UNCLEAR))
}

/// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
fn lock(egress: &Egress) -> MutexGuard<'_, Inquiries> {
    egress.inquiries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For how many mails tables are asked at once.
const MOST_ASKING: usize = 50;

/// How long recipients whose way is known wait for others, to travel together.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const SLOW: Duration = Duration::from_secs(15);

    /// Says who was asked for, and who was sent together: `+` known, `-` put off.
    async fn ask<W>(way: impl Fn(usize) -> W) -> (Vec<usize>, Vec<String>)
    where
        W: Future<Output = Result<Chosen, LookupError>>,
    {
        let asked = RefCell::default();
        let pending: Vec<RecipientIndex> = (0..5).map(RecipientIndex).collect();
        let mut sent = Vec::new();
        let way = |index: RecipientIndex| {
            RefCell::<Vec<usize>>::borrow_mut(&asked).push(index.as_usize());
            way(index.as_usize())
        };
        let send = |known: Vec<(RecipientIndex, Chosen)>| {
            let one = |(index, chosen): &(RecipientIndex, Chosen)| {
                let sign = if *chosen == Chosen::Nothing { '+' } else { '-' };
                format!("{sign}{}", index.as_usize())
            };
            sent.push(known.iter().map(one).collect());
        };
        let _ = one_by_one(&pending, way, send).await;
        (asked.into_inner(), sent)
    }

    fn silent() -> LookupError {
        LookupError::Remote { table: "tcp:a:1".into(), reason: "no answer in time".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_are_known_soon_travel_together() {
        let (asked, sent) = ask(async |_| Ok(Chosen::Nothing)).await;
        assert_eq!((asked.len(), sent), (5, vec!["+0+1+2+3+4".to_owned()]));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_silent_server_nobody_else_is_asked_for_and_the_known_do_not_wait() {
        let began = Instant::now();
        let (asked, sent) = ask(async |place| match place {
            0 | 1 => Ok(Chosen::Nothing),
            _ => {
                tokio::time::sleep(SLOW).await;
                Err(silent())
            }
        })
        .await;
        assert_eq!(asked, [0, 1, 2]);
        assert_eq!(sent, ["+0+1", "-2-3-4"]);
        assert_eq!(began.elapsed(), SLOW);
    }

    #[tokio::test(start_paused = true)]
    async fn one_for_whom_a_table_cannot_tell_keeps_nobody_else() {
        let (asked, sent) = ask(async |place| match place {
            1 => Err(LookupError::Declined { table: "tcp:a:1".into(), reason: "odd".into() }),
            _ => Ok(Chosen::Nothing),
        })
        .await;
        assert_eq!((asked.len(), sent), (5, vec!["+0-1+2+3+4".to_owned()]));
    }
}
