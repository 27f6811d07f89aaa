// SPDX-License-Identifier: GPL-3.0-or-later
/* evenmail sync; plan, which is the same without applying; backup, the same one way. */
#include "base/stop.h"
#include "cmd/command.h"
#include "cmd/each.h"
#include "cmd/report-progress.h"
#include "run/hooks.h"

/* The user's command after a run, where one is due. It is spared who asked us to stop. */
static void run_hook(const struct target *target, struct report *report)
{
	const struct config_channel *channel = target->channel;
	struct error err;

	if (stop_requested())
		return;
	if (hooks_run_after(channel->hook_after, channel->name, &err))
		report_failure(report, channel->name, &err);
}

/* One channel from its opening to its report. True where its hook is due. */
static bool sync_channel(const struct account_setup *setup, struct meter *meter,
			 struct report *report)
{
	struct account *account = NULL;
	struct error err;
	bool due = false;

	if (account_open(setup, &account, &err) || account_plan(account, &err)) {
		progress_close(meter);
		report_failure(report, setup->name, &err);
		goto out;
	}
	progress_expect(meter, &account->channel);
	int rc = setup->dry_run ? 0 : account_apply(account, &err);
	progress_close(meter);
	report_channel(report, &account->channel);
	if (rc)
		report_failure(report, setup->name, &err);
	due = hooks_are_due(&account->channel);
out:
	account_close(&account);
	return due;
}

/* One channel, and what follows it once its lock is free. */
static void sync_target(const struct target *target, struct report *report)
{
	struct arena arena = {0};
	struct account_setup setup;
	struct meter meter;

	target_setup(target, report->options, &arena, &setup);
	progress_open(&meter, report->options, setup.name);
	setup.progress = &meter.progress;
	if (sync_channel(&setup, &meter, report) && target->channel->hook_after)
		run_hook(target, report);
	arena_free(&arena);
}

enum exit_status cmd_sync(const struct options *options)
{
	return each_target(options, sync_target);
}

/* The same command line in another mode. */
static enum exit_status sync_as(const struct options *options, enum options_mode mode)
{
	struct options changed = *options;

	changed.modes |= mode;
	return cmd_sync(&changed);
}

enum exit_status cmd_plan(const struct options *options)
{
	return sync_as(options, MODE_DRY_RUN);
}

enum exit_status cmd_backup(const struct options *options)
{
	return sync_as(options, MODE_BACKUP);
}
