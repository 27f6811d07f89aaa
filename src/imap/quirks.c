// SPDX-License-Identifier: GPL-3.0-or-later
#include "imap/quirks.h"

#include "imap/session.h"

#include <string.h>
#include <strings.h>

/*
 * A row applies where one of its marks is found: host is the end of the host's name ("x" or
 * "*.x"), id stands anywhere in the ID answer, capability is an atom. The note names the server,
 * what it does, what is done, and where that is known from.
 */
struct quirk {
	const char *host;
	const char *id;
	const char *capability;
	unsigned capabilities_off;
	size_t line_max; /* 0: as it is */
	unsigned visible_max;
	bool ask_capability;
	bool limits_message;
	const char *note;
};

/* clang-format off */
static const struct quirk quirks[] = {
	{
		.capability = "X-GM-EXT-1",
		.note = "Gmail: lets 2500 MB down and 500 MB up a day, and 15 connections: what is "
			"over is refused until later, and done then "
			"(imapsync FAQ.Gmail, chatwoot#6082)",
	}, {
		.host = "me.com", .capabilities_off = IMAP_CAP_QRESYNC, .ask_capability = true,
		.note = "iCloud: sends CAPABILITY inside literals unless asked after the login, "
			"and malformed VANISHED: asked, QRESYNC left alone "
			"(isync drv_imap.c, MailKit#1871)",
	}, {
		.host = "icloud.com", .capabilities_off = IMAP_CAP_QRESYNC, .ask_capability = true,
		.note = "iCloud: as me.com (isync drv_imap.c, MailKit#1871)",
	}, {
		.host = "office365.com", .id = "Microsoft.Exchange", .line_max = 1000,
		.note = "Exchange: fails on lines above 4 KB and many UIDs: lines of at most 1000 "
			"bytes (Mailspring-Sync#5, imapsync#198 #212 #272)",
	}, {
		.host = "outlook.com", .line_max = 1000,
		.note = "Outlook: as Exchange (Mailspring-Sync#5, imapsync#198 #212 #272)",
	}, {
		.host = "mail.yahoo.com", .visible_max = 10000,
		.note = "Yahoo: shows only the newest 10,000 messages: at that count none is taken "
			"for deleted (imapsync#119 #209)",
	}, {
		.host = "aol.com", .visible_max = 10000,
		.note = "AOL: shows only the newest 10,000 messages: at that count none is taken "
			"for deleted (imapsync#119 #209)",
	}, {
		.id = "SmarterMail", .capabilities_off = IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC,
		.note = "SmarterMail: offers CONDSTORE, gives no HIGHESTMODSEQ: flags are listed "
			"in full (closeio/sync-engine#504)",
	}, {
		.id = "Zimbra", .capabilities_off = IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC,
		.note = "Zimbra: MODSEQ can be -1: flags are listed in full (MailKit#495)",
	}, {
		.id = "Stalwart", .capabilities_off = IMAP_CAP_MOVE | IMAP_CAP_MULTIAPPEND,
		.note = "Stalwart: UID MOVE can move nothing and say OK: messages are copied, then "
			"expunged (stalwart#1201); a refused MULTIAPPEND keeps what came before "
			"the message that it is about: one at a time "
			"(stalwart crates/imap/src/op/append.rs)",
	}, {
		.id = "gluon", .capabilities_off = IMAP_CAP_SPECIAL_USE,
		.note = "Proton Bridge: answers BAD to LIST with SPECIAL-USE: not asked for "
			"(proton-bridge#412)",
	}, {
		.id = "Dovecot", .line_max = 8000, .limits_message = true,
		.note = "Dovecot: takes command lines up to 64 KB: lines of up to 8000 bytes; says "
			"LIMIT to what is above quota_max_mail_size: not sent again "
			"(MailKit ImapEngine, dovecot quota-storage.c)",
	},
};
/* clang-format on */

#define QUIRKS (sizeof(quirks) / sizeof(quirks[0]))
_Static_assert(QUIRKS < IMAP_NOTES_MAX, "an ID answer may name them all");

/* Whether host is name or a host under it, in any case. */
static bool host_is_under(const char *host, const char *name)
{
	size_t host_len = strlen(host), len = strlen(name);

	if (host_len < len || strcasecmp(host + host_len - len, name) != 0)
		return false;
	return host_len == len || host[host_len - len - 1] == '.';
}

/* Whether the blank-separated atoms hold this one, in any case. */
static bool atoms_have(const char *atoms, const char *atom)
{
	size_t len = strlen(atom);

	for (const char *at = atoms; *at; at += strcspn(at, " "), at += *at == ' ') {
		if (strcspn(at, " ") == len && strncasecmp(at, atom, len) == 0)
			return true;
	}
	return false;
}

/* Whether what the server calls itself is a row's. */
static bool quirk_names(const struct quirk *quirk, const char *id)
{
	return quirk->id && id && strcasestr(id, quirk->id);
}

/* Whether one of a row's marks is found. */
static bool quirk_matches(const struct quirk *quirk, const char *host, const char *id,
			  const char *capabilities)
{
	return (quirk->host && host && host_is_under(host, quirk->host)) ||
	       quirk_names(quirk, id) ||
	       (quirk->capability && capabilities && atoms_have(capabilities, quirk->capability));
}

/* Adds what one row says; the strictest wins, but a larger line is a leave that a smaller ends. */
static void profile_add(struct imap_profile *out, const struct quirk *quirk, size_t *line_max)
{
	out->capabilities_off |= quirk->capabilities_off;
	out->ask_capability = out->ask_capability || quirk->ask_capability;
	out->limits_message = out->limits_message || quirk->limits_message;
	if (quirk->visible_max > 0 &&
	    (out->visible_max == 0 || quirk->visible_max < out->visible_max))
		out->visible_max = quirk->visible_max;
	if (quirk->line_max > 0 && (*line_max == 0 || quirk->line_max < *line_max))
		*line_max = quirk->line_max;
	out->notes[out->notes_len++] = quirk->note;
}

/* Holds every row against what is known of the server. */
void imap_profile_choose(const char *host, const char *id, const char *capabilities,
			 struct imap_profile *out)
{
	size_t line_max = 0;

	*out = (struct imap_profile){0};
	for (size_t i = 0; i < QUIRKS; i++) {
		if (quirk_matches(&quirks[i], host, id, capabilities))
			profile_add(out, &quirks[i], &line_max);
		out->named |= quirk_names(&quirks[i], id);
	}
	out->line_max = line_max > 0 ? line_max : IMAP_LINE_MAX_DEFAULT;
}
