//! What can be wrong with a scenario.

use std::path::PathBuf;

use super::Scenario;

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a shipped scenario nor a file.
    #[error("`{name}` is neither a shipped scenario nor a file; shipped are: {}", Scenario::shipped_names().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file is there, but cannot be read.
    #[error("the scenario `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The text is no scenario; the cause names line and key.
    #[error("the scenario `{origin}` is wrong")]
    Malformed {
        /// The file or name it came from.
        origin: String,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Two jobs that are there from the start have one id.
    #[error("the scenario `{origin}` is wrong: two `[[job]]` have `id = {id}`")]
    IdTwice {
        /// The file or name it came from.
        origin: String,
        /// The id.
        id: u64,
    },
}
