/* What becomes of a number's text in JavaScript, which reads it as a double. */
#ifndef TRANSFORM_SCRIPT_NUMBER_H
#define TRANSFORM_SCRIPT_NUMBER_H

#include "base/str.h"

/* Whether JavaScript gives exactly this text back; false also where it is not sure. */
bool script_number_is_kept(struct str text);
/* As JavaScript sees it, but the largest double for what is beyond, and 0 for -0. */
double script_number_value(struct str text);
/* Whether the shortest text of that double is another number than the text. */
bool script_number_is_inexact(struct str text, double value);

#endif
