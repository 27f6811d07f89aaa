# Sources of src/cmd.
libevenmail_a_SOURCES += \
	src/cmd/check.c src/cmd/check-ways.c src/cmd/check-ways.h \
	src/cmd/command.c src/cmd/command.h \
	src/cmd/each.c src/cmd/each.h \
	src/cmd/exit-status.c src/cmd/exit-status.h \
	src/cmd/explain.c src/cmd/explain.h \
	src/cmd/explain-find.c src/cmd/explain-json.c src/cmd/explain-text.c \
	src/cmd/journal.c \
	src/cmd/json-line.c src/cmd/json-line.h \
	src/cmd/note.c src/cmd/note.h \
	src/cmd/options.c src/cmd/options.h \
	src/cmd/report.c src/cmd/report-json.c src/cmd/report-text.c src/cmd/report.h \
	src/cmd/report-progress.c src/cmd/report-progress.h \
	src/cmd/status.c \
	src/cmd/sync.c \
	src/cmd/target.c src/cmd/target.h \
	src/cmd/verify.c
