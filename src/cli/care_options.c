#include "cli/care.h"

#define CARE(member) OPT_FIELD(struct care_fields, member), .category = "Care for the target"

const struct opt care_options[] = {
	{.name = "max-docs-per-second",
	 .type = OPT_INT,
	 CARE(documents_per_second),
	 .metavar = "N",
	 .fallback = "0",
	 .min = 0,
	 .max = (int64_t)1 << 40,
	 .help = "Documents a second in the long run; 0: no limit. `backfill rate` changes it "
		 "while the run lasts."},
	{.name = "max-bytes-per-second",
	 .type = OPT_BYTES,
	 CARE(bytes_per_second),
	 .fallback = "0",
	 .min = 0,
	 .max = (int64_t)1 << 40,
	 .help = "Bytes of bulk bodies a second, before compression; 0: no limit."},
	{.name = "tune-target",
	 .type = OPT_BOOL,
	 CARE(tune_target),
	 .fallback = "true",
	 .help = "While documents are sent, set refresh_interval to -1 on their indices, and "
		 "number_of_replicas to 0 on those that this run created. Put back at the end, "
		 "after a crash by the next run or by restore-settings."},
	{.name = "allow-missing-indexes",
	 .type = OPT_BOOL,
	 CARE(allow_missing),
	 .help = "Let the target make indices that are not there, by its templates and defaults. "
		 "Without it a missing index stops the run."},
	{.name = "target-pause-time",
	 .type = OPT_DURATION,
	 CARE(pause_ms),
	 .fallback = "30m",
	 .min = 0,
	 .help = "How long the run waits while an index is red or a disk of the target is full, "
		 "before it stops."},
	{0},
};
