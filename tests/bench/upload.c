/* upload URL CONNECTIONS BULK_BYTES FILE...
 *
 * The least a client can do: the bulk lines of the files, cut into bodies of at most BULK_BYTES,
 * are posted to URL/_bulk by libcurl over CONNECTIONS kept-alive connections. Nothing is made, and
 * no answer is looked at but for its status. Prints one JSON object. */
#include "base/str.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_BODIES 100000

static struct {
	char url[200];
	struct str bodies[MAX_BODIES];
	size_t count;
	_Atomic size_t next, failed;
} upload;

NO_RETURN static void fail(const char *what)
{
	perror(what);
	exit(6);
}

static struct str map_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail(path);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (bytes == MAP_FAILED)
		fail(path);
	close(fd);
	return str_of(bytes, (size_t)st.st_size);
}

/* Cuts after pairs of lines. */
static void cut(struct str rest, size_t limit)
{
	struct str action, source;
	const char *start = rest.ptr, *end = rest.ptr;

	while (str_split(rest, '\n', &action, &rest) && str_split(rest, '\n', &source, &rest)) {
		if ((size_t)(rest.ptr - start) > limit && end > start &&
		    upload.count < MAX_BODIES) {
			upload.bodies[upload.count++] = str_of(start, (size_t)(end - start));
			start = end;
		}
		end = rest.ptr;
	}
	if (end > start && upload.count < MAX_BODIES)
		upload.bodies[upload.count++] = str_of(start, (size_t)(end - start));
}

static size_t ignore(char *bytes, size_t size, size_t count, void *user)
{
	(void)bytes;
	(void)user;
	return size * count;
}

static void *send_bodies(void *user)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-ndjson");
	CURL *curl = curl_easy_init();
	size_t i;

	(void)user;
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_URL, upload.url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	while ((i = upload.next++) < upload.count) {
		long status = 0;

		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, upload.bodies[i].ptr);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)upload.bodies[i].len);
		if (curl_easy_perform(curl) != CURLE_OK ||
		    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
		    status != 200)
			upload.failed++;
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return NULL;
}

static double seconds(struct timespec t)
{
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return seconds(t);
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	size_t connections;
	double wall, cpu;

	if (argc < 5) {
		fprintf(stderr, "usage: upload URL CONNECTIONS BULK_BYTES FILE...\n");
		return 2;
	}
	snprintf(upload.url, sizeof(upload.url), "%s/_bulk", argv[1]);
	connections = MIN(strtoul(argv[2], NULL, 10), COUNT_OF(threads));
	for (int i = 4; i < argc; i++)
		cut(map_file(argv[i]), strtoul(argv[3], NULL, 10));
	curl_global_init(CURL_GLOBAL_ALL);
	wall = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, send_bodies, NULL);
	for (size_t i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("{\"bodies\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"cpu_seconds\":%.3f}\n",
	       upload.count, (size_t)upload.failed, now(CLOCK_MONOTONIC) - wall,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return upload.failed ? 1 : 0;
}
