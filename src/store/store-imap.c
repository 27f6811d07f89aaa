// SPDX-License-Identifier: GPL-3.0-or-later
/* The queue of jobs: sends them in turn, gives each its answers, hands its own out. */
#include "store/store-imap.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store-imap-inner.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 300 /* bytes of the server's words that are shown */

/* What a kind of request is done by. */
static const struct job_kind *kind_of(enum request_kind kind)
{
	switch (kind) {
	case REQUEST_LIST: return &list_job;
	case REQUEST_CREATE: return &create_job;
	case REQUEST_DELETE: return &delete_job;
	case REQUEST_RENAME: return &rename_job;
	case REQUEST_STATUS: return &status_job;
	case REQUEST_SCAN: return &scan_job;
	case REQUEST_IDENTIFY: return &identify_job;
	case REQUEST_FETCH: return &fetch_job;
	case REQUEST_APPEND: return &append_job;
	case REQUEST_FLAG: return &flag_job;
	case REQUEST_REMOVE: return &remove_job;
	case REQUEST_MOVE: return &move_job;
	case REQUEST_COPY: return &copy_job;
	case REQUEST_SUBSCRIBE: return &subscribe_job;
	case REQUEST_DATE:
	case REQUEST_SETTLE:
	case REQUEST_PUBLISH: break;
	}
	assert(!"a request for local sides");
	return NULL;
}

/* A command of the job's is on its way. */
struct step *store_add_step(struct store_imap *store, struct job *job, enum step_kind kind,
			    unsigned tag, struct selection *selection)
{
	struct step *step = xcalloc(1, sizeof(*step));

	step->tag = tag;
	step->kind = kind;
	step->job = job;
	step->selection = selection ? selection_hold(selection) : NULL;
	TAILQ_INSERT_TAIL(&store->steps, step, link);
	store->steps_len++;
	job->steps++;
	return step;
}

static void step_free(struct step *step)
{
	selection_drop(&step->selection);
	free(step);
}

enum job_progress job_fail(struct job *job, enum error_kind kind, enum error_scope scope,
			   const char *fmt, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	error_set(&job->error, kind, scope, "%s", text);
	return JOB_DONE;
}

/* What the user can do about a refusal, or "". */
static const char *advise(enum imap_code code)
{
	switch (code) {
	case IMAP_CODE_OVERQUOTA: return "; the account is full: make room on the server";
	case IMAP_CODE_NOPERM:
	case IMAP_CODE_CANNOT: return "; the account may not do that";
	case IMAP_CODE_TRYCREATE:
	case IMAP_CODE_NONEXISTENT: return "; it is not there any more: the next run looks again";
	case IMAP_CODE_INUSE:
	case IMAP_CODE_LIMIT:
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_SERVERBUG:
	case IMAP_CODE_THROTTLED: return "; the next run tries again";
	default: return "";
	}
}

void store_describe_refusal(struct error *err, enum error_scope scope, const char *mailbox,
			    const char *what, const struct imap_answer *answer)
{
	size_t len = answer->text.len;
	struct buf words;

	while (len && answer->text.bytes[len - 1] == '.')
		len--;
	buf_init(&words, 4 * WORDS_MAX + 8);
	text_escape(&words, answer->text.bytes, len, WORDS_MAX);
	error_set(err, ERROR_REFUSED, scope, "the server refused to %s: %s %s%s", what,
		  answer->status == IMAP_BAD ? "BAD" : "NO", words.data, advise(answer->code));
	if (mailbox)
		error_prefix(err, "mailbox %s", text_show(mailbox));
	buf_free(&words);
}

void store_describe_malformed(struct error *err, const char *mailbox,
			      const struct imap_answer *answer)
{
	error_set(err, ERROR_PROTOCOL, SCOPE_MAILBOX,
		  "mailbox %s: %.*s; nothing is concluded from that, the next run looks again",
		  text_show(mailbox), (int)answer->text.len, answer->text.bytes);
}

/* Frees a job; a source that was not handed on is closed. */
static void job_free(struct job *job)
{
	if (job->request.source)
		job->request.source->close(job->request.source);
	if (job->kind->free)
		job->kind->free(job);
	selection_drop(&job->selection);
	uidset_free(&job->refused);
	free(job);
}

/* Puts a job behind all others. */
static void add_job(struct store_imap *store, const struct job_kind *kind,
		    const struct request *request)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->request = *request;
	job->kind = kind;
	TAILQ_INSERT_TAIL(&store->jobs, job, link);
	store->awaited += !kind->quiet;
	if (!store->sending)
		store->sending = job;
}

/* Queues a request. */
static int store_imap_submit(struct store *head, const struct request *request, struct error *err)
{
	struct store_imap *store = (struct store_imap *)head;

	if (store->broken) {
		if (request->source)
			request->source->close(request->source);
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "the session with the server has ended");
	}
	add_job(store, kind_of(request->kind), request);
	return 0;
}

/* Opens a mailbox ahead. */
static enum job_progress prepare_run(struct store_imap *store, struct job *job)
{
	if (!job->selection)
		store_ensure_selected(store, job);
	return job->steps ? JOB_SENT : JOB_DONE;
}

/* Whether it opened is for those who join the selection. */
static bool prepare_take(struct store_imap *store, struct job *job, const struct step *step,
			 const struct imap_answer *answer, struct answer *out)
{
	(void)store;
	(void)job;
	(void)step;
	(void)answer;
	(void)out;
	return false;
}

static const struct job_kind prepare_job = {
    .run = prepare_run, .take = prepare_take, .changes = true, .quiet = true};

static void store_imap_prepare(struct store *head, const char *mailbox)
{
	struct store_imap *store = (struct store_imap *)head;
	const struct request request = {.mailbox = mailbox};

	if (!store->broken)
		add_job(store, &prepare_job, &request);
}

/* Lets a job send, after what holds for every kind. */
static enum job_progress job_run(struct store_imap *store, struct job *job)
{
	if (job->kind->changes && store->read_only)
		return job_fail(job, ERROR_REFUSED, SCOPE_MAILBOX,
				"mailbox %s: nothing is changed on the server: it is opened for "
				"reading only",
				text_show(job->request.mailbox));
	if (job->request.mailbox && !job->mailbox)
		job->mailbox = mailbox_of_name(store, job->request.mailbox, &job->error);
	if (job->request.mailbox && !job->mailbox)
		return JOB_DONE;
	return job->kind->run(store, job);
}

/* Leaves a job for the next time that jobs are sent. */
static void job_defer(struct store_imap *store, struct job *job)
{
	store->deferred += !job->deferred;
	job->deferred = true;
}

/* One that was not passed yet comes to its turn by itself. */
void store_wake(struct store_imap *store, struct job *job)
{
	if (job->passed)
		job_defer(store, job);
}

/* Lets a job that was passed go on, or leaves it until the holder lets go. */
static void resume_job(struct store_imap *store, struct job *job)
{
	enum job_progress progress;

	if (store->holder && store->holder != job) {
		job_defer(store, job);
		return;
	}
	progress = job->kind->run(store, job);
	job->done = progress == JOB_DONE;
	store->holder = progress == JOB_WAITS ? job : NULL;
}

/* Lets the holder go on, and those that waited for it. */
static void resume_jobs(struct store_imap *store)
{
	struct job *job;

	if (store->holder && !store->holder->steps)
		resume_job(store, store->holder);
	TAILQ_FOREACH(job, &store->jobs, link)
	{
		if (store->holder || !store->deferred)
			return;
		store->deferred -= job->deferred;
		if (job->deferred)
			resume_job(store, job);
		job->deferred = false;
	}
}

/* Sends as many jobs as may go, one behind the other. */
static void send_jobs(struct store_imap *store)
{
	resume_jobs(store);
	while (!store->holder && store->sending && store->steps_len < STORE_WINDOW_STEPS) {
		struct job *job = store->sending;
		enum job_progress progress = job_run(store, job);

		if (progress == JOB_WAITS)
			return;
		job->done = progress == JOB_DONE;
		job->passed = true;
		store->sending = TAILQ_NEXT(job, link);
	}
}

/* Fills what every ANSWER_DONE says. */
static void fill_done(struct job *job, struct answer *out)
{
	out->kind = ANSWER_DONE;
	out->error = job->error;
	if (job->kind->changes && job->selection)
		trace_report(job, out);
	if (job->refused.len)
		out->refused = &job->refused;
}

/* Takes out those that are done and have nobody to tell it to. */
static void drop_quiet(struct store_imap *store)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&store->jobs)) && job->done && job->kind->quiet) {
		TAILQ_REMOVE(&store->jobs, job, link);
		job_free(job);
	}
}

/* 1 where the oldest job has something to tell by itself. */
static bool tell(struct store_imap *store, struct answer *out)
{
	drop_quiet(store);
	struct job *job = TAILQ_FIRST(&store->jobs);

	if (store->has_held) {
		*out = store->held;
		store->has_held = false;
		return true;
	}
	if (!job || !job->done)
		return false;
	answer_begin(out, job->request.ticket, job->request.mailbox);
	if (job->kind->tell && job->kind->tell(store, job, out))
		return true;
	fill_done(job, out);
	TAILQ_REMOVE(&store->jobs, job, link);
	store->awaited--;
	store->told = job;
	return true;
}

/* The step that an answer belongs to, NULL where it is nobody's. */
static struct step *find_step(struct store_imap *store, unsigned tag)
{
	struct step *step;

	TAILQ_FOREACH(step, &store->steps, link)
	if (step->tag == tag)
		break;
	return tag ? step : NULL;
}

/* Whether it tells of a message by its UID, or begins to. */
static bool is_row(const struct imap_answer *answer)
{
	return (answer->kind == IMAP_FETCH || answer->kind == IMAP_BODY_DATA) &&
	       answer->fetch.has & IMAP_HAS_UID;
}

/* Gives an answer to whom it concerns; true where *out is filled. */
static bool take(struct store_imap *store, const struct imap_answer *answer, struct answer *out)
{
	struct step *step = find_step(store, answer->tag);
	bool over = answer->kind == IMAP_TAGGED;

	if (answer->kind == IMAP_MALFORMED)
		log_info("%.*s; what it was to tell is not known", (int)answer->text.len,
			 answer->text.bytes);
	if (!step)
		return false;
	if (is_row(answer) && step->job->kind == &fetch_job)
		step = fetch_find_step(store, step, answer->fetch.uid);
	if (answer->kind == IMAP_STATUS && step->job->kind->changes)
		step = status_find_step(store, step, answer);
	struct job *job = step->job;
	answer_begin(out, job->request.ticket, job->request.mailbox);
	if (over) {
		TAILQ_REMOVE(&store->steps, step, link);
		store->steps_len--;
		job->steps--;
	}
	if (step->selection)
		selection_take(store, step, answer);
	bool told = job->kind->take(store, job, step, answer, out);
	if (!over)
		return told;
	step_free(step);
	if (job->passed && !job->done)
		resume_job(store, job);
	return told;
}

/* The next answer. */
static int store_imap_next(struct store *head, struct answer *answer, struct error *err)
{
	struct store_imap *store = (struct store_imap *)head;
	struct imap_answer told;
	int rc;

	if (store->told) {
		job_free(store->told);
		store->told = NULL;
	}
	if (store->broken)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "the session with the server has ended");
	for (;;) {
		send_jobs(store);
		if (tell(store, answer))
			return 1;
		if (!store->awaited)
			return 0;
		rc = imap_next(store->session, &told, err);
		if (rc != 1)
			break;
		if (take(store, &told, answer))
			return 1;
	}
	store->broken = true;
	if (rc == 0)
		error_set(err, ERROR_INTERNAL, SCOPE_STORE, "a request was never answered");
	return -1;
}

/* Sends what can be foreseen. */
static int store_imap_start(struct store *head, struct error *err)
{
	struct store_imap *store = (struct store_imap *)head;

	if (store->broken)
		return error_set(err, ERROR_UNAVAILABLE, SCOPE_STORE,
				 "the session with the server has ended");
	send_jobs(store);
	store->broken = imap_start(store->session, err) < 0;
	return store->broken ? -1 : 0;
}

/* Leaves it to the session. */
static void store_imap_expect(struct store *head, uint64_t bytes)
{
	struct store_imap *store = (struct store_imap *)head;

	if (!store->broken)
		imap_expect_rows(store->session, bytes);
}

/* Ends the session. */
static void store_imap_close(struct store *head)
{
	struct store_imap *store = (struct store_imap *)head;
	struct job *job;
	struct step *step;

	imap_close(&store->session);
	while ((step = TAILQ_FIRST(&store->steps))) {
		TAILQ_REMOVE(&store->steps, step, link);
		step_free(step);
	}
	while ((job = TAILQ_FIRST(&store->jobs))) {
		TAILQ_REMOVE(&store->jobs, job, link);
		job_free(job);
	}
	if (store->told)
		job_free(store->told);
	selection_drop(&store->wire);
	mailboxes_free(store);
	free(store);
}

static const struct store_ops store_imap_ops = {
    .submit = store_imap_submit,
    .next = store_imap_next,
    .start = store_imap_start,
    .expect = store_imap_expect,
    .prepare = store_imap_prepare,
    .close = store_imap_close,
};

/* Makes a store of a session. */
struct store *store_imap_over(struct imap_session *session, bool read_only)
{
	struct store_imap *store = xcalloc(1, sizeof(*store));

	store->head.ops = &store_imap_ops;
	store->head.side = REMOTE;
	store->head.lingers = true;
	store->head.message_max = imap_append_limit(session);
	store->head.atomic_move = imap_capabilities(session) & IMAP_CAP_MOVE;
	store->session = session;
	store->read_only = read_only;
	TAILQ_INIT(&store->jobs);
	TAILQ_INIT(&store->steps);
	return &store->head;
}

/* Connects. */
int store_imap_open(const struct imap_config *config, struct store **store, struct error *err)
{
	struct imap_session *session;

	*store = NULL;
	if (imap_open(config, &session, err))
		return -1;
	*store = store_imap_over(session, config->read_only);
	return 0;
}

/* A copy of what the model knows; the session is to come. */
struct store *store_imap_twin(const struct store *model)
{
	const struct store_imap *from = (const struct store_imap *)model;
	struct store_imap *store = xcalloc(1, sizeof(*store));

	store->head = from->head;
	store->read_only = from->read_only;
	store->no_move = from->no_move;
	store->no_uid_expunge = from->no_uid_expunge;
	store->no_multiappend = from->no_multiappend;
	TAILQ_INIT(&store->jobs);
	TAILQ_INIT(&store->steps);
	mailboxes_copy(store, from);
	return &store->head;
}

/* Connects. */
int store_imap_connect(struct store *twin, const struct imap_config *config, struct error *err)
{
	struct store_imap *store = (struct store_imap *)twin;

	assert(!store->session);
	return imap_open(config, &store->session, err);
}

/* The session below. */
const struct imap_session *store_imap_session(const struct store *store)
{
	return ((const struct store_imap *)store)->session;
}
