//! Opens the ledger that a repository's configuration names.

use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::book::{Book, BookError, LEDGER};
use crate::cli::args::Global;
use crate::cli::failure::{Failure, Kind};
use crate::cli::open;
use crate::survey::closed::keep_closed;
use crate::survey::home::{self as survey, Home};
use crate::world::files::Lock;
use crate::world::git::{Person, Repository};
use crate::world::git_error::GitError;
use crate::world::store::Store;
use crate::world::store::error::StoreError;

/// A runtime for what a verb waits for.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| Failure::new(Kind::Outside, error))
}

/// One ship a repository: the lock goes with the process, however it ends.
pub fn alone(repository: &Repository) -> Result<Lock, Failure> {
    let path = repository.common_dir().join("release").join("ship.lock");
    let taken = Lock::try_take_named(&path).map_err(|error| {
        Failure::user(error)
            .hint("`release ship` writes into the repository: make it writable, or ship from a clone")
    })?;
    taken.ok_or_else(|| {
        Failure::new(Kind::Stale, "another `release ship` is at work in this repository")
            .hint("wait for it to end; `release status` shows how far it is")
    })
}

/// The store of the ledger, as the configuration names it.
pub fn store(home: &Home) -> Result<Arc<dyn Store>, Failure> {
    home.store().map_err(store_failure)
}

/// Where the repository and its ledger are.
pub fn home(global: &Global) -> Result<Home, Failure> {
    survey::home(&global.directory, global.config.as_deref()).map_err(open::failure)
}

/// The ledger, open for writing. One that others share has a journal beside it; the end of a ship that an earlier run
/// could not tell them is told first.
pub async fn book(home: &Home) -> Result<Book, Failure> {
    let who = who(home)?;
    let mut book = Book::open(store(home)?, who, journal(home)).await.map_err(book_failure)?;
    if book.has_untold_end() {
        book.flush().await.map_err(book_failure)?;
    }
    remember_closed(home, &book)?;
    Ok(book)
}

/// The ledger for one person's order: every event is a link at once, beside whatever ship or deployment is at work in
/// this repository and has its journal.
pub async fn order_book(home: &Home) -> Result<Book, Failure> {
    Book::open(store(home)?, who(home)?, None).await.map_err(book_failure)
}

/// The ledger as it stands now, by whomever: nothing is written, and one that does not answer is a failure.
pub async fn present_book(home: &Home) -> Result<Book, Failure> {
    let who = home.repository.identity().unwrap_or_default();
    Book::open(store(home)?, who, None).await.map_err(book_failure)
}

/// Keeps what was given up where plans, which open no connection, find it. A ledger in git has a copy here anyway.
fn remember_closed(home: &Home, book: &Book) -> Result<(), Failure> {
    if home.remote.is_none() || book.store().git().is_some() {
        return Ok(());
    }
    keep_closed(&home.repository, book.state()).map_err(|error| Failure::new(Kind::Outside, error))
}

/// The ledger for looking at it, by whomever: as it stands, or as it was last seen where it is out of reach.
/// The second value says so.
pub async fn read_book(home: &Home) -> Result<(Book, Option<String>), Failure> {
    let who = home.repository.identity().unwrap_or_default();
    match Book::open(store(home)?, who.clone(), journal(home)).await {
        Err(BookError::Store(error @ StoreError::Unreachable { .. })) => {
            let local = home.local_store();
            let book = Book::open(local, who, None).await.map_err(book_failure)?;
            Ok((book, Some(format!("{error}; this is how it was last seen"))))
        }
        other => {
            let book = other.map_err(book_failure)?;
            remember_closed(home, &book)?;
            Ok((book, None))
        }
    }
}

/// Whom the ledger, the release commit and its tags name: git's identity, else the CI's.
pub fn who(home: &Home) -> Result<Person, Failure> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let of_ci = || {
        let actor = text("GITHUB_ACTOR")
            .map(|actor| Person { email: format!("{actor}@users.noreply.github.com"), name: actor });
        actor.or_else(|| Some(Person { name: text("GITLAB_USER_NAME")?, email: text("GITLAB_USER_EMAIL")? }))
    };
    home.repository.identity().or_else(|error| of_ci().ok_or(error)).map_err(Failure::user)
}

fn journal(home: &Home) -> Option<PathBuf> {
    home.remote.as_ref()?;
    Some(home.repository.common_dir().join("release").join("journal"))
}

/// A ledger's error with what to do about it.
pub fn book_failure(error: BookError) -> Failure {
    match error {
        BookError::Foreign { .. } => Failure::user(error).hint(format!(
            "if it came there by mistake, `git update-ref -d {LEDGER}` forgets it; releases and tags stay"
        )),
        BookError::Damaged { .. } | BookError::Order(_) => Failure::user(error).hint(
            "`git log refs/release/ledger` shows its commits; an older one can be set with `git update-ref`",
        ),
        BookError::Store(error) => store_failure(error),
        BookError::Journal(_) => Failure::new(Kind::Outside, error)
            .hint("make room or the folder writable, then `release ship` again: it goes on from here"),
        BookError::Lost | BookError::Outrun { .. } | BookError::Overtaken { .. } => {
            Failure::new(Kind::Stale, error).hint("`release status` shows what the other one does")
        }
    }
}

/// A store's error with what to do about it.
pub fn store_failure(error: StoreError) -> Failure {
    match &error {
        StoreError::Git(GitError::Missing { .. } | GitError::Damaged { .. } | GitError::Read { .. }) => {
            Failure::user(error).hint(format!(
                "`git fsck` tells more; `git update-ref {LEDGER} COMMIT` sets an older ledger, \
                 `git update-ref -d {LEDGER}` forgets it; releases and tags stay"
            ))
        }
        StoreError::Git(GitError::Write { .. }) => Failure::new(Kind::Outside, error)
            .hint("make room or the folder writable, then `release ship` again: it goes on from here"),
        StoreError::Rewound { .. } => Failure::new(Kind::Conflict, error),
        StoreError::Foreign { .. } | StoreError::Damaged { .. } | StoreError::Unusable { .. } => {
            Failure::user(error).hint("`release doctor` says what is wrong")
        }
        StoreError::Refused { .. } => Failure::new(Kind::NotAllowed, error)
            .hint("a hook or a rule of the remote says no: change it, or use `[ledger] store = \"branch\"`"),
        StoreError::Lost { .. } => {
            Failure::new(Kind::Stale, error).hint("`release status` shows what the other one does")
        }
        StoreError::Unreachable { .. } | StoreError::Git(_) | StoreError::File(_) => {
            Failure::new(Kind::Outside, error)
                .hint("run it again once the remote answers; what was begun is finished then")
        }
    }
}
