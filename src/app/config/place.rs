//! Where a ledger is, as its URL says it. Part of reading a configuration.

use std::path::{Path, PathBuf};

/// Where a ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerPlace {
    /// A PostgreSQL URL.
    Postgres(String),
    /// A SQLite file.
    Sqlite(PathBuf),
}

impl LedgerPlace {
    /// Reads a ledger URL; relative files are relative to `base`.
    pub fn parse(url: &str, base: &Path) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("'sqlite:' needs a file, such as sqlite:ledger.db".into());
            }
            return Ok(Self::Sqlite(base.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("must be sqlite:FILE or postgres://USER@HOST/DATABASE".into())
    }
}
