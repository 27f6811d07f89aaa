# Sources of src/cmd.
libevenmail_a_SOURCES += \
	src/cmd/command.h \
	src/cmd/exit-status.c src/cmd/exit-status.h \
	src/cmd/options.c src/cmd/options.h \
	src/cmd/report.c src/cmd/report-json.c src/cmd/report-text.c src/cmd/report.h \
	src/cmd/sync.c \
	src/cmd/target.c src/cmd/target.h
