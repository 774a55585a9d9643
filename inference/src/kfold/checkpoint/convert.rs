//! Writing a checkpoint as safetensors.
//!
//! Tensor by tensor from the map, so memory stays small whatever the model's size; to a temporary name in the target's folder,
//! read back, then renamed, so that a half-written file never has the target's name.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Checkpoint, KFoldError, Result, elements};

/// Bytes written between two reports.
const CHUNK: usize = 8 << 20;
/// Tensors of safetensors files start at multiples of this.
const ALIGNMENT: usize = 8;

/// Writes `source` as a safetensors file at `target`, replacing what is there. Tensors keep their names, shapes and element
/// types. `progress` is told the bytes written and the bytes in all, and answers whether to go on.
///
/// # Errors
/// When the disk is full or cannot be written (nothing is left behind), or `progress` answered no ([`KFoldError::Cancelled`]).
pub fn convert(source: &Checkpoint, target: &Path, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let total = source.tensor_bytes();
    let failed = |error: std::io::Error| {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge) {
            let needed = total as f64 / f64::from(1 << 30);
            KFoldError::checkpoint(
                target,
                format!(
                    "there is no room for it: {needed:.1} GiB are needed. Free some space or choose another folder"
                ),
            )
        } else {
            KFoldError::io(target, error)
        }
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weights-").suffix(".tmp");
    // Temporary files are private by default; weights are as public as the user's mask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    let (header, order) = layout(source)?;
    let mut writer = BufWriter::with_capacity(CHUNK, file.as_file_mut());
    writer.write_all(&(header.len() as u64).to_le_bytes()).map_err(failed)?;
    writer.write_all(&header).map_err(failed)?;
    let mut written = 0;
    for name in &order {
        for chunk in source.bytes(name)?.chunks(CHUNK) {
            writer.write_all(chunk).map_err(failed)?;
            written += chunk.len() as u64;
            if !progress(written, total) {
                return Err(KFoldError::Cancelled);
            }
        }
    }
    writer.flush().map_err(failed)?;
    drop(writer);
    file.as_file().sync_all().map_err(failed)?;
    let copy = Checkpoint::open(file.path())?;
    let same =
        copy.names().eq(source.names()) && source.names().all(|name| copy.describe(name) == source.describe(name));
    if !same {
        return Err(KFoldError::checkpoint(target, "what was written does not read back as the source; try again"));
    }
    drop(copy);
    file.persist(target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The header, and the order of the tensors behind it: wide elements first, which keeps all of them aligned.
fn layout(source: &Checkpoint) -> Result<(Vec<u8>, Vec<&str>)> {
    let mut order: Vec<&str> = source.names().collect();
    order.sort_by_key(|name| std::cmp::Reverse(source.describe(name).map(|(element, _)| element.size())));
    let mut table = Map::new();
    table.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut start = 0;
    for name in &order {
        let Some((element, shape)) = source.describe(name) else { continue };
        let end = start + elements(shape) * element.size();
        table.insert(
            (*name).to_owned(),
            json!({ "dtype": element.name(), "shape": shape, "data_offsets": [start, end] }),
        );
        start = end;
    }
    let mut header = serde_json::to_vec(&Value::Object(table))
        .map_err(|error| KFoldError::checkpoint(source.path(), error.to_string()))?;
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    Ok((header, order))
}
