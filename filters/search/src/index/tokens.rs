//! Our terms as tantivy takes them.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::words::Terms;

/// Gives the terms of [`crate::words`].
#[derive(Debug, Clone, Default)]
pub(super) struct Words;

/// The terms of one text.
pub(super) struct Tokens<'a> {
    terms: Terms<'a>,
    token: Token,
}

impl Tokenizer for Words {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        Tokens { terms: Terms::of(text), token: Token::default() }
    }
}

impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        if !self.terms.advance() {
            return false;
        }
        self.token.text.clear();
        self.token.text.push_str(self.terms.term());
        self.token.position = self.terms.position();
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
