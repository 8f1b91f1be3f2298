/* Whose AWS credentials sign the requests to a side. */
#include "net/aws_identity.h"
#include "workflow/routes/check_internal.h"

#define WORDS_MAX KIB(4)

/* The places of the chain that were tried before, and why each has none. */
static void say_links(struct check_report *report, struct check_row *row,
		      const struct aws_identity *who)
{
	cleanup(buf_release) struct buf text = BUF_INIT(WORDS_MAX);

	for (size_t i = 0; i < who->link_count; i++)
		if (who->links[i].why)
			buf_printf(&text, "%s%s: %s", text.len ? "; " : "", who->links[i].place,
				   who->links[i].why);
	if (text.len)
		check_say(report, &row->next, "tried: " STR_FMT, STR_ARG(buf_str(&text)));
}

void check_aws(struct check_report *report, const char *side,
	       const struct aws_credentials_options *options)
{
	struct aws_identity who = {0};
	struct err err = {0};
	struct check_row *row;

	if (aws_identity_find(options, report->mem, &who, &err) == 0) {
		row = check_add(report, side, "aws identity", CHECK_OK);
		check_say(report, &row->detail, "account %s, %s; credentials: %s",
			  who.account ? who.account : "not told",
			  who.arn ? who.arn : "ARN not told",
			  who.source ? who.source : "a place not told");
		return;
	}
	/* Credentials that could not be asked about may be good all the same. */
	row = check_add(report, side, "aws identity",
			err.kind == ERR_AUTH || !who.source ? CHECK_FAILED : CHECK_WARNING);
	if (row->outcome == CHECK_FAILED)
		row->kind = err.kind;
	if (who.source)
		check_say(report, &row->detail, "credentials: %s; %s", who.source, err.message);
	else
		check_say(report, &row->detail, "%s", err.message);
	say_links(report, row, &who);
}
