/* The numbers of binary formats as the text of JSON numbers, in the form that Java gives them: what
 * Elasticsearch shows of the same document. Thread-safe. All texts are in the arena; ptr NULL at
 * its ceiling. */
#ifndef BASE_JSON_NUMBER_H
#define BASE_JSON_NUMBER_H

#include "base/arena.h"

/* Longest big integer, in bytes: far beyond what a mapping holds, and small enough that the
 * quadratic conversion to decimal does not matter. */
#define JSON_NUMBER_BYTES_MAX 1024u

/* The shortest digits that read back the same, at least one on either side of the point: plain from
 * 0.001 to below 10000000, else with an exponent (1.0E300). NaN, Infinity and -Infinity by these
 * names, which are no JSON numbers: for a string. Source: Java 19 Double.toString. */
struct str json_number_of_double(struct arena *mem, double value);
struct str json_number_of_float(struct arena *mem, float value);
/* A big-endian two's complement integer of at most JSON_NUMBER_BYTES_MAX bytes; none is 0. */
struct str json_number_of_integer(struct arena *mem, struct str bytes);
/* Decimal digits, maybe with a '-', times 10^-scale: plain where the point falls among the digits
 * or up to six places before, else with an exponent. Source: Java BigDecimal.toString. */
struct str json_number_of_decimal(struct arena *mem, struct str digits, int32_t scale);

#endif
