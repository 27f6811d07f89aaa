# Unit tests of src/maildir. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
