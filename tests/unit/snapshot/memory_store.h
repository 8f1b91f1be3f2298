/* A blob store in memory, and the means to fill it with the blobs of a repository. */
#ifndef TEST_MEMORY_STORE_H
#define TEST_MEMORY_STORE_H

#include "base/json.h"
#include "store/blob_store.h"

struct memory_store;

struct memory_store *memory_store_new(void);
/* The store to hand to the code under test; closed with memory_store_free. */
struct blob_store *memory_store_blobs(struct memory_store *memory);
void memory_store_free(struct memory_store *memory);
/* Copies the bytes; replaces a blob of that name. */
void memory_store_put(struct memory_store *memory, const char *name, struct str bytes);
void memory_store_put_text(struct memory_store *memory, const char *name, const char *text);
/* The blob's own bytes, to be changed in place. */
char *memory_store_bytes(struct memory_store *memory, const char *name, size_t *len);
void memory_store_remove(struct memory_store *memory, const char *name);
/* Sources that are open now. */
int memory_store_open_count(const struct memory_store *memory);

/* JSON text as SMILE. A string "binary:…" becomes the binary of what follows. */
struct str smile_of(const char *json, struct arena *mem);
struct str deflated(struct str bytes, struct arena *mem); /* with the mark DFL before it */
/* A frame that does not say how long it becomes, with the mark ZSTD before it. */
struct str zstd_streamed(struct str bytes, struct arena *mem);
struct str enveloped(const char *codec, struct str payload, struct arena *mem);
/* A file as Lucene writes it: the text, and a footer with its CRC, which is also returned. */
struct str with_footer(const char *text, struct arena *mem, uint32_t *crc);
/* Puts the JSON text as a .dat blob. */
void memory_store_put_dat(struct memory_store *memory, const char *name, const char *codec,
			  const char *json);

#endif
