//! The one table of words by which a process log, or `details`, says why a job failed, how many rows it took, and how far
//! it came.
//!
//! A marker has a source where its words stand in a page of Oracle's, or were seen in a log or in public code that reads
//! such logs (epm-api.md §10). The others are well known, and were found nowhere: a diagnosis that rests on one says so.

use std::sync::LazyLock;

use super::category::Category;
use super::literals::Literals;

/// What stands in a log.
#[derive(Clone, Copy, Debug)]
pub struct Marker {
    /// The words, as they are spelled.
    pub text: &'static str,
    /// Where they were seen; none where they are unverified.
    pub source: Option<&'static str>,
    /// What they mean for whoever asks why, where they do.
    pub why: Option<Category>,
    /// What to do, where more is known than the category tells.
    pub advice: Option<&'static str>,
    /// What else they are.
    pub role: Role,
    /// Whether they stand there only once data was sent to the target.
    pub is_export: bool,
}

/// What a marker is beside a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Words,
    /// The level of a line that tells.
    Level,
    /// A row that was not taken; what that means, in a few words.
    Row(&'static str),
    /// Nothing, and a number stands behind it: it tells only above 0.
    Number,
    /// The number of rows that the import did not take stands behind it.
    Rejected,
    /// The number of rows that the validation did not let through stands behind it.
    Invalid,
    /// The number of rows that were read stands behind it. Where all of them say 0, there was nothing to load.
    Imported,
    /// The number of rows that go to the target stands behind it; the same with 0.
    Exported,
    /// The number of rows that were loaded into the staging table stands behind it.
    Staged,
}

impl Role {
    /// Whether one line alone can say why by it; of the counts of rows all are needed.
    pub(super) fn is_told_by_one_line(self) -> bool {
        !matches!(self, Self::Imported | Self::Exported | Self::Staged)
    }

    /// Whether it is nothing without the number behind it.
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Words | Self::Level | Self::Row(_))
    }
}

impl Marker {
    const fn new(text: &'static str, role: Role) -> Self {
        Self { text, source: None, why: None, advice: None, role, is_export: false }
    }

    const fn says(text: &'static str, why: Category) -> Self {
        Self { why: Some(why), ..Self::new(text, Role::Words) }
    }

    const fn row(text: &'static str, meaning: &'static str, advice: &'static str) -> Self {
        Self { why: Some(Category::RejectedRows), advice: Some(advice), ..Self::new(text, Role::Row(meaning)) }
    }

    const fn count(text: &'static str, role: Role, why: Category) -> Self {
        Self { why: Some(why), ..Self::new(text, role) }
    }

    const fn of(self, why: Category) -> Self {
        Self { why: Some(why), ..self }
    }

    const fn advise(self, advice: &'static str) -> Self {
        Self { advice: Some(advice), ..self }
    }

    const fn seen(self, source: &'static str) -> Self {
        Self { source: Some(source), ..self }
    }

    const fn exported(self) -> Self {
        Self { is_export: true, ..self }
    }

    /// Whether a line that holds it may say why.
    pub fn may_tell(&self) -> bool {
        self.why.is_some() || self.role == Role::Level
    }

    /// What to do where it stands.
    pub(super) fn advice(&self) -> &'static str {
        self.advice.or(self.why.map(Category::advice)).unwrap_or_default()
    }
}

/// The script with which Miller reads such logs after each load (epm-api.md §10.3).
const MILLER: &str = "a public script that reads logs of loads (epm-api.md §10.3, MILLER)";
/// What Essbase writes beside rows that it refuses, as a public tool that sums them up reads it.
const REJECTED: &str = "a public tool that sums up rejected rows of Essbase (epm-api.md §10.3)";
/// <https://john-goodwin.blogspot.com/2017/03>: logs of loads into EPM Cloud.
const GOODWIN: &str = "logs of loads shown at john-goodwin.blogspot.com/2017/03";
/// <https://docs.oracle.com/cd/G47991_01/netag/resolving-most-common-error-messages-oracle-net-services.html>
const NET: &str = "Oracle Net Services, Administrator's Guide, 16.3; not seen in a log of EPM";
/// <https://docs.oracle.com/en/error-help/db/oci-00054>
const OCI: &str = "Oracle Database Error Messages, OCI-00054; not seen in a log of EPM";
/// <https://blog.csdn.net/weixin_30802273/article/details/96795778>
const OERR: &str = "what Oracle's `oerr` says, quoted at blog.csdn.net; not seen in a log of EPM";
/// <https://docs.oracle.com/error-help/db/ora-01034>
const DATABASE: &str = "Oracle Database Error Messages; not seen in a log of EPM";
/// The page `7_tips_and_tricks_troubleshoot_access_issues_epm_automate_insufficient_priv` of Oracle's troubleshooting tips.
const TIPS: &str = "Oracle's tips on EPM Automate, TSEPM; not seen in a log of EPM";
/// `E93514_01`, `tlogprocess_table_reference.html`.
const TLOGPROCESS: &str = "Oracle, reference of the table TLOGPROCESS, E93514-01";

const MEMBERS: &str = "add the members shown to the target application, or map them to members that are there, then run \
    the job again; with an export mode that adds, take the rows out first that were accepted";
const AMOUNTS: &str =
    "correct the amounts of the rows shown in the source, which are no numbers, then run the job again";
const DATABASE_LOGIN: &str = "check the user and the password of the source's connection in Data Integration, and what \
    that user may read, then run the job again";

/// All of them. Where a line holds several, the first that is there tells most.
pub const ALL: [Marker; 63] = [
    Marker::row(
        "[BLANK]",
        "a field is blank",
        "fill the fields of the rows shown in the source, or take out its empty lines, then run the job again",
    )
    .seen(MILLER),
    Marker::row("[NN]", "the amount is no number", AMOUNTS).seen(MILLER),
    Marker::row("[TC]", "the amount cannot be converted", AMOUNTS).seen(MILLER),
    Marker::row(
        "[NULL ACCOUNT VALUE]",
        "the account is missing",
        "fill the account of the rows shown in the source, then run the job again",
    )
    .seen(MILLER),
    Marker::row("[ERROR_INVALID_PERIOD]", "the period is not valid", Category::Period.advice())
        .of(Category::Period)
        .seen(MILLER),
    Marker::row("Error: 3303", "Essbase does not know a member", MEMBERS).seen(MILLER).exported(),
    Marker::row("Not Found In Database", "Essbase does not know a member", MEMBERS).seen(REJECTED).exported(),
    Marker::row("The member ", "Planning does not take a member", MEMBERS).seen(MILLER).exported(),
    Marker::says("EPMFDM-140274", Category::Mapping).seen("a public script that repairs such rows (epm-api.md §10.2)"),
    Marker::says("EPMFDM-140149", Category::InvalidName).seen("the tests of a public client (epm-api.md §10.1)"),
    Marker::says("Invalid Integration Name", Category::InvalidName)
        .seen("the tests of a public client (epm-api.md §10.1)"),
    Marker::says("Exception while applying", Category::Mapping)
        .seen("a public script that repairs such rows (epm-api.md §10.2)"),
    Marker::says("Insufficient Privileges", Category::Permission).seen(TIPS),
    Marker::says("User does not exist for this application", Category::Permission).seen(TIPS),
    Marker::says("ORA-01017", Category::Permission)
        .advise(DATABASE_LOGIN)
        .seen("traces at github.com/darold/ora2pg/issues/136; not seen in a log of EPM"),
    Marker::says("ORA-01031", Category::Permission).advise(DATABASE_LOGIN).seen(OERR),
    Marker::says("UnknownHostException", Category::Connectivity).seen("Java SE API; not seen in a log of EPM"),
    Marker::says("ORA-12541", Category::Connectivity).seen(NET),
    Marker::says("ORA-12170", Category::Connectivity).seen(NET),
    Marker::says("ORA-12514", Category::Connectivity).seen(NET),
    Marker::says("ORA-12505", Category::Connectivity).seen(NET),
    Marker::says("ORA-12154", Category::Connectivity).seen(NET),
    Marker::says("ORA-03113", Category::Connectivity).seen(NET),
    Marker::says("ORA-01034", Category::Service).seen(DATABASE),
    Marker::says("Administrator Has Temporarily Disabled User Commands", Category::Locked)
        .seen("Oracle, Essbase Error Message Reference, 1013000 to 1013999; not seen in a log of EPM"),
    Marker::says("ORA-00054", Category::Locked).seen(OCI),
    Marker::says("cannot import, validate, export", Category::Locked)
        .seen("Oracle's REST API, fdmee_lock_unlock.html: what a lock does; not seen in a log"),
    Marker::says("until all dimensions are properly mapped", Category::Mapping)
        .seen("Oracle, FDMEE Administrator's Guide, Validating Source Data; not seen in a log"),
    Marker::says("Map Calc Err", Category::Mapping).seen(TLOGPROCESS),
    Marker::count("Error= ", Role::Number, Category::Mapping).seen(TLOGPROCESS),
    Marker::says("unmapped dimensions", Category::Mapping),
    Marker::count("Rows Marked as Invalid", Role::Invalid, Category::Mapping),
    Marker::count("Rows Rejected", Role::Rejected, Category::RejectedRows),
    Marker::says("No Records Imported", Category::NoData),
    Marker::says("FileNotFoundException", Category::FileMissing),
    Marker::says("NoSuchFileException", Category::FileMissing),
    Marker::says("Unable to find file", Category::FileMissing),
    Marker::says("No such file or directory", Category::FileMissing),
    Marker::says("Insufficient privileges", Category::Permission),
    Marker::says("insufficient privileges", Category::Permission),
    Marker::says("You are not authorized", Category::Permission),
    Marker::says("(Permission denied)", Category::Permission),
    Marker::says("ConnectException", Category::Connectivity),
    Marker::says("Connection refused", Category::Connectivity),
    Marker::says("Connection reset", Category::Connectivity),
    Marker::says("Connection timed out", Category::Connectivity),
    Marker::says("SocketTimeout", Category::Connectivity),
    Marker::says("NoRouteToHost", Category::Connectivity),
    Marker::says("Service Unavailable", Category::Service),
    Marker::says("Internal Server Error", Category::Service),
    Marker::says("Bad Gateway", Category::Service),
    Marker::says("POV is locked", Category::Locked),
    Marker::says("No period mapping", Category::Period),
    Marker::says("Invalid Period", Category::Period),
    Marker::count("Data Rows Imported from Source", Role::Imported, Category::NoData),
    Marker::count("Data Rows Available for Export to Target", Role::Exported, Category::NoData),
    // The blog shows the line as an image, and names it in the text: its exact spelling is a guess.
    Marker::count("Rows Loaded", Role::Staged, Category::NoData),
    Marker::new("Loading data into cube using data file", Role::Words).seen(GOODWIN).exported(),
    Marker::new("The data has been loaded by the rule file", Role::Words).seen(GOODWIN).exported(),
    Marker::new("Outline data store load process", Role::Words).exported(),
    Marker::new("FATAL ", Role::Level).seen(MILLER),
    Marker::new("ERROR ", Role::Level).seen(MILLER),
    Marker::new("WARN ", Role::Level).seen(MILLER),
];

/// Looks for all of them, each by its place in the table.
pub(crate) static WORDS: LazyLock<Literals> = LazyLock::new(|| Literals::new(ALL.iter().map(|marker| marker.text)));

/// The length of the longest of them, in bytes.
pub const LONGEST: usize = longest();

const fn longest() -> usize {
    let (mut at, mut longest) = (0, 0);
    while at < ALL.len() {
        if ALL[at].text.len() > longest {
            longest = ALL[at].text.len();
        }
        at += 1;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_marker_stands_twice_and_each_is_long_enough_to_be_found() {
        let mut texts: Vec<&str> = ALL.iter().map(|marker| marker.text).collect();
        assert!(texts.iter().all(|text| text.len() >= super::super::literals::SHORTEST && !text.contains('\n')));
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), ALL.len());
    }

    #[test]
    fn every_category_that_a_text_can_tell_has_a_marker() {
        let silent = [Category::Cancelled, Category::Unclassified];
        for category in Category::ALL {
            let has = ALL.iter().any(|marker| marker.why == Some(category));
            assert_eq!(has, !silent.contains(&category), "{}", category.word());
        }
    }
}
