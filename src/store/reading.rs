//! The store as an archive: what is read goes to the readers, what is settled to the one writer.

use tandem_actors::briefing::{CallId, Text};

use super::archive::{
    Answer, Archive, CallFilter, CallRow, ConfirmationRow, Cursor, End, EventRow, LedgerRow,
    Orphan, Page, SettledCall, TurnRow,
};
use super::desk::Tenure;
use super::floor::{self, LiveRow};
use super::{Store, kept, now_ms, read};
use crate::account::Account;

impl Archive for Store {
    fn call<'a>(&'a self, id: &'a CallId) -> Answer<'a, Option<CallRow>> {
        Box::pin(read::call(&self.inner.readers, id))
    }

    fn calls(&self, filter: CallFilter, after: Option<Cursor>, limit: u32) -> Answer<'_, Page> {
        Box::pin(read::calls(&self.inner.readers, filter, after, limit))
    }

    fn floor(&self, of: Option<Account>) -> Answer<'_, Vec<LiveRow>> {
        Box::pin(floor::floor(&self.inner.readers, of))
    }

    fn turns<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<TurnRow>> {
        Box::pin(read::turns(&self.inner.readers, id))
    }

    fn events<'a>(&'a self, id: &'a CallId, after: u64) -> Answer<'a, Vec<EventRow>> {
        Box::pin(read::events(&self.inner.readers, id, after))
    }

    fn tool_ledger<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<LedgerRow>> {
        Box::pin(read::tool_ledger(&self.inner.readers, id))
    }

    fn confirmations<'a>(&'a self, id: &'a CallId) -> Answer<'a, Vec<ConfirmationRow>> {
        Box::pin(read::confirmations(&self.inner.readers, id))
    }

    fn setting<'a>(&'a self, key: &'a str) -> Answer<'a, Option<Text>> {
        Box::pin(read::setting(&self.inner.readers, key))
    }

    fn set(&self, key: String, value: Text) -> Answer<'static, ()> {
        let at_ms = now_ms();
        kept(self.promise(move |desk| {
            Box::pin(async move { desk.set(&key, value.as_str(), at_ms).await })
        }))
    }

    fn settle_orphans(&self, node: String) -> Answer<'static, Vec<SettledCall>> {
        let store = self.clone();
        Box::pin(async move {
            let mut all = Vec::new();
            loop {
                let (node, at_ms) = (node.clone(), now_ms());
                let settled = store.promise(move |desk| {
                    Box::pin(async move { desk.settle_orphans(&node, at_ms).await })
                });
                let settled = settled.await?;
                if settled.is_empty() {
                    return Ok(all);
                }
                all.extend(settled);
            }
        })
    }

    fn adopt_orphans(&self, node: String) -> Answer<'static, Vec<Orphan>> {
        let store = self.clone();
        Box::pin(async move {
            let mut all = Vec::new();
            loop {
                let node = node.clone();
                let adopted = store
                    .promise(move |desk| Box::pin(async move { desk.adopt_orphans(&node).await }));
                let adopted = adopted.await?;
                if adopted.is_empty() {
                    return Ok(all);
                }
                all.extend(adopted);
            }
        })
    }

    fn end_orphan(&self, call: CallId, end: End) -> Answer<'static, ()> {
        let at_ms = now_ms();
        kept(
            self.promise(move |desk| {
                Box::pin(async move { desk.end_orphan(&call, end, at_ms).await })
            }),
        )
    }

    fn flush(&self) -> Answer<'static, ()> {
        kept(self.promise(|_| Box::pin(async { Ok(()) })))
    }

    fn tenure(&self) -> &Tenure {
        &self.inner.tenure
    }
}
