//! The platforms that a run may find itself on: what each tells, and which commands are ours there.

/// A platform, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Nowhere,
    Github,
    Gitlab,
    Azure,
    Jenkins,
}

impl On {
    /// The platform that these variables speak of.
    pub(super) fn of(is_set: impl Fn(&str) -> bool) -> Self {
        let known = [
            ("GITHUB_ACTIONS", Self::Github),
            ("GITLAB_CI", Self::Gitlab),
            ("TF_BUILD", Self::Azure),
            ("JENKINS_URL", Self::Jenkins),
        ];
        known.into_iter().find(|(name, _)| is_set(name)).map_or(Self::Nowhere, |(_, on)| on)
    }

    /// What it tells of its run.
    pub(super) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nowhere => &[],
            Self::Github => &[
                ("CI", "true"),
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_REPOSITORY", "acme/close"),
                ("GITHUB_RUN_ID", "1658821493"),
                ("GITHUB_RUN_ATTEMPT", "2"),
                ("GITHUB_ACTOR", "octocat"),
                ("GITHUB_TRIGGERING_ACTOR", "hubot"),
                ("GITHUB_SHA", "9f1c2d3"),
                ("GITHUB_REF", "refs/heads/close|`x`<b>"),
                ("GITHUB_WORKFLOW", "Load the ledger"),
            ],
            Self::Gitlab => &[
                ("CI", "true"),
                ("GITLAB_CI", "true"),
                ("GITLAB_USER_LOGIN", "tanuki"),
                ("CI_JOB_URL", "https://gitlab.example.com/acme/close/-/jobs/5"),
                ("CI_COMMIT_SHA", "9f1c2d3"),
                ("CI_COMMIT_REF_NAME", "main"),
                ("CI_PROJECT_PATH", "acme/close"),
            ],
            Self::Azure => &[
                ("TF_BUILD", "True"),
                ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"),
                ("SYSTEM_TEAMPROJECT", "Month end"),
                ("BUILD_BUILDID", "9"),
                ("SYSTEM_JOBID", "12f1170f"),
                ("SYSTEM_JOBATTEMPT", "1"),
                ("SYSTEM_TASKINSTANCENAME", "gate"),
                ("BUILD_REQUESTEDFOR", "Ada Lovelace"),
                ("BUILD_SOURCEVERSION", "9f1c2d3"),
                ("BUILD_SOURCEBRANCH", "refs/heads/main"),
                ("BUILD_DEFINITIONNAME", "close"),
            ],
            Self::Jenkins => &[
                ("JENKINS_URL", "https://ci.example.com/"),
                ("BUILD_URL", "https://bot:t0ken@ci.example.com/job/close/4/"),
                ("JOB_NAME", "close"),
                ("BUILD_NUMBER", "4"),
                ("GIT_COMMIT", "9f1c2d3"),
                ("GIT_BRANCH", "origin/main"),
            ],
        }
    }

    /// Whether a line is a command of ours for this platform, and whether it is the annotation.
    pub(super) fn command(self, line: &str) -> (bool, bool) {
        let is_one_of = |heads: &[&str]| heads.iter().any(|head| line.starts_with(head));
        match self {
            Self::Github => {
                let is_annotation = is_one_of(&["::error title=epm-gate", "::warning title=epm-gate"]);
                (is_annotation || is_one_of(&["::group::"]) || line == "::endgroup::", is_annotation)
            }
            Self::Azure => {
                let is_annotation = is_one_of(&[
                    "##vso[task.logissue type=error]epm-gate: ",
                    "##vso[task.logissue type=warning]epm-gate: ",
                ]);
                let others =
                    ["##vso[task.setvariable variable=", "##vso[task.uploadsummary]/", "##[group]", "##[endgroup]"];
                (is_annotation || is_one_of(&others), is_annotation)
            }
            Self::Gitlab | Self::Jenkins | Self::Nowhere => (false, false),
        }
    }

    /// A line of the log without the marks of a section of GitLab's.
    pub(super) fn without_section(self, line: &str) -> &str {
        let is_mark = self == Self::Gitlab && line.starts_with("\u{1b}[0Ksection_");
        let rest = line.split_once("\r\u{1b}[0K").filter(|_| is_mark);
        rest.map_or(line, |(_, title)| title)
    }
}
