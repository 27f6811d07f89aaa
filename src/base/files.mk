# Sources of src/base.
libevenmail_a_SOURCES += \
	src/base/alloc.c src/base/alloc.h \
	src/base/arena.c src/base/arena.h \
	src/base/array.c src/base/array.h \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h \
	src/base/fault.c src/base/fault-calls.c src/base/fault.h \
	src/base/file.c src/base/file.h \
	src/base/hex.h \
	src/base/json.c src/base/json.h \
	src/base/lock.c src/base/lock.h \
	src/base/log.c src/base/log.h \
	src/base/map.c src/base/map.h \
	src/base/order.h \
	src/base/random.c src/base/random.h \
	src/base/slots.c src/base/slots.h \
	src/base/stop.c src/base/stop.h \
	src/base/text.c src/base/text.h \
	src/base/uidset.c src/base/uidset.h
