// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/each.h"

#include "base/stop.h"

enum exit_status each_target(const struct options *options,
			     void (*visit)(const struct target *target, struct report *report))
{
	struct target_list list;
	struct report report;
	struct error err;

	report_open(&report, options);
	if (target_load(options, &list, &err)) {
		report_failure(&report, NULL, &err);
		return report_close(&report);
	}
	for (size_t i = 0; i < list.len; i++) {
		if (stop_check(&err))
			report_failure(&report, list.targets[i].channel->name, &err);
		else
			visit(&list.targets[i], &report);
	}
	target_free(&list);
	return report_close(&report);
}
