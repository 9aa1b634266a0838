//! mailweir
