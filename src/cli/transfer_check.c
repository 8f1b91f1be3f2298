#include "cli/transfer_check.h"

#include <ctype.h>

int transfer_fields_check(const struct transfer_fields *fields, struct err *err)
{
	for (const char *c = fields->session_name; c && *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return err_set(err, ERR_USAGE,
				       "--session-name '%s': only letters, digits and '-'",
				       fields->session_name);
	if (fields->bytes_per_bulk > fields->max_memory)
		return err_set(err, ERR_USAGE,
			       "--documents-size-per-bulk-request (%lld) is above --max-memory "
			       "(%lld); raise the one or lower the other",
			       (long long)fields->bytes_per_bulk, (long long)fields->max_memory);
	return 0;
}

int transfer_check_recovery(bool sourceless, bool recovery_source, struct err *err)
{
	if (recovery_source && !sourceless)
		return err_set(err, ERR_USAGE,
			       "--use-recovery-source is about documents that are rebuilt: give "
			       "--enable-sourceless-migrations too");
	return 0;
}

int transfer_check(const struct transfer_features *features, struct err *err)
{
	/* What changed is found on the target by its id. */
	if (features->delta && features->generated_ids)
		return err_set(err, ERR_USAGE,
			       "--previous-snapshot-name: documents whose ids the target made "
			       "cannot be found again; send them all, into an empty index");
	/* What is compared with a digest is what the snapshot holds, all of it, by its ids. */
	if (features->digest &&
	    (features->delta || features->generated_ids || features->transforms))
		return err_set(err, ERR_USAGE,
			       "--digest does not go with transforms, --previous-snapshot-name and "
			       "ids that the target makes: leave it out, and compare with "
			       "`shardlift verify`");
	/* A change cannot be told from a rebuilt source, and a cluster gives its own. */
	if (features->sourceless && (features->delta || features->digest || features->live))
		return err_set(
			err, ERR_USAGE,
			"--enable-sourceless-migrations reads snapshots, and does not go with "
			"--previous-snapshot-name, --digest and live clusters");
	return transfer_check_recovery(features->sourceless, features->recovery_source, err);
}
