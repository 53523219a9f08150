//! `cargo xtask testdata [--check]`: writes `certs-testdata/`, or compares it with what the generator makes.
//!
//! The generator needs cryptography; so that every other verb stays light, this one starts cargo again with the
//! feature `testdata`, under which the second half of this file is compiled.

use crate::failure::Failure;
#[cfg(not(feature = "testdata"))]
use crate::step;

/// Writes or compares; the only argument is `--check`.
#[cfg(not(feature = "testdata"))]
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut command = step::cargo(["run", "--quiet", "--package", "xtask", "--features", "testdata", "--", "testdata"]);
    step::run("the test data's generator", command.args(arguments))
}

#[cfg(feature = "testdata")]
pub use generating::run;

#[cfg(feature = "testdata")]
mod generating {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::{fs, io};

    use super::Failure;
    use crate::step::root;
    use crate::testdata::TestData;

    /// Writes or compares; the only argument is `--check`.
    pub fn run(arguments: &[String]) -> Result<(), Failure> {
        let check = match arguments {
            [] => false,
            [only] if only == "--check" => true,
            _ => return Err(Failure::Usage("testdata takes --check or nothing".to_owned())),
        };
        let folder = root().join("certs-testdata");
        let made = TestData::generate().files();
        let differing = differing(&folder, &made)?;
        if check && !differing.is_empty() {
            return Err(Failure::Differing { files: differing, remedy: "cargo xtask testdata".to_owned() });
        }
        if differing.is_empty() {
            println!("{} files, all as generated", made.len());
            return Ok(());
        }
        for path in &differing {
            println!("{path}");
            replace(&folder.join(path), made.get(path))?;
        }
        println!("{} files, {} of them written or removed", made.len(), differing.len());
        Ok(())
    }

    /// The files that differ, are missing, or don't belong there.
    fn differing(folder: &Path, made: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>, Failure> {
        let mut found = BTreeMap::new();
        if folder.exists() {
            read(folder, "", &mut found)?;
        }
        let differs = |(path, contents): &(&String, &Vec<u8>)| found.get(*path) != Some(*contents);
        let mut differing: Vec<String> = made.iter().filter(differs).map(|(path, _)| path.clone()).collect();
        differing.extend(found.into_keys().filter(|path| !made.contains_key(path)));
        Ok(differing)
    }

    fn read(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                read(&path, &format!("{name}/"), found)?;
            } else {
                found.insert(name, fs::read(&path).map_err(failed(&path))?);
            }
        }
        Ok(())
    }

    /// Writes the file, or removes one that is no longer made.
    fn replace(path: &Path, contents: Option<&Vec<u8>>) -> Result<(), Failure> {
        let Some(contents) = contents else { return fs::remove_file(path).map_err(failed(path)) };
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(failed(folder))?;
        fs::write(path, contents).map_err(failed(path))
    }

    fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
        move |error| Failure::File { path: path.to_owned(), error }
    }
}
