//! The end of a stream that a program writes.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

/// The end of a stream, read while the program runs.
pub struct Tail {
    kept: Arc<Mutex<Kept>>,
    reader: JoinHandle<()>,
    limit: usize,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    truncated: bool,
}

impl Tail {
    /// Begins to read a stream, of which the last `limit` bytes are kept.
    pub fn follow(stream: Option<impl AsyncRead + Unpin + Send + 'static>, limit: usize) -> Tail {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        let reader = tokio::spawn(async move {
            let Some(mut stream) = stream else { return };
            let mut block = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = stream.read(&mut block).await {
                let Ok(mut kept) = shared.lock() else { return };
                kept.bytes.extend_from_slice(&block[..read]);
                // Not at every block: what stays has to be moved.
                if kept.bytes.len() / 2 > limit {
                    kept.cut(limit);
                }
            }
        });
        Tail { kept, reader, limit }
    }

    /// Waits for the end of the stream.
    pub async fn ended(&mut self) {
        if !self.reader.is_finished() {
            let _ = (&mut self.reader).await;
        }
    }

    /// What was read so far, and whether its beginning was lost.
    pub fn take(self) -> (Vec<u8>, bool) {
        self.reader.abort();
        let mut kept = self.kept.lock().map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default();
        kept.cut(self.limit);
        (kept.bytes, kept.truncated)
    }
}

impl Kept {
    fn cut(&mut self, limit: usize) {
        let surplus = self.bytes.len().saturating_sub(limit);
        self.truncated |= surplus > 0;
        self.bytes.drain(..surplus);
    }
}
