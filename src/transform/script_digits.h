/* Numbers keep their digits though a script sees them as doubles.
 *
 * JavaScript reads 9007199254740993 as 9007199254740992, 1.10 as 1.1, 1e400 as Infinity. So those
 * numbers of a message whose text JavaScript might not give back are noted with their place. In
 * what the script returns, a number that stands where such a one stood, and is the same double, has
 * not been touched and gets its text back. One that is found elsewhere has been moved when its
 * number is missing at its old place; a copy gets the text back where a double cannot hold the
 * value. Where this leaves a choice between different values, the message fails. */
#ifndef TRANSFORM_SCRIPT_DIGITS_H
#define TRANSFORM_SCRIPT_DIGITS_H

#include "base/json.h"

/* One number of the message as it was sent. */
struct script_number {
	struct json *number;
	uint64_t place;    /* hash of the path to it */
	uint64_t key_hash; /* of the last step of it */
	double value;      /* as JavaScript sees it */
	struct str text;
	bool inexact; /* the double is another number than the text */
	bool indexed; /* an array is on the path: places may shift */
	bool found;   /* at its place in what came back */
};

struct script_digits {
	struct script_number *numbers; /* by value after script_digits_note */
	size_t count, capacity;
	bool all; /* those that JavaScript gives back, too */
};

void script_digits_release(struct script_digits *digits);
/* Starts anew with the numbers of `message`, which is borrowed. */
void script_digits_note(struct script_digits *digits, struct json *message);
/* Gives the numbers in `returned` (one object that the script made of the message) their texts
 * back. ERR_FORMAT when it cannot be told which number one was. */
int script_digits_restore(struct script_digits *digits, struct json *returned, struct err *err);
/* Appends the message just noted as JavaScript is to read it: what is beyond the doubles becomes
 * the largest double, since Infinity could not be written again. */
void script_digits_write(const struct script_digits *digits, const struct json *message,
			 struct buf *out);

#endif
