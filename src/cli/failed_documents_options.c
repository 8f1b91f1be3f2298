#include "cli/failed_documents_options.h"

#include "base/log.h"
#include "base/state_dir.h"

#define WHICH(member) OPT_FIELD(struct failed_fields, member), .category = "Documents"

const struct opt failed_options[] = {
	{.name = "session-name",
	 .type = OPT_STRING,
	 WHICH(session_name),
	 .metavar = "NAME",
	 .help = "Only of the runs of this session."},
	{.name = "index",
	 .type = OPT_STRING,
	 WHICH(index),
	 .metavar = "NAME",
	 .help = "Only of this index on the target."},
	{.name = "type",
	 .type = OPT_STRING,
	 WHICH(type),
	 .metavar = "TYPE",
	 .help = "Only those that failed with this error type, such as "
		 "mapper_parsing_exception."},
	{.name = "folder",
	 .type = OPT_STRING,
	 WHICH(folder),
	 .metavar = "DIR",
	 .help = "Where the streams are; without it failed-documents in the state directory. The "
		 "Java tool's streams can be read once they are files."},
	{0},
};

const struct opt allowed_options[] = {
	{.name = "allowed-doc-exception-types",
	 .env = "RFS_ALLOWED_DOC_EXCEPTION_TYPES",
	 .type = OPT_LIST,
	 OPT_FIELD(struct allowed_fields, types),
	 .category = "Documents",
	 .metavar = "TYPE",
	 .help = "Error types of the target that count as success, such as "
		 "version_conflict_engine_exception."},
	{0},
};

int failed_fields_filter(const struct failed_fields *fields, const struct general_fields *general,
			 struct arena *mem, struct failed_filter *out, struct err *err)
{
	const char *state;
	struct str folder;

	*out = (struct failed_filter){.folder = fields->folder,
				      .session = fields->session_name,
				      .index = fields->index,
				      .type = fields->type};
	if (fields->folder)
		return 0;
	if (state_dir_path(general->state_dir, mem, &state, err) < 0)
		return -(int)err->kind;
	folder = arena_printf(mem, "%s/failed-documents", state);
	out->folder = folder.ptr;
	return folder.ptr ? 0 : arena_fail(mem, "--state-dir", err);
}

void failed_documents_tell(void *damaged_count, bool damaged, const char *what)
{
	if (damaged) {
		++*(size_t *)damaged_count;
		log_error("failed-documents", "%s", what);
	} else {
		log_warn("failed-documents", "%s", what);
	}
}
