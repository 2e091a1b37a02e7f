//! Phones that ring here: what such a call is to be, and that it is one.

use std::sync::Arc;

use tandem_actors::briefing::{Lifecycle, Text};
use tandem_actors::carrier::Number;

use super::whole::whole;
use super::{Made, New, NotMade, Reception, Ringing, Wish, new_id};
use crate::store::Profiles as _;

impl Reception {
    /// Takes a call that rings here and cannot wait.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn take(self: &Arc<Self>, ringing: Ringing) -> Result<Made, NotMade> {
        self.take_about(ringing, None).await
    }

    /// The same for something else, if anything, than its number is for.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub async fn take_about(
        self: &Arc<Self>,
        ringing: Ringing,
        task: Option<Text>,
    ) -> Result<Made, NotMade> {
        let (wish, human) = self.wish_of(&ringing).await?;
        if human.is_some() {
            // Where nobody can be put through they are not admitted to the agent either.
            return Err(NotMade::NotAdmitted);
        }
        let task = task.unwrap_or_else(|| wish.task.clone());
        self.take_as(ringing, Wish { task, ..wish }).await
    }

    /// What a call that rings here is to be, and the human when they are put straight through.
    pub(super) async fn wish_of(
        &self,
        ringing: &Ringing,
    ) -> Result<(Wish, Option<Number>), NotMade> {
        let usual = self.wish(self.house().inbound_task.clone());
        match self.store.inbound(&ringing.to).await? {
            Some((_, profile)) if !profile.admits(&ringing.from) => Err(NotMade::NotAdmitted),
            Some((account, profile)) => {
                let human = self.human().filter(|_| profile.passes_on(&ringing.from));
                Ok((profile.wish(account, usual), human))
            }
            None => Ok((usual, None)),
        }
    }

    /// Takes a call that rings here for something else than the house's usual task.
    ///
    /// # Errors
    /// [`NotMade`]; the carrier should be told that we are busy.
    pub async fn take_for(self: &Arc<Self>, ringing: Ringing, task: Text) -> Result<Made, NotMade> {
        self.take_as(ringing, self.wish(task)).await
    }

    pub(super) async fn take_as(
        self: &Arc<Self>,
        ringing: Ringing,
        wish: Wish,
    ) -> Result<Made, NotMade> {
        let (reception, call) = (Arc::clone(self), new_id());
        let new = New::ringing(ringing, wish);
        whole(async move {
            reception.room()?;
            reception.write(&call, &new, Lifecycle::Dialing, None).await?;
            let addresses = reception.admit(&call, new)?;
            Ok(Made { call, addresses })
        })
        .await
    }
}
