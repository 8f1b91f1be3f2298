#include "cli/exit_file.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/small_file.h"

#include <stdlib.h>

void exit_file_write(int code, const char *reason)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(64));
	const char *path = getenv("SHARDLIFT_EXIT_FILE");
	struct err err;
	char now[26];

	if (!path || !*path)
		return;
	clock_format_utc(clock_wall_ms(), now);
	buf_printf(&text, "{\"code\":%d,\"time\":\"%s\",\"reason\":", code, now);
	json_write_string(&text, str_from(reason));
	buf_append_str(&text, STR("}\n"));
	if (small_file_replace(path, buf_str(&text), &err) < 0)
		log_warn("shardlift", "%s", err.message);
}
