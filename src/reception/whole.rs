//! What is carried out whole, also when whoever asked for it has gone meanwhile.

use std::panic::resume_unwind;

/// Does it in a task of its own. A request that is broken off takes its future with it, and what
/// was written down for it would stay: a call that nobody makes and nobody can end.
pub(crate) async fn whole<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work).await {
        Ok(done) => done,
        // Aborted it is with the runtime alone, and we with it.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
