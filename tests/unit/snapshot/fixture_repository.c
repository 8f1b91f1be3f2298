#include "fixture_repository.h"

#include "base/bytes_source.h"

#include <stdio.h>
#include <stdlib.h>

static void run(const char *command)
{
	if (system(command) != 0)
		BUG(command);
}

char *fixture_repository_unpack(const char *name)
{
	char folder[] = "/tmp/shardlift-fixture-XXXXXX";
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));

	if (!mkdtemp(folder))
		BUG("cannot make a folder in /tmp");
	buf_printf(&text, "tar xzf '%s/%s.tar.gz' -C '%s'", FIXTURES, name, folder);
	run(buf_cstr(&text));
	buf_reset(&text);
	buf_printf(&text, "%s/repo", folder);
	return str_dup(buf_str(&text));
}

void fixture_repository_remove(char *path)
{
	cleanup(buf_release) struct buf text = BUF_INIT(KIB(8));
	struct str folder = {path, strlen(path) - strlen("/repo")};

	buf_printf(&text, "rm -rf -- '" STR_FMT "'", STR_ARG(folder));
	run(buf_cstr(&text));
	free(path);
}

struct json *fixture_meta(const char *name, struct arena *mem)
{
	cleanup(bytes_source_closep) struct bytes_source *source = NULL;
	struct str path = arena_printf(mem, "%s/%s.meta.json", FIXTURES, name), text;
	struct err err = {0};
	struct json *meta;

	if (file_source_open(path.ptr, &source, &err) < 0 ||
	    bytes_source_read_all(source, mem, MIB(16), &text, &err) < 0 ||
	    json_parse(text, mem, &meta, &err) < 0)
		BUG(err.message);
	return meta;
}
