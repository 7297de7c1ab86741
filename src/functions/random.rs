//! `rand`, `randn` and `monotonically_increasing_id`: functions that go on from row to row.
//!
//! With a seed the numbers are those of Spark's first partition (`XORShiftRandom`). A call begins anew in each query and,
//! as in Spark, in each micro-batch. Which row gets which number is open where a batch is read in several partitions, so a
//! batch that is replayed may give others. What a call has gone through is
//! made when it is planned ([`ScalarUDFImpl::simplify`]), so that no two calls share it.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use parking_lot::Mutex;

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    [Kind::Uniform, Kind::Normal, Kind::RowId]
        .into_iter()
        .map(|kind| Arc::new(ScalarUDF::from(Running::new(kind, None))))
        .collect()
}

/// The function that stands for `name` where its rows come in batches, whose own times `now_ms` tells; `None` if `name` is no
/// function of this file.
pub fn in_batches(name: &str, now_ms: &Arc<AtomicI64>) -> Option<ScalarUDF> {
    let kind = [Kind::Uniform, Kind::Normal, Kind::RowId];
    let kind = kind.into_iter().find(|kind| kind.name() == name)?;
    Some(ScalarUDF::from(Running::new(kind, Some(Arc::clone(now_ms)))))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Uniform,
    Normal,
    RowId,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Uniform => "rand",
            Self::Normal => "randn",
            Self::RowId => "monotonically_increasing_id",
        }
    }
}

#[derive(Debug)]
struct Running {
    kind: Kind,
    aliases: Vec<String>,
    /// The time of the batch at hand, where there are batches.
    batch_ms: Option<Arc<AtomicI64>>,
    /// How far a planned call is; `None` before.
    run: Option<Arc<Mutex<Run>>>,
    signature: Signature,
}

impl Running {
    fn new(kind: Kind, batch_ms: Option<Arc<AtomicI64>>) -> Self {
        Self {
            kind,
            aliases: match kind {
                Kind::Uniform => vec!["random".to_owned()],
                Kind::Normal | Kind::RowId => Vec::new(),
            },
            batch_ms,
            run: None,
            signature: Signature::user_defined(Volatility::Volatile),
        }
    }
}

impl PartialEq for Running {
    fn eq(&self, other: &Self) -> bool {
        let same_run = match (&self.run, &other.run) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        self.kind == other.kind && self.batch_ms.is_some() == other.batch_ms.is_some() && same_run
    }
}

impl Eq for Running {}

impl Hash for Running {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl ScalarUDFImpl for Running {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match (self.kind, types) {
            (_, []) => Ok(vec![]),
            (Kind::Uniform | Kind::Normal, [seed]) if seed.is_integer() || seed.is_null() => {
                Ok(vec![DataType::Int64])
            }
            (Kind::RowId, _) => plan_err!("{} takes no arguments", self.name()),
            _ => plan_err!(
                "{} takes a seed, which is a whole number, or nothing",
                self.name()
            ),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Uniform | Kind::Normal => DataType::Float64,
            Kind::RowId => DataType::Int64,
        })
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let seed = match args.first() {
            _ if self.run.is_some() => return Ok(ExprSimplifyResult::Original(args)),
            // Any seed: it is not the same twice.
            None => RandomState::new().build_hasher().finish().cast_signed(),
            Some(Expr::Literal(ScalarValue::Int64(seed), _)) => seed.unwrap_or(0),
            Some(_) => return Ok(ExprSimplifyResult::Original(args)),
        };
        let planned = Self {
            run: Some(Arc::new(Mutex::new(Run::new(seed)))),
            ..Self::new(self.kind, self.batch_ms.clone())
        };
        Ok(ExprSimplifyResult::Simplified(
            ScalarUDF::from(planned).call(args),
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(run) = &self.run else {
            return exec_err!("the seed of {} must be a constant", self.name());
        };
        let mut run = run.lock();
        if let Some(batch_ms) = &self.batch_ms {
            run.enter(batch_ms.load(Ordering::Acquire));
        }
        let rows = 0..args.number_rows;
        let values: ArrayRef = match self.kind {
            Kind::Uniform => Arc::new(Float64Array::from_iter_values(rows.map(|_| run.random.uniform()))),
            Kind::Normal => Arc::new(Float64Array::from_iter_values(rows.map(|_| run.random.normal()))),
            Kind::RowId => Arc::new(Int64Array::from_iter_values(rows.map(|_| run.next_id()))),
        };
        Ok(ColumnarValue::Array(values))
    }
}

/// How far a call is.
#[derive(Debug)]
struct Run {
    seed: i64,
    batch_ms: i64,
    random: XorShift,
    next_id: i64,
}

impl Run {
    fn new(seed: i64) -> Self {
        Self {
            seed,
            batch_ms: 0,
            random: XorShift::new(seed),
            next_id: 0,
        }
    }

    /// Begins anew if another batch has begun.
    fn enter(&mut self, batch_ms: i64) {
        if batch_ms != self.batch_ms {
            *self = Self {
                batch_ms,
                ..Self::new(self.seed)
            };
        }
    }

    fn next_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id - 1
    }
}

/// Spark's `XORShiftRandom`: George Marsaglia's generator under Java's `Random`.
#[derive(Debug)]
struct XorShift {
    state: u64,
    /// Normal numbers are made in pairs.
    next_normal: Option<f64>,
}

impl XorShift {
    fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = murmur3(bytes, 0x3c07_4a61);
        let high = murmur3(bytes, low);
        Self {
            state: u64::from(high) << 32 | u64::from(low),
            next_normal: None,
        }
    }

    fn bits(&mut self, count: u32) -> u64 {
        let mut state = self.state ^ (self.state << 21);
        state ^= state >> 35;
        state ^= state << 4;
        self.state = state;
        state & ((1 << count) - 1)
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn uniform(&mut self) -> f64 {
        let high = self.bits(26) << 27;
        let all = high + self.bits(27);
        all as f64 / (1_u64 << 53) as f64
    }

    /// The polar method, as `java.util.Random.nextGaussian`.
    fn normal(&mut self) -> f64 {
        if let Some(normal) = self.next_normal.take() {
            return normal;
        }
        loop {
            let one = 2.0 * self.uniform() - 1.0;
            let other = 2.0 * self.uniform() - 1.0;
            let square = one * one + other * other;
            if square < 1.0 && square > 0.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.next_normal = Some(other * scale);
                return one * scale;
            }
        }
    }
}

/// Murmur3 (x86, 32 bits) of whole words.
fn murmur3(bytes: [u8; 8], seed: u32) -> u32 {
    let mut hash = seed;
    for word in bytes.as_chunks::<4>().0 {
        let word = u32::from_le_bytes(*word).wrapping_mul(0xcc9e_2d51);
        hash ^= word.rotate_left(15).wrapping_mul(0x1b87_3593);
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= 8;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Spark 4.3, and its documentation.
    #[test]
    fn seeded_numbers_are_sparks() {
        assert!((XorShift::new(0).uniform() - 0.760_495_375_828_591_5).abs() < 1e-15);
        assert!((XorShift::new(0).normal() - 1.603_499_160_927_843_3).abs() < 1e-12);
    }

    #[test]
    fn each_batch_begins_anew() {
        let mut run = Run::new(7);
        run.enter(10);
        let first = run.random.uniform();
        assert!((run.random.uniform() - first).abs() > f64::EPSILON);
        run.enter(10);
        assert_eq!(run.next_id(), 0);
        run.enter(11);
        assert!((run.random.uniform() - first).abs() < f64::EPSILON);
        assert_eq!(run.next_id(), 0);
    }
}
