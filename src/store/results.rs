//! What a call shall bring back, and what it has.

use tandem_actors::briefing::{CallId, Text};
use tandem_actors::call::restricted;
use tandem_actors::record::RecordError;

use super::archive::Archive;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use super::{Store, Unkept};

/// What calls shall bring back, and what they have.
pub trait Results: Archive {
    /// The JSON Schema of what a call shall bring back; none when nobody asked for anything.
    fn wanted_result(
        &self,
        call: &CallId,
    ) -> impl Future<Output = Result<Option<Text>, RecordError>> + Send;

    /// Keeps what a call has brought back, without the restricted data in it; the last word counts.
    /// Durable before it returns.
    fn bring_result(
        &self,
        call: &CallId,
        result: Text,
    ) -> impl Future<Output = Result<(), Unkept>> + Send;
}

impl Results for Store {
    async fn wanted_result(&self, call: &CallId) -> Result<Option<Text>, RecordError> {
        let schema: Option<Option<String>> =
            sqlx::query_scalar("SELECT result_schema FROM calls WHERE id = $1")
                .bind(&*call.0)
                .fetch_optional(&self.inner.readers)
                .await
                .map_err(|error| unread(&error))?;
        Ok(schema.flatten().map(Text))
    }

    async fn bring_result(&self, call: &CallId, result: Text) -> Result<(), Unkept> {
        let call = call.clone();
        let result = Text(restricted::mask_json(result.as_str()));
        self.promise(move |desk| Box::pin(async move { desk.bring_result(&call, &result).await }))
            .await
    }
}

impl Desk {
    async fn bring_result(&mut self, call: &CallId, result: &Text) -> Result<(), Trouble> {
        self.require_ours(call).await?;
        sqlx::query("UPDATE calls SET result = $2 WHERE id = $1")
            .bind(&*call.0)
            .bind(result.as_str())
            .execute(&mut self.conn)
            .await?;
        Ok(())
    }
}
