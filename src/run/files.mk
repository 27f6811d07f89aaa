# Sources of src/run.
libevenmail_a_SOURCES += src/run/account.c src/run/account.h src/run/generation.c src/run/generation.h \
	src/run/hooks.c src/run/hooks.h \
	src/run/keeper.c src/run/keeper.h src/run/lanes.c src/run/lanes.h
