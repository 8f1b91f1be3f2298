/* put_blob URI ENDPOINT NAME BYTES: writes a blob of so many bytes; byte i is i * 31 % 251. Prints
 * the error and exits with its code when it cannot. */
#include "store/blob_store.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	cleanup(blob_store_closep) struct blob_store *store = NULL;
	struct blob_store_options options = {.s3_retry_ms = 60 * 1000};
	cleanup(mem_freep) char *bytes = NULL;
	struct err err = {0};
	size_t len;

	if (argc != 5)
		return EXIT_CODE_USAGE;
	options.s3_endpoint = argv[2];
	len = strtoul(argv[4], NULL, 10);
	bytes = mem_alloc(len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 % 251);
	if (blob_store_open_with(argv[1], &options, &store, &err) < 0 ||
	    blob_store_put(store, str_from(argv[3]), str_of(bytes, len), &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return (int)err_exit_code(&err);
	}
	return 0;
}
