# Sources of src/sync.
libevenmail_a_SOURCES += \
	src/sync/apply.c src/sync/pull.c src/sync/push.c \
	src/sync/batch.c src/sync/batch.h \
	src/sync/channel.c src/sync/channel.h \
	src/sync/confirm.c \
	src/sync/delete.c src/sync/flag-room.c \
	src/sync/flight.c src/sync/flight.h \
	src/sync/decide.c src/sync/identify.c src/sync/survey.c \
	src/sync/survey-local.c \
	src/sync/guard.c src/sync/guard-departures.c src/sync/guard.h \
	src/sync/lane.h src/sync/share.c src/sync/share.h \
	src/sync/match.c src/sync/match.h \
	src/sync/own.c \
	src/sync/plan.c src/sync/plan.h \
	src/sync/reuse.c \
	src/sync/move.c \
	src/sync/planner.c src/sync/planner-mailbox.c src/sync/planner-copy.c src/sync/planner-move.c \
	src/sync/planner-rename.c src/sync/planner.h \
	src/sync/landing.c src/sync/landing.h src/sync/link.c src/sync/list.c src/sync/rename.c src/sync/consult.c \
	src/sync/snapshot.c src/sync/snapshot.h \
	src/sync/subscribe.c src/sync/trash.c src/sync/unnamed.c \
	src/sync/verify.c src/sync/verify-bodies.c src/sync/verify-repair.c \
	src/sync/verify-inner.h src/sync/verify.h
