/* What a move between two versions breaks, in this cluster: every breaking change between the
 * source's and the target's version, with what it touches here, what the tool does about it and
 * what the user must do.
 *
 * The changes are rows of one table (assess_changes.c); they are found by what the rules note
 * (rules.h), by detectors over the source's metadata (assess_mappings.c, assess_settings.c,
 * assess_items.c) and over clients' requests (assess_queries.c, assess_requests.c). Not
 * thread-safe. Ids B201 to BO35 are those of docs/assess.md; stable. */
#ifndef METADATA_ASSESS_H
#define METADATA_ASSESS_H

#include "metadata/rules.h"

enum assess_severity { ASSESS_INFO, ASSESS_WARN, ASSESS_FIX, ASSESS_BLOCK, ASSESS_SEVERITIES };
/* "info", "warn", "fix", "block" */
const char *assess_severity_name(enum assess_severity severity);

enum assess_crossing {
	ANY_MOVE,
	BETWEEN_ES, /* from below `number` to it or above; OpenSearch counts as Elasticsearch 7.10
		     */
	BETWEEN_ES_ONLY, /* the same, to Elasticsearch */
	BETWEEN_OS,      /* to OpenSearch `number` or above, from below it or from Elasticsearch */
	ES_TO_OS,
	OS_TO_ES,
};

/* Which notes of the rules are this change's. */
enum assess_rules {
	RULES_NONE,
	RULES_BREAKING, /* of rows that name its id as `breaking` */
	RULES_FLAVOUR,  /* those, and of rows without an id from one flavour to the other */
	RULES_OTHER,    /* of rows without an id, for any two versions */
};

struct assess_change {
	const char *id;
	enum assess_crossing crossing;
	int number; /* 1000 * major + minor */
	enum assess_severity severity;
	enum assess_rules rules;
	bool clients;      /* clients' requests show it; clients must change */
	const char *title; /* what breaks */
	const char *tool;  /* what the tool does */
	const char *user;  /* what the user must do */
};
const struct assess_change *assess_changes(size_t *count);

/* One place that a change touches. */
struct assess_touch {
	enum assess_severity severity;
	const struct metadata_item *item; /* NULL: a request, or the cluster as a whole */
	struct str where;                 /* "index 'books'", "request 12: GET /books/_search" */
	struct str path;                  /* "mappings.properties.title"; may be empty */
	struct str text;                  /* one clause without full stop; may be empty */
};

#define ASSESS_TOUCHES_MAX 100 /* kept a change; all are counted */

struct assess_finding {
	const struct assess_change *change;
	bool applies;                  /* it lies between the two versions */
	enum assess_severity severity; /* the worst of its touches */
	struct assess_touch *touches;
	size_t kept, total;
};

struct assess_agent {
	struct str name;
	uint64_t requests;
};

#define ASSESS_AGENTS_MAX 100
#define ASSESS_CLIENT_CHANGES_MAX 500

struct assessment {
	struct arena mem;
	struct arena scratch;     /* of one item, or one request */
	struct metadata_set *set; /* borrowed; rules applied */
	struct rule_options options;
	struct assess_finding *findings; /* one a change, in the order of the table */
	size_t finding_count;
	struct assess_agent agents[ASSESS_AGENTS_MAX];
	size_t agent_count;
	uint64_t requests, unread_lines; /* unread_lines: neither request nor query */
	/* Renamed, split and united indices, and fields whose types change: one sentence each. */
	struct str client_changes[ASSESS_CLIENT_CHANGES_MAX];
	size_t client_change_count, client_changes_total;
	/* The request that is being read, over several lines. */
	struct buf pending;
	struct arena pending_mem; /* holds: */
	struct str pending_request;
	int pending_depth;
};

/* Applies the rules to `set` and assesses it. `set` and release in any case. */
int assess_metadata(struct assessment *a, struct metadata_set *set,
		    const struct rule_options *options, struct err *err);
void assessment_release(struct assessment *a);
/* The next line of clients' requests: a JSON object (a request with method, path and body as
 * replayers and proxies write them, or a query body), "GET /path" of a console or an access log
 * with its body in the lines below it. Unknown lines are counted. ERR_LIMIT. */
int assess_request_line(struct assessment *a, struct str line, struct err *err);
/* After the last line. */
int assess_request_end(struct assessment *a, struct err *err);

/* Findings that touch something, of this severity. */
size_t assess_count(const struct assessment *a, enum assess_severity severity);

/* "OS 2.19", "elasticsearch_8.x", "AOSS": flavours ES, ELASTICSEARCH, OS, OPENSEARCH, AOS, AOSS in
 * any case. ERR_USAGE. */
int assess_parse_version(const char *text, struct cluster_version *out, struct err *err);

#endif
