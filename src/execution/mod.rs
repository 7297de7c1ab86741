//! The micro-batch loop and what surrounds it.

pub mod progress;
