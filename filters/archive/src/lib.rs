//! mailweir-archive
