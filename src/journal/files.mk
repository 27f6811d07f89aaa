# Sources of src/journal.
libevenmail_a_SOURCES += src/journal/aside.c
libevenmail_a_SOURCES += src/journal/carry.c src/journal/commit.c src/journal/inside.h
libevenmail_a_SOURCES += src/journal/dir.c src/journal/dir.h
libevenmail_a_SOURCES += src/journal/escape.c src/journal/escape.h
libevenmail_a_SOURCES += src/journal/generation.c
libevenmail_a_SOURCES += src/journal/journal.c src/journal/journal.h
libevenmail_a_SOURCES += src/journal/notes.c src/journal/notes.h
libevenmail_a_SOURCES += src/journal/record.c src/journal/record-parse.c src/journal/record.h
libevenmail_a_SOURCES += src/journal/replay.c src/journal/replay.h
libevenmail_a_SOURCES += src/journal/rows.c src/journal/rows.h
