#include "lucene/lucene_internal.h"

#include <pthread.h>
#include <stdlib.h>

/* Formats and generations of one segment; of more, the rest are passed over again. */
#define FILES_MOST 32
#define NAME_MOST 128

struct proven_files {
	pthread_mutex_t lock;
	size_t count;
	char names[FILES_MOST][NAME_MOST];
};

struct proven_files *proven_files_new(void)
{
	struct proven_files *files = mem_zalloc(sizeof(*files));

	pthread_mutex_init(&files->lock, NULL);
	return files;
}

bool proven_files_has(struct proven_files *files, struct str name)
{
	bool found = false;

	pthread_mutex_lock(&files->lock);
	for (size_t i = 0; i < files->count && !found; i++)
		found = str_is(name, files->names[i]);
	pthread_mutex_unlock(&files->lock);
	return found;
}

void proven_files_add(struct proven_files *files, struct str name)
{
	pthread_mutex_lock(&files->lock);
	if (files->count < FILES_MOST && name.len < NAME_MOST)
		memcpy(files->names[files->count++], name.ptr, name.len);
	pthread_mutex_unlock(&files->lock);
}

void proven_files_free(struct proven_files *files)
{
	if (!files)
		return;
	pthread_mutex_destroy(&files->lock);
	free(files);
}
