// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 36, 37, 38: a server that says anything, before the store and before the whole engine with
 * a local side in memory. Whatever it says ends, and a file that no journal knows stays.
 *
 * The first byte of the input says which of the two; the next two which requests the store gets,
 * and how many bytes come at once; then come the server's words (transport.h).
 */
#include "fuzz.h"
#include "scratch.h"
#include "store/store-imap.h"
#include "store/store-memory.h"
#include "sync/channel.h"
#include "transport.h"

#include <string.h>
#include <unistd.h>

#define VALIDITY 77
#define DATE     1700000000
#define OURS     "Message-ID: <ours@here>\r\n\r\nours\r\n" /* what no journal knows */

static char state_path[SCRATCH_PATH]; /* of the journals */

int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
void __wrap_clock_sleep_ms(unsigned ms);

/* Nothing here is to outlive the process, and nobody else is to be waited for. */
int __wrap_fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

void __wrap_clock_sleep_ms(unsigned ms)
{
	(void)ms;
}

/* A message of four bytes. */
struct message {
	struct source head;
	size_t left;
};

static void message_rewind(struct source *source)
{
	((struct message *)source)->left = source->size;
}

static int message_read(struct source *source, char *out, size_t len, size_t *got,
			struct error *err)
{
	struct message *message = (struct message *)source;

	(void)err;
	*got = len < message->left ? len : message->left;
	memset(out, 'x', *got);
	message->left -= *got;
	return 0;
}

/* Only one is open at a time, and closed once. */
static void message_close(struct source *source)
{
	struct message *message = (struct message *)source;

	FUZZ_CHECK(message->head.size == 4);
	message->head.size = 0;
}

/* What is asked for, one of each kind; a mask says which of them. */
static const struct message_key asked_keys[] = {{.uid = 1}, {.uid = 2}, {.uid = 5}, {.uid = 9}};
static const struct {
	enum request_kind kind;
	const char *mailbox;
	const char *target;
} asked[] = {
    {REQUEST_LIST, NULL, NULL},         {REQUEST_SCAN, "INBOX", NULL},
    {REQUEST_FETCH, "INBOX", NULL},     {REQUEST_SCAN, "Work/a b", NULL},
    {REQUEST_IDENTIFY, "INBOX", NULL},  {REQUEST_FLAG, "INBOX", NULL},
    {REQUEST_APPEND, "Work/a b", NULL}, {REQUEST_COPY, "INBOX", "Work/a b"},
    {REQUEST_MOVE, "INBOX", "New"},     {REQUEST_REMOVE, "INBOX", NULL},
    {REQUEST_CREATE, "New", NULL},      {REQUEST_RENAME, "Work/a b", "b"},
    {REQUEST_SUBSCRIBE, "New", NULL},   {REQUEST_DELETE, "New", NULL},
    {REQUEST_SCAN, "INBOX", NULL},      {REQUEST_FETCH, "Work/a b", NULL},
};

#define ASKED (sizeof(asked) / sizeof(*asked))

/* One request; its ticket is its place in the list. */
static struct request session_request(size_t i, const struct uidset *known,
				      struct message *message)
{
	struct request request = {.kind = asked[i].kind,
				  .ticket = i,
				  .mailbox = asked[i].mailbox,
				  .target = asked[i].target,
				  .known = known,
				  .keys = asked_keys,
				  .count = sizeof(asked_keys) / sizeof(*asked_keys),
				  .uidvalidity = VALIDITY,
				  .add = {FLAG_SEEN},
				  .remove = {FLAG_FLAGGED},
				  .want_subscribed = true,
				  .want_identity = true,
				  .date = DATE};

	if (i < ASKED / 2) {
		request.base = (struct stamp){
		    .uidvalidity = VALIDITY, .uidnext = 10, .messages = 4, .modseq = 100};
		request.verify_known = i & 1;
	}
	if (request.kind == REQUEST_APPEND) {
		*message = (struct message){.head = {.size = 4,
						     .rewind = message_rewind,
						     .read = message_read,
						     .close = message_close}};
		request.source = &message->head;
	}
	return request;
}

/* Whether a UID was asked for. */
static bool session_is_asked(uint32_t uid)
{
	for (size_t i = 0; i < sizeof(asked_keys) / sizeof(*asked_keys); i++)
		if (asked_keys[i].uid == uid)
			return true;
	return false;
}

/* Holds an answer against what was asked. */
static void session_check(const struct answer *answer)
{
	FUZZ_CHECK(answer->ticket < ASKED);
	enum request_kind kind = asked[answer->ticket].kind;

	switch (answer->kind) {
	case ANSWER_MAILBOX:
		FUZZ_CHECK(kind == REQUEST_LIST);
		FUZZ_CHECK(!mailbox_name_check(answer->mailbox, strlen(answer->mailbox), NULL));
		break;
	case ANSWER_MESSAGE:
		FUZZ_CHECK(answer->message.key.uid);
		FUZZ_CHECK(kind == REQUEST_SCAN || session_is_asked(answer->message.key.uid));
		break;
	case ANSWER_BODY_END:
		FUZZ_CHECK(!answer->message.key.uid || session_is_asked(answer->message.key.uid));
		break;
	case ANSWER_MOVED: FUZZ_CHECK(session_is_asked(answer->message.key.uid)); break;
	case ANSWER_VANISHED: FUZZ_CHECK(kind == REQUEST_SCAN); break;
	case ANSWER_BODY: FUZZ_CHECK(kind == REQUEST_FETCH && answer->len); break;
	case ANSWER_DONE: break;
	}
}

/* Asks the store for what the mask says. */
static void session_ask(struct store *store, unsigned mask)
{
	struct uidset known = {0};
	struct message message = {0};
	struct answer answer;
	struct error err;
	unsigned done = 0, submitted = 0;
	int rc;

	uidset_parse(&known, "1:2,5,9", 7, 10);
	for (size_t i = 0; i < ASKED; i++) {
		struct request request;

		if (!(mask & 1u << i))
			continue;
		request = session_request(i, &known, &message);
		FUZZ_CHECK(!store_submit(store, &request, &err));
		submitted |= 1u << i;
	}
	while ((rc = store_next(store, &answer, &err)) == 1) {
		session_check(&answer);
		if (answer.kind == ANSWER_DONE)
			done |= 1u << answer.ticket;
	}
	FUZZ_CHECK(rc < 0 || done == submitted);
	FUZZ_CHECK(rc == 0 || *err.text);
	store_close(&store);
	FUZZ_CHECK(!message.head.size);
	uidset_free(&known);
}

/* Opens the journals anew: of INBOX, two pairs, and one of a mailbox that is gone. */
static struct journal_dir *session_open_journals(struct memory *local)
{
	static const char *const names[] = {"INBOX", "Gone"};
	struct journal_dir *dir;
	struct error err;

	FUZZ_CHECK(!journal_dir_open(state_path, true, &dir, &err));
	FUZZ_CHECK(!journal_dir_set(dir, "alice", "tree", &err));
	for (size_t i = 0; i < 2; i++) {
		struct journal *journal;
		const struct journal_head head = {.uidvalidity = VALIDITY, .uidnext = 10,
						  .highestmodseq = 100, .remote_messages = 2};

		FUZZ_CHECK(!journal_remove(dir, names[i], &err));
		FUZZ_CHECK(!journal_open(dir, names[i], &journal, &err));
		FUZZ_CHECK(!journal_load(journal, &err));
		for (size_t m = 1; i == 0 && m < memory_count(local, names[i]); m++) {
			struct memory_message message = memory_get(local, names[i], m);
			const struct pair pair =
			    pair_of((uint32_t)(4 * m + 1), message.state.key.name,
				    message.state.flags, &message.state.identity);

			journal_put(journal, &pair);
		}
		FUZZ_CHECK(!journal_commit(journal, &head, &err));
		journal_close(&journal);
	}
	return dir;
}

/* The local side: a file that no journal knows before two that one will. */
static struct memory *session_open_local(void)
{
	static const struct memory_abilities abilities = {
	    .atomic_move = true, .stamps = true, .inodes = true};
	struct memory *local = memory_new(LOCAL, &abilities);
	const char *texts[] = {OURS, "Message-ID: <a@b>\r\n\r\none\r\n", "two\r\n"};

	for (size_t i = 0; i < 3; i++)
		memory_deliver(local, "INBOX", texts[i], strlen(texts[i]), (struct flags){0}, DATE);
	memory_create(local, "Gone", 0);
	return local;
}

/* Whether the file that no journal knew is still there. */
static bool session_has_ours(const struct memory *local)
{
	const char *name;

	for (size_t i = 0; (name = memory_name(local, i)); i++)
		for (size_t m = 0; m < memory_count(local, name); m++) {
			struct memory_message message = memory_get(local, name, m);

			if (message.len == strlen(OURS) &&
			    !memcmp(message.content, OURS, message.len))
				return true;
		}
	return false;
}

/* Removes all journals. */
static void session_close_journals(struct journal_dir *dir)
{
	char **names;
	size_t count;
	struct error err;

	FUZZ_CHECK(!journal_dir_list(dir, &names, &count, &err));
	for (size_t i = 0; i < count; i++)
		FUZZ_CHECK(!journal_remove(dir, names[i], &err));
	journal_names_free(names, count);
	journal_dir_close(&dir);
}

/* One run of the engine. */
static void session_sync(struct store *remote, unsigned mask)
{
	struct memory *local = session_open_local();
	struct channel_setup setup = {
	    .name = "fuzz",
	    .policy = {.change = {CHANGE_ALL, CHANGE_ALL},
		       .safety_percent = POLICY_SAFETY_PERCENT,
		       .safety_count = POLICY_SAFETY_COUNT,
		       .subscriptions = mask & 1,
		       .link = mask & 2},
	    .allow_deletions = mask & 4,
	    .journals = session_open_journals(local),
	    .stores = {[LOCAL] = store_memory_open(local), [REMOTE] = remote},
	};
	struct channel channel;
	struct error err = {0};

	channel_open(&channel, &setup);
	if (!channel_list(&channel, &err) && !channel_survey(&channel, &err)) {
		channel_plan(&channel);
		if (!channel_apply(&channel, &err))
			channel_confirm(&channel, &err);
	}
	channel_close(&channel);
	FUZZ_CHECK(session_has_ours(local));
	store_close(&setup.stores[LOCAL]);
	store_close(&setup.stores[REMOTE]);
	session_close_journals(setup.journals);
	memory_free(&local);
}

static void session_remove_state(void)
{
	const char *const files[] = {"channel", "lock"};
	char path[sizeof(state_path) + 16];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", state_path, files[i]);
		unlink(path);
	}
	rmdir(state_path);
}

/* A state directory of this process. */
static void session_make_state(void)
{
	FUZZ_CHECK(!scratch_make(state_path, sizeof(state_path), "fuzz"));
	atexit(session_remove_state);
}

/* Logs in and does one of the two. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct imap_config config = {.host = "fuzz", .user = "alice"};
	struct store *store;
	struct error err = {0};

	if (size < 4)
		return -1;
	if (!*state_path)
		session_make_state();
	transport_set((const char *)data + 3, size - 3, data[2] ? data[2] : SIZE_MAX);
	if (store_imap_open(&config, &store, &err)) {
		FUZZ_CHECK(*err.text);
		return 0;
	}
	if (data[0] & 1)
		session_sync(store, data[1]);
	else
		session_ask(store, data[1] | (unsigned)(data[0] & 0xfe) << 7);
	return 0;
}
