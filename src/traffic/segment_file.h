/* The files of a segment log, byte by byte: docs/formats/segment-log.md. Within src/traffic. */
#ifndef TRAFFIC_SEGMENT_FILE_H
#define TRAFFIC_SEGMENT_FILE_H

#include "base/buf.h"
#include "traffic/segment_log.h"

enum {
	SEGMENT_HEADER = 64,
	ENTRY_HEADER = 28,
	INDEX_ENTRY = 24,
	INDEX_EVERY = 65536, /* bytes of a segment */
	END_FILE = 48,
};

struct segment_header {
	uint64_t base;         /* offset of its first entry */
	uint64_t previous_end; /* the offset after the last entry before it; less than base where
				  offsets were left out */
	int64_t newest_before; /* time of the newest entry in all segments before; INT64_MIN */
};

void segment_header_encode(const struct segment_header *header, uint8_t to[SEGMENT_HEADER]);
/* False: damaged, or not a segment. */
bool segment_header_decode(const uint8_t from[SEGMENT_HEADER], struct segment_header *out);

struct entry_header {
	uint32_t length; /* of the bytes behind the key */
	uint16_t key_length;
	uint64_t offset;
	int64_t time_ms;
	uint32_t crc;
};

/* `content_crc` is that of key and bytes. */
void entry_header_encode(const struct entry_header *header, uint32_t content_crc,
			 uint8_t to[ENTRY_HEADER]);
/* Decodes; false where no entry can be (lengths above their limits). */
bool entry_header_decode(const uint8_t from[ENTRY_HEADER], struct entry_header *out);
/* Whether the checksum is right; `content` is key and bytes. */
bool entry_check(const uint8_t header[ENTRY_HEADER], const void *content, size_t len);

static inline size_t entry_content(const struct entry_header *header)
{
	return (size_t)header->key_length + header->length;
}

struct index_entry {
	uint64_t offset;
	int64_t newest_before; /* time of the newest entry before this one, in the whole log */
	uint64_t position;     /* of the entry in its segment */
};

void index_entry_encode(const struct index_entry *entry, uint8_t to[INDEX_ENTRY]);
struct index_entry index_entry_decode(const uint8_t from[INDEX_ENTRY]);

/* How far readers may read, and what is known to be on the disk. */
struct end_mark {
	uint64_t visible, durable;       /* offsets after the last such entry */
	uint64_t segment_base, position; /* where `visible` lies */
};

void end_mark_encode(const struct end_mark *mark, uint8_t to[END_FILE]);
bool end_mark_decode(const uint8_t from[END_FILE], struct end_mark *out);

/* "<offset>.segment" or ".index" as a name in the folder. */
enum { SEGMENT_NAME = 32 };
void segment_name(char name[SEGMENT_NAME], uint64_t base, const char *suffix);

struct segment_list {
	uint64_t *bases; /* owned, ascending */
	size_t count;
};
void segment_list_release(struct segment_list *list);
int segment_list_read(int folder, const char *path, struct segment_list *out, struct err *err);

/* 0, or -errno: all bytes, from position on, interrupted or not. */
int write_all_at(int fd, const void *bytes, size_t len, uint64_t position);
/* Bytes read, fewer only at the end of the file; or -errno. */
ssize_t read_up_to_at(int fd, void *bytes, size_t len, uint64_t position);

/* The least and the greatest offset committed by any group; *any: whether there is one. */
int groups_committed(const char *folder, uint64_t *least, uint64_t *greatest, bool *any,
		     struct err *err);

/* For cleanup(): closes unless negative. */
void segment_fd_closep(int *fd);

#endif
