// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail sync, and plan, which is the same without applying. */
#include "cmd/command.h"
#include "cmd/report.h"
#include "cmd/target.h"

/* One channel from its opening to its report. */
static void sync_target(const struct target *target, const struct options *options,
			struct report *report)
{
	struct arena arena = {0};
	struct account_setup setup;
	struct account *account = NULL;
	struct error err;

	target_setup(target, options, &arena, &setup);
	if (account_open(&setup, &account, &err) || account_plan(account, &err)) {
		report_failure(report, setup.name, &err);
		goto out;
	}
	if (options->dry_run)
		report->ops->plan(report, &account->channel);
	else if (account_apply(account, &err))
		report_failure(report, setup.name, &err);
	if (!options->dry_run)
		report->ops->done(report, &account->channel);
	report_channel(report, &account->channel);
out:
	account_close(&account);
	arena_free(&arena);
}

enum exit_status cmd_sync(const struct options *options)
{
	struct target_list list;
	struct report report;
	struct error err;

	report_open(&report, options);
	if (target_load(options, &list, &err)) {
		report_failure(&report, NULL, &err);
		return report.status;
	}
	for (size_t i = 0; i < list.len; i++)
		sync_target(&list.targets[i], options, &report);
	report.ops->summary(&report);
	target_free(&list);
	return report.status;
}

enum exit_status cmd_plan(const struct options *options)
{
	struct options dry = *options;

	dry.dry_run = true;
	return cmd_sync(&dry);
}
