//! A program that embeds the engine: spend by user over the sample events, as in the README.
#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use highwater::execution::Trigger;
use highwater::session::Session;
use highwater::sink::OutputMode;

#[tokio::main]
async fn main() -> highwater::error::Result<()> {
    let session = Session::new()?;
    let events = session
        .read_stream()
        .format("json")
        .schema("user_id STRING, event_type STRING, event_time TIMESTAMP, amount DOUBLE")
        .option("maxFilesPerTrigger", 1)
        .load("sample-data/events")?;
    let query = events
        .with_watermark("event_time", "10 minutes")?
        .filter("event_type = 'purchase'")?
        .group_by(["user_id"])?
        .agg(["count(*) AS purchases", "sum(amount) AS spent"])?
        .write_stream()
        .query_name("spend_by_user")
        .format("memory")
        .output_mode(OutputMode::Complete)
        .trigger(Trigger::AvailableNow)
        .option("checkpointLocation", "checkpoints/example")
        .start()
        .await?;
    query.await_termination(None).await?;

    let rows = session.table("spend_by_user")?.collect().await?;
    println!("{}", arrow::util::pretty::pretty_format_batches(&rows)?);
    Ok(())
}
