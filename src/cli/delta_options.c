#include "cli/delta_options.h"

#include "cli/snapshot_source.h"

#define DELTA(member) OPT_FIELD(struct delta_fields, member), .category = "Documents"

const struct opt delta_options[] = {
	{.name = "previous-snapshot-name",
	 .aliases = "experimental-previous-snapshot-name",
	 .env = "RFS_PREVIOUS_SNAPSHOT_NAME",
	 .type = OPT_STRING,
	 DELTA(previous_snapshot),
	 .metavar = "SNAPSHOT",
	 .help = "Send only what changed since this snapshot of the same repository, whose "
		 "documents the target has: those that are new or changed, and deletes."},
	{.name = "delta-mode",
	 .aliases = "experimental-delta-mode",
	 .env = "RFS_DELTA_MODE",
	 .type = OPT_STRING,
	 DELTA(mode),
	 .metavar = "updates|updates-and-deletes|deletes",
	 .fallback = "updates-and-deletes",
	 .help = "What of the changes is sent."},
	{0},
};

static int check(const struct delta_fields *fields, const char *op_type, enum delta_mode *mode,
		 struct err *err)
{
	if (!delta_mode_parse(str_from(fields->mode), mode))
		return err_set(err, ERR_USAGE,
			       "--delta-mode '%s' is none of updates, updates-and-deletes, deletes",
			       fields->mode);
	if (strcmp(op_type, "create") == 0)
		return err_set(err, ERR_USAGE,
			       "--op-type create leaves documents as they are, and a delta changes "
			       "them; leave it out, or --previous-snapshot-name");
	return 0;
}

int delta_fields_open(const struct delta_fields *fields, const char *op_type,
		      struct repository *repository, bool allow_partial, struct snapshot **out,
		      enum delta_mode *mode, struct err *err)
{
	if (!fields || !fields->previous_snapshot || !*fields->previous_snapshot)
		return 0;
	if (check(fields, op_type, mode, err) < 0)
		return -(int)err->kind;
	if (snapshot_open(repository, str_from(fields->previous_snapshot), out, err) < 0 ||
	    snapshot_check_complete(*out, allow_partial, err) < 0)
		return err_wrap(err, "--previous-snapshot-name");
	return 0;
}
