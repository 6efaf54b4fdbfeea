//! Where EPM is: the base of every URL that is ever asked. No link in an answer is followed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::http;
use crate::inbox::Remote;
use crate::job::JobId;

/// What RFC 3986 leaves alone in a path segment and in the value of a query; everything else is encoded, the separators
/// above all.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `https://host[/prefix]`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpmUrl(Url);

impl EpmUrl {
    /// Reads what people paste: the context of the web pages at its end is cut off, since the services do not live
    /// below it (epm-api.md §2).
    ///
    /// # Errors
    ///
    /// What is not `https`, or plain `http` beyond loopback, or has more in it than a host and a path.
    pub fn parse(text: &str) -> Result<Self, http::url::Error> {
        let mut url = http::url::parse(text)?;
        let path = without_context(url.path()).to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The host as the URL spells it, with its port where that is not the usual one.
    pub fn host(&self) -> String {
        http::url::host(&self.0)
    }

    /// The URL itself; there are no credentials in it.
    pub fn base(&self) -> &Url {
        &self.0
    }

    /// The service: its host, and the prefix where several stand behind one.
    pub fn place(&self) -> String {
        format!("{}{}", self.host(), self.0.path().trim_end_matches('/'))
    }

    /// Whether it is asked without TLS, which only loopback is.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Whether it is the host that the user expects: the name, with or without the port.
    pub fn is_host(&self, expected: &str) -> bool {
        let expected = expected.trim();
        let name = self.0.host_str().unwrap_or_default();
        let with_port = format!("{name}:{}", self.0.port_or_known_default().unwrap_or_default());
        expected.eq_ignore_ascii_case(name) || expected.eq_ignore_ascii_case(&with_port)
    }

    /// Where people find EPM's pages.
    pub fn web(&self) -> Url {
        self.below("/epmcloud")
    }

    /// Where jobs are submitted. The `V1` is upper-case (epm-api.md §1.14).
    pub fn jobs(&self) -> Url {
        self.below("/aif/rest/V1/jobs")
    }

    /// Where one job is asked about.
    pub fn job(&self, id: JobId) -> Url {
        self.below(&format!("/aif/rest/V1/jobs/{id}"))
    }

    /// Where a pipeline is told of. It is named by its code (`get_pipeline.html`).
    pub fn pipeline(&self, code: &str) -> Url {
        let code = utf8_percent_encode(code, SEGMENT);
        self.below(&format!("/aif/rest/V1/pipeline?pipelineName={code}"))
    }

    /// Where the release and the hour of the daily maintenance are told (epm-api.md §6).
    pub fn maintenance(&self) -> Url {
        self.below("/interop/rest/v2/maintenance/getdailymaintenancestarttime")
    }

    /// Where the versions of the services are listed. The slash at its end is needed (epm-api.md §1.14).
    pub fn versions(&self) -> Url {
        self.below("/aif/rest/")
    }

    /// Where a file is downloaded; `name` is one segment, encoded already.
    pub fn file(&self, name: &str) -> Url {
        self.below(&format!("/interop/rest/11.1.2.3.600/applicationsnapshots/{name}/contents"))
    }

    /// Where a file is deleted; `name` is one segment, encoded already.
    pub fn stored(&self, name: &str) -> Url {
        self.below(&format!("/interop/rest/11.1.2.3.600/applicationsnapshots/{name}"))
    }

    /// Where a file is brought to the inbox of Data Integration: without its folder, it would come to that of Planning.
    pub fn upload(&self, remote: &Remote) -> Url {
        let (folder, name) = remote.parts();
        let encoded = |text| utf8_percent_encode(text, SEGMENT).to_string();
        let mut url = self.file(&encoded(name));
        url.set_query(Some(&format!("extDirPath={}", encoded(folder))));
        url
    }

    /// A path below the prefix. `path` begins with a slash.
    pub fn below(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{prefix}{path}"));
        url.set_query(query);
        url
    }
}

impl std::fmt::Display for EpmUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// The path without the contexts of the web pages at its end.
fn without_context(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    let cut = |context: &str| {
        let start = path.len().checked_sub(context.len())?;
        let ends_so = path.is_char_boundary(start) && path[start..].eq_ignore_ascii_case(context);
        ends_so.then(|| without_context(&path[..start]))
    };
    cut("/epmcloud").or_else(|| cut("/HyperionPlanning")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_is_mended() {
        let table = [
            ("https://epm.example.com", "https://epm.example.com", "epm.example.com"),
            (" https://EPM.example.com/ ", "https://epm.example.com", "epm.example.com"),
            ("https://epm.example.com/epmcloud", "https://epm.example.com", "epm.example.com"),
            ("https://epm.example.com/HyperionPlanning/", "https://epm.example.com", "epm.example.com"),
            ("https://epm.example.com/HyperionPlanning/epmcloud", "https://epm.example.com", "epm.example.com"),
            ("https://gw.example.com/prod/epmcloud", "https://gw.example.com/prod", "gw.example.com"),
            ("https://gw.example.com:8443/prod/", "https://gw.example.com:8443/prod", "gw.example.com:8443"),
            ("https://epm.example.com:443", "https://epm.example.com", "epm.example.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://localhost:8080/x", "http://localhost:8080/x", "localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080"),
        ];
        for (given, base, host) in table {
            let url = EpmUrl::parse(given).unwrap();
            assert_eq!((url.to_string().as_str(), url.host().as_str()), (base, host), "{given}");
        }
    }

    #[test]
    fn every_url_is_built_below_the_prefix() {
        let url = EpmUrl::parse("https://gw.example.com/prod").unwrap();
        let id = "2100".parse().unwrap();
        assert_eq!(url.jobs().as_str(), "https://gw.example.com/prod/aif/rest/V1/jobs");
        assert_eq!(url.job(id).as_str(), "https://gw.example.com/prod/aif/rest/V1/jobs/2100");
        assert_eq!(
            url.file("outbox%2Flogs%2FX%20%C3%A9.log").as_str(),
            "https://gw.example.com/prod/interop/rest/11.1.2.3.600/applicationsnapshots/outbox%2Flogs%2FX%20%C3%A9.log/contents"
        );
        assert_eq!(
            url.pipeline("DAILY é&x=1#+%").as_str(),
            "https://gw.example.com/prod/aif/rest/V1/pipeline?pipelineName=DAILY%20%C3%A9%26x%3D1%23%2B%25"
        );
        let upload = |remote| url.upload(&Remote::parse(remote).unwrap()).to_string();
        let files = "https://gw.example.com/prod/interop/rest/11.1.2.3.600/applicationsnapshots";
        assert_eq!(upload("inbox/ä b%.csv"), format!("{files}/%C3%A4%20b%25.csv/contents?extDirPath=inbox"));
        assert_eq!(upload("inbox/2026/x.csv"), format!("{files}/x.csv/contents?extDirPath=inbox%2F2026"));
        assert_eq!(url.stored("inbox%5Cx.csv").as_str(), format!("{files}/inbox%5Cx.csv"));
        assert_eq!(url.below("/a/?b=c").as_str(), "https://gw.example.com/prod/a/?b=c");
        assert_eq!(url.place(), "gw.example.com/prod");
        assert_eq!(EpmUrl::parse("https://gw.example.com/").unwrap().place(), "gw.example.com");
    }

    #[test]
    fn the_expected_host_is_compared_whole() {
        let url = EpmUrl::parse("https://epm-test.example.com").unwrap();
        assert!(url.is_host("EPM-test.example.com") && url.is_host("epm-test.example.com:443"));
        assert!(!url.is_host("example.com") && !url.is_host("epm.example.com") && !url.is_host(""));
        assert!(EpmUrl::parse("http://127.0.0.1:8080").unwrap().is_host("127.0.0.1:8080"));
    }
}
