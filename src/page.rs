//! The page: files for a browser, built into the program. Knows no calls: what the page shows it
//! asks of the API, as anybody does.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "page/"]
struct Files;

/// One file of the page.
#[derive(Clone, Debug)]
pub struct File {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub kind: &'static str,
    /// Changes with what is in it.
    pub tag: String,
}

/// The file at this path below `page/`.
#[must_use]
pub fn file(path: &str) -> Option<File> {
    let kind = match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    };
    let found = Files::get(path)?;
    let hash = u64::from_be_bytes(*found.metadata.sha256_hash().first_chunk()?);
    Some(File { bytes: found.data.into_owned(), kind, tag: format!("\"{hash:016x}\"") })
}
