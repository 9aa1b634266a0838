//! mailweir-admin-ui
