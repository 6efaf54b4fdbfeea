//! Which service does a raw path name?

/// A service, below whatever prefix a gateway puts in front. // epm-api.md §2
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Route<'a> {
    /// The list of versions; it needs its trailing slash. // epm-api.md §1 (14)
    Versions,
    /// The list of versions without the slash: sent there. // epm-api.md §6
    VersionsUnslashed,
    /// All jobs.
    Jobs {
        prefix: &'a str,
    },
    /// One job, by an id as it was written.
    Job {
        prefix: &'a str,
        id: &'a str,
    },
    /// The newest run of a pipeline, by a code that is still encoded. // epm-api.md §2.2
    Pipeline {
        code: &'a str,
    },
    /// One file's content, by a name that is still encoded, and the folder that an upload names.
    Contents {
        prefix: &'a str,
        name: &'a str,
        folder: Option<&'a str>,
    },
    /// One file itself.
    Stored {
        prefix: &'a str,
        name: &'a str,
    },
    /// Whether what was begun with a file is done.
    FileStatus {
        prefix: &'a str,
        name: &'a str,
    },
    /// The release, and the hour of the daily maintenance. // epm-api.md §6
    Maintenance {
        prefix: &'a str,
        shows_zone: bool,
    },
    /// The identity service: tokens. // epm-api.md §5.2
    Token,
    /// The identity service: the first step of the device flow.
    Device,
    Nowhere,
}

impl<'a> Route<'a> {
    /// Reads the path as it was sent: decoding it would hide a `/` that is not encoded.
    pub(crate) fn of(path: &'a str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        if path.ends_with("/oauth2/v1/token") {
            return Self::Token;
        }
        if path.ends_with("/oauth2/v1/device") {
            return Self::Device;
        }
        if let Some(at) = path.find("/interop/rest/") {
            return Self::interop(&path[..at], &path[at..], query);
        }
        let Some(at) = path.find("/aif/rest") else {
            return Self::Nowhere;
        };
        Self::aif(&path[..at], &path[at + "/aif/rest".len()..], query)
    }

    fn aif(prefix: &'a str, rest: &'a str, query: &'a str) -> Self {
        match rest {
            "" => Self::VersionsUnslashed,
            "/" => Self::Versions,
            // `V1`: another case is another path. // epm-api.md §1 (14)
            "/V1/jobs" => Self::Jobs { prefix },
            "/V1/pipeline" => match query.split('&').find_map(|field| field.strip_prefix("pipelineName=")) {
                Some(code) => Self::Pipeline { code },
                None => Self::Nowhere,
            },
            _ => match rest.strip_prefix("/V1/jobs/") {
                Some(id) if !id.is_empty() && !id.contains('/') => Self::Job { prefix, id },
                _ => Self::Nowhere,
            },
        }
    }

    fn interop(prefix: &'a str, path: &'a str, query: &'a str) -> Self {
        if path == "/interop/rest/v2/maintenance/getdailymaintenancestarttime" {
            return Self::Maintenance {
                prefix,
                shows_zone: query.split('&').any(|field| field == "showTimeZone=true"),
            };
        }
        let Some(rest) = path.strip_prefix("/interop/rest/11.1.2.3.600/applicationsnapshots/") else {
            return Self::Nowhere;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let folder = query.split('&').find_map(|field| field.strip_prefix("extDirPath="));
        match parts[..] {
            ["", ..] => Self::Nowhere,
            [name] => Self::Stored { prefix, name },
            [name, "contents"] => Self::Contents { prefix, name, folder },
            [name, "contents", id] if !id.is_empty() => Self::FileStatus { prefix, name },
            _ => Self::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn every_path_names_one_service_or_none() {
        let files = "/interop/rest/11.1.2.3.600/applicationsnapshots";
        let file = |rest: &str| format!("{files}/{rest}");
        let job = |prefix, id| Route::Job { prefix, id };
        let name = "outbox%2Flogs%2FX.log";
        let hour = "/interop/rest/v2/maintenance/getdailymaintenancestarttime";
        for (path, route) in [
            ("/aif/rest/".into(), Route::Versions),
            ("/a/gateway/aif/rest/?x=1".into(), Route::Versions),
            ("/aif/rest".into(), Route::VersionsUnslashed),
            ("/aif/rest/V1/jobs".into(), Route::Jobs { prefix: "" }),
            ("/gw/aif/rest/V1/jobs/7".into(), job("/gw", "7")),
            ("/aif/rest/V1/jobs/x?y".into(), job("", "x")),
            ("/aif/rest/v1/jobs/7".into(), Route::Nowhere),
            ("/aif/rest/V1/jobs/".into(), Route::Nowhere),
            ("/aif/rest/V1/jobs/7/".into(), Route::Nowhere),
            ("/aif/rests/".into(), Route::Nowhere),
            ("/aif/rest/V1/pipeline?a=b&pipelineName=D%20L".into(), Route::Pipeline { code: "D%20L" }),
            ("/gw/aif/rest/V1/pipeline?pipelineName=".into(), Route::Pipeline { code: "" }),
            ("/aif/rest/V1/pipeline?pipelinename=X".into(), Route::Nowhere),
            ("/aif/rest/V1/pipeline/X".into(), Route::Nowhere),
            (hour.into(), Route::Maintenance { prefix: "", shows_zone: false }),
            (format!("/gw{hour}?a=b&showTimeZone=true"), Route::Maintenance { prefix: "/gw", shows_zone: true }),
            ("/interop/rest/v1/maintenance/getdailymaintenancestarttime".into(), Route::Nowhere),
            ("/oauth2/v1/token".into(), Route::Token),
            ("/gw/oauth2/v1/device?x".into(), Route::Device),
            ("/oauth2/v2/token".into(), Route::Nowhere),
            ("/".into(), Route::Nowhere),
            (file("outbox%2Flogs%2FX.log/contents"), Route::Contents { prefix: "", name, folder: None }),
            (
                file("x.csv/contents?a=b&extDirPath=inbox%2Fy"),
                Route::Contents { prefix: "", name: "x.csv", folder: Some("inbox%2Fy") },
            ),
            (file("x.csv/contents/7049"), Route::FileStatus { prefix: "", name: "x.csv" }),
            (file("x.csv/contents/"), Route::Nowhere),
            (file("outbox/logs/X.log/contents"), Route::Nowhere),
            (file("outbox%2Flogs%2FX.log"), Route::Stored { prefix: "", name }),
            (file("/contents"), Route::Nowhere),
        ] {
            assert_eq!(Route::of(&path), route, "{path}");
        }
    }
}
