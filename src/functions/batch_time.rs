//! `current_timestamp()` and its kin inside a streaming query: the batch's own time.
//!
//! Every row of a batch sees the same time, and the offset log keeps it, so that a batch which is replayed after a
//! crash gives the same rows (Spark: `CurrentBatchTimestamp`).

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// The function that stands for `name` inside a batch, or `None` if `name` is not a function of the current time.
pub fn batch_timestamp(name: &str, now_ms: &Arc<AtomicI64>) -> Option<ScalarUDF> {
    let kind = match name {
        "now" | "current_timestamp" => Kind::Timestamp,
        "current_date" | "today" => Kind::Date,
        "current_time" => Kind::Time,
        _ => return None,
    };
    let signature = Signature::nullary(Volatility::Volatile);
    Some(ScalarUDF::from(BatchTime {
        kind,
        now_ms: Arc::clone(now_ms),
        signature,
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Timestamp,
    Date,
    Time,
}

#[derive(Debug)]
struct BatchTime {
    kind: Kind,
    now_ms: Arc<AtomicI64>,
    signature: Signature,
}

impl PartialEq for BatchTime {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.now_ms, &other.now_ms)
    }
}

impl Eq for BatchTime {}

impl Hash for BatchTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        Arc::as_ptr(&self.now_ms).hash(state);
    }
}

impl ScalarUDFImpl for BatchTime {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Timestamp => "batch_timestamp",
            Kind::Date => "batch_date",
            Kind::Time => "batch_time",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Date => DataType::Date32,
            Kind::Time => DataType::Time64(TimeUnit::Nanosecond),
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let now_ms = self.now_ms.load(Ordering::Acquire);
        Ok(ColumnarValue::Scalar(match self.kind {
            Kind::Timestamp => ScalarValue::TimestampMicrosecond(Some(now_ms * 1000), Some("UTC".into())),
            Kind::Date => {
                let days = now_ms.div_euclid(86_400_000);
                ScalarValue::Date32(i32::try_from(days).ok())
            }
            Kind::Time => ScalarValue::Time64Nanosecond(Some(now_ms.rem_euclid(86_400_000) * 1_000_000)),
        }))
    }
}
