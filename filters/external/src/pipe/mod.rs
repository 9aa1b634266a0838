//! A program that gets a mail on its standard input (Postfix pipe(8)).

mod arguments;
mod content;
mod ended;
mod mail;
mod template;

pub use arguments::Arguments;
pub use content::{Content, Form};
pub use ended::{Ended, MOST_OUTPUT, Verdict, verdict};
pub use mail::{Mail, Spelling, To};
pub use template::{Template, TemplateError};
