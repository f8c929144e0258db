//! Why windows are lost, and how many were.

/// Why a sealed window will not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The receiver would never have taken it.
    Refused,
    /// Too many, or too many bytes, were waiting.
    Overflowed,
    /// It waited for too long.
    Expired,
    /// The program ended.
    Unshipped,
    /// A file of the spool was not a whole report.
    SetAside,
    /// Reporting was switched off while the program ran.
    Withdrawn,
    /// An event of a kind, or with something given, that is not declared.
    Undeclared,
    /// Not of windows: a metric that no report declares, where events are all that can tell of it.
    UndeclaredMetric,
    /// Not of windows: a value that could not be kept, likewise.
    RefusedValue,
}

impl Reason {
    const ALL: [Reason; 9] = [
        Reason::Refused,
        Reason::Overflowed,
        Reason::Expired,
        Reason::Unshipped,
        Reason::SetAside,
        Reason::Withdrawn,
        Reason::Undeclared,
        Reason::UndeclaredMetric,
        Reason::RefusedValue,
    ];

    /// The name in a report's losses and in the status.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::Refused => "reports_refused",
            Reason::Overflowed => "reports_overflowed",
            Reason::Expired => "reports_expired",
            Reason::Unshipped => "reports_unshipped",
            Reason::SetAside => "reports_set_aside",
            Reason::Withdrawn => "reports_withdrawn",
            Reason::Undeclared => "undeclared_events",
            Reason::UndeclaredMetric => "undeclared_metrics",
            Reason::RefusedValue => "refused_values",
        }
    }

    /// What is said to whoever waits for the report.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Reason::Refused => "it was refused for good",
            Reason::Overflowed => "too many were waiting",
            Reason::Expired => "it waited for too long",
            Reason::Unshipped => "the program ended",
            Reason::SetAside => "its file was not whole",
            Reason::Withdrawn => "reporting was switched off",
            Reason::Undeclared | Reason::UndeclaredMetric => "it is not declared",
            Reason::RefusedValue => "it could not be kept",
        }
    }
}

/// How many windows were lost, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses([u64; Reason::ALL.len()]);

impl Losses {
    /// As many as can be counted, of each that events have.
    pub(crate) const LARGEST_OF_EVENTS: Losses = Losses([u64::MAX; Reason::ALL.len()]);
    /// The same of each that reports have.
    pub(crate) const LARGEST: Losses = {
        let mut losses = Losses::LARGEST_OF_EVENTS;
        losses.0[Reason::Undeclared as usize] = 0;
        losses.0[Reason::UndeclaredMetric as usize] = 0;
        losses.0[Reason::RefusedValue as usize] = 0;
        losses
    };

    /// Those of metrics, which events tell of where no report does.
    pub(crate) fn of_metrics(undeclared: u64, refused: u64) -> Losses {
        let mut losses = Losses::default();
        losses.add(Reason::UndeclaredMetric, undeclared);
        losses.add(Reason::RefusedValue, refused);
        losses
    }

    pub(crate) fn add(&mut self, reason: Reason, windows: u64) {
        let count = &mut self.0[reason as usize];
        *count = count.saturating_add(windows);
    }

    pub(crate) fn merge(&mut self, other: &Losses) {
        Reason::ALL.into_iter().for_each(|reason| self.add(reason, other.0[reason as usize]));
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// The reasons that there were.
    pub(crate) fn by_reason(&self) -> Vec<(&'static str, u64)> {
        let all = Reason::ALL.into_iter().map(|reason| (reason.name(), self.0[reason as usize]));
        all.filter(|(_, count)| *count > 0).collect()
    }
}
