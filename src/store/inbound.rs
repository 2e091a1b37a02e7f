//! How calls to numbers of ours are held.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tandem_actors::carrier::Number;
use tandem_actors::record::RecordError;

use super::fault::unread;
use super::{Store, now_ms};
use crate::account::Account;
use crate::inbound::Profile;

/// How calls to numbers of ours are held.
pub trait Profiles {
    /// The profile of this number, and whose its calls are.
    fn inbound(
        &self,
        number: &Number,
    ) -> impl Future<Output = Result<Option<(Account, Profile)>, RecordError>> + Send;

    /// All of them, by number.
    fn inbound_profiles(
        &self,
    ) -> impl Future<Output = Result<Vec<(Number, Account, Profile)>, RecordError>> + Send;

    /// Sets the profile of a number, or takes it away. Calls that are live stay as they are.
    fn set_inbound(
        &self,
        number: Number,
        profile: Option<(Account, Profile)>,
    ) -> impl Future<Output = Result<(), RecordError>> + Send;
}

impl Profiles for Store {
    async fn inbound(&self, number: &Number) -> Result<Option<(Account, Profile)>, RecordError> {
        let row = sqlx::query("SELECT * FROM inbound WHERE number = $1")
            .bind(number.as_str())
            .fetch_optional(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        row.as_ref()
            .map(|row| read(row).map(|(_, account, profile)| (account, profile)))
            .transpose()
    }

    async fn inbound_profiles(&self) -> Result<Vec<(Number, Account, Profile)>, RecordError> {
        let rows = sqlx::query("SELECT * FROM inbound ORDER BY number LIMIT 1000")
            .fetch_all(&self.inner.readers)
            .await
            .map_err(|error| unread(&error))?;
        rows.iter().map(read).collect()
    }

    async fn set_inbound(
        &self,
        number: Number,
        profile: Option<(Account, Profile)>,
    ) -> Result<(), RecordError> {
        let at_ms = now_ms();
        let set = self.promise(move |desk| {
            Box::pin(async move {
                let Some((account, profile)) = profile else {
                    sqlx::query("DELETE FROM inbound WHERE number = $1")
                        .bind(number.as_str())
                        .execute(&mut desk.conn)
                        .await?;
                    return Ok(());
                };
                let profile = serde_json::to_string(&profile).expect("words are JSON");
                sqlx::query(
                    "INSERT INTO inbound (number, account, profile, set_ms) \
                     VALUES ($1, $2, $3, $4) ON CONFLICT (number) DO UPDATE SET \
                     account = excluded.account, profile = excluded.profile, \
                     set_ms = excluded.set_ms",
                )
                .bind(number.as_str())
                .bind(account.as_str())
                .bind(profile)
                .bind(at_ms)
                .execute(&mut desk.conn)
                .await?;
                Ok(())
            })
        });
        Ok(set.await?)
    }
}

fn read(row: &SqliteRow) -> Result<(Number, Account, Profile), RecordError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(|error| unread(&error));
    let wrong = |error: &dyn std::fmt::Display| RecordError(format!("an inbound profile: {error}"));
    let account =
        text("account")?.parse().map_err(|error: crate::account::NoAccount| wrong(&error))?;
    let profile = serde_json::from_str(&text("profile")?).map_err(|error| wrong(&error))?;
    Ok((Number::new(text("number")?), account, profile))
}
