//! The notes and changelog sections of a plan's releases.

use std::collections::{BTreeMap, HashMap};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::history::commit::Commit;
use crate::plan::Refusal;
use crate::plan::decide::{Decision, Decisions};
use crate::plan::edits::{Edits, text_of};
use crate::plan::facts::{Facts, OwnTemplate};
use crate::plan::make::PlanError;
use crate::plan::standing::Standing;
use crate::plan::tally::{Change, Source, Tally};
use crate::render::changelog::{Insertion, insert};
use crate::render::edited::section_with;
use crate::render::format::Format;
use crate::render::links::Forge;
use crate::render::notes::{
    NotesData, NotesDependency, NotesEntry, NotesSection, Shown, changelog_section, notes,
};
use crate::render::template::{Parsed, RenderError, Template};
use crate::workspace::config::settings::Section;

/// Renders every release's notes and puts its changelog section into the edits. Answers the notes by package. What
/// people wrote in their place (`edited`) is said in both.
///
/// # Errors
/// Where a template does not render.
pub fn write_notes(
    facts: &Facts,
    tally: &Tally,
    standings: &[Result<Standing, Refusal>],
    decisions: &Decisions,
    edited: &BTreeMap<String, String>,
    edits: &mut Edits,
) -> Result<BTreeMap<usize, String>, PlanError> {
    let telling = Telling {
        facts,
        tally,
        decisions,
        forge: facts.remote.as_deref().and_then(Forge::of_remote),
        shorts: facts
            .packages
            .iter()
            .zip(0..)
            .map(|(package, index)| (package.short.as_str(), index))
            .collect(),
    };
    let own = OwnTemplates::parse(facts);
    let releases: Vec<&Decision> = decisions.releases.iter().flatten().collect();
    let words: Vec<Result<Words, PlanError>> = releases
        .par_iter()
        .with_min_len(TOGETHER)
        .map(|decision| {
            let standing = standings[decision.package].as_ref().cloned().unwrap_or_default();
            let package = &facts.packages[decision.package].short;
            let data = telling.data(decision, &standing, edits);
            Words::write(facts, decision, &data, &own, edited.get(package))
                .map_err(|source| PlanError::Notes { package: package.clone(), source })
        })
        .collect();
    let mut written = BTreeMap::new();
    for (decision, words) in releases.into_iter().zip(words) {
        let Words { notes, section } = words?;
        if let Some((path, section)) = section {
            match section {
                Ok(insertion) => edits.insert(decision.package, path, insertion.at, insertion.text),
                Err(reason) => edits.warnings.push(reason),
            }
        }
        written.insert(decision.package, notes);
    }
    Ok(written)
}

/// How many releases one thread takes at least: fewer are written before another begins.
const TOGETHER: usize = 8;

/// The users' templates, each parsed once.
struct OwnTemplates<'f>(HashMap<&'f OwnTemplate, Result<Parsed<'f>, RenderError>>);

impl<'f> OwnTemplates<'f> {
    fn parse(facts: &'f Facts) -> OwnTemplates<'f> {
        let mut parsed = HashMap::new();
        for own in facts.templates.iter().flat_map(|own| own.notes.iter().chain(&own.changelog)) {
            let template = Template { name: &own.name, text: &own.text };
            parsed.entry(own).or_insert_with(|| Parsed::parse(template));
        }
        OwnTemplates(parsed)
    }

    fn get(&self, own: Option<&OwnTemplate>) -> Result<Option<&Parsed<'f>>, RenderError> {
        let found = own.and_then(|own| self.0.get(own));
        found.map(|parsed| parsed.as_ref().map_err(RenderError::clone)).transpose()
    }
}

/// The words of one release.
struct Words {
    notes: String,
    /// The changelog, and where its new section goes or why there is none.
    section: Option<(String, Result<Insertion, String>)>,
}

impl Words {
    fn write(
        facts: &Facts,
        decision: &Decision,
        data: &NotesData,
        templates: &OwnTemplates<'_>,
        edited: Option<&String>,
    ) -> Result<Words, RenderError> {
        let own = &facts.templates[decision.package];
        let shown = Shown::of(data);
        let text = notes(&shown, templates.get(own.notes.as_ref())?)?;
        let section = match &facts.settings[decision.package].notes.changelog {
            None => None,
            Some(name) => {
                let path = facts.packages[decision.package].path.join(name).as_git().to_owned();
                let format = Format::of(&path);
                let section = changelog_section(&shown, format, templates.get(own.changelog.as_ref())?)?;
                let edited = edited.map(|words| section_with(&section, &text, words, format));
                let insertion = insertion(facts, decision, &path, &edited.unwrap_or(section));
                Some((path, insertion))
            }
        };
        Ok(Words { notes: edited.cloned().unwrap_or(text), section })
    }
}

fn insertion(facts: &Facts, decision: &Decision, path: &str, section: &str) -> Result<Insertion, String> {
    let existing = match facts.files.get(path) {
        None => "",
        Some(_) => {
            text_of(facts, path).map_err(|reason| format!("{reason}; the changelog is left as it is"))?
        }
    };
    insert(existing, section, &decision.to.to_string(), Format::of(path))
        .map_err(|error| format!("{path} is left as it is: {error}"))
}

struct Telling<'f> {
    facts: &'f Facts,
    tally: &'f Tally,
    decisions: &'f Decisions,
    forge: Option<Forge>,
    /// The packages by their short names.
    shorts: HashMap<&'f str, usize>,
}

impl Telling<'_> {
    fn data(&self, decision: &Decision, standing: &Standing, edits: &Edits) -> NotesData {
        let package = &self.facts.packages[decision.package];
        // The notes of a final release tell its pre-releases' changes again.
        let folds = !decision.to.is_prerelease();
        let previous = if folds { &standing.last_final } else { &standing.last };
        let previous_tag = if folds { &standing.last_final_tag } else { &standing.last_tag };
        let tag = package.tag_for(&decision.to);
        let changes: Vec<&Change> =
            self.tally.changes[decision.package].iter().filter(|change| folds || change.fresh).collect();
        let compare = previous_tag.as_ref().zip(self.forge.as_ref());
        let first_release = standing.last.is_none();
        let own = &self.facts.templates[decision.package];
        // Our templates do not list the history.
        let lists = !first_release || own.notes.is_some() || own.changelog.is_some();
        let listed = if lists { changes.as_slice() } else { &[] };
        NotesData {
            package: package.short.clone(),
            distribution: package.distribution.clone(),
            version: decision.to.to_string(),
            previous: previous.as_ref().map(ToString::to_string),
            date: self.facts.date.clone(),
            compare_url: compare.map(|(from, forge)| forge.compare(from, &tag)),
            previous_tag: previous_tag.clone(),
            tag,
            first_release,
            breaking: self.breaking(decision.package, listed),
            sections: self.sections(decision.package, listed),
            dependencies: self.dependencies(decision.package, edits),
            contributors: self.contributors(&changes),
            text_from_fragments: Vec::new(),
        }
    }

    /// What breaks, under the title that the configuration gives it.
    fn breaking(&self, package: usize, changes: &[&Change]) -> NotesSection {
        let configured = self.facts.settings[package].notes.sections.iter().find(|section| section.breaking);
        NotesSection {
            title: configured.map_or("Breaking changes", |section| section.title.as_str()).to_owned(),
            entries: changes
                .iter()
                .filter(|change| change.entry.breaking)
                .map(|change| self.entry(package, change))
                .collect(),
        }
    }

    /// The other sections in their order; what releases and stands in none of them comes last.
    fn sections(&self, package: usize, changes: &[&Change]) -> Vec<NotesSection> {
        let configured = &self.facts.settings[package].notes.sections;
        let plain = || changes.iter().filter(|change| !change.entry.breaking);
        let belongs =
            |section: &Section, change: &Change| section.types.iter().any(|kind| kind == change.entry.kind());
        let mut sections: Vec<NotesSection> = configured
            .iter()
            .filter(|section| !section.breaking)
            .map(|section| NotesSection {
                title: section.title.clone(),
                entries: plain()
                    .filter(|change| belongs(section, change))
                    .map(|change| self.entry(package, change))
                    .collect(),
            })
            .collect();
        sections.push(NotesSection {
            title: "Other changes".to_owned(),
            entries: plain()
                .filter(|change| change.size.is_some())
                .filter(|change| !configured.iter().any(|section| belongs(section, change)))
                .map(|change| self.entry(package, change))
                .collect(),
        });
        sections
    }

    fn entry(&self, package: usize, change: &Change) -> NotesEntry {
        let commit = self.commit(change);
        let entry = &change.entry;
        NotesEntry {
            text: entry.description().to_owned(),
            details: entry.body().filter(|_| commit.is_none()).map(str::to_owned),
            scope: entry
                .scope()
                .filter(|scope| self.tally.names.packages_of_scope(scope) != [package])
                .map(str::to_owned),
            commit: commit.map(|commit| commit.id.to_string()),
            short: commit.map(|commit| commit.id.short()),
            commit_url: commit
                .zip(self.forge.as_ref())
                .map(|(commit, forge)| forge.commit(&commit.id.to_string())),
            pull_request: entry.pull_request,
            pull_request_url: entry
                .pull_request
                .zip(self.forge.as_ref())
                .map(|(number, forge)| forge.pull_request(number)),
            author: commit.map(|commit| commit.author.to_string()).filter(|name| !name.is_empty()),
            breaking: entry.breaking,
            breaking_notes: entry
                .breaking_notes()
                .iter()
                .filter(|note| *note != entry.description())
                .cloned()
                .collect(),
            references: entry.references().to_vec(),
        }
    }

    fn commit(&self, change: &Change) -> Option<&Commit> {
        match change.source {
            Source::Commit(index) => Some(&self.facts.history.commits[index]),
            Source::Fragment(_) => None,
        }
    }

    /// The internal dependencies that move with the package.
    fn dependencies(&self, package: usize, edits: &Edits) -> Vec<NotesDependency> {
        let mut moved: Vec<NotesDependency> = Vec::new();
        for change in &edits.requirements[package] {
            let on = self.shorts.get(change.package.as_str());
            let decision = on.and_then(|on| self.decisions.releases[*on].as_ref());
            let Some(decision) = decision else { continue };
            if moved.iter().any(|known| known.package == change.package) {
                continue;
            }
            moved.push(NotesDependency {
                package: change.package.clone(),
                from: None,
                to: decision.to.to_string(),
                requirement: Some(change.to.clone()),
            });
        }
        moved
    }

    /// The authors of the changes, by name, robots left out.
    fn contributors(&self, changes: &[&Change]) -> Vec<String> {
        let mut names: Vec<String> = changes
            .iter()
            .filter_map(|change| self.commit(change))
            .map(|commit| commit.author.to_string())
            .filter(|name| !name.is_empty() && !name.ends_with("[bot]"))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
