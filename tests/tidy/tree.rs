//! The files that the rules look at, and what a rule reports. Read by `tests/tidy.rs` and its modules.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One text file; `path` is relative to the root of the workspace, with `/`.
pub struct File {
    pub path: String,
    pub text: String,
}

/// Every text file that people write. What tools make (target/, snapshots, test data) is not read.
pub struct Tree {
    root: PathBuf,
    pub files: Vec<File>,
}

impl Tree {
    /// The workspace that this test was compiled in.
    pub fn of_the_house() -> Self {
        Self::of(Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    fn of(root: &Path) -> Self {
        let mut paths = Vec::new();
        walk(root, root, &mut paths);
        paths.sort();
        let files = paths
            .into_iter()
            .filter(|path| WRITTEN.iter().any(|ending| path.ends_with(ending)))
            .map(|path| File { text: fs::read_to_string(root.join(&path)).expect("a readable text file"), path })
            .collect();
        let tree = Self { root: root.to_path_buf(), files };
        assert!(tree.rust_under("src/").count() > 0, "no source under {}", root.display());
        tree
    }

    /// The text of a file that must be there.
    pub fn text(&self, path: &str) -> &str {
        let file = self.files.iter().find(|file| file.path == path);
        &file.unwrap_or_else(|| panic!("{path} is not there")).text
    }

    pub fn rust_under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder) && file.path.ends_with(".rs"))
    }

    /// Paths of all files, of any kind, under `folder` (with its `/`); none if there is no such folder.
    pub fn names_under(&self, folder: &str) -> Vec<String> {
        let mut paths = Vec::new();
        walk(&self.root, &self.root.join(folder), &mut paths);
        paths.sort();
        paths
    }

    pub fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// A rule that is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    /// From 1; 0 means the file as a whole.
    pub line: usize,
    pub what: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_WRITTEN.contains(&relative.as_str()) {
                walk(root, &path, paths);
            }
        } else {
            paths.push(relative);
        }
    }
}

const WRITTEN: [&str; 6] = [".rs", ".md", ".toml", ".sql", ".sh", ".ci/run"];
const NOT_WRITTEN: [&str; 5] = [".git", "target", "fuzz/target", "fuzz/corpus", "tashika-demo"];
