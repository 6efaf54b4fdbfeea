//! Which run, job and step of its CI the gate is in: what stays the same when the run is repeated, and tells it from any
//! other.

use super::Platform;

/// How a platform names what runs. A repeated run keeps all of these.
struct Names {
    /// Without these there is no telling one job from another.
    needed: &'static [&'static str],
    /// These tell more where they are set: which project, and which step.
    more: &'static [&'static str],
    /// Above 1 where the run is repeated.
    attempts: &'static [&'static str],
}

/// GitHub: within a composite action `GITHUB_ACTION` is the name of the outer step and of the inner one
/// (actions/runner `CompositeActionHandler.cs`). Azure: `SYSTEM_TASKINSTANCENAME` is the step's `name`, or one that the
/// server makes up and keeps (azure-pipelines-agent `WellKnownDistributedTaskVariables.cs`). GitLab has no steps, and
/// Jenkins tells its stages alone.
fn names(platform: Platform) -> Option<Names> {
    Some(match platform {
        Platform::Github => Names {
            needed: &["GITHUB_RUN_ID", "GITHUB_JOB"],
            more: &["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_ACTION"],
            attempts: &["GITHUB_RUN_ATTEMPT"],
        },
        Platform::Gitlab => Names {
            needed: &["CI_PIPELINE_ID", "CI_JOB_NAME"],
            more: &["CI_SERVER_URL", "CI_PROJECT_PATH"],
            attempts: &[],
        },
        Platform::Azure => Names {
            needed: &["BUILD_BUILDID", "SYSTEM_JOBNAME"],
            more: &[
                "SYSTEM_COLLECTIONURI",
                "SYSTEM_TEAMPROJECT",
                "SYSTEM_STAGENAME",
                "SYSTEM_PHASENAME",
                "SYSTEM_TASKINSTANCENAME",
            ],
            attempts: &["SYSTEM_STAGEATTEMPT", "SYSTEM_PHASEATTEMPT", "SYSTEM_JOBATTEMPT"],
        },
        Platform::Jenkins => {
            Names { needed: &["JOB_NAME", "BUILD_NUMBER"], more: &["JENKINS_URL", "STAGE_NAME"], attempts: &[] }
        }
        Platform::None => return None,
    })
}

/// A platform that does not say what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// There is no platform.
    NoPlatform,
    /// This variable is not set.
    Variable(&'static str),
}

/// The run, job and step in one text, without the attempt. `variable` gives what is set.
///
/// # Errors
///
/// What is missing for it.
pub fn name(platform: Platform, variable: impl Fn(&str) -> Option<String>) -> Result<String, Unnamed> {
    let names = names(platform).ok_or(Unnamed::NoPlatform)?;
    let mut parts = vec![platform.word().to_owned()];
    for name in names.needed {
        let value = variable(name).ok_or(Unnamed::Variable(name))?;
        parts.push(format!("{name}={value}"));
    }
    parts.extend(names.more.iter().filter_map(|name| Some(format!("{name}={}", variable(name)?))));
    Ok(parts.join(" "))
}

/// Whether the platform repeats a run, as far as it tells.
pub fn is_repeated(platform: Platform, variable: impl Fn(&str) -> Option<String>) -> bool {
    let attempts = names(platform).map(|names| names.attempts).unwrap_or_default();
    let attempt = |name: &&str| variable(name)?.trim().parse::<u32>().ok();
    attempts.iter().filter_map(attempt).any(|attempt| attempt > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    /// A platform, what it sets, and the variable that tells one step from another.
    const RUNS: [(Platform, Variables, &str); 4] = [
        (
            Platform::Github,
            &[
                ("GITHUB_SERVER_URL", "https://github.com"),
                ("GITHUB_REPOSITORY", "acme/close"),
                ("GITHUB_RUN_ID", "1658821493"),
                ("GITHUB_RUN_ATTEMPT", "2"),
                ("GITHUB_JOB", "load"),
                ("GITHUB_ACTION", "gate"),
            ],
            "GITHUB_ACTION",
        ),
        (
            Platform::Gitlab,
            &[
                ("CI_PROJECT_PATH", "acme/close"),
                ("CI_PIPELINE_ID", "77"),
                ("CI_JOB_ID", "5"),
                ("CI_JOB_NAME", "load 1/2"),
            ],
            "CI_JOB_NAME",
        ),
        (
            Platform::Azure,
            &[
                ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"),
                ("SYSTEM_TEAMPROJECT", "close"),
                ("BUILD_BUILDID", "9"),
                ("SYSTEM_STAGENAME", "prod"),
                ("SYSTEM_PHASENAME", "load"),
                ("SYSTEM_JOBNAME", "__default"),
                ("SYSTEM_JOBATTEMPT", "3"),
                ("SYSTEM_TASKINSTANCENAME", "gate"),
            ],
            "SYSTEM_TASKINSTANCENAME",
        ),
        (
            Platform::Jenkins,
            &[
                ("JENKINS_URL", "https://ci.example.com/"),
                ("JOB_NAME", "close"),
                ("BUILD_NUMBER", "4"),
                ("STAGE_NAME", "load"),
            ],
            "STAGE_NAME",
        ),
    ];

    fn named(platform: Platform, set: &[(&str, &str)], change: Option<(&str, &str)>) -> Result<String, Unnamed> {
        let value = |name: &str| {
            let changed = change.filter(|(changed, _)| *changed == name);
            let given = set.iter().find(|(known, _)| *known == name);
            changed.or(given.copied()).map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty())
        };
        name(platform, value)
    }

    #[test]
    fn a_repeated_run_keeps_its_name_and_another_step_has_its_own() {
        for (platform, set, step) in RUNS {
            let first = named(platform, set, None).unwrap();
            for attempt in ["GITHUB_RUN_ATTEMPT", "CI_JOB_ID", "SYSTEM_JOBATTEMPT", "BUILD_ID"] {
                assert_eq!(named(platform, set, Some((attempt, "9"))).as_ref(), Ok(&first), "{platform:?} {attempt}");
            }
            assert_ne!(named(platform, set, Some((step, "other"))).as_ref(), Ok(&first), "{platform:?}");
        }
    }

    #[test]
    fn what_does_not_tell_its_jobs_apart_has_no_name() {
        let needed = ["GITHUB_JOB", "CI_PIPELINE_ID", "SYSTEM_JOBNAME", "BUILD_NUMBER"];
        for ((platform, set, _), missing) in RUNS.into_iter().zip(needed) {
            assert_eq!(named(platform, set, Some((missing, ""))), Err(Unnamed::Variable(missing)));
        }
        assert_eq!(named(Platform::None, &[], None), Err(Unnamed::NoPlatform));
    }

    #[test]
    fn an_attempt_above_the_first_is_a_repetition() {
        let repeated = |platform, set: &[(&str, &str)]| {
            is_repeated(platform, |name| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(repeated(Platform::Github, RUNS[0].1) && repeated(Platform::Azure, RUNS[2].1));
        assert!(!repeated(Platform::Github, &[("GITHUB_RUN_ATTEMPT", "1")]));
        assert!(!repeated(Platform::Gitlab, RUNS[1].1) && !repeated(Platform::None, &[("GITHUB_RUN_ATTEMPT", "2")]));
    }
}
