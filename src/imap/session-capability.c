// SPDX-License-Identifier: GPL-3.0-or-later
/* Which extensions a server offers, from its CAPABILITY line. */
#include "imap/session-inner.h"

#include <string.h>
#include <strings.h>

/* What IMAP4rev2 has without saying so (RFC 9051 appendix E), where a server speaks only that. */
#define CAPABILITIES_OF_REV2                                                                       \
	(IMAP_CAP_UIDPLUS | IMAP_CAP_MOVE | IMAP_CAP_ESEARCH | IMAP_CAP_LIST_STATUS |              \
	 IMAP_CAP_NAMESPACE | IMAP_CAP_LITERAL_MINUS | IMAP_CAP_ENABLE | IMAP_CAP_UNSELECT |       \
	 IMAP_CAP_SPECIAL_USE | IMAP_CAP_LIST_EXTENDED)

static const struct {
	const char *atom;
	unsigned capability;
} capabilities[] = {
    {"UIDPLUS", IMAP_CAP_UIDPLUS},
    {"MOVE", IMAP_CAP_MOVE},
    {"CONDSTORE", IMAP_CAP_CONDSTORE},
    {"QRESYNC", IMAP_CAP_QRESYNC | IMAP_CAP_CONDSTORE},
    {"ESEARCH", IMAP_CAP_ESEARCH},
    {"LIST-STATUS", IMAP_CAP_LIST_STATUS},
    {"SPECIAL-USE", IMAP_CAP_SPECIAL_USE},
    {"NAMESPACE", IMAP_CAP_NAMESPACE},
    {"LITERAL+", IMAP_CAP_LITERAL_PLUS},
    {"LITERAL-", IMAP_CAP_LITERAL_MINUS},
    {"UTF8=ACCEPT", IMAP_CAP_UTF8_ACCEPT},
    {"UTF8=ONLY", IMAP_CAP_UTF8_ACCEPT},
    {"ENABLE", IMAP_CAP_ENABLE},
    {"ID", IMAP_CAP_ID},
    {"UNSELECT", IMAP_CAP_UNSELECT},
    {"MULTIAPPEND", IMAP_CAP_MULTIAPPEND},
    {"COMPRESS=DEFLATE", IMAP_CAP_COMPRESS},
    {"OBJECTID", IMAP_CAP_OBJECTID},
    {"LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED},
    {"IMAP4REV2", IMAP_CAP_IMAP4REV2},
    {"X-GM-EXT-1", IMAP_CAP_GMAIL},
    {"CREATE-SPECIAL-USE", IMAP_CAP_CREATE_SPECIAL_USE},
};

/* Whether an atom is this one, in any case. */
static bool atom_is(const char *atom, size_t len, const char *text)
{
	return len == strlen(text) && strncasecmp(atom, text, len) == 0;
}

/* The number of "APPENDLIMIT=35651584", 0 where it is none. */
static uint64_t atom_append_limit(const char *atom, size_t len)
{
	static const char name[] = "APPENDLIMIT=";
	uint64_t limit = 0;

	if (len < sizeof(name) || strncasecmp(atom, name, sizeof(name) - 1) != 0)
		return 0;
	for (size_t i = sizeof(name) - 1; i < len; i++) {
		if (atom[i] < '0' || atom[i] > '9' || limit > UINT32_MAX)
			return 0;
		limit = limit * 10 + (uint64_t)(atom[i] - '0');
	}
	return limit;
}

/* The bits that one atom stands for. */
static unsigned atom_capability(const char *atom, size_t len)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (atom_is(atom, len, capabilities[i].atom))
			return capabilities[i].capability;
	}
	return 0;
}

/* Reads all atoms. Some servers write "LITERAL +" with a blank. */
void session_set_capabilities(struct session_server *server, const char *text, size_t len)
{
	bool rev1 = false, literal = false;

	server->capabilities = 0;
	server->append_limit = 0;
	buf_reset(&server->capability_text);
	buf_append(&server->capability_text, text, len < SESSION_TEXT_MAX ? len : SESSION_TEXT_MAX);
	for (size_t at = 0; at < len;) {
		const char *atom = text + at;
		const char *end = memchr(atom, ' ', len - at);
		size_t atom_len = end ? (size_t)(end - atom) : len - at;
		uint64_t limit = atom_append_limit(atom, atom_len);

		server->capabilities |= atom_capability(atom, atom_len);
		if (literal && atom_is(atom, atom_len, "+"))
			server->capabilities |= IMAP_CAP_LITERAL_PLUS;
		literal = atom_is(atom, atom_len, "LITERAL");
		rev1 = rev1 || atom_is(atom, atom_len, "IMAP4rev1");
		server->append_limit = limit > 0 ? limit : server->append_limit;
		at += atom_len + 1;
	}
	if (!rev1 && server->capabilities & IMAP_CAP_IMAP4REV2) {
		server->capabilities |= CAPABILITIES_OF_REV2;
		server->naming.utf8 = true;
	}
}

/* Takes away what the server offers but cannot do. */
unsigned session_usable(const struct session_server *server)
{
	return server->capabilities & ~server->profile.capabilities_off;
}
