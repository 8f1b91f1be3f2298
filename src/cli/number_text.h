/* Numbers as people read them. */
#ifndef CLI_NUMBER_TEXT_H
#define CLI_NUMBER_TEXT_H

#include "base/compiler.h"

#define NUMBER_TEXT_MAX 24

/* "512 B", "1.2 GiB": powers of 1024. Returns text. */
const char *bytes_text(uint64_t bytes, char text[static NUMBER_TEXT_MAX]);
/* "0:05", "12:40", "3:02:11". Returns text. */
const char *duration_text(uint64_t seconds, char text[static NUMBER_TEXT_MAX]);

#endif
