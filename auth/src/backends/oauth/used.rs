//! The tokens that were used and count once (`attacks.md` C8). Pure: the time is an argument.

use std::collections::BTreeSet;

use crate::{
    DirectoryError,
    backends::oauth::{TokenFault, claims::UnixTime, token::Fingerprint},
};

/// Tokens that were used, until nobody would take them anyway. Never more than [`MAX_TOKENS`], and
/// none is forgotten early.
#[derive(Debug, Default)]
pub(super) struct UsedTokens(BTreeSet<(UnixTime, Fingerprint)>);

impl UsedTokens {
    /// Uses a token up that is good until `expiry`.
    ///
    /// # Errors
    /// [`TokenFault::Used`]; or there is no room for one more.
    pub(super) fn use_up(
        &mut self,
        token: Fingerprint,
        expiry: UnixTime,
        now: UnixTime,
    ) -> Result<(), DirectoryError> {
        while self.0.first().is_some_and(|&(expired, _)| expired <= now) {
            self.0.pop_first();
        }
        // A token that is signed has one time of expiry only.
        if self.0.contains(&(expiry, token)) {
            return Err(TokenFault::Used.into());
        }
        if self.0.len() >= MAX_TOKENS {
            let full = "too many tokens were used that have not expired; one more is not taken, \
                        for it could not be told from them later. The issuer should give tokens of \
                        one use a shorter life";
            return Err(DirectoryError::Unavailable(full.into()));
        }
        self.0.insert((expiry, token));
        Ok(())
    }
}

/// Some 5 MiB.
const MAX_TOKENS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c8_a_token_counts_once_and_another_one_too() {
        let mut used = UsedTokens::default();
        assert_eq!(used.use_up([1; 32], 100, 10), Ok(()));
        assert_eq!(used.use_up([1; 32], 100, 10), Err(TokenFault::Used.into()));
        assert_eq!(used.use_up([2; 32], 100, 10), Ok(()));
        assert_eq!(used.use_up([1; 32], 100, 99), Err(TokenFault::Used.into()));
    }

    #[test]
    fn c8_a_full_memory_takes_no_more_rather_than_forget_and_is_emptied_by_time() {
        let mut used = UsedTokens::default();
        for i in 0..MAX_TOKENS {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&i.to_le_bytes());
            used.use_up(token, if i == 0 { 50 } else { 100 }, 10).unwrap();
        }
        let one_more = |used: &mut UsedTokens, now| used.use_up([0xff; 32], 100, now);
        assert!(matches!(one_more(&mut used, 49), Err(DirectoryError::Unavailable(_))));
        assert_eq!(used.use_up([0; 32], 50, 49), Err(TokenFault::Used.into()));
        assert_eq!(one_more(&mut used, 50), Ok(()));
        assert_eq!(used.0.len(), MAX_TOKENS);
    }
}
