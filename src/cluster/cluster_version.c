#include "cluster/cluster_version.h"

#include <limits.h>
#include <stdio.h>

/* Cuts "7" off "7.10.2-SNAPSHOT"; -1 when no number is there. */
static int cut_number(struct str *text)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9')
		digits++;
	if (!str_to_u64(str_of(text->ptr, digits), &value) || value > INT_MAX)
		return -1;
	*text = str_from_offset(*text, digits);
	return (int)value;
}

/* "2.19.6", "3.0.0-beta1", "7.10" */
static bool parse_numbers(struct str text, struct cluster_version *out)
{
	int numbers[3] = {0};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (i > 0 && (!text.len || text.ptr[0] != '.'))
			break;
		text = str_from_offset(text, i > 0);
		numbers[i] = cut_number(&text);
		if (numbers[i] < 0)
			return false;
	}
	if (text.len && text.ptr[0] != '-' && text.ptr[0] != '+')
		return false;
	out->major = numbers[0];
	out->minor = numbers[1];
	out->patch = numbers[2];
	return true;
}

static bool mentions(const struct json *text, const char *word)
{
	struct str s = json_string(text);

	return s.len && memmem(s.ptr, s.len, word, strlen(word));
}

bool cluster_version_read_root(const struct json *root, struct cluster_version *out)
{
	const struct json *version = json_get(root, "version");
	struct str distribution = json_string(json_get(version, "distribution"));
	const struct json *tagline = json_get(root, "tagline");

	*out = (struct cluster_version){0};
	if (!parse_numbers(json_string(json_get(version, "number")), out))
		return false;
	/* Other programs have a version, too. */
	if (!tagline && !json_get(root, "cluster_name") && !json_get(version, "lucene_version") &&
	    !distribution.len)
		return false;
	if (str_is(distribution, "opensearch") || mentions(tagline, "OpenSearch"))
		out->flavour = CLUSTER_OPENSEARCH;
	return true;
}

bool cluster_version_is_doubtful(const struct json *root, const struct cluster_version *version)
{
	return version->major == 7 && version->minor == 10 && version->patch == 2 &&
	       !json_path(root, "version", "distribution", NULL);
}

bool cluster_version_is_overridden(const struct json *settings)
{
	static const char *const by_precedence[] = {"transient", "persistent", "defaults"};

	for (size_t i = 0; i < COUNT_OF(by_precedence); i++) {
		const struct json *value = json_get(json_get(settings, by_precedence[i]),
						    "compatibility.override_main_response_version");

		if (value)
			return json_bool_or(value, false);
	}
	return false;
}

static bool is_lower(const struct cluster_version *a, const struct cluster_version *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	if (a->minor != b->minor)
		return a->minor < b->minor;
	return a->patch < b->patch;
}

bool cluster_version_read_nodes(const struct json *nodes, struct cluster_version *out)
{
	struct cluster_version lowest = {.major = INT_MAX}, of_node = {0};

	json_each (node, json_get(nodes, "nodes")) {
		if (parse_numbers(json_string(json_get(node, "version")), &of_node) &&
		    is_lower(&of_node, &lowest))
			lowest = of_node;
	}
	if (lowest.major == INT_MAX)
		return false;
	out->major = lowest.major;
	out->minor = lowest.minor;
	out->patch = lowest.patch;
	return true;
}

void cluster_version_print(const struct cluster_version *version, char *text, size_t size)
{
	const char *name = version->flavour == CLUSTER_OPENSEARCH ? "OpenSearch" : "Elasticsearch";

	if (version->serverless)
		snprintf(text, size, "%s Serverless", name);
	else
		snprintf(text, size, "%s %d.%d.%d", name, version->major, version->minor,
			 version->patch);
}
