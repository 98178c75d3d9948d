//! `release log`: what happened, from the ledger.

use crate::apply::book::{self, BookError};
use crate::cli::args::{self, Global, Output};
use crate::cli::failure::Failure;
use crate::cli::ledger;
use crate::report::log::{log_json, log_markdown, log_text};
use crate::report::streams::Streams;
use crate::world::store::error::StoreError;

pub fn run(global: &Global, verb: &args::Log, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    let runtime = ledger::runtime()?;
    let events = runtime.block_on(async {
        match book::events(&*ledger::store(&home)?).await {
            Err(BookError::Store(error @ StoreError::Unreachable { .. })) => {
                streams.tell(&format!("{error}; this is how it was last seen\n"));
                book::events(&*home.local_store()).await.map_err(ledger::book_failure)
            }
            other => other.map_err(ledger::book_failure),
        }
    })?;
    let skip = verb.last.map_or(0, |last| events.len().saturating_sub(last));
    let shown = &events[skip..];
    let text = match verb.output {
        Output::Text => log_text(&events, skip, streams.width(), streams.color()),
        Output::Json => log_json(shown),
        Output::Markdown => log_markdown(&events, skip),
    };
    streams.print(&text);
    Ok(0)
}
