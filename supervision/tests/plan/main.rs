//! The rules of supervision, which the pure half decides: without processes, runtimes or time that passes.
//!
//! Tests that begin with `row_` restate a row of the conformance list, by its number.

mod admin;
mod backoff;
mod dependencies;
mod dynamic;
mod group_races;
mod groups;
mod intensity;
mod otp_model;
mod peers;
mod quarantine;
mod random;
mod restart_types;
mod rows;
mod scale;
mod settings;
mod shutdown;
mod significant;
mod start;
mod support;
mod upkeep;
