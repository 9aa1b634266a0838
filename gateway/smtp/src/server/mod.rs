//! The receiving side of the conversation.
