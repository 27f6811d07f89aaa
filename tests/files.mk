# Files of the test suite that are not programs.
EXTRA_DIST += tests/run tests/check-layers .ci/run
EXTRA_DIST += tests/servers/dovecot.py tests/servers/proxy.py tests/servers/install
EXTRA_DIST += tests/e2e/conftest.py tests/e2e/channel.py tests/e2e/corpus.py tests/e2e/local.py \
	tests/e2e/mailbox_names.py tests/e2e/remote.py tests/e2e/test_harness.py
