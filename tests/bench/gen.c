/* gen COUNT SEED MEAN_BYTES BULK_BYTES PREFIX
 *
 * Writes COUNT log-like documents as _bulk bodies of about BULK_BYTES: PREFIX00000, PREFIX00001...
 * The same arguments give the same bytes. Lengths are log-normal around MEAN_BYTES, words follow
 * Zipf's law, about as real logs compress. */
#include "base/buf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 20000u
#define LONGEST_MESSAGE 900000.0
/* What the fields other than the message take. */
#define FIXED_BYTES 640.0

struct generator {
	uint64_t state;
	char words[WORDS][16];
};

static uint64_t next_random(struct generator *g)
{
	uint64_t z = g->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static unsigned below(struct generator *g, unsigned n)
{
	return (unsigned)(next_random(g) % n);
}

/* In [0, 1). */
static double uniform(struct generator *g)
{
	return (double)(next_random(g) >> 11) / 9007199254740992.0;
}

static double normal(struct generator *g)
{
	double radius = sqrt(-2 * log(uniform(g) + 1e-12));

	return radius * cos(2 * M_PI * uniform(g));
}

static const char *pick(struct generator *g, const char *const *of, unsigned n)
{
	return of[below(g, n)];
}

static const char *word(struct generator *g)
{
	return g->words[(unsigned)(pow(WORDS, uniform(g)) - 1 + uniform(g)) % WORDS];
}

/* One of the n first words: a vocabulary of its own. */
static const char *name(struct generator *g, unsigned n)
{
	return g->words[below(g, n)];
}

static void make_words(struct generator *g)
{
	static const char consonants[] = "bcdfghklmnprstvz", vowels[] = "aeiou";

	for (unsigned i = 0; i < WORDS; i++) {
		unsigned syllables = 1 + below(g, 4);
		char *to = g->words[i];

		for (unsigned s = 0; s < syllables; s++) {
			*to++ = consonants[below(g, 16)];
			*to++ = vowels[below(g, 5)];
			if (below(g, 3) == 0)
				*to++ = consonants[below(g, 16)];
		}
		*to = '\0';
	}
}

static void write_event(struct generator *g, struct buf *out, unsigned long sequence)
{
	static const char *const levels[] = {"INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"};

	buf_printf(out, "{\"@timestamp\":\"2024-%02u-%02uT%02u:%02u:%02u.%03uZ\",",
		   1 + below(g, 12), 1 + below(g, 28), below(g, 24), below(g, 60), below(g, 60),
		   below(g, 1000));
	buf_printf(out, "\"seq\":%lu,\"level\":\"%s\",\"service\":\"%s\",", sequence,
		   pick(g, levels, COUNT_OF(levels)), name(g, 40));
	buf_printf(out, "\"host\":{\"name\":\"%s-%u\",\"ip\":\"10.%u.%u.%u\"},", name(g, 12),
		   below(g, 200), below(g, 8), below(g, 256), below(g, 256));
	buf_printf(out, "\"duration_ms\":%.3f,\"bytes\":%u,", exp(uniform(g) * 8),
		   below(g, 1u << 20));
}

static void write_user(struct generator *g, struct buf *out)
{
	buf_printf(out, "\"user\":{\"id\":\"%08x-%04x-%04x-%012llx\",\"name\":\"%s %s\",",
		   below(g, 1u << 31), below(g, 65536), below(g, 65536),
		   (unsigned long long)(next_random(g) >> 16), word(g), word(g));
	buf_printf(out, "\"email\":\"%s.%s@%s.example\",\"active\":%s},", word(g), word(g),
		   name(g, 30), below(g, 2) ? "true" : "false");
	buf_printf(out, "\"geo\":{\"lat\":%.5f,\"lon\":%.5f},", uniform(g) * 180 - 90,
		   uniform(g) * 360 - 180);
}

static void write_request(struct generator *g, struct buf *out)
{
	static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
	unsigned status = below(g, 20) ? 200 : 300 + 100 * below(g, 3) + 4 * (below(g, 2));

	buf_printf(out, "\"request\":{\"method\":\"%s\",\"path\":\"/%s/%s/%u?q=%s&page=%u\",",
		   pick(g, methods, COUNT_OF(methods)), word(g), word(g), below(g, 100000), word(g),
		   below(g, 50));
	buf_printf(out, "\"status\":%u,\"referer\":\"https://%s.example/%s\"},", status, word(g),
		   word(g));
}

static void write_lists(struct generator *g, struct buf *out)
{
	unsigned tags = below(g, 6), items = below(g, 5);

	buf_printf(out, "\"tags\":[");
	for (unsigned i = 0; i < tags; i++)
		buf_printf(out, "%s\"%s\"", i ? "," : "", name(g, 300));
	buf_printf(out, "],\"items\":[");
	for (unsigned i = 0; i < items; i++)
		buf_printf(out, "%s{\"sku\":\"%s-%u\",\"qty\":%u,\"price\":%.2f,\"note\":null}",
			   i ? "," : "", name(g, 500), below(g, 10000), 1 + below(g, 9),
			   uniform(g) * 500);
	buf_printf(out, "],");
}

static void write_message(struct generator *g, struct buf *out, double mean)
{
	static const char *const joints[] = {". ",  ", ",  " \\\"", " \xC3\xA9t\xC3\xA9 ",
					     "\\n", " 42 "};
	double length = (mean - FIXED_BYTES) * exp(0.7 * normal(g) - 0.245);
	size_t end = out->len + (size_t)MIN(MAX(length, 20), LONGEST_MESSAGE);

	buf_printf(out, "\"message\":\"");
	while (out->len < end) {
		unsigned joint = below(g, 60);

		buf_append_str(out, str_from(word(g)));
		buf_append_str(out, str_from(joint < COUNT_OF(joints) ? joints[joint] : " "));
	}
	buf_printf(out, "\"}");
}

static void write_document(struct generator *g, struct buf *out, unsigned long sequence,
			   double mean)
{
	write_event(g, out, sequence);
	write_user(g, out);
	write_request(g, out);
	write_lists(g, out);
	write_message(g, out, mean);
}

static void save(const char *prefix, unsigned part, struct buf *body)
{
	char path[LIMIT_PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s%05u", prefix, part);
	file = fopen(path, "w");
	if (!file || fwrite(body->ptr, 1, body->len, file) != body->len || fclose(file) != 0) {
		perror(path);
		exit(6);
	}
	buf_reset(body);
}

int main(int argc, char **argv)
{
	static struct generator g;
	cleanup(buf_release) struct buf body = BUF_INIT(MIB(256));
	unsigned long count, sources = 0;
	unsigned parts = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: gen COUNT SEED MEAN_BYTES BULK_BYTES PREFIX\n");
		return 2;
	}
	count = strtoul(argv[1], NULL, 10);
	g.state = strtoull(argv[2], NULL, 10);
	make_words(&g);
	for (unsigned long i = 0; i < count; i++) {
		size_t start;

		buf_printf(&body, "{\"index\":{\"_id\":\"doc-%08lu\"}}\n", i);
		start = body.len;
		write_document(&g, &body, i, strtod(argv[3], NULL));
		sources += body.len - start;
		buf_append_byte(&body, '\n');
		if (body.len >= strtoul(argv[4], NULL, 10) || i + 1 == count)
			save(argv[5], parts++, &body);
	}
	printf("{\"documents\":%lu,\"source_bytes\":%lu,\"parts\":%u}\n", count, sources, parts);
	return 0;
}
