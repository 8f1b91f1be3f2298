/* The certificate that a side shows, and how long it will do. */
#include "base/clock.h"
#include "net/server_certificate.h"
#include "workflow/routes/check.h"

#include <inttypes.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define SOON_DAYS 30

static struct str or_none(struct str text)
{
	return text.len ? text : STR("nobody");
}

static void judge(struct check_report *report, struct check_row *row,
		  const struct server_certificate *certificate)
{
	int64_t left_ms = certificate->expires_ms - clock_wall_ms();

	check_say(report, &row->detail,
		  "of '" STR_FMT "', issued by '" STR_FMT "', for " STR_FMT ", %s " STR_FMT,
		  STR_ARG(or_none(certificate->subject)), STR_ARG(or_none(certificate->issuer)),
		  STR_ARG(or_none(certificate->names)), left_ms < 0 ? "expired" : "until",
		  STR_ARG(certificate->expires));
	if (certificate->expires_ms < 0)
		return;
	if (left_ms < SOON_DAYS * DAY_MS)
		row->outcome = CHECK_WARNING;
	if (left_ms < 0)
		check_say(report, &row->next, "renew it: nobody who checks certificates connects");
	else if (left_ms < SOON_DAYS * DAY_MS)
		check_say(report, &row->next,
			  "%" PRId64 " days are left: renew it before a migration that may "
			  "outlast it",
			  left_ms / DAY_MS);
}

void check_certificate(struct check_report *report, const char *side,
		       const struct http_options *options)
{
	struct server_certificate certificate;
	struct check_row *row;
	struct err ignored;

	/* Who cannot be reached has a line that says so. */
	if (server_certificate_read(options, report->mem, &certificate, &ignored) <= 0)
		return;
	row = check_add(report, side, "certificate", CHECK_OK);
	judge(report, row, &certificate);
}
