/* What became of saved objects, for people and for programs. */
#ifndef CLI_METADATA_DASHBOARDS_REPORT_H
#define CLI_METADATA_DASHBOARDS_REPORT_H

#include "metadata/saved_objects.h"

struct dashboards_report {
	const struct saved_objects *set;
	const struct json *spaces; /* of the source, to tenants of the target */
	const char *source, *source_place, *target, *target_place;
	bool plan;
	const struct err *err; /* what ended the run early; NULL: nothing */
};

size_t dashboards_report_problems(const struct dashboards_report *report);
int dashboards_report_print(const struct dashboards_report *report, struct arena *mem,
			    struct err *err);
int dashboards_report_print_json(const struct dashboards_report *report, struct arena *mem,
				 struct err *err);

#endif
