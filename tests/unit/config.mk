# Unit tests of src/config. Each program: name in check_PROGRAMS, its _SOURCES, _LDADD = $(UNIT_LDADD).
check_PROGRAMS += \
	tests/unit/test-config \
	tests/unit/test-config-errors \
	tests/unit/test-manual \
	tests/unit/test-secret \
	tests/unit/test-yaml

CONFIG_FILE = tests/unit/config-file.c tests/unit/config-file.h $(SCRATCH)

tests_unit_test_config_SOURCES = tests/unit/test-config.c $(CONFIG_FILE)
tests_unit_test_config_LDADD = $(UNIT_LDADD)
tests_unit_test_config_errors_SOURCES = tests/unit/test-config-errors.c $(CONFIG_FILE)
tests_unit_test_config_errors_LDADD = $(UNIT_LDADD)
tests_unit_test_manual_SOURCES = tests/unit/test-manual.c $(CONFIG_FILE)
tests_unit_test_manual_LDADD = $(UNIT_LDADD)
tests_unit_test_secret_SOURCES = tests/unit/test-secret.c $(CONFIG_FILE)
tests_unit_test_secret_LDADD = $(UNIT_LDADD)
tests_unit_test_yaml_SOURCES = tests/unit/test-yaml.c
tests_unit_test_yaml_LDADD = $(UNIT_LDADD)
