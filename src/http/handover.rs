//! Listening sockets from one process to its successor: over a Unix socket in the folder of what a node keeps, whose owner
//! alone may enter it. Connections that wait in them wait on, so that a restart resets nobody.
//!
//! The predecessor offers them ([`Offer`]) and is told when its successor answers; the successor takes them ([`take`]) before
//! it binds anything. Called by `app`.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv,
    recvmsg, sendmsg,
};

/// Sockets that a successor may have.
pub struct Offer {
    door: UnixListener,
    sockets: Offered,
}

/// What is offered, until it is withdrawn: as long as there is a copy of a socket, the system lets callers in.
#[derive(Clone)]
pub struct Offered {
    sockets: Arc<Mutex<Vec<TcpListener>>>,
    path: PathBuf,
    /// Which file that is: by now it may be a successor's.
    file: u64,
}

/// Sockets that were taken over, and the line to the process that had them.
#[derive(Debug)]
pub struct Taken {
    /// In the order in which they were offered.
    pub sockets: Vec<TcpListener>,
    predecessor: UnixStream,
}

impl Offer {
    /// Offers these sockets at that path; what is left there of a process that died is taken away.
    pub fn new(path: &Path, sockets: Vec<TcpListener>) -> io::Result<Self> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let door = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let file = fs::metadata(path)?.ino();
        let sockets = Offered { sockets: Arc::new(Mutex::new(sockets)), path: path.to_owned(), file };
        Ok(Self { door, sockets })
    }

    /// What is offered, to be withdrawn.
    pub fn offered(&self) -> Offered {
        self.sockets.clone()
    }

    /// Waits for a successor that has taken them and says that it answers. One that takes them and dies is forgotten.
    pub fn succeeded(self) -> io::Result<()> {
        loop {
            let (mut successor, _) = self.door.accept()?;
            if self.give(&successor).is_err() {
                continue;
            }
            let mut word = [0];
            if successor.read_exact(&mut word).is_ok() && word == ANSWERS {
                // The path is the successor's by now.
                return Ok(());
            }
        }
    }

    fn give(&self, successor: &UnixStream) -> io::Result<()> {
        let offered = self.sockets.lock();
        let sockets: Vec<BorrowedFd<'_>> = offered.iter().map(|socket| socket.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if sockets.is_empty() || sockets.len() > SOCKETS_MAX || !control.push(SendAncillaryMessage::ScmRights(&sockets))
        {
            return Err(io::Error::other("no sockets, or too many to hand over"));
        }
        sendmsg(successor, &[IoSlice::new(&GIVEN)], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }
}

impl Offered {
    /// Nobody may have them any more.
    pub fn withdraw(&self) {
        self.lock().clear();
        if fs::metadata(&self.path).is_ok_and(|there| there.ino() == self.file) {
            // What stays is taken away by the next.
            let _ = fs::remove_file(&self.path);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<TcpListener>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Whether the predecessor has ended: whoever waits in the sockets waits for this process alone.
    pub fn is_alone(&self) -> bool {
        // It says nothing over this line; what can be read of it is its end.
        let ended = recv(&self.predecessor, &mut [0; 1], RecvFlags::DONTWAIT | RecvFlags::PEEK);
        !matches!(ended, Err(Errno::AGAIN | Errno::INTR))
    }

    /// Tells the predecessor that this process answers: it accepts nothing more, and ends.
    pub fn answers(mut self) -> io::Result<()> {
        self.predecessor.write_all(&ANSWERS)
    }
}

/// Takes over what a predecessor offers at that path; none: there is no predecessor.
pub fn take(path: &Path) -> io::Result<Option<Taken>> {
    let predecessor = match UnixStream::connect(path) {
        Ok(predecessor) => predecessor,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    predecessor.set_read_timeout(Some(PATIENCE))?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut word = [0];
    recvmsg(&predecessor, &mut [IoSliceMut::new(&mut word)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(given) = message {
            sockets.extend(given.map(|socket: OwnedFd| TcpListener::from(socket)));
        }
    }
    if word != GIVEN || sockets.is_empty() {
        return Err(io::Error::other("the process that was to be succeeded gave no sockets"));
    }
    Ok(Some(Taken { sockets, predecessor }))
}

const GIVEN: [u8; 1] = *b"s";
const ANSWERS: [u8; 1] = *b"a";
/// The system lets 253 through at once.
const SOCKETS_MAX: usize = 250;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_successor_gets_the_sockets_with_who_waits_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handover");
        assert!(take(&path).unwrap().is_none(), "nobody offers anything");
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut waiting = TcpStream::connect(address).unwrap();
        let offer = Offer::new(&path, vec![socket]).unwrap();
        let predecessor = std::thread::spawn(move || offer.succeeded());
        drop(take(&path).unwrap().unwrap());
        let taken = take(&path).unwrap().unwrap();
        assert!(!taken.is_alone());
        assert_eq!(taken.sockets[0].local_addr().unwrap(), address);
        let socket = taken.sockets[0].try_clone().unwrap();
        taken.answers().unwrap();
        predecessor.join().unwrap().unwrap();
        let (mut accepted, _) = socket.accept().unwrap();
        accepted.write_all(b"x").unwrap();
        let mut octet = [0];
        waiting.read_exact(&mut octet).unwrap();
        assert_eq!(&octet, b"x", "who had connected before is answered by the successor");
        assert!(Offer::new(&path, vec![socket]).is_ok(), "what a dead process left is no obstacle");
    }
}
