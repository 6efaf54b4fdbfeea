//! What to bring to the inbox before the job: each file read once, for its size and its hash.

use std::path::Path;

use crate::foreign::quote;
use crate::inbox::{self, Parcel, Remote};

use super::Error;
use super::given::{Given, Values};

/// A file to bring, and where it was asked for.
pub(super) struct Upload {
    pub(super) parcel: Parcel,
    given: Given,
}

/// The files, none of which takes the name of another.
pub(super) fn uploads(values: &Values<'_>) -> Result<Vec<Upload>, Error> {
    let mut uploads: Vec<Upload> = Vec::new();
    for given in values.many("upload", "EPM_UPLOAD")? {
        let given = Given { value: given.value.trim().to_owned(), ..given };
        let parcel = parcel(&given)?;
        if uploads.iter().any(|upload| upload.parcel.remote == parcel.remote) {
            let problem = format!("two uploads would take the name {}", quote(parcel.remote.as_str()));
            return Err(given.error(problem, "give each a name of its own"));
        }
        uploads.push(Upload { parcel, given });
    }
    Ok(uploads)
}

fn parcel(given: &Given) -> Result<Parcel, Error> {
    let (local, name) = inbox::split(&given.value);
    let path = Path::new(local);
    let remote = name.map(|name| Remote::parse(name).map_err(|error| misnamed(given, name, error))).transpose()?;
    if name.is_none() && local.contains('=') && std::fs::symlink_metadata(path).is_err() {
        let problem = format!("there is no file {}, and no name in the inbox behind its `=`", quote(local));
        return Err(given.error(problem, "write `LOCAL=inbox/NAME`, or `LOCAL=inbox/FOLDER/NAME`"));
    }
    let measured = inbox::measure(path)
        .map_err(|error| given.error(error.sentence(), "name a file that exists and that this user may read"))?;
    let is_named_by_content = remote.is_none();
    let of_content = || Remote::of_content(path, &measured.sha256).map_err(|error| misnamed(given, local, error));
    let remote = remote.map_or_else(of_content, Ok)?;
    Ok(Parcel { local: path.to_owned(), remote, is_named_by_content, measured })
}

fn misnamed(given: &Given, name: &str, error: inbox::NameError) -> Error {
    let problem = format!("{} is no name in the inbox: {error}", quote(name));
    given.error(problem, "write `LOCAL=inbox/NAME`, or `LOCAL=inbox/FOLDER/NAME`")
}

/// Refuses a file whose name nobody knows but its content, unless the job reads it: another one would be loaded in its
/// place, and that could be an old one and still end in success (epm-api.md §1.13).
pub(super) fn all_named(uploads: &[Upload], read: Option<&str>) -> Result<(), Error> {
    let is_unread = |upload: &&Upload| {
        upload.parcel.is_named_by_content && read.is_none_or(|file| file != upload.parcel.remote.as_str())
    };
    match uploads.iter().find(is_unread) {
        None => Ok(()),
        Some(upload) => Err(upload.given.error(
            format!(
                "nothing says that the job reads {}: its name would be made of its content",
                quote(&upload.given.value)
            ),
            "write `LOCAL=inbox/NAME`, with the name that the job reads",
        )),
    }
}
