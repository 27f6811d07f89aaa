// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Mod-sequences of one's own changes. Each change of a mailbox takes one of its own (RFC 7162), so
 * where a mailbox's HIGHESTMODSEQ rose by as many as one's own changes took, nobody else changed
 * anything. What is counted here is what the server told, and no more: one that tells less leaves
 * the mailbox to be looked at.
 *
 * Several changes may be on their way in one mailbox, and a server may tell of all of them at once;
 * so it is noted by mailbox, and reported with the end of whichever of them comes next.
 */
#include "store/store-imap-inner.h"

void trace_expect(struct job *job, const struct uidset *uids)
{
	struct trace *trace = &job->mailbox->trace;

	uids_add_all(uids, &trace->meant);
	if (job->selection && trace->last < job->selection->stamp.modseq)
		trace->last = job->selection->stamp.modseq;
}

/* One that is not above the last is of no new change. */
static void trace_step(struct trace *trace, uint64_t modseq)
{
	if (modseq <= trace->last)
		return;
	trace->last = modseq;
	trace->steps++;
}

/*
 * Only a row without flags is surely the answer to a silent STORE of this session's: somebody
 * else's change is told with them.
 */
static void trace_row(struct trace *trace, const struct imap_fetch *row)
{
	bool meant = row->has & IMAP_HAS_UID && uidset_has(&trace->meant, row->uid);

	if (!meant || row->has & IMAP_HAS_FLAGS)
		trace->others = true;
	else if (row->has & IMAP_HAS_MODSEQ)
		trace_step(trace, row->modseq);
}

/* What goes is told by name where QRESYNC is on. */
static void trace_vanished(struct trace *trace, const struct uidset *gone)
{
	if (uids_count_common(gone, &trace->meant) == uidset_count(gone))
		trace->gone = true;
	else
		trace->others = true;
}

/* What comes while the mailbox is opened is part of how it stood before. */
void trace_take(struct job *job, const struct step *step, const struct imap_answer *answer)
{
	struct trace *trace = &job->mailbox->trace;

	if (step->kind == STEP_SELECT)
		return;
	if (answer->kind == IMAP_FETCH)
		trace_row(trace, &answer->fetch);
	else if (answer->kind == IMAP_VANISHED)
		trace_vanished(trace, answer->uids);
	else if (answer->kind == IMAP_MALFORMED)
		trace->others = true;
	if (answer->kind != IMAP_TAGGED || answer->code != IMAP_CODE_HIGHESTMODSEQ)
		return;
	if (trace->gone)
		trace_step(trace, answer->code_number);
	trace->gone = false;
}

/*
 * How the mailbox stands, as one who has it open is told: of what others did meanwhile only what
 * the server has told already.
 */
static struct stamp trace_stamp(const struct job *job)
{
	struct stamp stamp = job->selection->stamp;

	stamp.messages = job->selection->exists;
	stamp.modseq = job->mailbox->trace.last;
	return stamp;
}

void trace_report(struct job *job, struct answer *out)
{
	struct trace *trace = &job->mailbox->trace;

	if (trace->steps)
		out->stamp = trace_stamp(job);
	out->steps = trace->steps;
	out->others = trace->others;
	trace->steps = 0;
}
