//! The HTML pages that answer where JSON was expected.

use serde::Deserialize;

/// A page by the name that scenarios give it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Page {
    /// What a wrong login can get in place of a 401. // epm-api.md §1 (7), §6
    Login,
    /// What stands in front of a pod during its daily maintenance. // epm-api.md §6
    Maintenance,
}

impl Page {
    pub(crate) fn http(self) -> u16 {
        match self {
            Self::Login => 200,
            Self::Maintenance => 503,
        }
    }

    pub(crate) fn html(self) -> &'static str {
        match self {
            Self::Login => include_str!("../pages/login.html"),
            Self::Maintenance => include_str!("../pages/maintenance.html"),
        }
    }
}

/// The page of a server that has nothing better to say than a number.
pub(crate) fn error(http: u16) -> String {
    let reason =
        axum::http::StatusCode::from_u16(http).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    format!(
        "<!DOCTYPE html>\n<html><head><title>Error {http}--{reason}</title></head>\n\
         <body><h2>Error {http}--{reason}</h2></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{Page, error};

    #[test]
    fn the_login_page_has_the_marker_that_clients_look_for() {
        assert!(Page::Login.html().contains("<!--loginForm-->"));
        assert!(!Page::Maintenance.html().contains("loginForm"));
    }

    #[test]
    fn an_error_page_names_its_number() {
        assert!(error(503).contains("Error 503--Service Unavailable"));
        assert!(error(599).contains("Error 599--Error"));
    }
}
