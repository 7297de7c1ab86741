//! Arithmetic on decimals: exact, rounded half up to the result's scale once, and checked against its precision.

use arrow::datatypes::i256;

use super::Operation;

/// A decimal operation's scales.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scales {
    pub(super) left: i8,
    pub(super) right: i8,
    pub(super) result: i8,
    /// Of the result.
    pub(super) precision: u8,
}

/// What an operation comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Value(i128),
    Overflow,
    DivisionByZero,
}

impl Scales {
    /// Computes on unscaled values; those of [`Operation::IntegerDivide`] are given without a scale.
    pub(super) fn compute(self, operation: Operation, left: i128, right: i128) -> Outcome {
        use Operation as O;
        if right == 0
            && matches!(
                operation,
                O::Divide | O::IntegerDivide | O::Modulo | O::PositiveModulo
            )
        {
            return Outcome::DivisionByZero;
        }
        let common = self.left.max(self.right);
        let value = match operation {
            O::Add | O::Subtract => self.aligned(left, right).and_then(|(left, right)| {
                let sum = if operation == O::Add {
                    left.checked_add(right)
                } else {
                    left.checked_sub(right)
                };
                rescale(sum?, common, self.result)
            }),
            O::Multiply => match left.checked_mul(right) {
                Some(product) if self.left + self.right == self.result => Some(i256::from_i128(product)),
                _ => i256::from_i128(left)
                    .checked_mul(i256::from_i128(right))
                    .and_then(|product| rescale(product, self.left + self.right, self.result)),
            },
            O::Divide => self.divide(left, right, self.result),
            O::IntegerDivide => self
                .aligned(left, right)
                .and_then(|(left, right)| left.checked_div(right)),
            O::Modulo => self
                .aligned(left, right)
                .and_then(|(left, right)| rescale(left.checked_rem(right)?, common, self.result)),
            O::PositiveModulo => self.aligned(left, right).and_then(|(left, right)| {
                let rest = left.checked_rem(right)?;
                let rest = if rest.is_negative() {
                    rest.checked_add(right)?.checked_rem(right)?
                } else {
                    rest
                };
                rescale(rest, common, self.result)
            }),
        };
        match value.and_then(i256::to_i128) {
            Some(value) if operation == O::IntegerDivide || fits(value, self.precision) => {
                Outcome::Value(value)
            }
            _ => Outcome::Overflow,
        }
    }

    /// Both sides at one scale.
    fn aligned(self, left: i128, right: i128) -> Option<(i256, i256)> {
        let common = self.left.max(self.right);
        let up = |value: i128, scale: i8| i256::from_i128(value).checked_mul(power(common - scale)?);
        Some((up(left, self.left)?, up(right, self.right)?))
    }

    fn divide(self, left: i128, right: i128, scale: i8) -> Option<i256> {
        // left / 10^ls / (right / 10^rs), times 10^scale.
        let shift = i16::from(scale) + i16::from(self.right) - i16::from(self.left);
        let ten = i256::from_i128(10);
        let factor = ten.checked_pow(u32::from(shift.unsigned_abs()))?;
        let (left, right) = (i256::from_i128(left), i256::from_i128(right));
        if shift >= 0 {
            divide_half_up(left.checked_mul(factor)?, right)
        } else {
            divide_half_up(left, right.checked_mul(factor)?)
        }
    }
}

/// Whether a value has at most so many digits.
fn fits(value: i128, precision: u8) -> bool {
    value.unsigned_abs() < 10_u128.pow(u32::from(precision))
}

fn power(exponent: i8) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(exponent).ok()?)
}

/// Moves a value from one scale to another.
fn rescale(value: i256, from: i8, to: i8) -> Option<i256> {
    if to >= from {
        value.checked_mul(power(to - from)?)
    } else {
        divide_half_up(value, power(from - to)?)
    }
}

fn divide_half_up(left: i256, right: i256) -> Option<i256> {
    let quotient = left.checked_div(right)?;
    let rest = left.checked_rem(right)?.wrapping_abs();
    let is_half = rest >= right.wrapping_abs().wrapping_sub(rest);
    Some(if !is_half {
        quotient
    } else if left.is_negative() == right.is_negative() {
        quotient.wrapping_add(i256::ONE)
    } else {
        quotient.wrapping_sub(i256::ONE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_away_from_zero_and_checks_the_digits() {
        let scales = Scales {
            left: 1,
            right: 1,
            result: 1,
            precision: 3,
        };
        for (operation, left, right, expected) in [
            (Operation::Add, 15, 5, Outcome::Value(20)),
            (Operation::Add, 999, 1, Outcome::Overflow),
            (Operation::Multiply, 15, 15, Outcome::Value(23)),
            (Operation::Multiply, -15, 15, Outcome::Value(-23)),
            (Operation::Divide, 10, 30, Outcome::Value(3)),
            (Operation::Divide, -5, 100, Outcome::Value(-1)),
            (Operation::Divide, 1, 0, Outcome::DivisionByZero),
            (Operation::IntegerDivide, 75, 20, Outcome::Value(3)),
            (Operation::Modulo, -75, 20, Outcome::Value(-15)),
            (Operation::PositiveModulo, -75, 20, Outcome::Value(5)),
        ] {
            assert_eq!(
                scales.compute(operation, left, right),
                expected,
                "{operation:?} {left} {right}"
            );
        }
    }
}
