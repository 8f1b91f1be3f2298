/* Options of documents that are rebuilt, which migrate, backfill and verify have in common. */
#ifndef CLI_SOURCELESS_OPTIONS_H
#define CLI_SOURCELESS_OPTIONS_H

/* Rows of an option table; FIELD(x) places the value in `x` of its fields. */
#define SOURCELESS_OPTIONS(FIELD)                                                                \
	{.name = "use-recovery-source",                                                          \
	 .type = OPT_BOOL,                                                                       \
	 FIELD(recovery_source),                                                                 \
	 .help = "With --enable-sourceless-migrations: where a document still has its "          \
		 "_recovery_source, which Elasticsearch 6.5 and later and OpenSearch keep of "   \
		 "recent writes until segments merge, take it as it is."},                       \
		{.name = "sourceless-memory",                                                    \
		 .type = OPT_BYTES,                                                              \
		 FIELD(sourceless_memory),                                                       \
		 .fallback = "1GiB",                                                             \
		 .min = 1048576,                                                                 \
		 .max = (int64_t)1 << 46,                                                        \
		 .help = "What points and terms of one segment may take in memory, of each "     \
			 "reader, where "                                                        \
			 "--enable-sourceless-migrations rebuilds fields out of them. An index " \
			 "that needs "                                                           \
			 "more is unreadable."}

#endif
