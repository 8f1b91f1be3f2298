/* Versions as users write them. */
#include "metadata/assess.h"

#include <ctype.h>
#include <strings.h>

static const struct {
	const char *word;
	enum cluster_flavour flavour;
	bool serverless;
} flavours[] = {
	/* A longer word before its beginning. */
	{"elasticsearch", CLUSTER_ELASTICSEARCH, false},
	{"opensearch", CLUSTER_OPENSEARCH, false},
	{"aoss", CLUSTER_OPENSEARCH, true},
	{"aos", CLUSTER_OPENSEARCH, false},
	{"es", CLUSTER_ELASTICSEARCH, false},
	{"os", CLUSTER_OPENSEARCH, false},
};

/* "2.19", "7_10_2", "8.x". False: something else. */
static bool parse_numbers(const char *text, int numbers[3])
{
	for (size_t part = 0; part < 3; part++) {
		if (*text == 'x' || *text == 'X') {
			text++;
		} else if (isdigit((unsigned char)*text)) {
			for (; isdigit((unsigned char)*text); text++)
				numbers[part] = MIN(numbers[part], 9999) * 10 + (*text - '0');
		} else {
			return false;
		}
		if (!*text)
			return true;
		if (!strchr("._-", *text++))
			return false;
	}
	return false;
}

int assess_parse_version(const char *text, struct cluster_version *out, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(flavours); i++) {
		size_t length = strlen(flavours[i].word);
		const char *rest = text + length;
		int numbers[3] = {0};

		if (strncasecmp(text, flavours[i].word, length) != 0)
			continue;
		*out = (struct cluster_version){.flavour = flavours[i].flavour,
						.serverless = flavours[i].serverless};
		rest += strspn(rest, " _v");
		if (flavours[i].serverless && !*rest) {
			out->major = 2;
			return 0;
		}
		if (!parse_numbers(rest, numbers) || numbers[0] == 0)
			break;
		out->major = numbers[0];
		out->minor = numbers[1];
		out->patch = numbers[2];
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "version '%s' is none; write a flavour and numbers, such as \"OS 2.19\" or "
		       "\"ES 8.15\"",
		       text);
}
