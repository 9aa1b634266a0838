//! mailweir-moderation
