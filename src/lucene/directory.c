#include "lucene/directory.h"

/* Names come out of untrusted files: nothing may lead out of the directory. */
static bool is_file_name(struct str name)
{
	return name.len > 0 && name.len < 256 && name.ptr[0] != '.' &&
	       !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, '\0', name.len);
}

int lucene_directory_list(struct lucene_directory *dir, struct arena *mem, struct str **names,
			  size_t *count, struct err *err)
{
	return dir->ops->list(dir, mem, names, count, err);
}

int lucene_directory_open(struct lucene_directory *dir, struct str name, struct bytes_source **out,
			  struct err *err)
{
	if (!is_file_name(name))
		return err_set(err, ERR_FORMAT, "'" STR_FMT "' is no name of a Lucene file in '%s'",
			       STR_ARG(name), dir->name);
	return dir->ops->open(dir, name, out, err);
}

void lucene_directory_close(struct lucene_directory *dir)
{
	if (dir)
		dir->ops->close(dir);
}
