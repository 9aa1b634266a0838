//! The sending side of the conversation.
