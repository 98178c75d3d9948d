//! `release log`: what happened, from the ledger.

use crate::apply::book;
use crate::cli::args::{self, Global, Output};
use crate::cli::failure::Failure;
use crate::cli::ship::book_failure;
use crate::report::log::{log_json, log_markdown, log_text};
use crate::report::streams::Streams;
use crate::world::git::Repository;

pub fn run(global: &Global, verb: &args::Log, streams: &mut Streams) -> Result<u8, Failure> {
    let repository = Repository::open(&global.directory).map_err(Failure::user)?;
    let events = book::events(&repository).map_err(book_failure)?;
    let skip = verb.last.map_or(0, |last| events.len().saturating_sub(last));
    let shown = &events[skip..];
    let text = match verb.output {
        Output::Text => log_text(shown, streams.width(), streams.color()),
        Output::Json => log_json(shown),
        Output::Markdown => log_markdown(shown),
    };
    streams.print(&text);
    Ok(0)
}
