//! The binary from outside: what it prints, how it ends, what it leaves behind.
#![allow(missing_docs)]

mod exit_codes;
mod hostile;
mod process;
mod readme;
mod sample_data;
mod workspace;
