# Sources of src/sync.
libevenmail_a_SOURCES += \
	src/sync/channel.c src/sync/channel.h src/sync/lane.h \
	src/sync/box.c src/sync/box.h src/sync/own.c src/sync/own.h \
	src/sync/head.c src/sync/head.h src/sync/flag-room.c src/sync/flag-room.h \
	src/sync/hold-back.c src/sync/hold-back.h \
	src/sync/snapshot.c src/sync/snapshot.h
# channel_list, channel_survey
libevenmail_a_SOURCES += \
	src/sync/list.c src/sync/list.h src/sync/uses.c src/sync/uses.h \
	src/sync/survey.c src/sync/survey-local.c src/sync/survey.h \
	src/sync/choose.c src/sync/choose.h src/sync/reset.c src/sync/reset.h \
	src/sync/reuse.c src/sync/reuse.h \
	src/sync/identify.c src/sync/identify.h src/sync/consult.c src/sync/consult.h \
	src/sync/unnamed.c src/sync/unnamed.h
# channel_plan
libevenmail_a_SOURCES += \
	src/sync/decide.c \
	src/sync/plan.c src/sync/plan.h src/sync/match.c src/sync/match.h \
	src/sync/planner.c src/sync/planner-again.c src/sync/planner-letters.c \
	src/sync/planner-mailbox.c src/sync/planner-copy.c src/sync/planner-move.c \
	src/sync/planner-ends.c src/sync/planner-half.c src/sync/planner-follow.c \
	src/sync/planner-rename.c src/sync/planner-trash.c \
	src/sync/planner.h src/sync/planner-inner.h \
	src/sync/guard.c src/sync/guard-departures.c src/sync/guard.h
# channel_apply, channel_confirm
libevenmail_a_SOURCES += \
	src/sync/apply.c src/sync/confirm.c \
	src/sync/rename.c src/sync/rename.h src/sync/subscribe.c src/sync/subscribe.h \
	src/sync/flight.c src/sync/flight.h src/sync/batch.c src/sync/batch.h \
	src/sync/move.c src/sync/move.h src/sync/link.c src/sync/link.h \
	src/sync/push.c src/sync/push.h src/sync/pull.c src/sync/pull.h \
	src/sync/landing.c src/sync/landing.h src/sync/share.c src/sync/share.h \
	src/sync/proof.c src/sync/proof.h \
	src/sync/trash.c src/sync/trash.h src/sync/delete.c src/sync/delete.h
libevenmail_a_SOURCES += \
	src/sync/verify.c src/sync/verify-bodies.c src/sync/verify-repair.c \
	src/sync/verify-inner.h src/sync/verify.h
