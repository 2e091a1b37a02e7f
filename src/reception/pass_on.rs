//! Callers who are put straight through to the human: the agent does not answer, and nothing of
//! their call is heard or kept here.

use std::sync::Arc;

use tandem_actors::briefing::{CallId, Lifecycle, Outcome};
use tandem_actors::carrier::Number;

use super::whole::whole;
use super::{New, NotMade, Reception, Ringing, Shared, Wish, new_id};

/// A caller who is to be put through. Dropped without [`Passing::done`], they were not.
pub struct Passing {
    reception: Shared,
    call: CallId,
    human: Number,
    end: (Outcome, &'static str),
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Passing").field(&self.call).finish()
    }
}

impl Passing {
    /// The call.
    #[must_use]
    pub fn call(&self) -> &CallId {
        &self.call
    }

    /// Whom to ring.
    #[must_use]
    pub fn human(&self) -> &Number {
        &self.human
    }

    /// The carrier rings the human: what becomes of it is not told here, and for us it ended before
    /// it was answered.
    pub fn done(mut self) {
        self.end = (Outcome::Cancelled, "passed_on");
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let (outcome, reason) = self.end;
        tracing::info!(call = %self.call, reason, "a caller for the human");
        self.reception.end_unmade(&self.call, outcome, reason);
    }
}

impl Reception {
    /// Writes down that a caller is put through.
    pub(super) async fn pass_on(
        self: &Arc<Self>,
        ringing: Ringing,
        wish: Wish,
        human: Number,
    ) -> Result<Passing, NotMade> {
        let (reception, call) = (Arc::clone(self), new_id());
        let new = New::ringing(ringing, wish);
        whole(async move {
            reception.write(&call, &new, Lifecycle::Dialing, None).await?;
            let end = (Outcome::Failed, "not_passed_on");
            Ok(Passing { reception, call, human, end })
        })
        .await
    }
}
