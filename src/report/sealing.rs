//! A plan's JSON on its way to a stream, written while the digest that stands near its beginning is taken.

use std::io::{self, BufWriter, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, channel};

use memchr::memmem;

use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::report::json::write;

/// Writes a plan that has no digest yet as it is with one, which is taken meanwhile and put into the plan.
///
/// # Errors
/// Where it can not be written; the digest is there nevertheless.
pub fn write_and_seal(plan: &mut Plan, into: &mut impl Write) -> io::Result<()> {
    seal_holding(MOST_HELD, plan, into)
}

/// About how many bytes are held back at most while the digest is awaited.
const MOST_HELD: usize = 4 << 20;
/// How many bytes come at once; then it is looked whether the digest is there.
const PIECE: usize = 64 << 10;

fn seal_holding(most: usize, plan: &mut Plan, into: &mut impl Write) -> io::Result<()> {
    let (sender, taken) = channel();
    let unsealed = &*plan;
    let (written, digest) = std::thread::scope(|scope| {
        let taking = scope.spawn(move || {
            let digest = unsealed.compute_digest();
            // Where writing failed nobody waits for it.
            let _unasked = sender.send(digest.clone());
            digest
        });
        let sealing = Sealing { into, taken, most, held: Some(Held::default()) };
        let mut sealing = BufWriter::with_capacity(PIECE, sealing);
        let written = write(unsealed, &mut sealing).and_then(|()| sealing.flush());
        // What could not be written is not tried again.
        drop(sealing.into_parts());
        (written, taking.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    plan.digest = digest;
    written
}

/// Holds a plan's JSON back until the digest is known, and puts it where it belongs.
struct Sealing<'w, W> {
    into: &'w mut W,
    taken: Receiver<Digest>,
    most: usize,
    /// What came so far; none once the digest is written.
    held: Option<Held>,
}

/// Pieces as they came: what grew would be copied again and again.
#[derive(Default)]
struct Held {
    /// As many of the first as hold the digest's place, in one.
    head: Vec<u8>,
    behind: Vec<Vec<u8>>,
    length: usize,
}

impl Held {
    fn push(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.head.len() <= HEAD {
            self.head.extend_from_slice(bytes);
        } else {
            self.behind.push(bytes.to_vec());
        }
    }
}

/// Within how many bytes the digest's place stands: only the format's number comes before.
const HEAD: usize = 64;

impl<W: Write> Sealing<'_, W> {
    fn seal(&mut self, digest: &Digest) -> io::Result<()> {
        const PLACE: &str = "\"digest\": \"";
        let Held { head, behind, .. } = self.held.take().unwrap_or_default();
        let place = memmem::find(&head, PLACE.as_bytes()).map_or(head.len(), |at| at + PLACE.len());
        self.into.write_all(&head[..place])?;
        self.into.write_all(digest.as_str().as_bytes())?;
        self.into.write_all(&head[place..])?;
        behind.into_iter().try_for_each(|piece| self.into.write_all(&piece))
    }

    fn wait(&mut self) -> io::Result<()> {
        let digest = self.taken.recv().map_err(io::Error::other)?;
        self.seal(&digest)
    }
}

impl<W: Write> Write for Sealing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(held) = &mut self.held else { return self.into.write(bytes) };
        held.push(bytes);
        let length = held.length;
        if length > self.most.max(HEAD) {
            self.wait()?;
        } else if length > HEAD
            && let Ok(digest) = self.taken.try_recv()
        {
            self.seal(&digest)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_some() {
            self.wait()?;
        }
        self.into.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json::pretty;
    use crate::report::samples;

    #[test]
    fn what_is_held_comes_in_order_in_whatever_pieces_it_came() {
        let plan = Plan { digest: Digest::none(), ..samples::plan() };
        let digest = plan.compute_digest();
        let expected = pretty(&Plan { digest: digest.clone(), ..plan.clone() });
        let unsealed = pretty(&plan);
        for length in [1, 7, HEAD, HEAD + 1, 200, unsealed.len()] {
            // It is known before the first piece, after some, or where the end waits for it.
            for known_after in [0, 3, 40, usize::MAX] {
                let (sender, taken) = channel();
                let mut text = Vec::new();
                let held = Some(Held::default());
                let mut sealing = Sealing { into: &mut text, taken, most: MOST_HELD, held };
                for (number, piece) in unsealed.as_bytes().chunks(length).enumerate() {
                    if number == known_after {
                        sender.send(digest.clone()).unwrap();
                    }
                    sealing.write_all(piece).unwrap();
                }
                let _again = sender.send(digest.clone());
                sealing.flush().unwrap();
                assert!(text == expected.as_bytes(), "{length} {known_after}");
            }
        }
    }

    #[test]
    fn a_plan_is_written_while_its_digest_is_taken() {
        let mut plan = samples::plan();
        // What stands before the digest's own place must not be taken for it, nor what stands behind.
        plan.warnings.extend((0..5000).map(|number| format!("\"digest\": \"\" {number}")));
        plan.digest = plan.compute_digest();
        let expected = pretty(&plan);
        assert!(expected.len() > 2 * PIECE);
        for most in [0, 1, 100, PIECE, MOST_HELD] {
            let mut draft = Plan { digest: Digest::none(), ..plan.clone() };
            let mut text = Vec::new();
            seal_holding(most, &mut draft, &mut text).unwrap();
            assert!(text == expected.as_bytes(), "{most}");
            assert_eq!(draft, plan);
        }
    }

    #[test]
    fn a_reader_that_goes_away_does_not_take_the_digest_with_it() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut plan = Plan { digest: Digest::none(), ..samples::plan() };
        let expected = plan.compute_digest();
        let failed = write_and_seal(&mut plan, &mut Gone).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(plan.digest, expected);
    }
}
