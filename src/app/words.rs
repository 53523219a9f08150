//! Words that more than one line of the program needs: counts, rounds of CRLs, and what the system says of a file. Used by `serve`'s log
//! and by the command line.

use std::io::{self, ErrorKind};

/// `1 certificate`, `2 certificates`.
pub fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// `2 CRLs with 1 entry, 900 octets`.
pub fn counted_crls(crls: usize, entries: u64, octets: u64) -> String {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("{} with {entries}, {}", counted(crls as u64, "CRL"), counted(octets, "octet"))
}

/// Why a file can't be used and what to do, with the system's own words behind ours.
pub fn refused_file(error: &io::Error) -> String {
    let ours = match error.kind() {
        ErrorKind::AlreadyExists => "something is there already: name another place",
        ErrorKind::IsADirectory => "this is a folder: name a file",
        ErrorKind::NotADirectory => "a part of its path is no folder: check the path",
        ErrorKind::NotFound => "there is no such file or folder: check the path",
        ErrorKind::PermissionDenied => "this user may not: run tashika as its owner, or change its mode",
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only: name another place, or mount it writable",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full: make room, then try again",
        _ => "the system refuses it",
    };
    format!("{ours} ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_none_are_several() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "hold")), ["0 holds", "1 hold", "2 holds"]);
        assert_eq!(counted_crls(1, 0, 1), "1 CRL with 0 entries, 1 octet");
        assert_eq!(counted_crls(2, 1, 0), "2 CRLs with 1 entry, 0 octets");
    }
}
