package lotkeeper

import (
	"regexp"

	"github.com/shopspring/decimal"
)

// Numbers travel as text: up to 20 digits before and 18 after the point on input, as many as a product needs on output.
// A float64 holds 16 of them, so none is taken here; decimal.Decimal holds all.

const longestNumber = 100 // digits; the contract takes 38, and 1E+999999999 as plain digits would fill the memory

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// Decimal is a number of an answer, exactly. The error is a ValueError: text is not a number as the contract has it.
func Decimal(text string) (decimal.Decimal, error) {
	if !plainNumber.MatchString(text) {
		return decimal.Decimal{}, valueError("%q is not a number of the contract: digits, with a minus sign and a point where needed", text)
	}
	return decimal.NewFromString(text)
}

// OptionalDecimal is a number that an answer may leave out; nil is "not known", which is not 0.
func OptionalDecimal(text *string) (*decimal.Decimal, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	number, err := Decimal(*text)
	if err != nil {
		return nil, err
	}
	return &number, nil
}

// Text is number as requests take it: plain digits, no exponent, nothing rounded. The error is a ValueError: it is
// longer than any number the contract takes.
func Text(number decimal.Decimal) (string, error) {
	exponent := int64(number.Exponent())
	if exponent > longestNumber || exponent < -longestNumber || int64(number.NumDigits())+exponent > longestNumber {
		return "", valueError("a number of more than %d digits (exponent %d); the ledger takes 20 before and 18 after the point",
			longestNumber, exponent)
	}
	return number.String(), nil
}

// MustText is Text for numbers that are known to fit, inside a request; it panics where Text has an error.
func MustText(number decimal.Decimal) string {
	text, err := Text(number)
	if err != nil {
		panic(err)
	}
	return text
}
