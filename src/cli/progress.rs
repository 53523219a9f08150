//! Progress bars for long work: on a terminal only, never in a log.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr; where that is no terminal it draws nothing.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}
