//! mailweir-queue
