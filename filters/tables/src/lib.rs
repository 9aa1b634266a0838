//! mailweir-tables
