//! What a file of EPM's is called on this machine: a name that leads nowhere else, on any system.

use std::collections::HashSet;

use crate::job::JobId;

/// The most that a name takes, in bytes: systems have room for 255, and what is put before and behind it takes some.
const LONGEST: usize = 200;

/// The most of it that counts as its extension, which is kept when a name is cut.
const LONGEST_EXTENSION: usize = 20;

/// What Windows has no room for in a name ("Naming Files, Paths, and Namespaces", learn.microsoft.com).
const FORBIDDEN: [char; 9] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*'];

/// The devices of Windows, which these names lead to whatever their extension (the same page); digits follow the last two.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];

/// The last part of what EPM calls a file, as a name that means the same on every system.
pub(super) fn on_disk(name: &str) -> String {
    let last = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let clean = |char: char| if char.is_control() || FORBIDDEN.contains(&char) { '_' } else { char };
    let clean: String = last.chars().map(clean).collect();
    let clean = fit(clean.trim());
    // A dot hides a file, and a dash makes it a flag.
    let clean = match clean.chars().next() {
        Some('.' | '-' | '~') => format!("_{}", &clean[1..]),
        _ => clean,
    };
    // Windows drops these at the end.
    let clean = clean.trim_end_matches(['.', ' ']);
    if clean.is_empty() || is_device(clean) { format!("_{clean}") } else { clean.to_owned() }
}

/// The name within the longest that there is room for, its extension kept.
fn fit(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let extension = name.rfind('.').map(|at| &name[at..]).filter(|extension| extension.len() <= LONGEST_EXTENSION);
    let extension = extension.unwrap_or_default();
    let stem = &name[..name.floor_char_boundary(LONGEST - extension.len())];
    format!("{}{extension}", stem.trim_end_matches(['.', ' ']))
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let is_number = |rest: &str| matches!(rest, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³");
    DEVICES.contains(&stem.as_str())
        || NUMBERED_DEVICES.iter().any(|device| stem.strip_prefix(device).is_some_and(is_number))
}

/// The names in a folder that are this process's, as a system knows them that does not tell upper case from lower.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Keeps these free for what else is written or read there.
    pub(super) fn of_others<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_lowercase).collect())
    }

    /// A name that is nobody's yet, made from what EPM calls a file of this job.
    pub(super) fn take(&mut self, name: &str, id: JobId) -> String {
        let plain = on_disk(name);
        if !self.is_free(&plain) {
            return self.take_with_id(name, id);
        }
        self.0.extend(with_part(&plain));
        plain
    }

    /// A name that is nobody's yet, with the job's id in front.
    pub(super) fn take_with_id(&mut self, name: &str, id: JobId) -> String {
        let plain = on_disk(name);
        let others = (2..).map(|number| format!("{id}-{number}-{plain}"));
        let free = std::iter::once(format!("{id}-{plain}")).chain(others).find(|name| self.is_free(name));
        let name = free.unwrap_or(plain);
        self.0.extend(with_part(&name));
        name
    }

    /// Gives the plain name of a file back.
    pub(super) fn give_back(&mut self, name: &str) {
        for name in with_part(&on_disk(name)) {
            self.0.remove(&name);
        }
    }

    fn is_free(&self, name: &str) -> bool {
        with_part(name).iter().all(|name| !self.0.contains(name))
    }
}

/// The name, and that of the file while it comes in.
fn with_part(name: &str) -> [String; 2] {
    let name = name.to_lowercase();
    [format!("{name}.part"), name]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, expected) in [
            ("outbox/logs/X_1881.log", "X_1881.log"),
            ("\\outbox\\logs\\BATCH1_7595.log", "BATCH1_7595.log"),
            ("/u03/inbox/outbox/logs/Vision_271.log", "Vision_271.log"),
            ("outbox/é space.csv", "é space.csv"),
            ("../../x", "x"),
            ("..\\..\\x", "x"),
            ("C:\\x", "x"),
            ("C:x", "C_x"),
            ("a:b:$DATA", "a_b_$DATA"),
            ("", "_"),
            (".", "_"),
            ("..", "_"),
            ("outbox/", "_"),
            ("...", "_"),
            ("NUL", "_NUL"),
            ("nul.txt", "_nul.txt"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("LPT³", "_LPT³"),
            ("CON .log", "_CON .log"),
            ("COM10", "COM10"),
            ("console.log", "console.log"),
            ("-rf", "_rf"),
            ("~root", "_root"),
            (".bashrc", "_bashrc"),
            ("x. . ", "x"),
            ("a\nb\tc\0d", "a_b_c_d"),
            ("what?*<>|\".log", "what______.log"),
        ] {
            assert_eq!(on_disk(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_and_keeps_its_extension() {
        let name = on_disk(&format!("{}.csv", "é".repeat(2048)));
        assert_eq!(name, format!("{}.csv", "é".repeat(98)));
        assert_eq!(on_disk(&"x".repeat(4096)), "x".repeat(200));
        assert_eq!(on_disk(&format!("a.{}", "x".repeat(4096))).len(), 200);
        assert_eq!(on_disk(&format!("{}.yyyy.csv", "x".repeat(195))), format!("{}.csv", "x".repeat(195)));
    }

    #[test]
    fn no_two_files_share_a_name() {
        let mut names = Names::of_others(["report.json"]);
        let [one, two] = [7, 8].map(|id| JobId::new(id).unwrap());
        assert_eq!(names.take("outbox/x.log", one), "x.log");
        assert_eq!(names.take("outbox/X.LOG", one), "7-X.LOG");
        assert_eq!(names.take("x.log", two), "8-x.log");
        assert_eq!(names.take("x.log", two), "8-2-x.log");
        assert_eq!(names.take("x.log", two), "8-3-x.log");
        assert_eq!(names.take("x.log.part", two), "8-4-x.log.part");
        assert_eq!(names.take("y.part", one), "y.part");
        assert_eq!(names.take("y", one), "7-y");
        assert_eq!(names.take("Report.JSON", one), "7-Report.JSON");
    }

    proptest! {
        #[test]
        fn whatever_a_file_is_called_its_name_is_one_of_the_folder(name in "(\\PC|[./\\\\:~ -]|\\s){0,300}") {
            let name = on_disk(&name);
            let path = Path::new("dir").join(&name);
            prop_assert_eq!(path.parent(), Some(Path::new("dir")));
            prop_assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(name.as_str()));
            prop_assert!(name.len() <= LONGEST + 1 && !name.contains(FORBIDDEN) && !name.contains(char::is_control));
            prop_assert!(!name.starts_with(['.', '-', '~', ' ']) && !name.ends_with(['.', ' ']), "{}", name);
            prop_assert_eq!(on_disk(&name), name);
        }
    }
}
