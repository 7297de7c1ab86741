//! `highwater snapshot`: a picture of the workbench, without a terminal.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::output::{Output, OutputFormat};
use super::{EngineOptions, FAILURE, SUCCESS, Script, fail};
use crate::engine::Engine;
use crate::error::Result;

const EXAMPLES: &str = "\
Examples:
  highwater snapshot pipeline.sql                             the list of queries after 5 seconds
  highwater snapshot pipeline.sql --after end                 when all of its queries have ended
  highwater snapshot pipeline.sql --keys '2 v' --format svg   the results with their chart, for a page
  highwater snapshot pipeline.sql --format ansi | less -R     with colours";

/// Draw the workbench on a pipeline into a text or a drawing: for documents and bug reports.
///
/// The pipeline runs as with `highwater run`, except that checkpoints which it does not name are temporary. Its queries are
/// stopped when the picture is taken.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SnapshotArgs {
    /// The pipeline, or - for stdin.
    #[arg(value_name = "FILE.sql|-")]
    file: PathBuf,

    /// When the picture is taken: a time after the start, or `end`, when all queries have ended.
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    after: After,

    /// Columns and rows.
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x40")]
    size: Size,

    /// What the picture is written as.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: PictureFormat,

    /// Keys to press before, with blanks between them: 'down enter 3'.
    #[arg(long, value_name = "KEYS", default_value = "")]
    keys: String,

    /// Colours: a theme's name, or a .toml file.
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,

    /// Nothing beyond ASCII.
    #[arg(long)]
    ascii: bool,
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PictureFormat {
    /// Characters alone.
    #[default]
    Text,
    /// Characters with the colours of a terminal.
    Ansi,
    /// A drawing for a browser.
    Svg,
}

/// What a picture is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureOptions {
    /// The pipeline.
    pub script: Script,
    /// How long it runs before; `None`: until all of its queries have ended.
    pub after: Option<Duration>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// What it is written as.
    pub format: PictureFormat,
    /// Keys to press before.
    pub keys: Vec<String>,
    /// The theme, if one was asked for.
    pub theme: Option<String>,
    /// Nothing beyond ASCII.
    pub ascii: bool,
}

/// When a picture is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct After(Option<Duration>);

impl FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "end" {
            return Ok(Self(None));
        }
        let time = humantime::parse_duration(text);
        time.map(|time| Self(Some(time)))
            .map_err(|error| format!("{error}; write a time such as 5s or 1m 30s, or end"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u16, u16);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('x');
        let numbers = numbers.and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
        match numbers {
            Some((columns @ 30..=500, rows @ 8..=200)) => Ok(Self(columns, rows)),
            _ => Err("write columns and rows such as 120x40, from 30x8 to 500x200".to_string()),
        }
    }
}

/// Gives the exit code.
pub(super) fn run(
    args: &SnapshotArgs,
    make_engine: impl FnOnce(EngineOptions) -> Result<Arc<dyn Engine>>,
    take_picture: impl FnOnce(Arc<dyn Engine>, PictureOptions) -> Result<String>,
) -> u8 {
    let mut output = Output::of_process(OutputFormat::Text);
    let script = match Script::read(&args.file) {
        Ok(script) => script,
        Err(error) => return fail(&mut output, &error, None),
    };
    let options = PictureOptions {
        script: script.clone(),
        after: args.after.0,
        size: (args.size.0, args.size.1),
        format: args.format,
        keys: args.keys.split_whitespace().map(str::to_string).collect(),
        theme: args.theme.clone(),
        ascii: args.ascii,
    };
    let picture = make_engine(EngineOptions::default()).and_then(|engine| take_picture(engine, options));
    match picture {
        Ok(picture) => match output.picture(&picture) {
            Err(error) if !error.is_broken_pipe() => FAILURE,
            _ => SUCCESS,
        },
        Err(error) => fail(&mut output, &error, Some(&script)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read() {
        assert_eq!("end".parse(), Ok(After(None)));
        assert_eq!("1m 30s".parse(), Ok(After(Some(Duration::from_secs(90)))));
        assert!("soon".parse::<After>().expect_err("no time").contains("5s"));
        assert_eq!("120x40".parse(), Ok(Size(120, 40)));
        for wrong in ["120", "x", "1x1", "9999x40", "120x40x2", "-1x5"] {
            assert!(wrong.parse::<Size>().expect_err(wrong).contains("120x40"));
        }
    }
}
