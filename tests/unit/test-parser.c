// SPDX-License-Identifier: GPL-3.0-or-later
/* Exact bytes of servers -> answers: each case whole, byte by byte, cut at every offset; then
 * mutated. */
#include "parser-run.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
/* So many letters as an object id may have. */
#define X51  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X51 X51 X51 X51 X51

#define CASE(in, out)                                                                              \
	{                                                                                          \
		(in), sizeof(in) - 1, (out)                                                        \
	}

static void check_cases(const struct parser_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		run_check(&cases[i], 0, cases[i].len);
		run_check(&cases[i], 0, 1);
		for (size_t cut = 1; cut < cases[i].len; cut++)
			run_check(&cases[i], cut, cases[i].len);
	}
}

static const struct parser_case status_cases[] = {
    CASE("E1 OK done\r\n", "tagged 1 OK text=<done>\n"),
    CASE("E4294967295 NO [TRYCREATE] no such\r\n",
	 "tagged 4294967295 NO [TRYCREATE] code=<> text=<no such>\n"),
    CASE("E7 bad\r\n", "tagged 7 BAD text=<>\n"),
    CASE("E1 OK\r\nE2 NO\r\n", "tagged 1 OK text=<>\ntagged 2 NO text=<>\n"),
    CASE("E1 OK bare line feed\n", "tagged 1 OK text=<bare line feed>\n"),
    CASE("E1 OK see {5}\r\n* 1 EXISTS\r\n", "tagged 1 OK text=<see {5}>\nexists 1\n"),
    CASE("* NO {99999999999999999999\r\n", "status NO text=<{99999999999999999999>\n"),
    CASE("* BYE going {3}\r\n", "bye text=<going {3}>\n"),
    CASE("* BYE [UNAVAILABLE] later\r\n", "bye [UNAVAILABLE] code=<> text=<later>\n"),
    CASE("* PREAUTH hello\r\n", "status PREAUTH text=<hello>\n"),
    CASE("* OK [ALERT] \x1b[2J\r\n", "status OK [ALERT] code=<> text=<\\x1B[2J>\n"),
    CASE("* OK[UIDNEXT 5]x\r\n", "status OK [UIDNEXT] n=5 text=<x>\n"),
    CASE("* OK [never closed\r\n", "status OK text=<[never closed>\n"),
    CASE("* OK []\r\n", "status OK [OTHER] code=<> text=<>\n"),
    CASE("* OK [X-NEW \"a]b\" c] t]\r\n", "status OK [OTHER] code=<X-NEW \"a]b\" c> text=<t]>\n"),
    CASE("* OK [X-NEW \"a\\\"]b\"] t\r\n", "status OK [OTHER] code=<X-NEW \"a\\\"]b\"> text=<t>\n"),
    CASE("* OK [X-OPEN \"a] it's \r\n", "status OK [OTHER] code=<X-OPEN \"a> text=<it's >\n"),
    CASE("* OK [uidvalidity 4294967295] \r\n", "status OK [UIDVALIDITY] n=4294967295 text=<>\n"),
    CASE("* OK [UIDNEXT 0] x\r\n", "status OK [UIDNEXT] text=<x>\n"),
    CASE("* OK [HIGHESTMODSEQ 18446744073709551615] x\r\n",
	 "status OK [HIGHESTMODSEQ] n=18446744073709551615 text=<x>\n"),
    CASE("* OK [HIGHESTMODSEQ -1] x\r\n", "status OK [NOMODSEQ] text=<x>\n"),
    CASE("* OK [NOMODSEQ] x\r\n", "status OK [NOMODSEQ] code=<> text=<x>\n"),
    CASE("* OK [PERMANENTFLAGS (\\Seen  a]b \\*)] x\r\n",
	 "status OK [PERMANENTFLAGS] code=<\\Seen a]b \\*> text=<x>\n"),
    CASE("* OK [PERMANENTFLAGS ( \\Seen] x\r\n",
	 "status OK [PERMANENTFLAGS] code=<\\Seen> text=<x>\n"),
    CASE("* OK [PERMANENTFLAGS ()] x\r\n", "status OK [PERMANENTFLAGS] code=<> text=<x>\n"),
    CASE("* OK [PERMANENTFLAGS (\"] x\r\n",
	 "status OK [OTHER] code=<PERMANENTFLAGS (\"> text=<x>\n"),
    CASE("* OK [CAPABILITY IMAP4rev1 LITERAL + UIDPLUS] x\r\n",
	 "status OK [CAPABILITY] code=<IMAP4rev1 LITERAL+ UIDPLUS> text=<x>\n"),
    CASE("E1 OK [READ-ONLY] x\r\n", "tagged 1 OK [READ-ONLY] code=<> text=<x>\n"),
    CASE("E1 OK [Read-Write] x\r\n", "tagged 1 OK [READ-WRITE] code=<> text=<x>\n"),
    CASE("* OK [CLOSED] x\r\n", "status OK [CLOSED] code=<> text=<x>\n"),
    CASE("E1 NO [NONEXISTENT] x\r\n", "tagged 1 NO [NONEXISTENT] code=<> text=<x>\n"),
    CASE("E1 NO [ALREADYEXISTS] x\r\n", "tagged 1 NO [ALREADYEXISTS] code=<> text=<x>\n"),
    CASE("E1 NO [OVERQUOTA] x\r\n", "tagged 1 NO [OVERQUOTA] code=<> text=<x>\n"),
    CASE("E1 NO [LIMIT] x\r\n", "tagged 1 NO [LIMIT] code=<> text=<x>\n"),
    CASE("E1 NO [TOOBIG] x\r\n", "tagged 1 NO [TOOBIG] code=<> text=<x>\n"),
    CASE("E1 NO [INUSE] x\r\n", "tagged 1 NO [INUSE] code=<> text=<x>\n"),
    CASE("E1 OK [EXPUNGEISSUED] x\r\n", "tagged 1 OK [EXPUNGEISSUED] code=<> text=<x>\n"),
    CASE("E1 NO [SERVERBUG] x\r\n", "tagged 1 NO [SERVERBUG] code=<> text=<x>\n"),
    CASE("E1 BAD [CLIENTBUG] x\r\n", "tagged 1 BAD [CLIENTBUG] code=<> text=<x>\n"),
    CASE("E1 NO [CANNOT] x\r\n", "tagged 1 NO [CANNOT] code=<> text=<x>\n"),
    CASE("E1 NO [NOPERM] x\r\n", "tagged 1 NO [NOPERM] code=<> text=<x>\n"),
    CASE("E1 NO [AUTHENTICATIONFAILED] x\r\n",
	 "tagged 1 NO [AUTHENTICATIONFAILED] code=<> text=<x>\n"),
    CASE("E1 NO [AUTHORIZATIONFAILED] x\r\n",
	 "tagged 1 NO [AUTHORIZATIONFAILED] code=<> text=<x>\n"),
    CASE("E1 NO [EXPIRED] x\r\n", "tagged 1 NO [EXPIRED] code=<> text=<x>\n"),
    CASE("E1 OK [THROTTLED] x\r\n", "tagged 1 OK [THROTTLED] code=<> text=<x>\n"),
    CASE("E1 NO [UNAVAILABLE] x\r\n", "tagged 1 NO [UNAVAILABLE] code=<> text=<x>\n"),
    CASE("E1 OK [APPENDUID 38505 3955] x\r\n",
	 "tagged 1 OK [APPENDUID] n=38505 uids=3955 text=<x>\n"),
    CASE("E1 OK [APPENDUID 1 3:5,9] x\r\n", "tagged 1 OK [APPENDUID] n=1 uids=3:5,9 text=<x>\n"),
    CASE("E1 OK [APPENDUID 0 3] x\r\n", "tagged 1 OK [OTHER] code=<APPENDUID 0 3> text=<x>\n"),
    CASE("E1 OK [APPENDUID 1 0] x\r\n", "tagged 1 OK [OTHER] code=<APPENDUID 1 0> text=<x>\n"),
    CASE("E1 OK [APPENDUID 1] x\r\n", "tagged 1 OK [OTHER] code=<APPENDUID 1> text=<x>\n"),
    CASE("E1 OK [APPENDUID 1 5:3] x\r\n", "tagged 1 OK [OTHER] code=<APPENDUID 1 5:3> text=<x>\n"),
    CASE("E1 OK [APPENDUID 4294967296 5] x\r\n",
	 "tagged 1 OK [OTHER] code=<APPENDUID 4294967296 5> text=<x>\n"),
    CASE("* OK [COPYUID 1 304,319:320 3956:3958] x\r\n",
	 "status OK [COPYUID] n=1 uids=304,319:320 to=3956:3958 text=<x>\n"),
    CASE("E1 OK [COPYUID 1 1:3 4:5] x\r\n",
	 "tagged 1 OK [OTHER] code=<COPYUID 1 1:3 4:5> text=<x>\n"),
    CASE("E1 OK [COPYUID 1 3,1 4:5] x\r\n",
	 "tagged 1 OK [OTHER] code=<COPYUID 1 3,1 4:5> text=<x>\n"),
    CASE("E1 OK [COPYUID 1 1,1 4] x\r\n", "tagged 1 OK [OTHER] code=<COPYUID 1 1,1 4> text=<x>\n"),
    CASE("E1 OK [COPYUID 1  ] x\r\n", "tagged 1 OK [OTHER] code=<COPYUID 1  > text=<x>\n"),
    CASE("E1 OK [COPYUID] x\r\n", "tagged 1 OK [OTHER] code=<COPYUID> text=<x>\n"),
    CASE("E1 NO [USEATTR] x\r\n", "tagged 1 NO [USEATTR] code=<> text=<x>\n"),
    CASE("E1 OK [MODIFIED 7,9] x\r\n", "tagged 1 OK [MODIFIED] uids=7,9 text=<x>\n"),
    CASE("* OK [MAILBOXID (F1)] x\r\n", "status OK [MAILBOXID] id=<F1> text=<x>\n"),
    CASE("* OK [mailboxid ( M-6_d9 )] x\r\n", "status OK [MAILBOXID] id=<M-6_d9> text=<x>\n"),
    CASE("* OK [MAILBOXID (F1] x\r\n", "status OK [OTHER] code=<MAILBOXID (F1> text=<x>\n"),
    CASE("* OK [MAILBOXID (F1 F2)] x\r\n",
	 "status OK [OTHER] code=<MAILBOXID (F1 F2)> text=<x>\n"),
    CASE("* OK [MAILBOXID (\"F1\")] x\r\n",
	 "status OK [OTHER] code=<MAILBOXID (\"F1\")> text=<x>\n"),
    CASE("* OK [MAILBOXID ()] x\r\n", "status OK [OTHER] code=<MAILBOXID ()> text=<x>\n"),
    CASE("* OK [MAILBOXID F2212ea87] x\r\n",
	 "status OK [OTHER] code=<MAILBOXID F2212ea87> text=<x>\n"),
    CASE("+ go ahead {7}\r\n+\r\n+ \r\n+idling\r\n",
	 "continue text=<go ahead {7}>\ncontinue text=<>\ncontinue text=<>\ncontinue "
	 "text=<idling>\n"),
};

static const struct parser_case data_cases[] = {
    CASE("* CAPABILITY IMAP4rev1  LITERAL + AUTH=PLAIN NIL\r\n",
	 "capability text=<IMAP4rev1 LITERAL+ AUTH=PLAIN NIL>\n"),
    CASE("* CAPABILITY LITERAL - +\r\n", "capability text=<LITERAL- +>\n"),
    CASE("* CAPABILITY\r\n", "capability text=<>\n"),
    CASE("* ENABLED QRESYNC CONDSTORE\r\n", "enabled text=<QRESYNC CONDSTORE>\n"),
    CASE("* ENABLED\r\n", "enabled text=<>\n"),
    CASE("* FLAGS (\\Answered $Forwarded)\r\n", "flags text=<\\Answered $Forwarded>\n"),
    CASE("* FLAGS (\\Answered {3}\r\na)b x)\r\n", "flags text=<\\Answered x>\n"),
    CASE("* 23 EXISTS\r\n* 0 exists\r\n* 3 RECENT\r\n* 4 EXPUNGE\r\n",
	 "exists 23\nexists 0\nother 3 name=<RECENT> text=<>\nexpunge 4\n"),
    CASE("* ID (\"name\" \"Dovecot\")\r\n", "other name=<ID> text=<(\"name\" \"Dovecot\")>\n"),
    CASE("* XFOO {5}\r\nE1 OK {3}\r\na\r\n b\r\n* 1 EXISTS\r\n",
	 "other name=<XFOO> text=<{5}\\x0D\\x0AE1 OK {3}\\x0D\\x0Aa\\x0D\\x0A b>\nexists 1\n"),
    CASE("* SEARCH\r\n* SEARCH 2 3 4 9\r\n* search 9 2 3 2 (MODSEQ 917162500)\r\n* SEARCH \r\n",
	 "search uids=\nsearch uids=2:4,9\nsearch uids=2:3,9\nsearch uids=\n"),
    CASE("* ESEARCH (TAG \"E5\") UID ALL 1:3,5\r\n", "search uids=1:3,5\n"),
    CASE("* ESEARCH (TAG {3}\r\n)E5) UID COUNT 2 MIN 1 MAX 9 MODSEQ 5 ALL 1,9\r\n",
	 "search uids=1,9\n"),
    CASE("* ESEARCH (TAG \"E5\") UID\r\n", "search uids=\n"),
    CASE("* ESEARCH (TAG \"E5\") ALL 1:3\r\n", "other\n"),
    CASE("* ESEARCH UID X-NEW (a (b)) ALL 4294967295\r\n", "search uids=4294967295\n"),
    CASE("* VANISHED (EARLIER) 41,43:116\r\n* VANISHED 405,407\r\n* VANISHED (EARLIER)\r\n",
	 "vanished earlier uids=41,43:116\nvanished uids=405,407\nvanished earlier uids=\n"),
    CASE("* STATUS \"a b\" (MESSAGES 4294967295 UIDNEXT 4 UIDVALIDITY 7 HIGHESTMODSEQ 9)\r\n",
	 "mailbox-status name=<a b> uidvalidity=7 uidnext=4 messages=4294967295 modseq=9\n"),
    CASE("* STATUS {3}\r\na)b (MAILBOXID (F1) X-NEW ((a) \"b\") MESSAGES 0 )\r\n",
	 "mailbox-status name=<a)b> messages=0 id=<F1>\n"),
    CASE("* STATUS a (MAILBOXID F1 MESSAGES 1)\r\n", "mailbox-status name=<a> messages=1\n"),
    CASE("* STATUS a (MAILBOXID (F.1) MESSAGES 1)\r\n", "mailbox-status name=<a> messages=1\n"),
    CASE("* STATUS a (MAILBOXID ((F1)) MESSAGES 1)\r\n", "mailbox-status name=<a> messages=1\n"),
    CASE("* STATUS a (MAILBOXID NIL MESSAGES 1)\r\n", "mailbox-status name=<a> messages=1\n"),
    CASE("* LIST (\\Subscribed \\NonExistent) \"/\" a\r\n",
	 "list attributes=601 delimiter=/ name=<a>\n"),
    CASE("* LSUB (\\Noselect) \".\" {3}\r\na b\r\n",
	 "lsub attributes=1 delimiter=. name=<a b>\n"),
    CASE("* LIST () \"/\" a (MAILBOXID (F1))\r\n", "list attributes=0 delimiter=/ name=<a>\n"),
    CASE("* STATUS INBOX (UIDNEXT 0 UIDVALIDITY 0 HIGHESTMODSEQ -1 MESSAGES NIL)\r\n",
	 "mailbox-status name=<INBOX>\n"),
    CASE("* STATUS blurdy() \r\n", "mailbox-status name=<blurdy>\n"),
    CASE("* LIST (\\Noselect \\HasChildren) \"/\" ~/Mail/foo\r\n",
	 "list attributes=1 delimiter=/ name=<~/Mail/foo>\n"),
    CASE("* LIST (\\NonExistent \\noinferiors) \".\" \"a\"\r\n",
	 "list attributes=203 delimiter=. name=<a>\n"),
    CASE("* LIST (\\All \\Archive \\Drafts \\Flagged \\Junk \\Sent \\Trash) \"/\" a\r\n",
	 "list attributes=1fc delimiter=/ name=<a>\n"),
    CASE("* LIST () NIL INBOX\r\n* LIST NIL \"\" nil\r\n",
	 "list attributes=0 name=<INBOX>\nlist attributes=0 name=<nil>\n"),
    CASE("* LIST ()\"\\\\\"\"q\\\"\\\\)\"\r\n", "list attributes=0 delimiter=\\ name=<q\"\\)>\n"),
    CASE("* LIST () \"/\" {9}\r\nE1 OK\r\n)\"\r\n",
	 "list attributes=0 delimiter=/ name=<E1 OK\\x0D\\x0A)\">\n"),
    CASE("* LIST () \"/\" {0}\r\n\r\n", "list attributes=0 delimiter=/ name=<>\n"),
    CASE("* LIST () \"/\" {3+}\r\na{5\r\n", "list attributes=0 delimiter=/ name=<a{5>\n"),
    CASE("* LIST () \"/\" ~{1}\r\n\r\n", "list attributes=0 delimiter=/ name=<\\x0D>\n"),
    CASE("* LIST () \"/\" {1}\n\r\n", "list attributes=0 delimiter=/ name=<\\x0D>\n"),
    CASE("* LIST () \"/\" \"a{5}\"\r\n", "list attributes=0 delimiter=/ name=<a{5}>\n"),
    CASE("* LIST () \"/\" [Gmail]/\303\251\r\n",
	 "list attributes=0 delimiter=/ name=<[Gmail]/\303\251>\n"),
    CASE("* LIST () \"/\" \"a\" (\"CHILDINFO\" (\"SUBSCRIBED\") OLDNAME ({2}\r\n)()) \r\n",
	 "list attributes=0 delimiter=/ name=<a>\n"),
    CASE("* LSUB () \"/\" a\r\n", "lsub attributes=0 delimiter=/ name=<a>\n"),
    CASE("* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#s/\" \"/\"))\r\n",
	 "namespace 0=<INBOX.> delimiter=. 2=<#s/> delimiter=/\n"),
    CASE("* NAMESPACE ((\"\" NIL)) ((\"a\\\"/\" \"/\")({2}\r\nb/ \"/\" X (\"Y\"))) (x)\r\n",
	 "namespace 0=<> 1=<a\"/> delimiter=/ 1=<b/> delimiter=/\n"),
    CASE("* NAMESPACE ((\"\" \"/\")) ((\"a\" \"//\")) ((\"s\" \"/\"))\r\n",
	 "namespace 0=<> delimiter=/\n"),
    CASE("* NAMESPACE ((\"\" \"/\" \"X-P\" (\"F1\" \"F2\"))(\"#mh/\" \"/\")) NIL NIL\r\n",
	 "namespace 0=<> delimiter=/ 0=<#mh/> delimiter=/\n"),
    CASE("* NAMESPACE NIL NIL NIL\r\n* NAMESPACE ((NIL NIL)) NIL\r\n* NAMESPACE () () ()\r\n",
	 "namespace\nnamespace 0=<>\nnamespace\n"),
};

static const struct parser_case fetch_cases[] = {
    CASE("* 12 FETCH (FLAGS (\\Seen \\Recent $Forwarded kw) UID 4827313)\r\n",
	 "fetch 12 uid=4827313 flags=PS*kw\n"),
    CASE("* 1 FETCH (FLAGS (b $x A B \\Foo a%b \\Seen) UID 3)\r\n* 1 FETCH (FLAGS () UID 4)\r\n",
	 "fetch 1 uid=3 flags=S*$x*A*b\nfetch 1 uid=4 flags=\n"),
    CASE("* 1 fetch (uid 4294967295 modseq (18446744073709551615) rfc822.size 5)\r\n",
	 "fetch 1 uid=4294967295 modseq=18446744073709551615 size=5\n"),
    CASE("* 1 FETCH (UID 1 MODSEQ (-1) FLAGS () INTERNALDATE NIL RFC822.SIZE NIL)\r\n",
	 "fetch 1 uid=1 flags=\n"),
    CASE("* 1 FETCH (INTERNALDATE \" 1-Jan-1970 00:00:10 +0000\"UID 2)\r\n",
	 "fetch 1 uid=2 date=10\n"),
    CASE("* 1 FETCH (INTERNALDATE \"00-Foo-0000\" UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH ()\r\n", "fetch 1\n"),
    CASE("* 1 FETCH(FLAGS(\\Deleted{5}\r\n\\Seen)UID 3)\r\n", "fetch 1 uid=3 flags=ST\n"),
    CASE("* 1 FETCH (BODY[] {5}\r\nab)\r\n UID 9 FLAGS (\\Seen))\r\n",
	 " data=<ab)\\x0D\\x0A>\nfetch 1 uid=9 flags=S body=5\n"),
    CASE("* 1 FETCH (UID 9 BODY[]<0> {7}\r\nE1 OK\r\n)\r\nE1 OK x\r\n",
	 " data=<E1 OK\\x0D\\x0A>\nfetch 1 uid=9 body=7\ntagged 1 OK text=<x>\n"),
    CASE("* 1 FETCH (RFC822 {3}\r\n{9}UID 2)\r\n", " data=<{9}>\nfetch 1 uid=2 body=3\n"),
    CASE("* 1 FETCH (BODY[]~{3+}\r\na\0bUID 2)\r\n", " data=<a\\x00b>\nfetch 1 uid=2 body=3\n"),
    CASE("* 1 FETCH (UID 2 BODY[] {0}\r\n)\r\n", "fetch 1 uid=2 body=0\n"),
    CASE("* 1 FETCH (UID 2 BODY[] NIL)\r\n", "fetch 1 uid=2 nil-body\n"),
    CASE("* 1 FETCH (UID 2 BODY[]\"\")\r\n", "fetch 1 uid=2 nil-body\n"),
    CASE("* 1 FETCH (UID 2 BODY[HEADER.FIELDS (MESSAGE-ID)] {21}\r\nMessage-ID: <a@b>\r\n\r\n)\r\n",
	 "fetch 1 uid=2 id=<a@b>\n"),
    CASE("* 1 FETCH (BODY[HEADER.FIELDS (\"Message-Id\")] \"Message-ID: <a@b>\" UID 2)\r\n",
	 "fetch 1 uid=2 id=<a@b>\n"),
    CASE("* 1 FETCH (BODY[header.fields ({10}\r\nMESSAGE-ID)]<0> {2}\r\n\r\n UID 2)\r\n",
	 "fetch 1 uid=2 id=none\n"),
    CASE("* 1 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] NIL UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (BODY[HEADER.FIELDS (MESSAGE-ID DATE)] {3}\r\nabc UID 2)\r\n",
	 "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (BODY[1] {3}\r\nabc BODY[TEXT]<0> \"x\" BODY[]<1> {1}\r\nx UID 2)\r\n",
	 "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (ENVELOPE (NIL \"BODY[] {5}\" {2}\r\n)( ((NIL))) X-GM-LABELS (\"\\\\Sent\" "
	 "a[b]) "
	 "BINARY[1.2] ~{1}\r\n\0 THREADID (M1) UID 2)\r\n",
	 "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-FOO (BODY[] {3}\r\n)\r\n BODY[] {0}\r\n) BODY (\"TEXT\" NIL) UID 2)\r\n",
	 "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-FOO \"BODY[] \" {2}\r\n12 UID 2)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID 2)\r\n* 2 FETCH (BODY[] {1}\r\nx UID 3)\r\n* 3 FETCH (FLAGS ())\r\n",
	 "fetch 1 uid=2\n data=<x>\nfetch 2 uid=3 body=1\nfetch 3 flags=\n"),
    CASE("* 1 FETCH (BODY[] {10}\r\nabc", ""),
    CASE("* 1 FETCH (EMAILID (M-6_d9) UID 2)\r\n", "fetch 1 uid=2 email=<M-6_d9>\n"),
    CASE("* 1 FETCH (UID 2 emailid(F1))\r\n", "fetch 1 uid=2 email=<F1>\n"),
    CASE("* 1 FETCH (EMAILID (" X255 ") UID 2)\r\n", "fetch 1 uid=2 email=<longest>\n"),
    CASE("* 1 FETCH (EMAILID (x" X255 ") UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID () UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID F1 UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID NIL UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID (NIL) UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID ((F1)) UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID (\"F1\") UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (EMAILID (M+1) UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-GM-MSGID 18446744073709551615 UID 2)\r\n",
	 "fetch 1 uid=2 email=18446744073709551615\n"),
    CASE("* 1 FETCH (X-GM-MSGID 18446744073709551616 UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-GM-MSGID 0 UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-GM-MSGID -1 UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-GM-MSGID \"7\" UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (X-GM-MSGID (7) UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (UID 2 UID 2)\r\n", "fetch 1 uid=2\n"),
    CASE("* 1 FETCH (FLAGS (\\Seen) FLAGS (\\Deleted))\r\n", "fetch 1 flags=T\n"),
};

static const struct parser_case malformed_cases[] = {
    CASE("\r\n", "error\n"),
    CASE("\n", "error\n"),
    CASE("\0\r\n", "error\n"),
    CASE("A1 OK x\r\n", "error\n"),
    CASE("e1 OK x\r\n", "error\n"),
    CASE("E OK x\r\n", "error\n"),
    CASE("E0 OK x\r\n", "error\n"),
    CASE("E01 OK x\r\n", "error\n"),
    CASE("E4294967296 OK x\r\n", "error\n"),
    CASE(" E1 OK x\r\n", "error\n"),
    CASE("E1x OK x\r\n", "error\n"),
    CASE("E1 FOO x\r\n", "error\n"),
    CASE("E1 PREAUTH x\r\n", "error\n"),
    CASE("E1 BYE x\r\n", "error\n"),
    CASE("E1\r\n", "error\n"),
    CASE("*\r\n", "error\n"),
    CASE("* (\r\n", "error\n"),
    CASE("* 1\r\n", "error\n"),
    CASE("* OK [UIDNEXT 4294967296] x\r\n", "malformed\n"),
    CASE("* OK [UIDNEXT -1] x\r\n", "malformed\n"),
    CASE("* OK [UIDVALIDITY] x\r\n", "malformed\n"),
    CASE("* OK [HIGHESTMODSEQ 18446744073709551616] x\r\n", "malformed\n"),
    CASE("* OK [HIGHESTMODSEQ -2] x\r\n", "malformed\n"),
    CASE("E1 OK [MODIFIED 0] x\r\n", "error\n"),
    CASE("* 4294967296 EXISTS\r\n", "malformed\n"),
    CASE("* -1 EXISTS\r\n", "error\n"),
    CASE("* \\X\r\n", "error\n"),
    CASE("* 0 EXPUNGE\r\n", "malformed\n"),
    CASE("* 0 FETCH (UID 1)\r\n", "malformed\n"),
    CASE("* 4294967296 FETCH (UID 1)\r\n", "malformed\n"),
    CASE("* 1 FETCH\r\n", "malformed\n"),
    CASE("* 1 FETCH UID 1\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID 0)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID 4294967296)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID -1)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID NIL)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID 2 UID 3)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID)\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID (1))\r\n", "malformed\n"),
    CASE("* 1 FETCH (UID 1\r\n", "error\n"),
    CASE("* 1 FETCH (UID 1) x\r\n", "malformed\n"),
    CASE("* 1 FETCH ((UID 1))\r\n", "malformed\n"),
    CASE("* 1 FETCH (FLAGS \\Seen)\r\n", "malformed\n"),
    CASE("* 1 FETCH (MODSEQ (18446744073709551616))\r\n", "malformed\n"),
    CASE("* 1 FETCH (MODSEQ (-2))\r\n", "malformed\n"),
    CASE("* 1 FETCH (RFC822.SIZE -1)\r\n", "malformed\n"),
    CASE("* 1 FETCH (RFC822.SIZE 1x)\r\n", "malformed\n"),
    CASE("* 1 FETCH (RFC822.SIZE \"1\")\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[] abc)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[] (abc))\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[[]] NIL)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[]<x> NIL)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[]<> NIL)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[] NIL BODY[] NIL)\r\n", "malformed\n"),
    CASE("* 1 FETCH (BODY[] NIL BODY[] {3}\r\nabc)\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {1}\r\na BODY[] {1}\r\nb)\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {1}\r\na BODY[] NIL)\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {4294967296}\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {18446744073709551616}\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {-1}\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {}\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {1} \r\n", "error\n"),
    CASE("* 1 FETCH (UID 1 \"a\r\n", "error\n"),
    CASE("* 1 FETCH (X \"a{3}\r\nabc\")\r\n", "error\n"),
    CASE("* 1 FETCH (X \"a\0b\")\r\n", "error\n"),
    CASE("* 1 FETCH (X a\tb)\r\n", "error\n"),
    CASE("* 1 FETCH (BODY[] {1}\r\nab)\r\n", "error\n"),
    CASE("* LIST (\\Sent\r\n", "error\n"),
    CASE("* LIST ((a)) \"/\" b\r\n", "error\n"),
    CASE("* LIST a \"/\" b\r\n", "error\n"),
    CASE("* LIST () \"//\" b\r\n", "error\n"),
    CASE("* LIST () () b\r\n", "error\n"),
    CASE("* LIST () \"/\"\r\n", "error\n"),
    CASE("* LIST () \"/\" a b\r\n", "error\n"),
    CASE("* LIST () \"/\" a (b\r\n", "error\n"),
    CASE("* LIST () \"/\" a (b) c\r\n", "error\n"),
    CASE("* LIST () \"/\" \"a{3}\r\nabc\"\r\n", "error\n"),
    CASE("* LIST () \"/\" {2000000}\r\n", "error\n"),
    CASE("* LIST () \"/\" \"a\\\r\n", "error\n"),
    CASE("* STATUS a\r\n", "malformed\n"),
    CASE("* STATUS a (MESSAGES)\r\n", "malformed\n"),
    CASE("* STATUS a (MESSAGES -1)\r\n", "malformed\n"),
    CASE("* STATUS a (MESSAGES 4294967296)\r\n", "malformed\n"),
    CASE("* STATUS a (UIDVALIDITY 18446744073709551615)\r\n", "malformed\n"),
    CASE("* STATUS a (HIGHESTMODSEQ 18446744073709551616)\r\n", "malformed\n"),
    CASE("* STATUS a (\"MESSAGES\" 1)\r\n", "malformed\n"),
    CASE("* STATUS a (MESSAGES 1) x\r\n", "malformed\n"),
    CASE("* STATUS a (MESSAGES 1\r\n", "error\n"),
    CASE("* SEARCH 0\r\n", "malformed\n"),
    CASE("* SEARCH 1 4294967296\r\n", "malformed\n"),
    CASE("* SEARCH 1 x\r\n", "malformed\n"),
    CASE("* SEARCH 1:3\r\n", "malformed\n"),
    CASE("* SEARCH 1 (MODSEQ\r\n", "error\n"),
    CASE("* ESEARCH (TAG \"x\") UID ALL\r\n", "malformed\n"),
    CASE("* ESEARCH (TAG \"x\") UID ALL 0:3\r\n", "malformed\n"),
    CASE("* ESEARCH (TAG \"x\") UID ALL 1:*\r\n", "malformed\n"),
    CASE("* ESEARCH (TAG \"x\" UID ALL 1\r\n", "error\n"),
    CASE("* ESEARCH (TAG \"x\") UID MIN\r\n", "malformed\n"),
    CASE("* VANISHED (EARLIER) 1:*\r\n", "malformed\n"),
    CASE("* VANISHED (LATER) 1\r\n", "malformed\n"),
    CASE("* VANISHED (EARLIER 1\r\n", "error\n"),
    CASE("* VANISHED 1, 2\r\n", "malformed\n"),
    CASE("* VANISHED 1 2\r\n", "malformed\n"),
    CASE("* VANISHED 4294967296\r\n", "malformed\n"),
    CASE("* VANISHED NIL\r\n", "malformed\n"),
    CASE("* NAMESPACE x\r\n", "error\n"),
    CASE("* NAMESPACE (x)\r\n", "error\n"),
    CASE("* NAMESPACE ((\"a\"))\r\n", "error\n"),
    CASE("* NAMESPACE ((\"a\" \"/\")\r\n", "error\n"),
    CASE("* FLAGS (\"\r\n", "error\n"),
    CASE("* CAPABILITY a\x7f\r\n", "error\n"),
    CASE("* 1 EXISTS\r\n* SEARCH 0\r\n* 2 EXISTS\r\n", "exists 1\nmalformed\nexists 2\n"),
    CASE("* 1 EXISTS\r\n* LIST a\r\n* 2 EXISTS\r\n", "exists 1\nerror\n"),
    CASE("* 1 FETCH (UID 0 BODY[] {7}\r\n* 2 E \" FLAGS ())\r\n* 3 FETCH (UID 3)\r\n",
	 "malformed\nfetch 3 uid=3\n"),
    CASE("* 1 FETCH (X {1}\r\na UID 0)\r\n* 3 EXISTS\r\n", "malformed\nexists 3\n"),
    CASE("* STATUS {1}\r\n( (MESSAGES x)\r\n* 3 EXISTS\r\n", "malformed\nexists 3\n"),
    CASE("* 1 FETCH (BODY[] {1}\r\na UID 0)\r\n* 3 EXISTS\r\n", "error\n"),
    CASE("* 1 FETCH (UID 0 X {3}\r\nab)\r\n* 3 EXISTS\r\n", "error\n"),
    CASE("* 1 FETCH (UID 0 X {1}\r\nab\"\r\n* 3 EXISTS\r\n", "error\n"),
    CASE("* 1 FETCH (UID 0 BODY[] {1048576}\r\n", "error\n"),
};

static void status_lines_and_codes(void **state)
{
	(void)state;
	check_cases(status_cases, COUNT(status_cases));
}

static void untagged_data(void **state)
{
	(void)state;
	check_cases(data_cases, COUNT(data_cases));
}

static void fetches(void **state)
{
	(void)state;
	check_cases(fetch_cases, COUNT(fetch_cases));
}

static void malformed_answers(void **state)
{
	(void)state;
	check_cases(malformed_cases, COUNT(malformed_cases));
}

#define RANDOM_RUNS 20000 /* inputs; each is read twice, cut differently */

static uint32_t random_next(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % below);
}

/* Any case of the tables. */
static const struct parser_case *random_case(uint64_t *seed)
{
	static const struct {
		const struct parser_case *cases;
		size_t count;
	} tables[] = {
	    {status_cases, COUNT(status_cases)},       {data_cases, COUNT(data_cases)},
	    {fetch_cases, COUNT(fetch_cases)},         {fetch_cases, COUNT(fetch_cases)},
	    {malformed_cases, COUNT(malformed_cases)},
	};
	uint32_t table = random_next(seed, COUNT(tables));

	return &tables[table].cases[random_next(seed, (uint32_t)tables[table].count)];
}

/* Changes bytes, drops some, or puts in what means something to the grammar. */
static void random_mutate(uint64_t *seed, struct buf *in)
{
	static const char *const words[] = {"(",
					    ")",
					    "\"",
					    "\\",
					    "[",
					    "]",
					    "{1}\r\n",
					    "{3}\r\nabc",
					    "~{2}\r\n",
					    "{0}\r\n",
					    "\r\n",
					    "\n",
					    "\r",
					    " ",
					    "NIL",
					    "BODY[]",
					    "BODY[] {4}\r\n",
					    "<0>",
					    "UID 1",
					    "* 1 FETCH (",
					    "E1 OK",
					    "4294967296",
					    "0",
					    "-1",
					    ",",
					    ":",
					    "*",
					    "{99999999999999999999}\r\n",
					    "\xff",
					    "+"};
	struct buf out;

	if (in->len == 0)
		return;
	size_t at = random_next(seed, (uint32_t)in->len);
	size_t drop = 0;
	buf_init(&out, 1u << 16);
	buf_append(&out, in->data, at);
	switch (random_next(seed, 4)) {
	case 0: drop = 1 + random_next(seed, 8); break;
	case 1:
		buf_putc(&out, (char)random_next(seed, 256));
		drop = 1;
		break;
	default: buf_puts(&out, words[random_next(seed, COUNT(words))]); break;
	}
	if (drop < in->len - at)
		buf_append(&out, in->data + at + drop, in->len - at - drop);
	buf_free(in);
	*in = out;
}

/* Whatever comes: no crash, and the same answers however the bytes are cut. */
static void random_answers(void **state)
{
	uint64_t seed = 1;
	(void)state;

	for (unsigned i = 0; i < RANDOM_RUNS; i++) {
		struct run whole, cut;
		struct buf in;

		buf_init(&in, 1u << 16);
		for (uint32_t n = 1 + random_next(&seed, 2); n > 0; n--) {
			const struct parser_case *c = random_case(&seed);

			buf_append(&in, c->in, c->len);
		}
		for (uint32_t n = 1 + random_next(&seed, 4); n > 0; n--)
			random_mutate(&seed, &in);
		run_start(&whole);
		run_feed(&whole, in.data, in.len);
		run_start(&cut);
		for (size_t at = 0; at < in.len;) {
			size_t len = 1 + random_next(&seed, 16);

			len = len < in.len - at ? len : in.len - at;
			run_feed(&cut, in.data + at, len);
			at += len;
		}
		assert_string_equal(whole.out.data, cut.out.data);
		assert_int_equal(whole.body.len, cut.body.len);
		run_end(&whole);
		run_end(&cut);
		buf_free(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status_lines_and_codes),
	    cmocka_unit_test(untagged_data),
	    cmocka_unit_test(fetches),
	    cmocka_unit_test(malformed_answers),
	    cmocka_unit_test(random_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
