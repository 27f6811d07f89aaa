# Files of the test suite that are not programs.
EXTRA_DIST += tests/run tests/soak tests/bootstrap tests/check-layers tests/check-coverage tests/check-figures tests/REGRESSIONS tests/SECURITY .ci/run
EXTRA_DIST += tests/servers/dovecot.py tests/servers/proxy.py tests/servers/install
EXTRA_DIST += tests/bench/run tests/bench/accounts.py tests/bench/bare.py tests/bench/bench.py \
	tests/bench/build.py tests/bench/limit.py tests/bench/measure.c tests/bench/report.py \
	tests/bench/scale tests/bench/tools.py tests/bench/works.py \
	tests/bench/results.jsonl tests/bench/results.txt tests/bench/results.svg
EXTRA_DIST += tests/e2e/conftest.py tests/e2e/channel.py tests/e2e/corpus.py tests/e2e/figures.py tests/e2e/history.py \
	tests/e2e/local.py \
	tests/e2e/mailbox_names.py tests/e2e/mua.py tests/e2e/remote.py tests/e2e/test_bench.py \
	tests/e2e/test_big.py tests/e2e/test_permanent_flags.py tests/e2e/test_named.py tests/e2e/test_compress.py \
	tests/e2e/test_commands.py tests/e2e/test_copies.py tests/e2e/test_exit_status.py tests/e2e/test_explain.py tests/e2e/test_harness.py tests/e2e/test_heal.py \
	tests/e2e/test_histories.py tests/e2e/test_login.py tests/e2e/test_mailboxes.py tests/e2e/test_map.py \
	tests/e2e/test_keywords.py tests/e2e/test_lanes.py \
	tests/e2e/test_moves.py tests/e2e/test_mua.py tests/e2e/test_plain.py tests/e2e/test_renames.py tests/e2e/test_secrets.py tests/e2e/test_sequences.py \
	tests/e2e/test_rules.py tests/e2e/test_safety.py \
	tests/e2e/test_servers.py tests/e2e/test_speed.py tests/e2e/test_stops.py \
	tests/e2e/test_sync.py tests/e2e/test_disk.py tests/e2e/test_lock.py tests/e2e/test_quota.py \
	tests/e2e/test_shared_tree.py tests/e2e/test_verify.py
EXTRA_DIST += tests/e2e/policies.py tests/e2e/answers.py tests/e2e/relay.py tests/e2e/scene.py tests/e2e/test_cuts.py tests/e2e/test_stalls.py tests/e2e/test_unasked.py
EXTRA_DIST += tests/e2e/outage.py tests/e2e/power.py tests/e2e/test_power.py tests/e2e/test_power_ext4.py \
	tests/e2e/test_restored.py tests/e2e/test_clock.py \
	tests/e2e/preload.py tests/power/record.c tests/e2e/forks.py tests/forks/serve.c
EXTRA_DIST += tests/e2e/test_lost.py tests/e2e/test_refusals.py
EXTRA_DIST += tests/e2e/test_refused_mail.py
EXTRA_DIST += tests/e2e/stages.py tests/e2e/stopping.py tests/e2e/test_stop_everywhere.py
EXTRA_DIST += tests/servers/hostile.py tests/servers/hostile_modes.py tests/e2e/test_hostile.py tests/e2e/test_odd_mail.py
