//! mailweir-auth
