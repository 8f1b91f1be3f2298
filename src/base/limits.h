/* Every ceiling that bytes from outside are held against, in one place. Bytes unless said
 * otherwise. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

#define LIMIT_REPOSITORY_INDEX MIB(256) /* index-N: grows with snapshots times indices */
#define LIMIT_SNAPSHOT_BLOB MIB(256)    /* meta-*.dat, snap-*.dat, inflated */
#define LIMIT_METADATA_ARENA MIB(1024)  /* the parsed form of one of these */
/* segments_N, .si, .cfe, .fnm, .fdm, .fdx, .dvm, .liv: of 2^31 documents a .liv has 256 MiB */
#define LIMIT_LUCENE_META_FILE MIB(512)
#define LIMIT_SEGMENT_ARENA                                                                     \
	MIB(1024)                    /* parsed metadata of one segment, live documents included \
				      */
#define LIMIT_STORED_CHUNK MIB(1024) /* one chunk of stored fields, decompressed */
#define LIMIT_COLUMN_BLOCK MIB(256)  /* one value or block of doc values, decompressed */
#define LIMIT_COLUMNS MIB(1024)      /* what the columns of one segment hold in memory */
#define LIMIT_INDEXED MIB(1024)      /* what points and terms of one segment hold, turned round */
#define LIMIT_SOURCE MIB(256)        /* one _source, unpacked and as JSON */
#define LIMIT_SOURCE_ARENA MIB(1024) /* the parsed form of one that is not JSON */
#define LIMIT_HTTP_RESPONSE MIB(512) /* one answer of a cluster, inflated */
#define LIMIT_BULK_RESULT MIB(256)   /* the failures of one bulk and their reasons */
#define LIMIT_LISTING MIB(256)       /* names and sizes of the blobs in one folder */
#define LIMIT_BLOB_PARTS 1048576     /* blobs that one file of a snapshot is cut into */
#define LIMIT_PIECES 16384           /* ranges that one shard is divided into */
#define LIMIT_SHARDS 65536           /* shards of one index, and replicas */
#define LIMIT_PATH KIB(4)            /* a file name or request path */
#define LIMIT_SECRET KIB(64)         /* the file of a password or key */
#define LIMIT_TRANSFORM_CONFIGURATION MIB(64) /* transformer steps with bindings and scripts */
#define LIMIT_JSON_DEPTH 512                  /* levels of nesting in a tree */
#define LIMIT_JSON_SCAN_DEPTH 65536           /* levels of nesting where no tree is built */

#endif
