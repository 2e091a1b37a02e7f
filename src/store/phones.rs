//! The phones of whoever the accounts belong to: one number each, rung by orders that name nobody.

use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::Store;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use crate::account::Account;

/// The phones of accounts.
pub trait Phones {
    /// The phone of this account, if one is stored.
    fn phone(
        &self,
        account: &Account,
    ) -> impl Future<Output = Result<Option<Number>, RecordError>> + Send;

    /// Stores the phone of this account; none forgets it.
    fn set_phone(
        &self,
        account: Account,
        number: Option<Number>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;
}

impl Phones for Store {
    async fn phone(&self, account: &Account) -> Result<Option<Number>, RecordError> {
        let number: Option<String> =
            sqlx::query_scalar("SELECT number FROM phones WHERE account = $1")
                .bind(account.as_str())
                .fetch_optional(&self.inner.readers)
                .await
                .map_err(|error| unread(&error))?;
        Ok(number.map(Number::new))
    }

    async fn set_phone(&self, account: Account, number: Option<Number>) -> Result<(), RecordError> {
        let set = self.promise(move |desk| {
            Box::pin(async move { desk.set_phone(&account, number.as_ref()).await })
        });
        Ok(set.await?)
    }
}

impl Desk {
    async fn set_phone(
        &mut self,
        account: &Account,
        number: Option<&Number>,
    ) -> Result<(), Trouble> {
        let query = match number {
            Some(number) => sqlx::query(
                "INSERT INTO phones (account, number) VALUES ($1, $2) \
                 ON CONFLICT (account) DO UPDATE SET number = excluded.number",
            )
            .bind(account.as_str())
            .bind(number.as_str()),
            None => sqlx::query("DELETE FROM phones WHERE account = $1").bind(account.as_str()),
        };
        query.execute(&mut self.conn).await?;
        Ok(())
    }
}
