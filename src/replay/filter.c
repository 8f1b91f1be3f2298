#define PCRE2_CODE_UNIT_WIDTH 8
#include "replay/filter.h"

#include "base/json_hash.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct filter {
	struct filter_options options;
	pcre2_code *path;
};

int filter_new(const struct filter_options *options, struct filter **out, struct err *err)
{
	struct filter *f = mem_zalloc(sizeof(*f));

	f->options = *options;
	if (options->path) {
		PCRE2_SIZE at;
		int code;

		f->path = pcre2_compile((PCRE2_SPTR)options->path, PCRE2_ZERO_TERMINATED, 0, &code,
					&at, NULL);
		if (!f->path) {
			char reason[120];

			pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
			free(f);
			return err_set(err, ERR_USAGE, "--include-path '%s': %s, at byte %zu",
				       options->path, reason, (size_t)at);
		}
	}
	*out = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	pcre2_code_free(f->path);
	free(f);
}

static bool path_matches(const struct filter *f, struct str target)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int rc = pcre2_match(f->path, (PCRE2_SPTR)target.ptr, target.len, 0, 0, data, NULL);

	pcre2_match_data_free(data);
	return rc >= 0;
}

static bool in_share(const struct filter *f, struct str id, int64_t index)
{
	char text[512];
	int len = snprintf(text, sizeof(text), STR_FMT ".%lld", STR_ARG(id), (long long)index);
	struct hash128 hash = bytes_hash(str_of(text, MIN((size_t)len, sizeof(text) - 1)));

	return (double)(hash.low % 1000000) < f->options.percentage * 10000;
}

static bool is_get(struct str method)
{
	return str_is(method, "GET") || str_is(method, "HEAD") || str_is(method, "OPTIONS");
}

bool filter_takes(const struct filter *f, struct str method, struct str target, struct str id,
		  int64_t index)
{
	bool wanted = f->options.method_count == 0;

	for (size_t i = 0; i < f->options.method_count && !wanted; i++)
		wanted = strlen(f->options.methods[i]) == method.len &&
			 strncasecmp(f->options.methods[i], method.ptr, method.len) == 0;
	if (!wanted || (f->options.gets_only && !is_get(method)) ||
	    (f->options.writes_only && is_get(method)))
		return false;
	if (f->path && !path_matches(f, target))
		return false;
	return f->options.percentage >= 100 || in_share(f, id, index);
}
