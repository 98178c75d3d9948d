//! `release init`: writes a release.toml for the repository at hand.

use crate::cli::args::{self, Global};
use crate::cli::failure::Failure;
use crate::cli::open;
use crate::report::streams::Streams;
use crate::report::table;
use crate::survey::proposal::propose;
use crate::world::files;

pub fn run(global: &Global, verb: &args::Init, streams: &mut Streams) -> Result<u8, Failure> {
    let (root, proposal) = propose(&global.directory).map_err(open::failure)?;
    let text = proposal.to_toml();
    if verb.print {
        streams.print(&text);
        return Ok(0);
    }
    let path = match &global.config {
        Some(path) => path.clone(),
        None => root.join("release.toml"),
    };
    if path.exists() {
        return Err(Failure::user(format!("{} is there already", path.display()))
            .hint("`release init --print` shows what would be written"));
    }
    files::write_atomically(&path, text.as_bytes()).map_err(Failure::user)?;
    for line in &proposal.notes {
        streams.tell(&table::paragraph(line, streams.width(), 2));
    }
    streams.print(&format!("wrote {}; read it, commit it, then `release plan`\n", path.display()));
    Ok(0)
}
