//! Keeps a chain in a PostgreSQL table: one row a link, each made only where there is none.
//!
//! The table is `links` in the schema `release_ledger`; it is made with the first link. Several chains may share it
//! under names of their own.

use std::ffi::OsString;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, NoTls, Row};

use crate::world::store::Answer;
use crate::world::store::error::{StoreError, words};
use crate::world::store::numbered::{Filled, New, Put, Shelf};
use crate::world::store::postgres_address::PostgresAddress;

/// A chain's rows of a table.
pub(in crate::world) struct Postgres {
    address: PostgresAddress,
    client: Mutex<Option<Client>>,
}

impl Postgres {
    /// An address such as `postgres://user@host/database?schema=release_ledger&ledger=release`. The password is
    /// `RELEASE_LEDGER_PASSWORD` or `PGPASSWORD` of the environment. Nothing is connected yet.
    ///
    /// # Errors
    /// As `PostgresAddress::read`.
    pub fn open(url: &str, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Postgres, StoreError> {
        Ok(Postgres { address: PostgresAddress::read(url, environment)?, client: Mutex::new(None) })
    }

    async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let mut held = self.client.lock().await;
        if held.as_ref().is_none_or(Client::is_closed) {
            *held = Some(self.connect().await?);
        }
        let client = held.as_ref().expect("it was connected in the line before");
        let answer = timeout(ANSWERED_WITHIN, client.query(sql, values)).await;
        if !matches!(&answer, Ok(Ok(_))) {
            // The next attempt begins anew.
            *held = None;
        }
        match answer {
            Ok(answer) => answer.map_err(Trouble::Said),
            Err(_) => Err(Trouble::Store(self.unreachable("no answer within a minute"))),
        }
    }

    async fn connect(&self) -> Result<Client, Trouble> {
        match timeout(ANSWERED_WITHIN, self.reach()).await {
            Ok(reached) => reached,
            Err(_) => Err(Trouble::Store(self.unreachable("no answer within a minute"))),
        }
    }

    async fn reach(&self) -> Result<Client, Trouble> {
        let config = &self.address.config;
        if let Some(tls) = self.address.tls()? {
            let (client, connection) = config.connect(tls).await.map_err(Trouble::Said)?;
            tokio::spawn(connection);
            return Ok(client);
        }
        let (client, connection) = config.connect(NoTls).await.map_err(Trouble::Said)?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Rows; none where the table was not made yet.
    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StoreError> {
        match self.query(sql, values).await {
            Ok(rows) => Ok(rows),
            Err(Trouble::Said(error)) if is_about_no_table(&error) => Ok(Vec::new()),
            Err(trouble) => Err(self.failed(trouble)),
        }
    }

    async fn make_table(&self) -> Result<(), StoreError> {
        let schema = &self.address.schema;
        let made_already =
            [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_SCHEMA];
        let schema_there = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
        let mut statements = vec![format!(
            "CREATE TABLE IF NOT EXISTS {schema}.links (ledger text NOT NULL, number bigint NOT NULL, \
             version text NOT NULL, parent text, body bytea NOT NULL, PRIMARY KEY (ledger, number))"
        )];
        if self.rows(schema_there, &[schema]).await?.is_empty() {
            statements.insert(0, format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
        }
        for statement in statements {
            match self.query(&statement, &[]).await {
                Err(Trouble::Said(error)) if error.code().is_some_and(|code| made_already.contains(code)) => {
                }
                made => {
                    made.map_err(|trouble| self.failed(trouble))?;
                }
            }
        }
        Ok(())
    }

    async fn insert(&self, new: &New<'_>) -> Result<Vec<Row>, Trouble> {
        let sql = format!(
            "INSERT INTO {0}.links (ledger, number, version, parent, body) \
             SELECT $1::text, $2::bigint, $3::text, $4::text, $5::bytea WHERE $2 = 1 OR EXISTS \
             (SELECT 1 FROM {0}.links WHERE ledger = $1 AND number = $2 - 1 AND version = $4) \
             ON CONFLICT DO NOTHING RETURNING number",
            self.address.schema
        );
        let number = as_row_number(new.number);
        let parent = new.parent.map(|version| version.0.as_str());
        self.query(&sql, &[&self.address.ledger, &number, &new.version.0, &parent, &new.bytes]).await
    }

    fn failed(&self, trouble: Trouble) -> StoreError {
        let error = match trouble {
            Trouble::Store(error) => return error,
            Trouble::Said(error) => error,
        };
        let Some(said) = error.as_db_error() else { return self.unreachable(&causes(&error)) };
        let text = format!("{} (SQLSTATE {})", said.message(), said.code().code());
        // Connection exceptions, serialization failures, too many connections, a server that stops or starts
        // (PostgreSQL, appendix A).
        let passing = ["08", "40", "57"].iter().any(|class| said.code().code().starts_with(class))
            || *said.code() == SqlState::TOO_MANY_CONNECTIONS;
        if passing {
            return self.unreachable(&text);
        }
        StoreError::Refused { store: self.address.name.clone(), words: words(&text) }
    }

    fn unreachable(&self, said: &str) -> StoreError {
        StoreError::Unreachable { store: self.address.name.clone(), words: words(said) }
    }
}

impl Shelf for Postgres {
    fn name(&self) -> String {
        self.address.name.clone()
    }

    fn newest(&self, from: u64) -> Answer<'_, Option<u64>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT number FROM {}.links WHERE ledger = $1 AND number >= $2 ORDER BY number DESC LIMIT 1",
                self.address.schema
            );
            let rows = self.rows(&sql, &[&self.address.ledger, &as_row_number(from)]).await?;
            Ok(rows.first().and_then(|row| row.get::<_, i64>(0).try_into().ok()))
        })
    }

    fn range(&self, from: u64, to: u64) -> Answer<'_, Vec<Filled>> {
        Box::pin(async move {
            let sql = format!(
                "SELECT number, body FROM {}.links WHERE ledger = $1 AND number BETWEEN $2 AND $3 ORDER BY number",
                self.address.schema
            );
            let (from, to) = (as_row_number(from), as_row_number(to));
            let rows = self.rows(&sql, &[&self.address.ledger, &from, &to]).await?;
            let filled =
                |row: &Row| Some(Filled { number: row.get::<_, i64>(0).try_into().ok()?, bytes: row.get(1) });
            Ok(rows.iter().filter_map(filled).collect())
        })
    }

    fn put<'a>(&'a self, new: &'a New<'a>) -> Answer<'a, Put> {
        Box::pin(async move {
            let mut made = self.insert(new).await;
            if let Err(Trouble::Said(error)) = &made
                && is_about_no_table(error)
            {
                self.make_table().await?;
                made = self.insert(new).await;
            }
            let rows = made.map_err(|trouble| self.failed(trouble))?;
            Ok(if rows.is_empty() { Put::Taken } else { Put::Made })
        })
    }
}

/// What went wrong: the server's or driver's own error, or one of ours.
enum Trouble {
    Said(Error),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Store(error)
    }
}

const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

fn is_about_no_table(error: &Error) -> bool {
    let codes = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| codes.contains(code))
}

fn as_row_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An error with its causes, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
