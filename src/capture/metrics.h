/* The metrics of a proxy; the Java proxy's names where it has them. */
#ifndef CAPTURE_METRICS_H
#define CAPTURE_METRICS_H

#include "base/buf.h"
#include "capture/proxy.h"

/* Appends the text of base/metrics.h. Any thread. `sink` NULL: nothing is recorded; `access` NULL:
 * no access log is kept. */
void capture_metrics(struct proxy *proxy, struct sink *sink, struct access_log *access,
		     struct buf *out);

#endif
