//! mailweir-filters
