//! Which platform the gate runs on: what it tells of its run, and the grammar of what it is told.

pub mod azure;
pub mod context;
pub mod dotenv;
pub mod files;
pub mod github;
pub mod gitlab;
mod outputs;
#[cfg(test)]
mod renderings;
pub mod run;
mod sink;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::job::JobId;
use crate::report::{Report, attestation, html, json, junit};

pub use outputs::{Outputs, hold};
pub use sink::Error;

/// A CI platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure DevOps.
    Azure,
    /// Jenkins.
    Jenkins,
    /// None of these.
    #[default]
    None,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Github, Self::Gitlab, Self::Azure, Self::Jenkins, Self::None];

    /// The word of `--ci`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
            Self::Jenkins => "jenkins",
            Self::None => "none",
        }
    }

    /// The platform whose variables are set, in the order of ci-contracts.md §6. `variable` gives what is set.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_true = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_true("GITHUB_ACTIONS") {
            Self::Github
        } else if is_true("GITLAB_CI") {
            Self::Gitlab
        } else if is_true("TF_BUILD") {
            Self::Azure
        } else if variable("JENKINS_URL").is_some() {
            Self::Jenkins
        } else {
            Self::None
        }
    }

    /// How the platform folds lines of its log: what stands before and after them. None where it does not.
    pub fn fold(self, title: &str, id: Option<JobId>) -> Option<Fold> {
        match self {
            Self::Github => Some(github::group(title)),
            Self::Gitlab => Some(gitlab::section(title, id, Timestamp::now())),
            Self::Azure => Some(azure::group(title)),
            Self::Jenkins | Self::None => None,
        }
    }
}

/// The lines that open and close a fold in the log of a platform.
pub struct Fold {
    /// Before what is folded; it shows the title.
    pub open: String,
    /// After it.
    pub close: String,
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Print {
    /// Nothing.
    #[default]
    None,
    /// Every output as one JSON object, at the end.
    Json,
    /// The id of each job, the moment it is known.
    JobId,
}

/// The outputs to open.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The platform whose grammar they follow.
    pub platform: Platform,
    /// What goes to stdout.
    pub print: Print,
    /// `GITHUB_OUTPUT`, which counts on GitHub alone.
    pub github_output: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`, which counts on GitHub alone.
    pub github_summary: Option<PathBuf>,
    /// `--outputs-dir`
    pub outputs_dir: Option<PathBuf>,
    /// `--summary`
    pub summary: Option<PathBuf>,
    /// Where a summary stands that Azure's agent is to take, unless `--summary` names a file; counts there alone.
    pub azure_summary: Option<PathBuf>,
    /// The files that hold the report, each in one form.
    pub documents: Vec<(Form, PathBuf)>,
    /// `--metrics`
    pub metrics: Option<PathBuf>,
    /// `--download-dir`, where the files of a job are to be put.
    pub download_dir: Option<PathBuf>,
}

/// A form in which a file holds the whole report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything that is known, as JSON.
    Report,
    /// `KEY=value` lines.
    Dotenv,
    /// Test cases.
    Junit,
    /// A page for people.
    Html,
    /// GitLab's links beside a job.
    Annotations,
    /// The predicate of an attestation.
    Attestation,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Report, Self::Dotenv, Self::Junit, Self::Html, Self::Annotations, Self::Attestation];

    /// The flag that names the file.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Dotenv => "dotenv",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Annotations => "annotations",
            Self::Attestation => "attestation",
        }
    }

    /// What the file is called in a sentence.
    fn what(self) -> &'static str {
        match self {
            Self::Report => "the report",
            Self::Dotenv => "the dotenv file",
            Self::Junit => "the JUnit report",
            Self::Html => "the HTML report",
            Self::Annotations => "the annotations",
            Self::Attestation => "the attestation",
        }
    }

    fn render(self, report: &Report) -> String {
        match self {
            Self::Report => json::render(report),
            Self::Dotenv => dotenv::render(report),
            Self::Junit => junit::render(report),
            Self::Html => html::render(report),
            Self::Annotations => gitlab::annotations(report),
            Self::Attestation => attestation::render(report),
        }
    }
}

impl Wanted {
    fn only_on<'a>(&self, platform: Platform, path: Option<&'a PathBuf>) -> Option<&'a Path> {
        path.map(PathBuf::as_path).filter(|_| self.platform == platform)
    }

    /// Where the report is to stand.
    pub fn report(&self) -> Option<PathBuf> {
        self.documents.iter().find(|(form, _)| *form == Form::Report).map(|(_, path)| path.clone())
    }

    fn summaries(&self) -> impl Iterator<Item = &Path> {
        let azure = self.only_on(Platform::Azure, self.azure_summary.as_ref()).filter(|_| self.summary.is_none());
        let github = self.only_on(Platform::Github, self.github_summary.as_ref());
        [github, azure, self.summary.as_deref()].into_iter().flatten()
    }

    /// Every other place that is written to, and what each is.
    pub fn others(&self) -> Vec<(&'static str, PathBuf)> {
        let github = self.only_on(Platform::Github, self.github_output.as_ref()).map(|path| ("GITHUB_OUTPUT", path));
        let summaries = self.summaries().map(|path| ("the summary", path));
        let mut places: Vec<_> =
            github.into_iter().chain(summaries).map(|(what, path)| (what, path.to_owned())).collect();
        let files = self.outputs_dir.iter().flat_map(|dir| files::names().into_iter().map(|name| dir.join(name)));
        places.extend(files.map(|file| ("--outputs-dir", file)));
        places.extend(self.metrics.iter().map(|path| ("metrics", path.clone())));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_told_by_its_variables() {
        let table: [(&[(&str, &str)], Platform); 6] = [
            (&[("GITHUB_ACTIONS", "true")], Platform::Github),
            (&[("GITLAB_CI", "true")], Platform::Gitlab),
            (&[("TF_BUILD", "True")], Platform::Azure),
            (&[("JENKINS_URL", "https://ci.example.com/")], Platform::Jenkins),
            (&[("CI", "true")], Platform::None),
            (&[("GITHUB_ACTIONS", "true"), ("JENKINS_URL", "x")], Platform::Github),
        ];
        for (variables, platform) in table {
            let set =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Platform::detect(set), platform, "{variables:?}");
        }
    }
}
