//! What differs from run to run, replaced, so that a text can be a snapshot.

use insta::Settings;

/// The settings with which texts of a run are compared.
pub(crate) fn plain() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    settings.set_omit_expression(true);
    for (pattern, name) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( UTC| \|)", "[time]$1"),
        (r"\b\d{13}\b", "[ms]"),
        (r#"(durationSeconds(?:":| = ))\d+"#, "${1}[seconds]"),
        (r"`[^`]+ \(os error \d+\)`", "[error of the system]"),
        (r"\b\d+(ms|s|m)( \d+(s|ms))?\b", "[duration]"),
        (r"`[^`]*/given-refresh-token`", "`[token]`"),
        (r"epm-gate \d+\.\d+\.\d+\S*", "epm-gate [version]"),
    ] {
        settings.add_filter(pattern, name);
    }
    settings
}
