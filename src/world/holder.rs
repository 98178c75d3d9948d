//! Who this process is, and whether another that said so lives: by proof, never by a clock.

use std::ffi::OsString;
use std::fs;

/// A process, told apart from every other that ever had its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// The boot of the machine.
    pub boot: String,
    /// The namespace that the number belongs to.
    pub namespace: String,
    pub pid: u32,
    /// Ticks from the boot to its start.
    pub started: u64,
}

impl ProcessIdentity {
    /// One line that `of_line` reads.
    pub fn to_line(&self) -> String {
        format!("{} {} {} {}\n", self.pid, self.started, self.boot, self.namespace)
    }

    pub fn of_line(line: &str) -> Option<ProcessIdentity> {
        let mut words = line.split_whitespace();
        let (pid, started) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(ProcessIdentity {
            pid,
            started,
            boot: words.next()?.to_owned(),
            namespace: words.next()?.to_owned(),
        })
    }
}

/// A run of a CI that its variables tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// The address that its interface answers at.
    pub api: String,
    pub repository: String,
    pub id: String,
    pub attempt: u64,
}

/// Whether a holder lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    Alive,
    /// Proven dead.
    Dead,
    /// Nothing seen from here proves either.
    Unknown,
}

/// This machine's name, for people; empty where it has none.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// This process; `None` where the system does not tell what proves it (`/proc` of Linux).
pub fn this_process() -> Option<ProcessIdentity> {
    let pid = std::process::id();
    Some(ProcessIdentity { boot: boot()?, namespace: namespace()?, pid, started: started(pid)? })
}

/// Whether a process lives. Only its own boot and namespace can tell: of other machines, of containers beside this one
/// and of earlier boots nothing is known, since names of machines repeat.
pub fn process_liveness(process: &ProcessIdentity) -> Liveness {
    if boot().as_ref() != Some(&process.boot) || namespace().as_ref() != Some(&process.namespace) {
        return Liveness::Unknown;
    }
    match started(process.pid) {
        Some(started) if started == process.started => Liveness::Alive,
        Some(_) => Liveness::Dead,
        None if is_gone(process.pid) => Liveness::Dead,
        // It is there, and this user may not look at it.
        None => Liveness::Unknown,
    }
}

/// Whether a number is that of no process that could act: none has it, or only its parent has yet to hear of its end.
fn is_gone(pid: u32) -> bool {
    let number = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let Some(number) = number else { return false };
    match rustix::process::test_kill_process(number) {
        Err(rustix::io::Errno::SRCH) => true,
        _ => state(pid).is_some_and(|state| matches!(state, 'Z' | 'X')),
    }
}

fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().next()?.chars().next()
}

/// Whether a run is an earlier attempt of ours: a later one begins only when it is over.
pub fn is_earlier_attempt(run: &RunIdentity, ours: &RunIdentity) -> bool {
    run.api == ours.api
        && run.repository == ours.repository
        && run.id == ours.id
        && run.attempt < ours.attempt
}

/// The CI run that this process belongs to: GitHub Actions by its variables.
pub fn this_run(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<RunIdentity> {
    let text = |name: &str| variable(name)?.into_string().ok().filter(|text| !text.is_empty());
    if text("GITHUB_ACTIONS")? != "true" {
        return None;
    }
    Some(RunIdentity {
        api: text("GITHUB_API_URL")?,
        repository: text("GITHUB_REPOSITORY")?,
        id: text("GITHUB_RUN_ID")?,
        attempt: text("GITHUB_RUN_ATTEMPT")?.parse().ok()?,
    })
}

fn boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

fn namespace() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

/// Field 22 of a process's `stat`; a zombie has ended, whatever its parent has yet to hear. `None`: there is none.
fn started(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_an_earlier_one_of_its_number_is_dead() {
        let this = this_process().unwrap();
        assert_eq!(process_liveness(&this), Liveness::Alive);
        assert_eq!(ProcessIdentity::of_line(&this.to_line()), Some(this.clone()));
        let earlier = ProcessIdentity { started: this.started - 1, ..this };
        assert_eq!(process_liveness(&earlier), Liveness::Dead);
    }

    #[test]
    fn a_child_that_was_waited_for_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let identity = ProcessIdentity { pid, started: started(pid).unwrap(), ..this_process().unwrap() };
        assert_eq!(process_liveness(&identity), Liveness::Alive);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(process_liveness(&identity), Liveness::Dead);
    }

    #[test]
    fn nothing_is_known_of_other_boots_and_namespaces() {
        let this = this_process().unwrap();
        let elsewhere = ProcessIdentity { boot: "another".to_owned(), ..this.clone() };
        assert_eq!(process_liveness(&elsewhere), Liveness::Unknown);
        let beside = ProcessIdentity { namespace: "pid:[1]".to_owned(), ..this };
        assert_eq!(process_liveness(&beside), Liveness::Unknown);
    }

    #[test]
    fn a_run_is_told_by_its_variables() {
        let variables = |attempt: &'static str| {
            move |name: &str| match name {
                "GITHUB_ACTIONS" => Some(OsString::from("true")),
                "GITHUB_API_URL" => Some(OsString::from("https://api.example")),
                "GITHUB_REPOSITORY" => Some(OsString::from("acme/monorepo")),
                "GITHUB_RUN_ID" => Some(OsString::from("7")),
                "GITHUB_RUN_ATTEMPT" => Some(OsString::from(attempt)),
                _ => None,
            }
        };
        let first = this_run(&variables("1")).unwrap();
        let second = this_run(&variables("2")).unwrap();
        assert!(is_earlier_attempt(&first, &second) && !is_earlier_attempt(&second, &first));
        assert_eq!(this_run(&|_| None), None);
    }
}
