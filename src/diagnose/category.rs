//! The kinds of reasons (spec §6), in the order in which they win.

/// A kind of reason. The words are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// No integration, rule or pipeline has that name.
    InvalidName,
    /// The file to load is not there.
    FileMissing,
    /// The user may not do that.
    Permission,
    /// A source or a target cannot be reached.
    Connectivity,
    /// A service that the job needs is down, or had a fault.
    Service,
    /// The POV, the application or a rule file is locked.
    Locked,
    /// The period has no mapping, or is not open.
    Period,
    /// Members have no mapping.
    Mapping,
    /// Rows were not taken.
    RejectedRows,
    /// There was nothing to load.
    NoData,
    /// Somebody cancelled it.
    Cancelled,
    /// Nothing tells.
    Unclassified,
}

impl Category {
    /// All of them, in the order in which they win.
    pub const ALL: [Self; 12] = [
        Self::InvalidName,
        Self::FileMissing,
        Self::Permission,
        Self::Connectivity,
        Self::Service,
        Self::Locked,
        Self::Period,
        Self::Mapping,
        Self::RejectedRows,
        Self::NoData,
        Self::Cancelled,
        Self::Unclassified,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::InvalidName => "invalid-name",
            Self::FileMissing => "file-missing",
            Self::Permission => "permission",
            Self::Connectivity => "connectivity",
            Self::Service => "service",
            Self::Locked => "locked",
            Self::Period => "period",
            Self::Mapping => "mapping",
            Self::RejectedRows => "rejected-rows",
            Self::NoData => "no-data",
            Self::Cancelled => "cancelled",
            Self::Unclassified => "unclassified",
        }
    }

    /// The category that a word means.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.word() == word)
    }

    /// Whether what causes it passes by itself, as a rule.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Connectivity | Self::Service | Self::Locked)
    }
}
