//! Turns data and templates into text: changelogs and release notes.
//!
//! Does not know where the text goes.

pub mod changelog;
pub mod control;
pub mod edited;
pub mod format;
pub mod headings;
pub mod index_page;
pub mod inline;
pub mod links;
pub mod merge_message;
pub mod neutral;
pub mod notes;
pub mod notes_merge;
pub mod release_body;
pub mod rst;
pub mod template;
pub mod told;
pub mod view;
pub mod workflows;
