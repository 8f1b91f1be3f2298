/* What a fuzz target defines: it takes any bytes, returns 0, and aborts (BUG) on a broken
 * promise. libFuzzer calls it, or replay_main.c. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
