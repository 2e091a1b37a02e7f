//! The phones of whoever the accounts belong to: one number each, rung by orders that name nobody.

use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::Store;
use super::desk::Desk;
use super::fault::{Trouble, unread};
use crate::account::Account;

impl Store {
    /// The phone of this account, if one is stored.
    pub async fn phone(&self, account: &Account) -> Result<Option<Number>, RecordError> {
        let number: Option<String> =
            sqlx::query_scalar("SELECT number FROM phones WHERE account = $1")
                .bind(account.as_str())
                .fetch_optional(&self.inner.readers)
                .await
                .map_err(|error| unread(&error))?;
        Ok(number.map(Number::new))
    }

    /// Stores the phone of this account; none forgets it.
    pub async fn set_phone(
        &self,
        account: Account,
        number: Option<Number>,
    ) -> Result<(), RecordError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_account_has_its_own_phone_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), "a").await.unwrap();
        let (house, ann) = (Account::house(), "ann".parse::<Account>().unwrap());
        for number in ["+15550100", "+15550101"] {
            store.set_phone(ann.clone(), Some(Number::new(number))).await.unwrap();
            assert_eq!(store.phone(&ann).await.unwrap(), Some(Number::new(number)));
        }
        assert_eq!(store.phone(&house).await.unwrap(), None);
        store.set_phone(ann.clone(), None).await.unwrap();
        assert_eq!(store.phone(&ann).await.unwrap(), None);
        store.close().await.unwrap();
    }
}
