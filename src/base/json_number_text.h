/* JSON numbers compared as what they are in decimal: 1, 1.0, 1e0 and 100e-2 are one number, and
 * nothing goes through a double. */
#ifndef BASE_JSON_NUMBER_TEXT_H
#define BASE_JSON_NUMBER_TEXT_H

#include "base/str.h"

/* A number as digits * 10^exponent, digits without zeros at either end; "0" is no digits. */
struct json_decimal {
	bool negative;
	struct str digits; /* whole and fraction, where `point` is left out */
	size_t point;      /* offset of a '.' inside digits; digits.len: none */
	int64_t exponent;  /* of the last digit */
	bool exact;        /* false: an exponent of more than 18 digits, compared as text only */
};

/* `text` is a JSON number. */
struct json_decimal json_decimal_of(struct str text);
bool json_numbers_equal(struct str a, struct str b);

#endif
