//! Files that are there whole or not at all.

use std::fs::File;
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
    write_whole_with(path, &mut |file| file.write_all(bytes))
}

/// The same for what only its owner may read.
///
/// # Errors
/// Whatever the file system says; the target is then as it was.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Temporary files are private.
    let mut file = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The same for content that is not in memory.
///
/// # Errors
/// Whatever `write` or the file system says; the target is then as it was.
pub fn write_whole_with(path: &Path, write: &mut dyn FnMut(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    // Temporary files are private by default; results are as public as the user's mask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The end of a text file, from the first whole line within `most` bytes; what is no UTF-8 is replaced.
///
/// # Errors
/// Whatever the file system says.
pub fn read_end(path: &Path, most: u64) -> io::Result<String> {
    use std::io::{Read as _, Seek as _};

    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(most);
    file.seek(io::SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let begin = if from > 0 { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |place| place + 1) } else { 0 };
    Ok(String::from_utf8_lossy(bytes.get(begin..).unwrap_or_default()).into_owned())
}

/// What a person can do about an error of the file system, to follow a sentence about it.
pub(crate) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space and start the job again",
        io::ErrorKind::PermissionDenied => "; check who may write there, or choose another folder",
        io::ErrorKind::ReadOnlyFilesystem => "; choose a folder on a disk that can be written",
        _ => "",
    }
}

/// Removes what a killed writer left in a folder: its temporary files and folders.
///
/// # Errors
/// Whatever the file system says.
pub(crate) fn remove_leftovers(folder: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY_PREFIX)) {
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
