//! Whether a mail that has not come yet must come to us.

use super::Action;
use crate::rule::Chance;

/// What a mail may need of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be held.
    Hold,
    /// That people hear of it. It goes meanwhile.
    Notice,
}

/// What a mail may need, and by which rule. `rules`: those that may match, in order, with what they do
/// and how sure it is. `None`: whatever is in it, it needs nobody.
pub fn need<'r, R>(rules: impl IntoIterator<Item = (R, &'r Action, Chance)>) -> Option<(R, Need)> {
    let mut notice = None;
    for (rule, action, chance) in rules {
        match (action, chance) {
            (_, Chance::Never) | (Action::Accept, Chance::Perhaps) => {}
            (Action::Hold(_), _) => return Some((rule, Need::Hold)),
            (Action::Notice(_), Chance::Perhaps) => notice = notice.or(Some(rule)),
            // The rules behind it do nothing.
            (Action::Notice(_), Chance::Surely) => {
                notice = notice.or(Some(rule));
                break;
            }
            (Action::Accept, Chance::Surely) => break,
        }
    }
    notice.map(|rule| (rule, Need::Notice))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        action::{Hold, Wait},
        case::TellsSender,
    };

    #[test]
    fn only_what_surely_goes_is_let_go() {
        let hold = Action::Hold(Hold {
            wait: Wait::Delay(Duration::from_secs(1)),
            tells_sender: TellsSender::Always,
        });
        let (accept, notice) = (Action::Accept, Action::Notice(Vec::new()));
        let (sure, perhaps, never) = (Chance::Surely, Chance::Perhaps, Chance::Never);
        for (rules, found) in [
            (vec![], None),
            (vec![(&hold, never)], None),
            (vec![(&hold, perhaps)], Some((0, Need::Hold))),
            (vec![(&accept, sure), (&hold, sure)], None),
            (vec![(&accept, perhaps), (&hold, perhaps)], Some((1, Need::Hold))),
            (vec![(&accept, never), (&hold, sure)], Some((1, Need::Hold))),
            (vec![(&notice, perhaps), (&hold, perhaps)], Some((1, Need::Hold))),
            (vec![(&notice, sure), (&hold, sure)], Some((0, Need::Notice))),
            (vec![(&notice, perhaps), (&accept, sure), (&hold, sure)], Some((0, Need::Notice))),
        ] {
            let numbered = rules.iter().enumerate();
            let rules = numbered.map(|(number, (action, chance))| (number, *action, *chance));
            assert_eq!(need(rules.clone()), found, "{:?}", rules.collect::<Vec<_>>());
        }
    }
}
