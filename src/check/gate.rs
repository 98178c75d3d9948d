//! Whether a release may come into an environment now: every gate that is closed, with what opens it.

use std::fmt;

/// What is true of one release and one environment at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateFacts {
    /// Seconds since 1970 (UTC).
    pub now: i64,
    /// Why everything that would move it is stopped, where it is.
    pub halted: Option<String>,
    /// Why the environment waits for a person, where it does.
    pub locked: Option<String>,
    /// Why this release does not come back by itself, where it does not.
    pub held: Option<String>,
    /// Why it shall run nowhere, where it is withdrawn.
    pub withdrawn: Option<String>,
    /// The environment that it must have passed, where there is one.
    pub after: Option<After>,
    /// How many persons must approve, and who has.
    pub approvals_needed: u32,
    pub approved_by: Vec<String>,
    pub window: Window,
    pub order: Order,
    /// What runs there though the ledger says another thing.
    pub drift: Option<String>,
    /// Why a failure could not go back, where it could not.
    pub no_return: Option<String>,
}

/// The environment before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub environment: String,
    /// Since when the same bytes are verified there; none where they are not.
    pub verified: Option<i64>,
    /// How long they must have been, in seconds.
    pub soak: u64,
}

/// The windows of an environment, asked about this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Window {
    #[default]
    Open,
    /// Why, and when the next one opens, seconds since 1970 (UTC); none where none does within weeks.
    Closed { because: String, opens: Option<i64> },
}

/// How a release's commit stands to the one that runs, by git's ancestry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Nothing runs, or the new one holds what runs, or they are on different lines.
    #[default]
    Forward,
    /// What runs was built on this release.
    Backward,
    /// A commit is not in this clone.
    Unknown,
}

/// A gate by name, as `--override` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    Halt,
    Lock,
    Hold,
    Withdrawn,
    After,
    Soak,
    Approvals,
    Window,
    Order,
    Drift,
    Return,
}

impl Gate {
    pub const ALL: [Gate; 11] = [
        Gate::Halt,
        Gate::Lock,
        Gate::Hold,
        Gate::Withdrawn,
        Gate::After,
        Gate::Soak,
        Gate::Approvals,
        Gate::Window,
        Gate::Order,
        Gate::Drift,
        Gate::Return,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Gate::Halt => "halt",
            Gate::Lock => "lock",
            Gate::Hold => "hold",
            Gate::Withdrawn => "withdrawn",
            Gate::After => "after",
            Gate::Soak => "soak",
            Gate::Approvals => "approvals",
            Gate::Window => "window",
            Gate::Order => "order",
            Gate::Drift => "drift",
            Gate::Return => "return",
        }
    }

    /// Whether a person may go past it with a reason. What another person ordered is taken back, not gone past.
    pub fn can_be_passed(self) -> bool {
        !matches!(self, Gate::Halt | Gate::Lock | Gate::Hold | Gate::Withdrawn)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A gate that does not let a release through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub gate: Gate,
    pub reason: String,
    /// When it opens by itself, seconds since 1970 (UTC), where that is known.
    pub until: Option<i64>,
}

/// The gates that are closed for a deployment or a promotion.
pub fn closed(facts: &GateFacts) -> Vec<Closed> {
    let shut = |gate: Gate, reason: String| Closed { gate, reason, until: None };
    let mut closed = ordered(facts);
    if let Some(after) = &facts.after {
        match after.verified {
            None => closed.push(shut(Gate::After, format!("it is not verified in {}", after.environment))),
            Some(since) => closed.extend(soaking(facts.now, since, after)),
        }
    }
    let given = facts.approved_by.len();
    if given < facts.approvals_needed as usize {
        let reason = format!("{given} of {} approvals are given", facts.approvals_needed);
        closed.push(shut(Gate::Approvals, reason));
    }
    closed.extend(outside_of_windows(facts));
    match facts.order {
        Order::Forward => {}
        Order::Backward => {
            let reason = "what runs there is newer and was built on it; going back is `release rollback`";
            closed.push(shut(Gate::Order, reason.to_owned()));
        }
        Order::Unknown => {
            let reason = "its commit, or that of what runs there, is not in this clone: `git fetch --unshallow --tags`";
            closed.push(shut(Gate::Order, reason.to_owned()));
        }
    }
    if let Some(reason) = &facts.no_return {
        closed.push(shut(Gate::Return, format!("a failure could not go back: {reason}")));
    }
    closed.extend(facts.drift.clone().map(|reason| shut(Gate::Drift, reason)));
    closed
}

/// The gates that are closed for a way back: what a person ordered, and windows that say so.
pub fn closed_for_return(facts: &GateFacts) -> Vec<Closed> {
    let mut closed = Vec::new();
    closed.extend(facts.locked.clone().map(|reason| Closed { gate: Gate::Lock, reason, until: None }));
    closed.extend(facts.withdrawn.clone().map(|reason| Closed {
        gate: Gate::Withdrawn,
        reason,
        until: None,
    }));
    closed.extend(outside_of_windows(facts));
    closed.extend(facts.no_return.clone().map(|reason| Closed { gate: Gate::Return, reason, until: None }));
    closed.extend(facts.drift.clone().map(|reason| Closed { gate: Gate::Drift, reason, until: None }));
    closed
}

fn outside_of_windows(facts: &GateFacts) -> Option<Closed> {
    match &facts.window {
        Window::Open => None,
        Window::Closed { because, opens } => {
            Some(Closed { gate: Gate::Window, reason: because.clone(), until: *opens })
        }
    }
}

/// What persons ordered.
fn ordered(facts: &GateFacts) -> Vec<Closed> {
    let orders = [
        (Gate::Halt, &facts.halted),
        (Gate::Lock, &facts.locked),
        (Gate::Withdrawn, &facts.withdrawn),
        (Gate::Hold, &facts.held),
    ];
    let shut =
        |(gate, reason): (Gate, &Option<String>)| Some(Closed { gate, reason: reason.clone()?, until: None });
    orders.into_iter().filter_map(shut).collect()
}

fn soaking(now: i64, since: i64, after: &After) -> Option<Closed> {
    let until = since.saturating_add(i64::try_from(after.soak).unwrap_or(i64::MAX));
    (now < until).then(|| Closed {
        gate: Gate::Soak,
        reason: format!("it has not stood verified in {} long enough", after.environment),
        until: Some(until),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> GateFacts {
        GateFacts { now: 1_000, ..GateFacts::default() }
    }

    #[track_caller]
    fn check(facts: &GateFacts, expected: &[Gate]) {
        let found: Vec<Gate> = closed(facts).into_iter().map(|closed| closed.gate).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_is_closed_where_nothing_is_asked() {
        check(&facts(), &[]);
    }

    #[test]
    fn a_soak_ends_to_the_second() {
        let after = |verified| Some(After { environment: "staging".to_owned(), verified, soak: 600 });
        check(&GateFacts { after: after(None), ..facts() }, &[Gate::After]);
        check(&GateFacts { after: after(Some(401)), ..facts() }, &[Gate::Soak]);
        check(&GateFacts { after: after(Some(400)), ..facts() }, &[]);
        let until = closed(&GateFacts { after: after(Some(401)), ..facts() })[0].until;
        assert_eq!(until, Some(1_001));
    }

    #[test]
    fn all_closed_gates_are_told_at_once_orders_first() {
        let all = GateFacts {
            halted: Some("fire".to_owned()),
            held: Some("crashed".to_owned()),
            approvals_needed: 2,
            approved_by: vec!["a".to_owned()],
            window: Window::Closed { because: "night".to_owned(), opens: Some(5) },
            order: Order::Backward,
            ..facts()
        };
        check(&all, &[Gate::Halt, Gate::Hold, Gate::Approvals, Gate::Window, Gate::Order]);
    }

    #[test]
    fn a_way_back_is_stopped_by_no_halt_hold_or_approval() {
        let facts = GateFacts {
            halted: Some("fire".to_owned()),
            held: Some("crashed".to_owned()),
            approvals_needed: 2,
            order: Order::Backward,
            ..facts()
        };
        assert_eq!(closed_for_return(&facts), []);
        let locked = GateFacts { locked: Some("look".to_owned()), ..facts };
        assert_eq!(closed_for_return(&locked)[0].gate, Gate::Lock);
    }

    #[test]
    fn what_a_person_ordered_is_taken_back_not_gone_past() {
        let fixed: Vec<&str> =
            Gate::ALL.into_iter().filter(|gate| !gate.can_be_passed()).map(Gate::name).collect();
        assert_eq!(fixed, ["halt", "lock", "hold", "withdrawn"]);
    }
}
