//! mailweir-spam
