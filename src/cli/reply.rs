//! What a verb says when it is done: text for people, JSON for machines, an exit code.

use std::io::{self, Write as _};

use serde_json::Value;

use super::error::Exit;

/// A verb's result.
#[derive(Clone, Debug)]
pub struct Reply {
    /// For people; ends with a newline if there is any.
    pub text: String,
    /// For machines.
    pub json: Value,
    /// The exit code.
    pub exit: Exit,
}

impl Reply {
    /// All went well.
    pub fn done(text: impl Into<String>, json: Value) -> Self {
        let mut text = text.into();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Self { text, json, exit: Exit::Done }
    }

    /// The same, with another exit code.
    pub fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Prints it. A reader that has gone away (`| head`) has had enough, which is no error.
    pub fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let printed = if json { writeln!(out, "{:#}", self.json) } else { out.write_all(self.text.as_bytes()) };
        match printed.and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}
