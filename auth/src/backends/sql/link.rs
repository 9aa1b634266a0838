//! One connection to a database of either kind.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, ColumnIndex, Connection, Database, Decode, Encode, Executor,
    IntoArguments, MySqlConnection, PgConnection, Type, TypeInfo as _, ValueRef as _,
    database::HasStatementCache,
};
use zeroize::Zeroizing;

use crate::backends::sql::{
    entry::{Row, Value},
    query::Query,
};

/// A connection that can be asked.
pub(super) trait Link: Connection + Sized {
    /// Lets it read and nothing else, whatever the query says, and no statement last longer than
    /// `limit`: nobody waits for its answer any more.
    async fn restrict(&mut self, limit: Duration) -> sqlx::Result<()>;

    /// The first rows of the answer, [`ENOUGH`] at most. After so many the rest is not fetched,
    /// and the connection can only be dropped.
    async fn ask(&mut self, query: &Query, values: &[&str]) -> sqlx::Result<Vec<Row>>;
}

/// Two rows are as bad as a thousand.
pub(super) const ENOUGH: usize = 2;

impl Link for PgConnection {
    async fn restrict(&mut self, limit: Duration) -> sqlx::Result<()> {
        let sql = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {}",
            milliseconds(limit)
        );
        self.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    async fn ask(&mut self, query: &Query, values: &[&str]) -> sqlx::Result<Vec<Row>> {
        first_rows(self, query, values).await
    }
}

impl Link for MySqlConnection {
    /// MariaDB reads the first of the comments as SQL, MySQL from 5.7.8 on the second.
    async fn restrict(&mut self, limit: Duration) -> sqlx::Result<()> {
        self.execute("SET SESSION TRANSACTION READ ONLY").await?;
        let (milliseconds, seconds) = (milliseconds(limit), limit.as_secs_f64().max(0.001));
        let sql = format!(
            "SET @mailweir = 1 /*M!100101 , SESSION max_statement_time = {seconds:.3} */ \
             /*!50708 , SESSION max_execution_time = {milliseconds} */"
        );
        self.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    async fn ask(&mut self, query: &Query, values: &[&str]) -> sqlx::Result<Vec<Row>> {
        first_rows(self, query, values).await
    }
}

/// At least one, for none means no limit.
fn milliseconds(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis()).map_or(LONGEST_LIMIT, |limit| limit.clamp(1, LONGEST_LIMIT))
}

async fn first_rows<'c, D, C>(link: C, query: &Query, values: &[&str]) -> sqlx::Result<Vec<Row>>
where
    D: Database + HasStatementCache,
    C: Executor<'c, Database = D>,
    D::Arguments: IntoArguments<D>,
    for<'v> &'v str: Encode<'v, D> + Type<D>,
    for<'v> &'v [u8]: Decode<'v, D>,
    usize: ColumnIndex<D::Row>,
{
    // A kept statement would fail for ever once a column of its table has changed.
    let mut asked = sqlx::query(AssertSqlSafe(query.sql())).persistent(false);
    for value in values {
        asked = asked.bind(*value);
    }
    let mut found = asked.fetch(link);
    let mut rows = Vec::new();
    while rows.len() < ENOUGH
        && let Some(row) = found.try_next().await?
    {
        rows.push(columns(&row)?);
    }
    Ok(rows)
}

fn columns<R>(row: &R) -> sqlx::Result<Row>
where
    R: sqlx::Row,
    for<'v> &'v [u8]: Decode<'v, R::Database>,
    usize: ColumnIndex<R>,
{
    let read = |column: &<R::Database as Database>::Column| {
        let raw = row.try_get_raw(column.ordinal())?;
        let kind = raw.type_info().name().to_owned();
        let value = match raw.is_null() {
            true => Value::Null,
            false => <&[u8]>::decode(raw).map_or(Value::Other, |bytes| value(&kind, bytes)),
        };
        Ok((column.name().into(), value))
    };
    row.columns().iter().map(read).collect()
}

/// Reads the bytes of a value in the binary form of either database.
fn value(kind: &str, bytes: &[u8]) -> Value {
    match kind.trim_end_matches(" UNSIGNED") {
        "BOOL" | "INT2" | "INT4" | "INT8" => Value::Truth(bytes.iter().any(|&byte| byte != 0)),
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "BIT" => {
            Value::Truth(bytes.iter().any(|&byte| byte != 0))
        }
        // What fills a CHAR(n) up is no part of it (PostgreSQL manual, section 8.3).
        "CHAR" => text(bytes.trim_ascii_end()),
        _ => text(bytes),
    }
}

fn text(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes);
    text.map_or(Value::Other, |text| Value::Text(Zeroizing::new(text.to_owned())))
}

/// An hour, in milliseconds: PostgreSQL takes no more than an `int`.
const LONGEST_LIMIT: u32 = 3_600_000;
