//! Files that are there whole or not at all.

use std::io::{self, Write};
use std::path::Path;

/// How the names of files in the making begin.
pub(crate) const TEMPORARY_PREFIX: &str = ".writing-";

/// Writes a file under a temporary name in the same folder, brings it to the disk and renames it, so that no one ever
/// sees half of it, not after a kill and not on a full disk.
///
/// # Errors
/// Whatever the file system says; the target is then as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    // Temporary files are private by default; results are as public as the user's mask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
