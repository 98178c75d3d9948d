//! Words, tables, JSON and Markdown: all that people and programs read of us.
//!
//! Does not know the outside, except its two streams.

pub mod assumed;
pub mod deploy_text;
pub mod deployment_words;
pub mod doctor;
pub mod explain;
pub mod failure;
pub mod generate_text;
pub mod github_output;
pub mod json;
pub mod left_out;
pub mod log;
pub mod markdown;
pub mod moment;
pub mod paint;
pub mod part_text;
pub mod plain;
pub mod plan_markdown;
pub mod plan_text;
pub mod preview;
pub mod progress;
pub mod pull_request;
#[cfg(test)]
pub mod samples;
pub mod sealing;
pub mod ship_text;
pub mod status;
pub mod step_words;
pub mod streams;
pub mod table;
pub mod withdraw_text;
pub mod words;
