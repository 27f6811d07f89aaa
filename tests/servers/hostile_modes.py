# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which tests/servers/hostile.py misbehaves, each in one place.

Each group names the rows of FAULTS that it is about.
"""
import itertools
import re
import zlib

from hostile import FULL, PLAIN, Gone, Mode, Raw

ESCAPES = b"\x1b]0;owned\x07\x1b[31mred\x9b2J\r\xe2\x80\xaegnp"
MODES = {}


def mode(name, **options):
    assert name not in MODES
    MODES[name] = Mode(name, **options)


def const(value):
    return lambda *_: value


def before(*more):
    """More answers before a command's own."""
    return lambda lines, session: [*more, *lines]


def instead(make):
    """make(tag) in the place of the tagged line."""
    return lambda lines, session: [*lines[:-1], *make(session.tag)]


def in_inbox(change):
    """Only where INBOX is open."""
    return lambda lines, session: change(lines, session) if session.opened == b"INBOX" else lines


def replace(pattern, text):
    """In every answer but the tagged one."""
    return lambda lines, session: [*(re.sub(pattern, text, line, flags=re.S) for line in lines[:-1]), lines[-1]]


def cut(lines, _session):
    """Half of the last answer, and the line is dead."""
    whole = b"\r\n".join(lines)
    yield Raw(whole[:len(whole) // 2])
    raise Gone()


def no_end(piece, count):
    """So much of one line, and then the client must have hung up."""
    def send(_lines, session):
        yield Raw(b"* OK ")
        yield from itertools.repeat(Raw(piece), count)
        raise Gone()
    return send


# Mailboxes that would like to be somewhere else. FAULTS 33, 34, 35.

NAMES = {
    "dotdot": [b"..", b"../evil", b"Work/../../evil", b"a/..", b"../../../../../../tmp/evil"],
    "absolute": [b"/evil", b"//evil", b"/", b"/etc/evil"],
    "empty": [b"", b"a//b", b"a/"],
    "nul": [b"a\0b", b"\0"],
    "newline": [b"a\r\nE99 DELETE INBOX", b"b\nc", b"\r"],
    "control": [b"a\x01b", b"\x1b[31mred", b"bell\x07", b"\x7f", b"\xc2\x9b2J"],
    "long": [b"l" * 10_000, b"m" * 8192, b"n" * 2049],
    "part-long": [b"p" * 255, b"q" * 256, b"r" * 512, b"s" * 513],
    "deep": [b"/".join([b"d"] * 300), b"/".join([b"e" * 255] * 9)],
    "parts-of-maildir": [b"cur", b"new", b"tmp", b"INBOX/cur", b"Work/new", b"Work/tmp", b"Work/tmp/cur"],
    "our-own": [b".evenmail", b"dovecot-keywords", b"Work/dovecot-keywords", b"dovecot-keywords.lock",
                b"INBOX/.evenmail",
                b"identity", b"lock", b"Work/maildirfolder"],
    "dots": [b".", b"...", b".hidden", b"Work/.", b"~", b"~root", b"~/x"],
    "utf7": [b"&AAA-", b"&Jjo", b"&", b"&!!!!-", b"&2D0-", b"a&AA0ACg-b", b"&AC4ALg-", b"&AC8-etc",
             b"&-", b"&AGEALwBi-"],
    "8bit": [b"caf\xe9", b"\xff\xfe", b"\xc0\xaf\xc0\xae", b"\xed\xa0\x80", b"\xe2\x80\xaetxt"],
    "case": [b"WORK", b"work", b"wORK", b"inbox/a", b"Inbox/b"],
    "normal-forms": [b"&AOk-", b"e&AwE-", b"&IQM-", b"&AMU-", b"&ISs-"],
    "percent": [b"%2e%2e", b"%2F", b"100%", b"%00", b"a%2Fb", b"*", b"%"],
    "quoted": [b'a"b', b"c\\d", b"{5}", b"(", b")", b"NIL", b"[x]", b"e f ", b" g"],
}

for name, names in NAMES.items():
    mode(f"names-{name}", names=names)
mode("names-doubled", reply={"LIST": lambda lines, session: [*lines[:-1], *lines]})
mode("names-quoted-escapes", names=[b'q"uo\\te'])
mode("names-flood", reply={"LIST": lambda lines, session: [
    *(b'* LIST (\\Noselect) "/" "f%d"' % number for number in range(10_000)), *lines]})
mode("names-literal-huge", reply={"LIST": before(b'* LIST () "/" {2000000}')})
mode("names-vanish", reply={"LIST": lambda lines, session: [line for line in lines if b"Work" not in line]},
     forgets=True)
mode("names-none", reply={"LIST": lambda lines, session: lines[-1:]})
mode("names-inbox-vanishes", reply={"LIST": lambda lines, session: [line for line in lines if b"INBOX" not in line]},
     forgets=True)
mode("delimiter-newline", reply={"LIST": replace(rb'"/"', b"{1}\r\n\n")})
mode("delimiter-letter", reply={"LIST": replace(rb'"/"', b'"o"')})
mode("delimiter-long", reply={"LIST": replace(rb'"/"', b'"//"')})
mode("delimiter-nil", reply={"LIST": replace(rb'"/"', b"NIL")})

# Literals. FAULTS 36, 37.

for name, announced in {"4gb-1": 2**32 - 1, "4gb": 2**32, "2^63": 2**63, "2^64": 2**64, "negative": -1}.items():
    mode(f"literal-{name}", item={"BODY[]": const(b"{%d}\r\nSubject: x\r\n\r\n" % announced)},
         reply={"UID FETCH": in_inbox(lambda lines, session: cut(lines, session) if b"BODY[]" in lines[0] else lines)})
mode("literal-larger-than-listed", item={"RFC822.SIZE": const(b"100"), "BODY[]": lambda value, message: body_of(
    message, b"x" * 5_000_000)}, swaps=True)
mode("literal-smaller-than-listed", item={"RFC822.SIZE": const(b"5000000")})
mode("literal-cut", reply={"UID FETCH": in_inbox(cut)})
mode("literal-in-flags", item={"FLAGS": const(b"({5}\r\n\\Seen {3}\r\n\r\n))")}, misflags=True)
mode("literal-in-envelope", reply={"UID FETCH": before(
    b'* 1 FETCH (ENVELOPE ("x" {3}\r\n)))  NIL (({0}\r\n "a\\"b")) {12}\r\nE5 OK done\r\n)'
    b' BODYSTRUCTURE ((({2}\r\n((()))))')})
mode("literal-in-tagged-text", reply={"*": instead(lambda tag: [tag + b" OK done {5}"])})
mode("literal-in-untagged-text", reply={"*": before(b"* OK no literal {5}", b"* NO nor this {4294967296}")})
mode("literal-in-untagged-text-2^70", reply={"SELECT": before(b"* NO nor this {1180591620717411303424}")})
mode("literal-in-unknown", reply={"*": before(b"* XYZZY {12}\r\nE5 OK done\r\n ({3}\r\n)))) NIL")})
mode("literal-in-number", item={"UID": lambda value, message: b"{%d}\r\n%s" % (len(value), value)})
mode("literal-in-unknown-4gb", reply={"SELECT": before(b"* XYZZY {4294967296}")})
mode("literal-never-comes", reply={"UID FETCH": in_inbox(cut)}, item={"BODY[]": const(b"{1000000}\r\nshort")})

# Numbers. FAULTS 27, 28.

for name, uid in {"zero": b"0", "negative": b"-1", "2^32": b"4294967296", "2^64": b"18446744073709551616",
                  "word": b"x", "nil": b"NIL"}.items():
    mode(f"uid-{name}", item={"UID": const(uid)})
mode("uid-max", item={"UID": const(b"4294967295")})
mode("uid-same", item={"UID": const(b"3")})
mode("uid-descending", item={"UID": lambda value, message: b"%d" % (1000 - message.uid)})
mode("uid-none", item={"UID": const(None)})
mode("uid-twice", reply={"UID FETCH": in_inbox(replace(rb"\(UID (\d+)", rb"(UID \1 UID 77"))})
mode("uid-plus-hundred", item={"UID": lambda value, message: b"%d" % (message.uid + 100)}, swaps=True)
mode("sequence-zero", reply={"UID FETCH": in_inbox(replace(rb"^\* \d+", b"* 0"))})
mode("sequence-huge", reply={"UID FETCH": in_inbox(replace(rb"^\* \d+", b"* 99999999999999999999"))})
mode("sequence-max", reply={"UID FETCH": in_inbox(replace(rb"^\* \d+", b"* 4294967295"))})
for name, size in {"zero": b"0", "negative": b"-5", "2^64": b"18446744073709551616",
                   "2^63": b"9223372036854775808", "none": None}.items():
    mode(f"size-{name}", item={"RFC822.SIZE": const(size)})
for name, date in {"garbage": b'"yesterday"', "year-0": b'" 1-Jan-0000 00:00:00 +0000"', "empty": b'""', "nil": b"NIL",
                   "year-9999": b'"31-Dec-9999 23:59:59 -9999"', "2038": b'"19-Jan-2038 03:14:08 +0000"',
                   "feb-30": b'"30-Feb-2020 25:61:61 +0000"'}.items():
    mode(f"date-{name}", item={"INTERNALDATE": const(date)}, misdates=True)
for name, value in {"zero": b"(0)", "max": b"(18446744073709551615)", "2^64": b"(18446744073709551616)",
                    "negative": b"(-1)"}.items():
    mode(f"modseq-{name}", item={"MODSEQ": const(value)})

# Figures. FAULTS 23, 25, 26, 27.

FORGETFUL = {("UIDNEXT", "back"), ("HIGHESTMODSEQ", "back"), ("HIGHESTMODSEQ", "zero"), ("UIDVALIDITY", "other")}
for figure, values in {
        "UIDVALIDITY": {"zero": b"0", "2^32": b"4294967296", "2^64": b"18446744073709551616", "negative": b"-1",
                        "missing": None, "other": b"77"},
        "UIDNEXT": {"zero": b"0", "back": b"2", "max": b"4294967295", "2^32": b"4294967296", "missing": None},
        "HIGHESTMODSEQ": {"zero": b"0", "back": b"1", "max": b"18446744073709551615", "2^64": b"18446744073709551616",
                          "missing": None, "negative": b"-1"},
        "EXISTS": {"zero": b"0", "one-more": b"8", "max": b"4294967295", "2^32": b"4294967296", "negative": b"-1"},
        "MESSAGES": {"zero": b"0", "max": b"4294967295", "2^32": b"4294967296", "negative": b"-1",
                     "missing": None}}.items():
    for name, value in values.items():
        mode(f"{figure.lower()}-{name}", figure={figure: const(value)},
             forgets=(figure, name) in FORGETFUL)
FLIPS = itertools.count(5000)
mode("uidvalidity-flips", figure={"UIDVALIDITY": lambda *_: b"%d" % next(FLIPS)}, forgets=True)
mode("status-of-others", reply={"LIST": before(b'* STATUS "nowhere" (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 7)',
                                              b'* STATUS "INBOX" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 9)')})
mode("status-garbage", reply={"LIST": before(b'* STATUS "INBOX" (MESSAGES (((5))) X {2}\r\n() UIDNEXT NIL)')})

# What nobody asked for. FAULTS 22, 28, 38.

mode("fetch-of-others", reply={"UID FETCH": before(
    b"* 900 FETCH (UID 900 FLAGS (\\Seen) RFC822.SIZE 5 BODY[] {5}\r\nowned)",
    b"* 1 FETCH (UID 901 FLAGS (\\Deleted) RFC822.SIZE 0 BODY[] {0}\r\n)")})
mode("fetch-before-select", reply={"LIST": before(b"* 1 FETCH (UID 1 FLAGS (\\Deleted) BODY[] {3}\r\nabc)")})
mode("answers-unasked", reply={"*": before(
    b"* SEARCH 1 2 3", b"* ESEARCH UID ALL 1:9", b"* 3 RECENT", b"* ENABLED X", b'* LSUB () "/" "x"', b"* QUOTA",
    b'* THREAD ((1)(2))', b'* NAMESPACE NIL NIL NIL', b'* ID ("name" "x")', b"* FLAGS ()",
    b"* METADATA x (/y {1}\r\nz)")})
mode("vanished-flood", reply={"UID FETCH": lambda lines, session: [
    *(b"* VANISHED %d" % number for number in range(1, 20_000)), *lines]})
mode("vanished-many-ranges", reply={"SELECT": before(
    b"* VANISHED (EARLIER) " + b",".join(b"%d" % number for number in range(1, 160_000, 2)))})
mode("vanished-too-many-ranges", reply={"SELECT": before(
    b"* VANISHED (EARLIER) " + b",".join(b"%d" % number for number in range(1, 201_000, 2)))})
mode("vanished-all", reply={"SELECT": lambda lines, session: [
    *lines[:-1], b"* VANISHED (EARLIER) 1:4294967295", lines[-1]]})
mode("vanished-all-now", reply={"*": before(b"* VANISHED 1:4294967295")})
mode("vanished-garbage", reply={"SELECT": before(b"* VANISHED (EARLIER) 5:*,,0:-1")})
mode("vanished-zero", reply={"SELECT": before(b"* VANISHED (EARLIER) 0")})
mode("expunge-flood", reply={"UID FETCH": lambda lines, session: [*itertools.repeat(b"* 1 EXPUNGE", 20_000), *lines]})
mode("expunge-zero", reply={"UID FETCH": before(b"* 0 EXPUNGE")})
mode("expunge-beyond", reply={"UID FETCH": before(b"* 4294967295 EXPUNGE", b"* 100 EXPUNGE")})
mode("expunge-range", reply={"UID FETCH": before(b"* 1:6 EXPUNGE")})
mode("exists-flood", reply={"UID FETCH": lambda lines, session: [
    *(b"* %d EXISTS" % (number * 65536) for number in range(20_000)), *lines]})
mode("exists-falls", reply={"UID FETCH": before(b"* 0 EXISTS")})
mode("continuation-unasked", reply={command: before(b"+ go on", b"+", b"+ {5}")
                                    for command in ("LIST", "SELECT", "UID FETCH", "APPEND", "UID STORE")})
mode("closed-unasked", reply={"*": before(b"* OK [CLOSED] bye bye")})
mode("tag-of-ours-in-literal", item={"BODY[]": lambda value, message: body_of(
    message, b"".join(b"E%d OK done\r\n* BYE\r\n)\r\n" % number for number in range(40)))}, swaps=True)
mode("tag-wrong", reply={"UID FETCH": instead(lambda tag: [b"Z9 OK done"])})
mode("tag-none", reply={"UID FETCH": instead(lambda tag: [b"OK done"])})
mode("tag-of-the-future", reply={"UID FETCH": before(b"E99999 OK done")})
mode("tag-huge", reply={"UID FETCH": before(b"E99999999999999999999 OK done")})
mode("tag-twice", reply={"SELECT": lambda lines, session: [*lines, lines[-1]]})
mode("tag-early", reply={"UID FETCH": in_inbox(lambda lines, session: [lines[-1], *lines[:-1]])})


def body_of(message, more):
    """Another body in the place of the message's."""
    body = b"Subject: swapped %d\r\n\r\n" % message.uid + more
    return b"{%d}\r\n%s" % (len(body), body)


# Lines. FAULTS 36, 37.

mode("line-endless", reply={"SELECT": no_end(b"x" * 65536, 64)})
mode("line-of-literals", reply={"SELECT": no_end(b"{60000}\r\n" + b"x" * 60_000, 64)})
mode("line-empty", reply={"SELECT": before(b"", b"")})
mode("line-nul", reply={"SELECT": before(b"* OK a\0b", b"* \0", b"\0")})
mode("line-bare-feeds", reply={"SELECT": lambda lines, session: [Raw(b"\n".join(lines) + b"\n")]})
LONG = instead(lambda tag: [tag + b" OK " + b"t" * 1_000_000])
mode("text-1mb", reply={"LIST": LONG, "SELECT": LONG, "UID FETCH": LONG, "APPEND": LONG})
mode("text-too-long", reply={"SELECT": instead(lambda tag: [tag + b" OK " + b"t" * 1_100_000])})
mode("parens-deep", reply={"SELECT": before(b"* 1 FETCH (X " + b"(" * 100_000 + b")" * 100_000 + b")")})
mode("parens-64", reply={"SELECT": before(b"* 1 FETCH (X " + b"(" * 60 + b")" * 60 + b")")})
mode("parens-unclosed", reply={"SELECT": before(b"* 1 FETCH (X ((")})
mode("quote-unclosed", reply={"LIST": before(b'* LIST () "/" "unclosed')})
mode("flags-10000", item={"FLAGS": const(b"(" + b" ".join(b"k%d" % number for number in range(10_000)) + b")")},
     reply={"SELECT": before(b"* FLAGS (" + b" ".join(b"k%d" % number for number in range(10_000)) + b")")}, swaps=True)
mode("flags-huge", item={"FLAGS": const(b"(" + b"k" * 300_000 + b")")}, swaps=True)
mode("flags-odd", item={"FLAGS": const(b'(\\Seen \\Recent \\ \\\\x "a\\"b" ] [ NIL k]x \x1b[2J \xff % *)')}, swaps=True)
mode("flags-nested", item={"FLAGS": const(b"(\\Seen ((\\Deleted)))")}, swaps=True)
mode("flags-none", item={"FLAGS": const(None)})
mode("code-brackets", reply={"SELECT": before(b'* OK [PERMANENTFLAGS (\\Seen a]b "]" \\*)] ok',
                                              b'* OK [X "a]b" (])] ok',
                                              b"* OK [UIDNEXT", b"* OK []", b"* OK [[[]]]", b"* OK ]")})
mode("code-numbers", reply={"SELECT": before(b"* OK [UIDNEXT 99999999999999999999] ok")})
mode("permanentflags-none", reply={"SELECT": before(b"* OK [PERMANENTFLAGS ()] none")}, flags=True)

# TLS and login. FAULTS 39. The password must not be said where it can be read.

mode("starttls-stripped", offers="IMAP4rev1 AUTH=PLAIN", starttls=True)
mode("starttls-refused", offers="IMAP4rev1 AUTH=PLAIN STARTTLS", starttls=True,
     reply={"STARTTLS": instead(lambda tag: [tag + b" NO not today"])})
mode("starttls-injected", offers="IMAP4rev1 AUTH=PLAIN STARTTLS", starttls=True,
     reply={"STARTTLS": lambda lines, session: [Raw(b"".join(line + b"\r\n" for line in (
         *lines, b"* CAPABILITY IMAP4rev1 AUTH=LOGIN", b"A002 OK", b"A003 OK [ALERT] injected", b"* BYE")))]})


def in_turn(plain, secure, entered):
    """Other capabilities before TLS, in it, and after the login."""
    return lambda session: entered if session.entered else secure if session.secure else plain


# What was said in clear anybody may have said.
OLD, NEW = "IMAP4rev1 STARTTLS ", "IMAP4rev1 "
mode("starttls-then-a-way-in", offers=in_turn(OLD + "LOGINDISABLED", NEW + "AUTH=PLAIN", FULL), starttls=True)
mode("starttls-then-another-way-in", offers=in_turn(OLD + "AUTH=LOGIN AUTH=XOAUTH2", NEW + "AUTH=PLAIN", FULL),
     starttls=True)
mode("starttls-then-no-way-in", offers=in_turn(OLD + "AUTH=PLAIN", NEW + "LOGINDISABLED", FULL), starttls=True,
     never=b"AUTHENTICATE|LOGIN ")
mode("starttls-then-less", offers=in_turn(OLD + FULL, FULL, PLAIN), starttls=True,
     never=b"ENABLE|UID MOVE|UID EXPUNGE|STATUS .*HIGHESTMODSEQ|LIST .*RETURN|COMPRESS|ID |.*\\{\\d+\\+\\}")
mode("starttls-then-more", offers=in_turn(OLD + PLAIN, PLAIN, FULL), starttls=True)
mode("preauth", greeting=b"* PREAUTH welcome\r\n", unsaid=True)
mode("preauth-before-starttls", greeting=b"* PREAUTH welcome\r\n", starttls=True)
mode("capabilities-lost-at-login", reply={"AUTHENTICATE": before(b"* CAPABILITY"), "CAPABILITY":
                                          lambda lines, session: [b"* CAPABILITY IMAP4rev1", lines[-1]]})
MANY = before(b"* CAPABILITY " + b" ".join(b"X%d" % n for n in range(9_000)))
mode("capabilities-garbage", reply={"CAPABILITY": MANY, "AUTHENTICATE": MANY})
mode("capabilities-more-than-it-has", offers=FULL + " OBJECTID X-GM-EXT-1 UTF8=ACCEPT NAMESPACE SPECIAL-USE"
     " CREATE-SPECIAL-USE NOTIFY APPENDLIMIT=99999999999999999999")
mode("referral-at-login", reply={"AUTHENTICATE": instead(lambda tag: [
    tag + b" NO [REFERRAL imap://evil.example/] elsewhere"])})
mode("referral-with-ok", reply={"AUTHENTICATE": instead(lambda tag: [
    tag + b" OK [REFERRAL imap://127.0.0.1:1/] also elsewhere"])})
mode("referral-at-select", reply={"SELECT": lambda lines, session: [
    session.tag + b" NO [REFERRAL imap://evil.example/INBOX] elsewhere"]})
mode("bye-at-greeting", greeting=b"* BYE " + ESCAPES + b"\r\n")
mode("bye-at-login", reply={"AUTHENTICATE": lambda lines, session: [b"* BYE " + ESCAPES]}, silent=True)
mode("bye-at-list", reply={"LIST": before(b"* BYE " + ESCAPES)})
mode("bye-at-select", reply={"SELECT": before(b"* BYE gone")})
mode("bye-in-fetch", reply={"UID FETCH": lambda lines, session: [*lines[:1], b"* BYE gone", *lines[1:]]})
mode("greeting-garbage", greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n", silent=True)
mode("greeting-none", greeting=lambda session: session.read_more(), silent=True)
mode("greeting-endless", greeting=lambda session: [session.send(b"* " + b"g" * 65536) for _ in range(64)])
mode("silence-at-fetch", reply={"UID FETCH": lambda lines, session: session.read_more() or ()}, silent=True)

# What a server may lose or mix up. FAULTS 21, 24.

mode("account-empty", reply={"SELECT": lambda lines, session: [
    b"* 0 EXISTS" if line.endswith(b"EXISTS") else line for line in lines if b"FETCH" not in line],
    "UID FETCH": lambda lines, session: lines[-1:], "UID SEARCH": lambda lines, session: [b"* SEARCH", lines[-1]],
    "LIST": replace(rb"MESSAGES \d+", b"MESSAGES 0")}, mailbox=None, may_go=(41,), later=True, forgets=True)
mode("body-swapped", item={"BODY[]": lambda value, message: body_of(message, b"x" * 40)}, swaps=True)
mode("body-empty", item={"BODY[]": const(b"{0}\r\n")})
mode("body-quoted-empty", item={"BODY[]": const(b'""')})
mode("body-nil", item={"BODY[]": const(b"NIL")})
mode("body-list", item={"BODY[]": const(b"(a b)")})
mode("body-atom", item={"BODY[]": const(b"body")})
mode("body-twice", reply={"UID FETCH": in_inbox(replace(rb"\)$", b" BODY[] {2}\r\nab)"))})
mode("body-part", reply={"UID FETCH": in_inbox(replace(rb"BODY\[\] ", b"BODY[]<5> "))})
mode("body-missing", item={"BODY[]": const(None)})
mode("body-before-uid", reply={"UID FETCH": in_inbox(replace(rb"\((UID \d+) (.*)\)$", rb"(\2 \1)"))})
for name, code in {"unequal": b"COPYUID 1 1:2 5:9", "huge": b"COPYUID 1 1:4294967295 1:4294967295",
                   "words": b"COPYUID x y z",
                   "short": b"COPYUID 1", "other": b"COPYUID 77 1:3 900:902"}.items():
    change = replace(rb"COPYUID [^\]]*", code)
    mode(f"copyuid-{name}", reply={"UID MOVE": change, "UID COPY": lambda lines, session, code=code: [
        re.sub(rb"COPYUID [^\]]*", code, line) for line in lines]})
for name, code in {"huge": b"1 1:4294967295", "zero": b"0 0", "2^64": b"18446744073709551616 1", "words": b"x y",
                   "other": b"77 900", "of-another": b"1001 1"}.items():
    mode(f"appenduid-{name}", reply={"APPEND": lambda lines, session, code=code: [
        re.sub(rb"APPENDUID [^\]]*", b"APPENDUID " + code, line) for line in lines]}, appends=True)

for name, change in {"fewer": -1, "more": 1}.items():
    mode(f"multiappend-{name}", reply={"APPEND": lambda lines, session, change=change: [
        re.sub(rb"(\d+):(\d+)\]", lambda found, change=change: b"%s:%d]" % (found[1], int(found[2]) + change), line)
        for line in lines]}, appends=True)
mode("multiappend-unknown", one_by_one=True)
mode("multiappend-stops-short", stops_short=True)

# A compressed line. FAULTS 36.


def bomb(session):
    """A line that inflates without end: 1000 bytes out of one."""
    pack = zlib.compressobj(9, wbits=-15)
    piece = pack.compress(b"* OK " + b"x" * (16 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)
    for _ in range(64):
        session.send_packed(piece)
    raise Gone()


mode("deflate-bomb", packed=bomb, compress=True)
mode("deflate-garbage", packed=lambda session: session.send_packed(b"\xff" * 4096), compress=True)
mode("deflate-ends", packed=lambda session: session.send_packed(session.pack.flush(zlib.Z_FINISH) + b"* OK more\r\n"),
     compress=True)
mode("deflate-not", packed=lambda session: setattr(session, "pack", None), compress=True)

# Words. FAULTS 20, 44.

mode("alert-escapes", reply={"SELECT": before(b"* OK [ALERT] " + ESCAPES)},
     greeting=b"* OK [ALERT] " + ESCAPES + b"\r\n")
for command in ("LIST", "SELECT", "UID FETCH", "UID STORE", "UID EXPUNGE", "UID MOVE", "APPEND"):
    mode(f"no-{command.lower().replace(' ', '-')}", reply={command: lambda lines, session: [
        session.tag + b" NO [CANNOT] " + ESCAPES + b"n" * 2000]}, refused=True)
mode("no-authenticate", reply={"AUTHENTICATE": instead(lambda tag: [tag + b" NO " + ESCAPES])})
mode("bad-all", reply={"*": lambda lines, session: lines if session.verb in ("CAPABILITY", "AUTHENTICATE")
                       else [session.tag + b" BAD " + ESCAPES]})
STATUS = {}

# How a first run and a later one must end; all others end in 0. A first run is not tried where contents are swapped.
STATUS = {name: status for status, names in {
    (0, 1): """
        uid-plus-hundred no-uid-store""",
    (0, 2): """
        names-vanish account-empty""",
    (0, 69): """
        flags-odd""",
    (1, 0): """
        multiappend-stops-short""",
    (1, 1): """
        names-part-long uid-max uid-same uid-descending uid-none sequence-max uidvalidity-zero
        uidvalidity-missing exists-zero exists-one-more exists-max uidvalidity-flips fetch-of-others
        vanished-flood vanished-all-now expunge-flood expunge-beyond exists-flood exists-falls tag-early
        flags-none referral-at-select body-empty body-quoted-empty body-nil body-part body-missing
        appenduid-of-another no-list no-select no-uid-fetch no-append bad-all literal-in-number uid-zero
        uid-negative uid-2^32 uid-2^64 uid-word uid-nil uid-twice sequence-zero sequence-huge size-negative
        size-2^64 uidvalidity-2^32 uidvalidity-2^64 uidvalidity-negative uidnext-2^32 highestmodseq-2^64
        exists-2^32 vanished-too-many-ranges vanished-garbage vanished-zero expunge-zero expunge-range
        code-numbers body-list body-atom""",
    (1, 2): """
        names-inbox-vanishes""",
    (69, 69): """
        names-literal-huge names-none delimiter-long literal-4gb-1 literal-4gb literal-2^63 literal-2^64
        literal-negative literal-cut literal-in-untagged-text-2^70 literal-in-unknown-4gb literal-never-comes
        exists-negative tag-wrong tag-none tag-of-the-future tag-huge tag-twice line-endless line-of-literals
        line-empty line-nul text-too-long parens-deep parens-unclosed quote-unclosed starttls-injected
        bye-at-greeting bye-at-login bye-at-list bye-at-select bye-in-fetch greeting-garbage greeting-none
        greeting-endless silence-at-fetch body-twice deflate-bomb deflate-garbage deflate-ends deflate-not""",
    (77, 77): """
        starttls-stripped starttls-refused starttls-then-no-way-in preauth preauth-before-starttls referral-at-login no-authenticate""",
}.items() for name in names.split()}
assert set(STATUS) <= set(MODES)
