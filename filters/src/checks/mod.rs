//! Header and body checks.
