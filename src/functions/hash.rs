//! `hash` and `xxhash64`: Spark's own way through rows, over Murmur3 (x86, 32 bits) and XXH64.
//!
//! The seed is 42, each value's hash is the seed of the next, and a null leaves it as it is. Murmur3 takes the last bytes of
//! a text one by one, which is not how others do it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::support::Kind::Any;
use crate::functions::support::{Call, Function, Planned, params};

/// The functions of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let values = params(&[Any]).and_more(Any);
    vec![
        Function::new(
            "hash",
            values,
            |planned| no_maps(planned, DataType::Int32),
            |call| {
                let hashes = all::<Murmur3>(call)?.into_iter();
                Ok(Arc::new(hashes.map(u32::cast_signed).collect::<Int32Array>()))
            },
        )
        .udf(),
        Function::new(
            "xxhash64",
            values,
            |planned| no_maps(planned, DataType::Int64),
            |call| {
                let hashes = all::<XxHash64>(call)?.into_iter();
                Ok(Arc::new(hashes.map(u64::cast_signed).collect::<Int64Array>()))
            },
        )
        .udf(),
    ]
}

/// Maps have no order, and so no hash.
fn no_maps(planned: &Planned, returns: DataType) -> Result<DataType> {
    fn has_map(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) => true,
            DataType::List(item) => has_map(item.data_type()),
            DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
            _ => false,
        }
    }
    if planned.types.iter().any(has_map) {
        return plan_err!("a map has no hash: equal maps can have their entries in any order");
    }
    Ok(returns)
}

/// A hash of values of fixed and of any width.
trait Algorithm {
    type Hash: Copy;
    fn seed() -> Self::Hash;
    fn int(value: i32, seed: Self::Hash) -> Self::Hash;
    fn long(value: i64, seed: Self::Hash) -> Self::Hash;
    fn bytes(value: &[u8], seed: Self::Hash) -> Self::Hash;
}

fn all<A: Algorithm>(call: &Call) -> Result<Vec<A::Hash>> {
    let mut hashes = vec![A::seed(); call.rows];
    for column in call.args {
        for (row, hash) in hashes.iter_mut().enumerate() {
            *hash = one::<A>(column, row, *hash)?;
        }
    }
    Ok(hashes)
}

fn one<A: Algorithm>(column: &ArrayRef, row: usize, seed: A::Hash) -> Result<A::Hash> {
    if column.is_null(row) {
        return Ok(seed);
    }
    Ok(match column.data_type() {
        DataType::Null => seed,
        DataType::Boolean => A::int(i32::from(column.as_boolean().value(row)), seed),
        DataType::Int8 => A::int(column.as_primitive::<Int8Type>().value(row).into(), seed),
        DataType::Int16 => A::int(column.as_primitive::<Int16Type>().value(row).into(), seed),
        DataType::Int32 => A::int(column.as_primitive::<Int32Type>().value(row), seed),
        DataType::Date32 => A::int(column.as_primitive::<Date32Type>().value(row), seed),
        DataType::Int64 => A::long(column.as_primitive::<Int64Type>().value(row), seed),
        DataType::Timestamp(..) => {
            A::long(column.as_primitive::<TimestampMicrosecondType>().value(row), seed)
        }
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            // Both zeros are one, and so is all that is no number.
            let value = if value == 0.0 {
                0.0
            } else if value.is_nan() {
                f32::NAN
            } else {
                value
            };
            A::int(value.to_bits().cast_signed(), seed)
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            let value = if value == 0.0 {
                0.0
            } else if value.is_nan() {
                f64::NAN
            } else {
                value
            };
            A::long(value.to_bits().cast_signed(), seed)
        }
        DataType::Decimal128(precision, _) => {
            let value = column.as_primitive::<Decimal128Type>().value(row);
            match i64::try_from(value) {
                Ok(value) if *precision <= 18 => A::long(value, seed),
                _ => A::bytes(shortest(&value.to_be_bytes()), seed),
            }
        }
        DataType::Utf8 => A::bytes(column.as_string::<i32>().value(row).as_bytes(), seed),
        DataType::Binary => A::bytes(column.as_binary::<i32>().value(row), seed),
        DataType::List(_) => {
            let elements = column.as_list::<i32>().value(row);
            (0..elements.len()).try_fold(seed, |seed, at| one::<A>(&elements, at, seed))?
        }
        DataType::Struct(_) => {
            let mut columns = column.as_struct().columns().iter();
            columns.try_fold(seed, |seed, column| one::<A>(column, row, seed))?
        }
        other => return exec_err!("{other} has no hash"),
    })
}

/// A number's bytes as Java's `BigInteger` gives them: none in front that only repeats the sign.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [first, next, ..] = bytes
        && ((*first == 0 && next & 0x80 == 0) || (*first == 0xff && next & 0x80 != 0))
    {
        bytes = &bytes[1..];
    }
    bytes
}

struct Murmur3;

impl Murmur3 {
    fn mix(word: u32, hash: u32) -> u32 {
        let word = word
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593);
        (hash ^ word)
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    }

    fn finish(hash: u32, length: u32) -> u32 {
        let hash = hash ^ length;
        let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
        let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

impl Algorithm for Murmur3 {
    type Hash = u32;

    fn seed() -> u32 {
        42
    }

    fn int(value: i32, seed: u32) -> u32 {
        Self::finish(Self::mix(value.cast_unsigned(), seed), 4)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
    fn long(value: i64, seed: u32) -> u32 {
        let value = value.cast_unsigned();
        let hash = Self::mix(value as u32, seed);
        Self::finish(Self::mix((value >> 32) as u32, hash), 8)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a value has less than 4 GB")]
    fn bytes(value: &[u8], seed: u32) -> u32 {
        let mut words = value.chunks_exact(4);
        let mut hash = seed;
        for word in words.by_ref() {
            hash = Self::mix(u32::from_le_bytes([word[0], word[1], word[2], word[3]]), hash);
        }
        for byte in words.remainder() {
            hash = Self::mix(i32::from(byte.cast_signed()).cast_unsigned(), hash);
        }
        Self::finish(hash, value.len() as u32)
    }
}

struct XxHash64;

const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;

impl XxHash64 {
    fn finish(hash: u64) -> u64 {
        let hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME_2);
        let hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME_3);
        hash ^ (hash >> 32)
    }

    fn round(lane: u64, word: u64) -> u64 {
        let lane = lane.wrapping_add(word.wrapping_mul(PRIME_2));
        lane.rotate_left(31).wrapping_mul(PRIME_1)
    }

    fn mix_long(hash: u64, word: u64) -> u64 {
        let hash = hash ^ Self::round(0, word);
        hash.rotate_left(27).wrapping_mul(PRIME_1).wrapping_add(PRIME_4)
    }

    fn mix_int(hash: u64, word: u64) -> u64 {
        let hash = hash ^ word.wrapping_mul(PRIME_1);
        hash.rotate_left(23).wrapping_mul(PRIME_2).wrapping_add(PRIME_3)
    }

    fn word(bytes: &[u8]) -> u64 {
        bytes
            .iter()
            .rev()
            .fold(0, |word, byte| (word << 8) | u64::from(*byte))
    }
}

impl Algorithm for XxHash64 {
    type Hash = u64;

    fn seed() -> u64 {
        42
    }

    fn int(value: i32, seed: u64) -> u64 {
        let hash = seed.wrapping_add(PRIME_5).wrapping_add(4);
        Self::finish(Self::mix_int(hash, u64::from(value.cast_unsigned())))
    }

    fn long(value: i64, seed: u64) -> u64 {
        let hash = seed.wrapping_add(PRIME_5).wrapping_add(8);
        Self::finish(Self::mix_long(hash, value.cast_unsigned()))
    }

    fn bytes(value: &[u8], seed: u64) -> u64 {
        let mut rest = value;
        let mut hash = if value.len() >= 32 {
            let mut lanes = [
                seed.wrapping_add(PRIME_1).wrapping_add(PRIME_2),
                seed.wrapping_add(PRIME_2),
                seed,
                seed.wrapping_sub(PRIME_1),
            ];
            let mut blocks = value.chunks_exact(32);
            for block in blocks.by_ref() {
                for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(8)) {
                    *lane = Self::round(*lane, Self::word(word));
                }
            }
            rest = blocks.remainder();
            let turned = [1, 7, 12, 18];
            let sum = lanes
                .iter()
                .zip(turned)
                .fold(0_u64, |sum, (lane, by)| sum.wrapping_add(lane.rotate_left(by)));
            lanes.iter().fold(sum, |hash, lane| {
                (hash ^ Self::round(0, *lane))
                    .wrapping_mul(PRIME_1)
                    .wrapping_add(PRIME_4)
            })
        } else {
            seed.wrapping_add(PRIME_5)
        };
        hash = hash.wrapping_add(value.len() as u64);
        let mut longs = rest.chunks_exact(8);
        for word in longs.by_ref() {
            hash = Self::mix_long(hash, Self::word(word));
        }
        let mut ints = longs.remainder().chunks_exact(4);
        for word in ints.by_ref() {
            hash = Self::mix_int(hash, Self::word(word));
        }
        for byte in ints.remainder() {
            hash = (hash ^ u64::from(*byte).wrapping_mul(PRIME_5))
                .rotate_left(11)
                .wrapping_mul(PRIME_1);
        }
        Self::finish(hash)
    }
}
