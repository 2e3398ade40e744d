//! Numbers travel as text: up to 20 digits before and 18 after the point on input, as many as a product needs on output.
//! An `f64` holds 16 of them and a 96-bit decimal 28, so neither is taken here; a [`BigDecimal`] holds all.

use bigdecimal::BigDecimal;

use crate::errors::Error;

const LONGEST_NUMBER: i64 = 100; // digits; the contract takes 38, and 1E+999999999 as plain digits would fill the memory

/// A number of an answer, exactly.
///
/// # Errors
/// [`Kind::ValueError`](crate::Kind::ValueError): `text` is not a number as the contract has it.
pub fn decimal(text: &str) -> Result<BigDecimal, Error> {
    if !is_plain(text) {
        return Err(Error::value(format!(
            "{text:?} is not a number of the contract: digits, with a minus sign and a point where needed"
        )));
    }
    text.parse().map_err(|failed| Error::value(format!("{text:?} is not a number: {failed}")))
}

/// A number that an answer may leave out; `None` is "not known", which is not 0.
///
/// # Errors
/// [`Kind::ValueError`](crate::Kind::ValueError): it is there and is not a number as the contract has it.
pub fn optional_decimal(text: Option<&str>) -> Result<Option<BigDecimal>, Error> {
    text.filter(|text| !text.is_empty()).map(decimal).transpose()
}

/// `number` as requests take it: plain digits, no exponent, nothing rounded.
///
/// # Errors
/// [`Kind::ValueError`](crate::Kind::ValueError): it is longer than any number the contract takes.
pub fn text(number: &BigDecimal) -> Result<String, Error> {
    let fraction = number.fractional_digit_count();
    let whole = i64::try_from(number.digits()).unwrap_or(i64::MAX).saturating_sub(fraction);
    if fraction > LONGEST_NUMBER || whole > LONGEST_NUMBER {
        return Err(Error::value(format!(
            "a number of more than {LONGEST_NUMBER} digits; the ledger takes 20 before and 18 after the point"
        )));
    }
    Ok(number.to_plain_string())
}

fn is_plain(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 whole and 18 fraction digits survive the way there and back.
    #[test]
    fn every_digit_survives() {
        let most = "-12345678901234567890.123456789012345678";
        assert_eq!(text(&decimal(most).unwrap()).unwrap(), most);
    }

    /// Numbers that print with an exponent are sent without one.
    #[test]
    fn no_exponent_is_sent() {
        assert_eq!(text(&"1E-8".parse().unwrap()).unwrap(), "0.00000001");
        assert_eq!(text(&"12E+3".parse().unwrap()).unwrap(), "12000");
    }

    /// A number that would fill the memory is refused.
    #[test]
    fn endless_numbers_are_refused() {
        for endless in ["1E+999999999", "1E-999999999"] {
            let refused = text(&endless.parse().unwrap()).unwrap_err();
            assert!(refused.to_string().contains("more than 100 digits"), "{refused}");
        }
    }

    /// What is not in an answer is not 0.
    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(optional_decimal(None).unwrap(), None);
        assert_eq!(optional_decimal(Some("")).unwrap(), None);
        assert_eq!(optional_decimal(Some("0")).unwrap(), Some(BigDecimal::from(0)));
    }

    /// Only plain digits are a number of the contract.
    #[test]
    fn other_spellings_are_refused() {
        for other in ["", "1e3", "+1", " 1", "1.", ".5", "1_000", "NaN", "--1"] {
            assert!(decimal(other).is_err(), "{other}");
        }
    }
}
