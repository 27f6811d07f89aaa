# Unit tests of src/imap. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
