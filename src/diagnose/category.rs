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

    /// What to do about it, where nothing closer is known: one sentence, without a full stop.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::InvalidName => {
                "compare type and name of the job with those in Data Integration, letter by letter (a pipeline goes by its \
                 code), correct them in the pipeline, then run it again"
            }
            Self::FileMissing => {
                "look for the file in the inbox, compare its name with the one that was sent, letter by letter (`inbox/` \
                 and `#epminbox/` are different places), bring it there, then run the job again"
            }
            Self::Permission => {
                "ask a service administrator whether the job's user still has its role in EPM and access to the \
                 application and the location, then run the job again"
            }
            Self::Connectivity => {
                "check that the host in the line is up, and that EPM can reach it with the connection's settings in Data \
                 Integration, then run the job again"
            }
            Self::Service => {
                "check whether the service in the line is up and whether EPM's daily maintenance is on, wait until it \
                 answers, then run the job again"
            }
            Self::Locked => {
                "find out in EPM who holds the lock on the POV, the application or the cube, wait for the end of that load \
                 or have it unlocked, then run the job again"
            }
            Self::Period => {
                "open the period mapping in Data Integration, add the period or correct the one that was sent, then run \
                 the job again"
            }
            Self::Mapping => {
                "open the integration's workbench in Data Integration, look for rows that are not valid, add the mappings \
                 of their members, then run the job again"
            }
            Self::RejectedRows => {
                "correct the rows shown in the source, or what they need in the target, then run the job again; with an \
                 export mode that adds, take the rows out first that were accepted"
            }
            Self::NoData => {
                "check that the source holds rows for this period and these filters, and that the file is the new one, \
                 then run the job again"
            }
            Self::Cancelled => "ask who cancelled the job in EPM, and why, then run it again",
            Self::Unclassified => {
                "open the job's log in EPM (Data Integration, Process Details), look at the first error and at the lines \
                 above it, mend the cause, then run the job again"
            }
        }
    }

    /// Whether what causes it passes by itself, as a rule.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Connectivity | Self::Service | Self::Locked)
    }
}
