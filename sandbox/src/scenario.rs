//! What the sandbox is to play.

mod error;
mod identity;
mod inbox;
mod job;
mod maintenance;
mod pipeline;
mod reply;
mod shipped;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::clock::Clock;
use crate::fault::Reception;
pub use error::Error;
pub(crate) use identity::{Audience, Consent, IdentityScript};
pub(crate) use inbox::{Break, InboxScript};
pub(crate) use job::{JobName, JobScript, Separator};
pub(crate) use maintenance::{Begins, MaintenanceScript};
pub(crate) use pipeline::{PipelineScript, StepScript};
pub(crate) use reply::{Changes, HeaderText, Reply, Says};

/// What the sandbox answers, per job name. The README of the sandbox has the grammar.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    #[serde(default)]
    about: String,
    #[serde(default)]
    pub(crate) connections: Vec<Reception>,
    #[serde(default)]
    pub(crate) look: Look,
    #[serde(default)]
    pub(crate) clock: Clock,
    #[serde(default)]
    pub(crate) maintenance: MaintenanceScript,
    #[serde(default)]
    pub(crate) inbox: InboxScript,
    #[serde(default)]
    pub(crate) identity: IdentityScript,
    #[serde(default, rename = "job", deserialize_with = "each")]
    pub(crate) jobs: Vec<JobScript>,
}

/// What the look at `/aif/rest/` is answered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Look {
    #[serde(default, deserialize_with = "of_no_job")]
    pub(crate) replies: Vec<Reply>,
}

/// What is about no job has replies with none of an envelope's keys.
fn of_no_job<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Reply>, D::Error> {
    let replies: Vec<Reply> = each(from)?;
    if replies.iter().any(|reply| matches!(reply.says, Says::Envelope(_))) {
        let why = "`status` and the other keys of an envelope belong to a job: this is about none";
        return Err(serde::de::Error::custom(why));
    }
    Ok(replies)
}

/// One of a list. `toml` tells a mistake with the place of the nearest newtype; of a plain list, it would be where
/// the list begins.
#[derive(Deserialize)]
struct Element<T>(T);

fn each<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let elements = Vec::<Element<T>>::deserialize(from)?;
    Ok(elements.into_iter().map(|Element(element)| element).collect())
}

/// A duration as people write it.
fn duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let parsed = humantime::parse_duration(&text);
    parsed.map_err(|_| serde::de::Error::custom(format!("`{text}` is no duration: write `300ms`, `2s`, `1m`")))
}

impl Scenario {
    /// Reads a scenario from its TOML text.
    ///
    /// # Errors
    /// Where the text is no scenario; the source names line and key.
    pub fn parse(toml: &str) -> Result<Self, Error> {
        Self::parse_from("TOML text", toml)
    }

    /// One of the scenarios that come with the sandbox.
    ///
    /// # Errors
    /// Where none has that name.
    pub fn shipped(name: &str) -> Result<Self, Error> {
        let (name, toml) = shipped::ALL
            .iter()
            .find(|(shipped, _)| *shipped == name)
            .ok_or_else(|| Error::Unknown { name: name.into() })?;
        Self::parse_from(name, toml)
    }

    /// The names of the scenarios that come with the sandbox, sorted.
    #[must_use]
    pub fn shipped_names() -> Vec<&'static str> {
        shipped::ALL.iter().map(|(name, _)| *name).collect()
    }

    /// A shipped scenario's name, or else a file.
    ///
    /// # Errors
    /// Where it is neither, or the file is no scenario.
    pub fn load(name_or_file: &str) -> Result<Self, Error> {
        let path = Path::new(name_or_file);
        match Self::shipped(name_or_file) {
            Err(Error::Unknown { .. }) if path.exists() => Self::read(path),
            shipped_or_not => shipped_or_not,
        }
    }

    /// The default: a job named as a shipped scenario plays it (`FAILS_WITH_DETAILS` plays `fails-with-details`),
    /// any other plays `succeeds`.
    ///
    /// # Errors
    /// None, as long as the shipped scenarios parse, which their tests see to.
    pub fn catalogue() -> Result<Self, Error> {
        let mut catalogue = Self {
            about: "each shipped scenario under its own name as the job's, `succeeds` under any other".into(),
            connections: Vec::new(),
            look: Look::default(),
            clock: Clock::default(),
            maintenance: MaintenanceScript::default(),
            inbox: InboxScript::default(),
            identity: IdentityScript::default(),
            jobs: Vec::new(),
        };
        for name in Self::shipped_names() {
            catalogue.play(&Self::shipped(name)?, &JobName::Kebab(name.into()));
        }
        catalogue.play(&Self::shipped("succeeds")?, &JobName::Any);
        Ok(catalogue)
    }

    /// What the scenario shows, in a sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
        Self::parse_from(&path.display().to_string(), &text)
    }

    fn parse_from(origin: &str, toml: &str) -> Result<Self, Error> {
        let scenario: Self =
            toml::from_str(toml).map_err(|source| Error::Malformed { origin: origin.into(), source })?;
        let mut seen = HashSet::new();
        let mut ids = scenario.jobs.iter().filter_map(|job| job.id);
        match ids.find(|id| !seen.insert(*id)) {
            Some(id) => Err(Error::IdTwice { origin: origin.into(), id }),
            None => Ok(scenario),
        }
    }

    /// Takes another scenario's jobs in under a name; their ids would collide, so they lose them.
    fn play(&mut self, other: &Self, name: &JobName) {
        self.jobs.extend(other.jobs.iter().map(|job| JobScript {
            name: name.clone(),
            id: None,
            exists: false,
            ..job.clone()
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::{Error, Scenario};

    #[test]
    fn every_shipped_scenario_parses_and_says_what_it_is_about() {
        for name in Scenario::shipped_names() {
            let scenario = Scenario::shipped(name).unwrap_or_else(|error| panic!("{name}: {:?}", error.source()));
            assert!(scenario.about().ends_with('.'), "{name}");
        }
        assert!(Scenario::shipped_names().is_sorted());
    }

    #[test]
    fn the_catalogue_holds_each_of_them_without_their_old_jobs() {
        let catalogue = Scenario::catalogue().unwrap();
        for name in Scenario::shipped_names() {
            let job = name.to_uppercase().replace('-', "_");
            assert!(catalogue.jobs.iter().any(|script| script.name.fits(&job) && script.name.spelled().is_some()));
        }
        assert!(catalogue.jobs.iter().all(|script| !script.exists && script.id.is_none()));
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_key() {
        for (toml, names) in [
            ("about = 'x'\n\n[[job]]\nsumbit = []\n", ["line 4", "`sumbit`"]),
            ("[[job]]\npolls = [\n  {status = 0},\n  {times = 0},\n]\n", ["line 4", "`times = 0`"]),
            ("[[job]]\n[[job]]\nexists = true\n", ["line 2", "`exists = true`"]),
            ("[look]\nreplies = [{page = 'lost'}]\n", ["line 2", "`lost`"]),
            ("[look]\nreplies = [{status = 0}]\n", ["line 2", "`status`"]),
            ("[identity]\nreplies = [{details = 'x'}]\n", ["line 2", "`status`"]),
            ("[identity]\naccess_lasts = 'long'\n", ["line 2", "`long`"]),
            ("[identity]\ndevice = ['sure']\n", ["line 2", "`sure`"]),
            ("[maintenance]\nhour = '22:00'\nin = '1h'\n", ["line 1", "`in`"]),
            ("[inbox]\nbreaks = [{after = 0, by = 'reset'}]\n", ["line 2", "`after = 0`"]),
            ("[inbox]\nupload = [{times = 0}]\n", ["line 2", "`times = 0`"]),
            ("clock = 'late'\n", ["line 1", "`clock = "]),
            ("connections = [\n'shut']\n", ["line 2", "`shut`"]),
            ("about = \n", ["line 1", "about"]),
        ] {
            let cause = Scenario::parse(toml).unwrap_err().source().unwrap().to_string();
            assert!(names.iter().all(|name| cause.contains(name)), "{toml}\n{cause}");
        }
    }

    #[test]
    fn the_readme_shows_a_scenario_that_parses() {
        let readme = include_str!("../README.md");
        let toml = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert_eq!(Scenario::parse(toml).unwrap().jobs.len(), 1);
    }

    #[test]
    fn an_unknown_name_lists_the_right_ones() {
        let error = Scenario::load("suceeds").unwrap_err();
        assert!(matches!(error, Error::Unknown { .. }));
        assert!(error.to_string().contains("`suceeds`") && error.to_string().contains(" succeeds,"), "{error}");
    }

    #[test]
    fn two_scripts_cannot_have_one_id() {
        let error = Scenario::parse("[[job]]\nid = 7\n[[job]]\nid = 7\n").unwrap_err();
        assert!(error.to_string().contains("`id = 7`"), "{error}");
    }
}
