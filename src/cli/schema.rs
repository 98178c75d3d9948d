//! `release schema`, `completions` and `man`: what editors, shells and manuals want to know of us.

use clap::CommandFactory;

use crate::cli::args::{Cli, Completions, Schema, SchemaOf};
use crate::cli::failure::{Failure, Kind};
use crate::report::json;
use crate::report::streams::Streams;
use crate::workspace::config::Config;

pub fn run(verb: &Schema, streams: &mut Streams) -> Result<u8, Failure> {
    let schema = match verb.format {
        SchemaOf::Config => Config::schema(),
        SchemaOf::Plan => json::plan_schema(),
    };
    streams.print(&json::pretty(&schema));
    Ok(0)
}

pub fn completions(verb: &Completions, streams: &mut Streams) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut Cli::command(), "release", &mut script);
    streams.print(&String::from_utf8_lossy(&script));
    Ok(0)
}

pub fn man(streams: &mut Streams) -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::new(Kind::Bug, error))?;
    streams.print(&String::from_utf8_lossy(&page));
    Ok(0)
}
