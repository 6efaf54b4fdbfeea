//! Who asked for a run and where it can be looked at, from the variables that each platform sets (ci-contracts.md §1.6,
//! §2, §3.2, §4).

use url::Url;

use crate::foreign::Foreign;
use crate::report::Context;

use super::Platform;

/// What the platform tells of its run. `variable` gives what is set.
pub fn context(platform: Platform, variable: impl Fn(&str) -> Option<String>) -> Context {
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name)).map(|value| Foreign::new(value.trim()));
    let named = |actor: &[&str], commit: &str, reference: &[&str], pipeline: &[&str]| Context {
        platform: None,
        actor: first(actor),
        commit: first(&[commit]),
        reference: first(reference),
        pipeline: first(pipeline),
        attempt: None,
        id: None,
        task: None,
        run: None,
    };
    let mut context = match platform {
        // Whoever runs it again is asked first.
        Platform::Github => named(
            &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"],
            "GITHUB_SHA",
            &["GITHUB_REF"],
            &["GITHUB_WORKFLOW", "GITHUB_WORKFLOW_REF"],
        ),
        Platform::Gitlab => named(
            &["GITLAB_USER_LOGIN"],
            "CI_COMMIT_SHA",
            &["CI_COMMIT_REF_NAME"],
            &["CI_PIPELINE_NAME", "CI_PROJECT_PATH"],
        ),
        Platform::Azure => {
            named(&["BUILD_REQUESTEDFOR"], "BUILD_SOURCEVERSION", &["BUILD_SOURCEBRANCH"], &["BUILD_DEFINITIONNAME"])
        }
        // The user is told by a plugin alone.
        Platform::Jenkins => {
            named(&["BUILD_USER_ID", "BUILD_USER"], "GIT_COMMIT", &["GIT_BRANCH", "BRANCH_NAME"], &["JOB_NAME"])
        }
        Platform::None => Context::default(),
    };
    context.platform = Some(platform).filter(|platform| *platform != Platform::None).map(Platform::word);
    context.run = address(platform, &variable);
    context.attempt = attempt(platform, &variable);
    let (id, task) = place(platform);
    (context.id, context.task) = (first(id), first(task));
    context
}

/// Where the run can be looked at, with its attempt where the platform's address has one.
fn address(platform: Platform, variable: &impl Fn(&str) -> Option<String>) -> Option<Url> {
    let text = match platform {
        Platform::Github => {
            let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
            let run = format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?);
            variable("GITHUB_RUN_ATTEMPT").map_or(run.clone(), |attempt| format!("{run}/attempts/{attempt}"))
        }
        Platform::Gitlab => variable("CI_JOB_URL").or_else(|| variable("CI_PIPELINE_URL"))?,
        Platform::Azure => return azure(variable),
        Platform::Jenkins => variable("BUILD_URL")?,
        Platform::None => return None,
    };
    web(&text)
}

fn azure(variable: &impl Fn(&str) -> Option<String>) -> Option<Url> {
    let collection = variable("SYSTEM_COLLECTIONURI").or_else(|| variable("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"))?;
    let mut url = web(&collection)?;
    // A project's name may have spaces.
    url.path_segments_mut().ok()?.pop_if_empty().push(&variable("SYSTEM_TEAMPROJECT")?).push("_build").push("results");
    url.query_pairs_mut().append_pair("buildId", &variable("BUILD_BUILDID")?).append_pair("view", "logs");
    if let Some(job) = variable("SYSTEM_JOBID") {
        url.query_pairs_mut().append_pair("j", &job);
    }
    Some(url)
}

/// An address that a browser opens, and nothing that it would execute; without the user that may stand in it.
fn web(text: &str) -> Option<Url> {
    let mut url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// The variables that name the run, and the job or stage in it.
fn place(platform: Platform) -> (&'static [&'static str], &'static [&'static str]) {
    match platform {
        Platform::Github => (&["GITHUB_RUN_ID"], &["GITHUB_JOB"]),
        Platform::Gitlab => (&["CI_PIPELINE_ID"], &["CI_JOB_NAME"]),
        Platform::Azure => (&["BUILD_BUILDID"], &["SYSTEM_JOBNAME"]),
        Platform::Jenkins => (&["BUILD_NUMBER"], &["STAGE_NAME"]),
        Platform::None => (&[], &[]),
    }
}

/// How often the platform has tried this run; none where it does not say.
fn attempt(platform: Platform, variable: &impl Fn(&str) -> Option<String>) -> Option<u32> {
    let name = match platform {
        Platform::Github => "GITHUB_RUN_ATTEMPT",
        Platform::Azure => "SYSTEM_JOBATTEMPT",
        Platform::Gitlab | Platform::Jenkins | Platform::None => return None,
    };
    variable(name)?.trim().parse().ok()
}
