# Unit tests of src/sync. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
