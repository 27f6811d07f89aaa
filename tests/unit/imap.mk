# Unit tests of src/imap. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += tests/unit/test-lex
tests_unit_test_lex_SOURCES = tests/unit/test-lex.c
tests_unit_test_lex_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-parser
tests_unit_test_parser_SOURCES = tests/unit/test-parser.c tests/unit/parser-run.c tests/unit/parser-run.h
tests_unit_test_parser_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-parser-bounds
tests_unit_test_parser_bounds_SOURCES = tests/unit/test-parser-bounds.c tests/unit/parser-run.c tests/unit/parser-run.h
tests_unit_test_parser_bounds_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-command
tests_unit_test_command_SOURCES = tests/unit/test-command.c
tests_unit_test_command_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-deflate
tests_unit_test_deflate_SOURCES = tests/unit/test-deflate.c
tests_unit_test_deflate_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-quirks
tests_unit_test_quirks_SOURCES = tests/unit/test-quirks.c
tests_unit_test_quirks_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-wirelog
tests_unit_test_wirelog_SOURCES = tests/unit/test-wirelog.c
tests_unit_test_wirelog_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-session
tests_unit_test_session_SOURCES = tests/unit/test-session.c tests/imapd/script.c tests/imapd/script.h \
	tests/imapd/server.c
tests_unit_test_session_LDADD = $(UNIT_LDADD)
check_PROGRAMS += tests/unit/test-transport
tests_unit_test_transport_SOURCES = tests/unit/test-transport.c tests/imapd/script.c tests/imapd/script.h \
	tests/imapd/server.c
tests_unit_test_transport_LDADD = $(UNIT_LDADD)
EXTRA_DIST += \
	tests/imapd/alert.imapd \
	tests/imapd/answered-twice.imapd \
	tests/imapd/both-ways.imapd \
	tests/imapd/bye-while-sending.imapd \
	tests/imapd/bye.imapd \
	tests/imapd/capability-rev2.imapd \
	tests/imapd/capability-spelling.imapd \
	tests/imapd/change-held.imapd \
	tests/imapd/change-refused.imapd \
	tests/imapd/chunks.imapd \
	tests/imapd/close-in-command.imapd \
	tests/imapd/compress.imapd \
	tests/imapd/compress-auto-ahead.imapd \
	tests/imapd/compress-auto-slow.imapd \
	tests/imapd/compress-bad.imapd \
	tests/imapd/compress-cut.imapd \
	tests/imapd/compress-damaged.imapd \
	tests/imapd/compress-no.imapd \
	tests/imapd/compress-start.imapd tests/imapd/compress-start-refused.imapd \
	tests/imapd/compress-not-offered.imapd \
	tests/imapd/compress-plain.imapd \
	tests/imapd/compress-refused.imapd \
	tests/imapd/compress-rows.imapd \
	tests/imapd/condstore.imapd \
	tests/imapd/cut.imapd \
	tests/imapd/hostile-names.imapd \
	tests/imapd/icloud.imapd \
	tests/imapd/list-forms.imapd \
	tests/imapd/list-status-only.imapd \
	tests/imapd/literal-minus.imapd \
	tests/imapd/literal-plus-refused.imapd \
	tests/imapd/literal-plus.imapd \
	tests/imapd/literal-refused.imapd \
	tests/imapd/literal-sync.imapd \
	tests/imapd/login-untold.imapd \
	tests/imapd/malformed.imapd tests/imapd/malformed-list.imapd \
	tests/imapd/multiappend.imapd \
	tests/imapd/multiappend-fails.imapd \
	tests/imapd/multiappend-sync.imapd \
	tests/imapd/no-bad.imapd \
	tests/imapd/no-condstore.imapd \
	tests/imapd/other-order.imapd \
	tests/imapd/pipelining.imapd \
	tests/imapd/qresync.imapd \
	tests/imapd/read-only.imapd \
	tests/imapd/setup-lazy.imapd \
	tests/imapd/setup-probe.imapd \
	tests/imapd/setup-refused.imapd \
	tests/imapd/setup.imapd \
	tests/imapd/silence.imapd \
	tests/imapd/source-ends.imapd \
	tests/imapd/source-fails.imapd \
	tests/imapd/start.imapd \
	tests/imapd/unasked-tag.imapd \
	tests/imapd/unselect-by-close.imapd \
	tests/imapd/unselect.imapd \
	tests/imapd/unsolicited.imapd \
	tests/imapd/window-bytes.imapd \
	tests/imapd/window.imapd \
	tests/imapd/login/auth-login.imapd \
	tests/imapd/login/auth-plain-only.imapd \
	tests/imapd/login/bye-later.imapd \
	tests/imapd/login/bye.imapd \
	tests/imapd/login/capability-before.imapd \
	tests/imapd/login/capability-untagged.imapd \
	tests/imapd/login/cut.imapd \
	tests/imapd/login/garbage.imapd \
	tests/imapd/login/host-malformed.imapd \
	tests/imapd/login/login-command.imapd \
	tests/imapd/login/login-disabled.imapd \
	tests/imapd/login/login-refused.imapd \
	tests/imapd/login/login-unavailable.imapd \
	tests/imapd/login/plain.imapd \
	tests/imapd/login/preauth-starttls.imapd \
	tests/imapd/login/preauth.imapd \
	tests/imapd/login/secret-empty.imapd \
	tests/imapd/login/secret-lines.imapd \
	tests/imapd/login/starttls-injected.imapd \
	tests/imapd/login/starttls-refused.imapd \
	tests/imapd/login/starttls-stripped.imapd \
	tests/imapd/login/token-refreshed.imapd \
	tests/imapd/login/token-refused.imapd
