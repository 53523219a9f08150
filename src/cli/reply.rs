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

    /// All went well, and it has been said already, line by line.
    pub fn told() -> Self {
        Self::done("", Value::Null)
    }

    /// The same, with another exit code.
    pub fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Prints it. A reader that has gone away (`| head`) has had enough, which is no error.
    pub fn print(&self, form: Form) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let printed = match form {
            Form::Json if self.json.is_null() => Ok(()),
            Form::Json => writeln!(out, "{:#}", self.json),
            Form::Text => out.write_all(self.text.as_bytes()),
        };
        match printed.and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// For whom output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For machines: one value, or one a line where things happen one after the other.
    Json,
    /// For people.
    Text,
}

impl Form {
    /// One line of something that goes on. Nobody may be listening, which is no reason to stop.
    pub fn say(self, text: &str, json: &Value) {
        let mut out = io::stdout().lock();
        let said = match self {
            Self::Json => writeln!(out, "{json}"),
            Self::Text => writeln!(out, "{text}"),
        };
        let _ = said.and_then(|()| out.flush());
    }
}
