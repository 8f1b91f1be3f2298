/* Providers for tests, in place of those of the program. */
#ifndef TEST_PROVIDERS_H
#define TEST_PROVIDERS_H

#include "transform/transform_internal.h"

/* Twin: [message, message with "twin": true]; Drop: those whose "n" is an even digit;
 * Fail: those whose "n" is 3; Mark: appends its configuration to "marks"; Broken: negative;
 * Opaque: sets "operation._index" to "moved" and ignores sources. */
#define TEST_PROVIDERS "Twin", "Drop", "Fail", "Mark", "Broken", "Opaque"

/* How many steps are open. */
extern int test_steps_open;

#endif
