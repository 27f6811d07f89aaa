# Sources of src/config.
libevenmail_a_SOURCES += \
	src/config/check.c src/config/check.h \
	src/config/config.c src/config/config.h \
	src/config/names.c src/config/names.h \
	src/config/schema.c src/config/schema.h \
	src/config/secret.c src/config/secret.h \
	src/config/shell.c src/config/shell.h \
	src/config/value.c src/config/value.h \
	src/config/yaml.c src/config/yaml.h
