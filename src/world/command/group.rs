//! The processes that a program starts, as one.

/// The processes of a run; killed when dropped before the run has ended.
pub struct Group {
    leader: Option<u32>,
}

impl Group {
    pub fn led_by(leader: Option<u32>) -> Group {
        Group { leader }
    }

    /// The run has ended: nothing is killed any more.
    pub fn forget(mut self) {
        self.leader = None;
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        let leader =
            self.leader.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(leader) = leader {
            // A group that is gone already is what we wanted.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    #[cfg(unix)]
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    #[cfg(unix)]
    pub fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
    }

    #[cfg(not(unix))]
    pub fn terminate(&self) {}

    #[cfg(not(unix))]
    pub fn kill(&self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.kill();
        }
    }
}
