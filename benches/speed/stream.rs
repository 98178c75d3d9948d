//! Writes commits and tags as `git fast-import` reads them.

use std::io::{self, Write};

const PEOPLE: [(&str, &str); 4] =
    [("Ada Example", "ada"), ("Bela Example", "bela"), ("Chi Example", "chi"), ("Dana Example", "dana")];
/// When the first commit was made, in seconds since 1970.
const START: u64 = 1_500_000_000;

pub struct Stream<W> {
    out: W,
    commits: usize,
    clock: u64,
}

/// A path and what is to stand there.
pub type File = (String, String);

impl<W: Write> Stream<W> {
    pub fn new(out: W) -> Stream<W> {
        Stream { out, commits: 0, clock: START }
    }

    /// One more commit on `main`; its mark is the number of commits so far.
    pub fn commit(&mut self, message: &str, files: &[File]) -> io::Result<usize> {
        self.clock += 60 + (self.commits as u64 * 7919) % 1500;
        let (name, mail) = PEOPLE[self.commits * 31 % 97 % PEOPLE.len()];
        let before = self.commits;
        self.commits += 1;
        let person = format!("{name} <{mail}@example.org> {} +0000", self.clock);
        write!(self.out, "commit refs/heads/main\nmark :{}\n", self.commits)?;
        write!(self.out, "author {person}\ncommitter {person}\ndata {}\n{message}\n", message.len())?;
        if before > 0 {
            writeln!(self.out, "from :{before}")?;
        }
        for (path, text) in files {
            write!(self.out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len())?;
        }
        writeln!(self.out)?;
        Ok(self.commits)
    }

    pub fn tag(&mut self, name: &str, mark: usize) -> io::Result<()> {
        write!(self.out, "reset refs/tags/{name}\nfrom :{mark}\n\n")
    }

    pub fn commits(&self) -> usize {
        self.commits
    }

    pub fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"done\n")?;
        self.out.flush()
    }
}
