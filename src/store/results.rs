//! What a call shall bring back, and what it has.

use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::restricted;
use tandem_actors::record::RecordError;

use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, Unkept};

impl Store {
    /// Keeps the JSON Schema of what a call shall bring back; durable before it returns.
    pub async fn want_result(&self, call: &CallId, schema: Text) -> Result<(), RecordError> {
        let call = call.clone();
        let kept = self.promise(move |desk| {
            Box::pin(async move { desk.set_result(&call, Column::Schema, &schema).await })
        });
        Ok(kept.await?)
    }

    /// The JSON Schema of what a call shall bring back; none when nobody asked for anything.
    pub async fn wanted_result(&self, call: &CallId) -> Result<Option<Text>, RecordError> {
        let schema: Option<Option<String>> =
            sqlx::query_scalar("SELECT result_schema FROM calls WHERE id = $1")
                .bind(&*call.0)
                .fetch_optional(&self.inner.readers)
                .await
                .map_err(|error| unread(&error))?;
        Ok(schema.flatten().map(Text))
    }

    /// Keeps what a call has brought back, without the restricted data in it; the last word counts.
    /// Durable before it returns.
    pub async fn bring_result(&self, call: &CallId, result: Text) -> Result<(), Unkept> {
        let call = call.clone();
        let result = Text(restricted::mask_json(result.as_str()));
        self.promise(move |desk| {
            Box::pin(async move { desk.set_result(&call, Column::Result, &result).await })
        })
        .await
    }
}

#[derive(Clone, Copy)]
enum Column {
    Schema,
    Result,
}

impl Desk {
    async fn set_result(
        &mut self,
        call: &CallId,
        column: Column,
        text: &Text,
    ) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        let sql = match column {
            Column::Schema => "UPDATE calls SET result_schema = $2 WHERE id = $1",
            Column::Result => "UPDATE calls SET result = $2 WHERE id = $1",
        };
        sqlx::query(sql).bind(&*call.0).bind(text.as_str()).execute(&mut self.conn).await?;
        Ok(())
    }
}
