//! Tables follow their files.
