//! One build by hooks, in the order of `uv build`: the source distribution, and the wheel from what it unpacks to.

use std::path::Path;

use crate::apply::build::{BuildError, Built, Site, TAIL};
use crate::apply::recipe::{Recipe, Unfit};
use crate::apply::unpack::unpack;
use crate::apply::workbench::{Asking, Workbench};
use crate::version::number::Version;
use crate::world::command::Output;
use crate::world::interpreter::{Answer, Call, InterpreterError};

/// Why a build by hooks has no end.
pub(in crate::apply) enum Left {
    /// The front end has to do it: there is no environment, or the interpreter ended, or the answer is none.
    Broken,
    /// The back end failed.
    Failed {
        output: Output,
    },
    TimedOut {
        tail: String,
    },
    /// Nothing that another way would mend.
    Stopped(BuildError),
}

impl From<Unfit> for Left {
    fn from(_: Unfit) -> Left {
        Left::Broken
    }
}

impl From<InterpreterError> for Left {
    fn from(_: InterpreterError) -> Left {
        Left::Broken
    }
}

/// One hook's kind of file.
struct Kind {
    asks: &'static str,
    builds: &'static str,
    ending: &'static str,
}

const SDIST: Kind = Kind { asks: "get_requires_for_build_sdist", builds: "build_sdist", ending: ".tar.gz" };
const WHEEL: Kind = Kind { asks: "get_requires_for_build_wheel", builds: "build_wheel", ending: ".whl" };

/// A build in the making.
struct Work<'w> {
    bench: &'w Workbench,
    asking: &'w Asking<'w>,
    site: &'w Site,
    said: String,
}

/// Builds a package's files and moves them to their place.
pub(in crate::apply) async fn build_by_hooks(
    bench: &Workbench,
    recipe: &Recipe,
    asking: &Asking<'_>,
) -> Result<Built, Left> {
    let site = Site::open(asking.request).map_err(Left::Stopped)?;
    let mut work = Work { bench, asking, site: &site, said: String::new() };
    let sdist = work.make(&SDIST, recipe, asking.project).await?;
    let unpacked = bench.unpacking().await?;
    let tree = unpack(&site.fresh.path().join(&sdist), unpacked.path()).ok().flatten().ok_or(Left::Broken)?;
    let wheel = work.make(&WHEEL, &Recipe::of(&tree)?, &tree).await?;
    if !are_of_one_version(&sdist, &wheel) {
        return Err(Left::Broken);
    }
    let said = std::mem::take(&mut work.said);
    site.take(asking.request, said).map_err(Left::Stopped)
}

impl Work<'_> {
    /// Makes a file from a tree: asks the back end what it needs besides, then has it built where that is at hand.
    async fn make(&mut self, kind: &Kind, recipe: &Recipe, tree: &Path) -> Result<String, Left> {
        let hooks = [kind.asks, kind.builds];
        let first = if recipe.builds_as_it_answers() { &hooks[..] } else { &hooks[..1] };
        let answer = match self.answer(first, recipe, tree).await? {
            Answer::Requires(more) => self.answer(&hooks[1..], &recipe.with(&more)?, tree).await?,
            made => made,
        };
        let Answer::Made(name) = answer else { return Err(Left::Broken) };
        let is_there = Path::new(&name).file_name().is_some_and(|last| last == name.as_str())
            && name.ends_with(kind.ending)
            && self.site.fresh.path().join(&name).is_file();
        if is_there { Ok(name) } else { Err(Left::Broken) }
    }

    async fn answer(&mut self, hooks: &[&'static str], recipe: &Recipe, tree: &Path) -> Result<Answer, Left> {
        let answers = self.bench.unpacking().await?;
        let answer = answers.path().join("answer.json");
        let call = Call {
            folder: tree,
            backend: &recipe.backend,
            hooks,
            out: Some(self.site.fresh.path()),
            answer: &answer,
            environment: &self.asking.request.environment,
        };
        let output = self.call(recipe, &call).await?;
        if output.timed_out {
            return Err(Left::TimedOut { tail: output.tail(TAIL) });
        }
        if !output.success() {
            return Err(Left::Failed { output });
        }
        self.said = output.tail(TAIL);
        let text = std::fs::read(&answer).unwrap_or_default();
        serde_json::from_slice(&text).map_err(|_| Left::Failed { output })
    }

    async fn call(&self, recipe: &Recipe, call: &Call<'_>) -> Result<Output, Left> {
        let asking = self.asking;
        let started = tokio::time::timeout(asking.left(), self.bench.station(recipe, asking));
        let started = asking.spending(started).await;
        let station = started.map_err(|_| Left::TimedOut { tail: String::new() })?.ok_or(Left::Broken)?;
        let _turn = self.bench.turn().await;
        Ok(asking.spending(station.call(call, asking.left())).await?)
    }
}

/// Whether the names of a source distribution and a wheel tell of the same version, as uv asks for.
fn are_of_one_version(sdist: &str, wheel: &str) -> bool {
    let of_sdist =
        sdist.strip_suffix(SDIST.ending).and_then(|stem| stem.rsplit_once('-')).map(|(_, version)| version);
    let of_wheel = wheel.split('-').nth(1);
    let read = |text: Option<&str>| text.and_then(|text| Version::parse(text).ok());
    read(of_sdist).is_some_and(|version| read(of_wheel).as_ref() == Some(&version))
}
