/* Flags of a transfer that do not go together. */
#ifndef CLI_TRANSFER_CHECK_H
#define CLI_TRANSFER_CHECK_H

#include "cli/transfer.h"

/* ERR_USAGE: a value is wrong by itself or beside another one. */
int transfer_fields_check(const struct transfer_fields *fields, struct err *err);

/* What a run is going to do, once source and target are known. */
struct transfer_features {
	bool delta, generated_ids, transforms, digest, sourceless, live, recovery_source;
};
/* Of --use-recovery-source, for verify too. */
int transfer_check_recovery(bool sourceless, bool recovery_source, struct err *err);
int transfer_check(const struct transfer_features *features, struct err *err);

#endif
