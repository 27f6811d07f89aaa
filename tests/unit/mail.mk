# Unit tests of src/mail. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
