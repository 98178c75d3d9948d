//! The words of a verb, made only where the verb is named: one run needs those of one.

use std::ops::Deref;

use clap::builder::{Resettable, StyledStr};
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// The words of one verb.
#[derive(Debug)]
pub struct Late<T>(T);

impl<T> Deref for Late<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Args> Args for Late<T> {
    fn augment_args(verb: Command) -> Command {
        verb.defer(|verb| keeping_about(verb, T::augment_args))
    }

    fn augment_args_for_update(verb: Command) -> Command {
        verb.defer(|verb| keeping_about(verb, T::augment_args_for_update))
    }
}

impl<T: Args> FromArgMatches for Late<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Late<T>, Error> {
        T::from_arg_matches(matches).map(Late)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// What the verb is about is said where it is listed; words that several verbs share would say what they are about.
fn keeping_about(verb: Command, words: fn(Command) -> Command) -> Command {
    let kept = |text: Option<&StyledStr>| Resettable::from(text.cloned());
    let (about, long_about) = (kept(verb.get_about()), kept(verb.get_long_about()));
    words(verb).about(about).long_about(long_about)
}
