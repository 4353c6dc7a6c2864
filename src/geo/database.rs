//! One database in memory, and the mark of the file that it came from.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use maxminddb::Reader;

use super::record::Record;
use super::{GeoError, Role};
use crate::attempt::origin::Origin;

/// A database, whole in memory: a file that is written over cannot change under a reader.
#[derive(Debug)]
pub(super) struct Database {
    reader: Reader<Vec<u8>>,
}

/// Tells one state of a file from another: a swapped symlink shows another inode, a file written over another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

// === impl Database ===

impl Database {
    /// Reads the file; the mark is that of what was read, whatever stands at the path since.
    pub(super) fn load(path: &Path, roles: &[Role]) -> (Option<Mark>, Result<Self, GeoError>) {
        let error = |problem: String| GeoError { path: path.to_owned(), problem };
        let (mark, bytes) = match read(path) {
            Ok((mark, bytes)) => (Some(mark), bytes),
            Err(problem) => return (Mark::of(path), Err(error(problem.to_string()))),
        };
        let database = match Reader::from_source(bytes) {
            Ok(reader) => Self { reader },
            Err(problem) => return (mark, Err(error(format!("not a database in MaxMind's format: {problem}")))),
        };
        let lacking = roles.iter().find(|role| !database.serves(**role));
        match lacking {
            None => (mark, Ok(database)),
            Some(role) => (mark, Err(error(format!("no {} in it, is it another kind of database?", role.plural())))),
        }
    }

    /// What the database says of the address; a record that cannot be read says nothing.
    pub(super) fn find(&self, ip: IpAddr) -> Origin {
        let found = self.reader.lookup(ip).ok().and_then(|result| result.decode::<Record<'_>>().ok()?);
        found.map(|record| record.origin()).unwrap_or_default()
    }

    /// When it was built, in seconds since the Unix epoch, as it says itself.
    pub(super) fn built(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    /// Whether any of the first networks has what the database is for.
    fn serves(&self, role: Role) -> bool {
        let Ok(networks) = self.reader.networks(maxminddb::WithinOptions::default()) else { return false };
        let records = networks.take(LOOKED_AT).filter_map(|network| network.ok()?.decode::<Record<'_>>().ok()?);
        records.map(|record| record.origin()).any(|origin| role.is_told_by(origin))
    }
}

// === impl Mark ===

impl Mark {
    /// The mark of what stands at the path now.
    pub(super) fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Mark {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            length: metadata.len(),
        }
    }
}

fn read(path: &Path) -> std::io::Result<(Mark, Vec<u8>)> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    Ok((Mark::from(&metadata), bytes))
}

/// Networks in which a new database has to show that it is of the right kind.
const LOOKED_AT: usize = 10_000;
