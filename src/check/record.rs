//! Whether the record can be written, by us or by the server that runs.

use crate::config;
use crate::store::{self, OpenError};

pub(super) fn look(settings: &config::Store, is_running: bool) -> Result<String, String> {
    let dir = settings.dir.display();
    match store::probe(&settings.dir) {
        Ok(()) => Ok(format!("writable and free: {dir}")),
        Err(OpenError::InUse(_)) if is_running => Ok(format!("the running server's: {dir}")),
        Err(error) => Err(error.to_string()),
    }
}
