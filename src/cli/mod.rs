//! Reads the command line, opens the world, runs one verb, leaves with its exit code.

pub mod abandon;
pub mod args;
pub mod args_deploy;
pub mod args_generate;
pub mod args_pr;
pub mod args_preview;
pub mod args_relay;
pub mod assume;
pub mod deploy;
pub mod deploy_ending;
pub mod deploy_look;
pub mod deploying;
pub mod doctor;
pub mod doctor_github;
pub mod doctor_publishers;
pub mod failure;
pub mod generate;
pub mod generate_lint;
pub mod generate_pins;
pub mod github;
pub mod github_output;
pub mod ground;
pub mod hotfix;
pub mod in_flight;
pub mod init;
pub mod known;
pub mod late;
pub mod ledger;
pub mod listeners;
pub mod log;
pub mod merged;
pub mod mirroring;
pub mod notes;
pub mod obsolete;
pub mod open;
pub mod orders;
pub mod plan;
pub mod plan_file;
pub mod pr;
pub mod preview;
pub mod preview_mark;
pub mod proposing;
pub mod relay;
pub mod run_watch;
pub mod schema;
pub mod ship;
pub mod ship_answer;
pub mod ship_deploy;
pub mod ship_part;
pub mod ship_reach;
mod ship_timing;
pub mod status;
pub mod stopping;
pub mod tick;
pub mod watch;
pub mod withdraw;
pub mod workshop;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Cli, Verb};
use crate::cli::failure::Failure;
use crate::report::streams::Streams;

/// The whole program: arguments in, exit code out.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut streams = Streams::new(cli.global.color.choice(), cli.global.quiet);
    let done = match &cli.verb {
        Verb::Init(verb) => init::run(&cli.global, verb, &mut streams),
        Verb::Plan(verb) => plan::run(&cli.global, verb, &mut streams),
        Verb::Pr(verb) => pr::run(&cli.global, verb, &mut streams),
        Verb::Ship(verb) => ship::run(&cli.global, verb, &mut streams),
        Verb::Status(verb) => status::run(&cli.global, verb, &mut streams),
        Verb::Deploy(verb) => deploy::run(&cli.global, verb, &mut streams),
        Verb::Promote(verb) => deploy::promote(&cli.global, verb, &mut streams),
        Verb::Rollback(verb) => deploy::rollback(&cli.global, verb, &mut streams),
        Verb::Halt(verb) => orders::halt(&cli.global, verb, &mut streams),
        Verb::Resume(verb) => orders::resume(&cli.global, verb, &mut streams),
        Verb::Approve(verb) => orders::approve(&cli.global, verb, &mut streams),
        Verb::Withdraw(verb) => withdraw::run(&cli.global, verb, &mut streams),
        Verb::Hotfix(verb) => hotfix::run(&cli.global, verb, &mut streams),
        Verb::Tick(verb) => tick::run(&cli.global, verb, &mut streams),
        Verb::Doctor(verb) => doctor::run(&cli.global, verb, &mut streams),
        Verb::Abandon(verb) => abandon::run(&cli.global, verb, &mut streams),
        Verb::Log(verb) => log::run(&cli.global, verb, &mut streams),
        Verb::Notes(verb) => notes::run(&cli.global, verb, &mut streams),
        Verb::Generate(verb) => generate::run(&cli.global, verb, &mut streams),
        Verb::Schema(verb) => schema::run(verb, &mut streams),
        Verb::Completions(verb) => schema::completions(verb, &mut streams),
        Verb::Man => schema::man(&mut streams),
    };
    match done {
        // The answer could not be written: a full disk, say. The reason is told already.
        Ok(_) if streams.has_lost_data() => ExitCode::from(10),
        Ok(code) => ExitCode::from(code),
        Err(failure) => leave(failure, &mut streams),
    }
}

fn leave(failure: Failure, streams: &mut Streams) -> ExitCode {
    let text = failure.render(streams.color_of_telling());
    streams.error(&text);
    ExitCode::from(failure.code())
}
