# SPDX-License-Identifier: GPL-3.0-or-later
"""An IMAP server of a few hundred lines whose account is a Python object, and which lies as it is told.

    with Hostile() as server:
        server.account["INBOX"].add(b"Subject: x\\r\\n\\r\\n")
        server.mode = MODES["uid-zero"]     (SANE: it tells the truth)

It speaks IMAP4rev1 with what evenmail uses of CONDSTORE, QRESYNC, LIST-STATUS, UIDPLUS, MULTIAPPEND, MOVE and COMPRESS.
A mode bends what it says at three places: figures (UIDNEXT...), items of a FETCH, and whole replies. What a client
asks is carried out in truth whatever is said about it, so a test can hold the account against what must not be lost.
"""
import base64
import calendar
import re
import socket
import ssl
import threading
import time
import zlib

PASSWORD = "hostile-horse-9"
FULL = ("IMAP4rev1 AUTH=PLAIN SASL-IR ENABLE UNSELECT UIDPLUS MOVE LITERAL+ ESEARCH LIST-EXTENDED LIST-STATUS CONDSTORE"
        " QRESYNC MULTIAPPEND ID COMPRESS=DEFLATE")
PLAIN = "IMAP4rev1 AUTH=PLAIN"
TOKEN = re.compile(rb'[()]|"(?:[^"\\]|\\.)*"|[^\s()"\[]*\[[^\]]*\]|[^\s()"]+', re.S)
LITERAL = re.compile(rb"\{(\d+)(\+?)\}$")
PATIENCE = 60  # seconds that a client may be silent


class Gone(Exception):
    """The client hung up, or the mode hangs up on it."""


class Unknown(Exception):
    """An item or argument that this server does not know."""


class Message:
    def __init__(self, uid, body, flags, date, modseq):
        self.uid, self.body, self.flags, self.date, self.modseq = uid, body, set(flags), date, modseq


class Mailbox:
    """In truth; UIDs ascend."""

    def __init__(self, uidvalidity):
        self.uidvalidity = uidvalidity
        self.uidnext = 1
        self.modseq = 1
        self.messages = []
        self.gone = []  # (modseq, uid)

    def add(self, body, flags=(), date=1_000_000_000):
        self.modseq += 1
        self.messages.append(Message(self.uidnext, body, flags, date, self.modseq))
        self.uidnext += 1
        return self.messages[-1]

    def remove(self, messages):
        for message in messages:
            self.modseq += 1
            self.messages.remove(message)
            self.gone.append((self.modseq, message.uid))

    def change(self, message, flags):
        self.modseq += 1
        message.flags, message.modseq = set(flags), self.modseq


class Mode:
    """One way to misbehave; what is left out is done as it should be.

    figure: {name: function(value, mailbox name) -> bytes, or None: not told}
    item: {name: function(value as it would be written, message) -> bytes, or None}
    reply: {command: function(lines, session) -> iterable of lines}; the last of lines is the tagged one, and a piece
           of class Raw is sent as it is, without a line end
    """

    def __init__(self, name, figure=None, item=None, reply=None, **options):
        self.name = name
        self.figure = figure or {}
        self.item = item or {}
        self.reply = reply or {}
        self.mailbox = options.pop("mailbox", "INBOX")  # where it lies, as far as figures and items go; None: all
        self.greeting = options.pop("greeting", None)
        self.offers = options.pop("offers", None)         # instead of what a test wants; or function(session) -> it
        self.names = options.pop("names", ())             # of mailboxes that it has besides
        self.packed = options.pop("packed", None)         # what comes once COMPRESS is agreed upon
        self.tested = options


SANE = Mode("sane")


class Raw(bytes):
    """Sent as it is."""


class Tagged(bytes):
    """What follows upon the tag."""


NO = Tagged(b"NO not so")
UNKNOWN = Tagged(b"BAD unknown")


class Hostile:
    """The server; account is {name in UTF-8 or raw bytes: Mailbox}, log is [(whether in TLS, line)]."""

    def __init__(self, certificate=None):
        self.account = {}
        self.mode = SANE
        self.offers = FULL
        self.password = PASSWORD
        self.log = []
        self.lock = threading.RLock()
        self.sessions = []
        self.made = 0
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.imap_port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # Another thread may be in accept(): only this ends it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for session in self.sessions:
            session.close()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            session = Session(self, peer)
            self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def create(self, name):
        self.made += 1
        name = name if isinstance(name, bytes) else name.encode()
        return self.account.setdefault(name, Mailbox(1000 + self.made))

    def said(self, tls=None):
        """What clients said, in TLS or out of it."""
        with self.lock:
            return b"\n".join(line for inside, line in self.log if tls is None or inside == tls)


class Session:
    """One connection, in a thread of its own."""

    def __init__(self, server, peer):
        self.server = server
        self.socket = peer
        self.socket.settimeout(PATIENCE)
        # An answer goes out in pieces: each after the first would wait for the client's delayed acknowledgement.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""
        self.pack = self.unpack = None
        self.secure = False
        self.entered = False
        self.qresync = False
        self.opened = None  # name of the mailbox
        self.verb = self.tag = b""

    @property
    def mode(self):
        return self.server.mode

    @property
    def mailbox(self):
        return self.server.account[self.opened]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    # The line

    def send(self, data):
        if self.pack:
            data = self.pack.compress(data) + self.pack.flush(zlib.Z_SYNC_FLUSH)
        self.send_packed(data)

    def send_packed(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise Gone() from None

    def read_more(self):
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone()
        self.input += self.unpack.decompress(data) if self.unpack else data

    def read_bytes(self, count):
        while len(self.input) < count:
            self.read_more()
        data, self.input = self.input[:count], self.input[count:]
        return data

    def read_line(self):
        while b"\n" not in self.input:
            self.read_more()
        line, self.input = self.input.split(b"\n", 1)
        with self.server.lock:
            self.server.log.append((self.secure, line))
        return line.rstrip(b"\r")

    def read_command(self):
        """[tag, word...]: lists as lists, literals and strings as bytes."""
        words = []
        while True:
            line = self.read_line()
            announced = LITERAL.search(line)
            words += TOKEN.findall(line[:announced.start()] if announced else line)
            if not announced:
                return nest(words)
            if not announced[2]:
                self.send(b"+ go on\r\n")
            words.append((self.read_bytes(int(announced[1])),))

    # The dialogue

    def run(self):
        try:
            greeting = self.mode.greeting or b"* OK [CAPABILITY " + self.offers() + b"] ready\r\n"
            if callable(greeting):
                greeting(self)
            else:
                self.send(greeting)
            while True:
                self.answer(self.read_command())
        except (Gone, zlib.error):
            pass
        finally:
            self.close()
            self.socket.close()

    def offers(self):
        offers = self.mode.offers or self.server.offers
        return (offers(self) if callable(offers) else offers).encode()

    def answer(self, words):
        self.tag, verb, *args = words
        verb = verb.upper()
        if verb == b"UID":
            verb += b" " + args.pop(0).upper()
        self.verb = verb.decode()
        name = "do_" + self.verb.lower().replace(" ", "_")
        with self.server.lock:
            try:
                lines = getattr(self, name)(*args) if hasattr(self, name) else [UNKNOWN]
            except Unknown:
                lines = [UNKNOWN]
        if lines is not None:
            self.reply(lines)
        if self.verb == "LOGOUT":
            raise Gone()

    def reply(self, lines):
        """Sends a command's answers; the last is what the tagged line says, if it is of class Tagged."""
        if not lines or not isinstance(lines[-1], Tagged):
            lines = [*lines, Tagged(b"OK done")]
        lines = [*lines[:-1], self.tag + b" " + lines[-1]]
        change = self.mode.reply.get(self.verb) or self.mode.reply.get("*")
        for line in change(lines, self) if change else lines:
            self.send(line if isinstance(line, Raw) else line + b"\r\n")

    def figure(self, name, value, mailbox):
        """A number as it is to be said, or None."""
        change = self.mode.figure.get(name)
        lies = change and self.mode.mailbox in (None, mailbox.decode("latin-1"))
        return change(value, mailbox) if lies else b"%d" % value

    # Commands without a mailbox

    def do_capability(self):
        return [b"* CAPABILITY " + self.offers()]

    def do_noop(self):
        return []

    def do_logout(self):
        return [b"* BYE"]

    def do_id(self, *_):
        return [b"* ID NIL"]

    def do_starttls(self):
        self.reply([])
        try:
            self.socket = self.server.tls.wrap_socket(self.socket, server_side=True)
        except (OSError, ssl.SSLError):
            raise Gone() from None
        self.secure = True

    def do_authenticate(self, mechanism, initial=None):
        if mechanism.upper() != b"PLAIN":
            return [NO]
        if initial is None:
            self.send(b"+ \r\n")
            initial = self.read_line()
        return self.let_in(base64.b64decode(initial).split(b"\0")[2])

    def do_login(self, _user, password):
        return self.let_in(password)

    def let_in(self, password):
        self.entered = password == self.server.password.encode()
        return [] if self.entered else [NO]

    def do_enable(self, *what):
        self.qresync = b"QRESYNC" in what
        return [b"* ENABLED " + b" ".join(what)]

    def do_compress(self, _how):
        self.reply([])
        self.pack = zlib.compressobj(wbits=-15)
        self.unpack = zlib.decompressobj(wbits=-15)
        self.input = self.unpack.decompress(self.input) if self.input else b""
        if self.mode.packed:
            self.mode.packed(self)

    # Mailboxes

    def names(self):
        return list(self.server.account)

    def do_list(self, _reference, _pattern, *more):
        lines = [b"* LIST () \"/\" " + string(name) for name in self.names()]
        if any(word == b"STATUS" for part in more if isinstance(part, list) for word in part):
            lines += [self.status(name) for name in self.names()]
        return lines

    def do_lsub(self, _reference, _pattern):
        return [b"* LSUB () \"/\" " + string(name) for name in self.names()]

    def status(self, name):
        mailbox = self.server.account.get(name) or Mailbox(1)
        told = [(b"MESSAGES", len(mailbox.messages)), (b"UIDNEXT", mailbox.uidnext),
                (b"UIDVALIDITY", mailbox.uidvalidity), (b"HIGHESTMODSEQ", mailbox.modseq)]
        told = [(item, self.figure(item.decode(), value, name)) for item, value in told]
        return b"* STATUS %s (%s)" % (string(name), b" ".join(
            b"%s %s" % pair for pair in told if pair[1] is not None and (pair[0] != b"HIGHESTMODSEQ" or self.modseqs)))

    @property
    def modseqs(self):
        return b"CONDSTORE" in self.offers()

    def do_status(self, name, _items):
        return [self.status(name)] if name in self.names() else [NO]

    def do_create(self, name, *_):
        if name.rstrip(b"/") in self.server.account:
            return [Tagged(b"NO [ALREADYEXISTS] it is there")]
        self.server.create(name.rstrip(b"/"))
        return []

    def do_delete(self, name):
        return [] if self.server.account.pop(name, None) else [NO]

    def do_subscribe(self, _name):
        return []

    do_unsubscribe = do_subscribe

    def do_select(self, name, how=()):
        self.opened = None
        if name.upper() == b"INBOX":
            name = b"INBOX"
        if name not in self.server.account:
            return [NO]
        self.opened = name
        mailbox = self.mailbox
        told = [("EXISTS", len(mailbox.messages), b"* %s EXISTS"),
                ("UIDVALIDITY", mailbox.uidvalidity, b"* OK [UIDVALIDITY %s] ok"),
                ("UIDNEXT", mailbox.uidnext, b"* OK [UIDNEXT %s] ok"),
                ("HIGHESTMODSEQ", mailbox.modseq, b"* OK [HIGHESTMODSEQ %s] ok")]
        lines = [b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
                 b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] ok"]
        for item, value, line in told[:None if self.modseqs else 3]:
            value = self.figure(item, value, name)
            if value is not None:
                lines.append(line % value)
        return lines + self.changes_since(how)

    do_examine = do_select

    def changes_since(self, how):
        """What (QRESYNC (uidvalidity modseq known)) asks for."""
        if b"QRESYNC" not in how:
            return []
        uidvalidity, since = (int(word) for word in how[how.index(b"QRESYNC") + 1][:2])
        if uidvalidity != self.mailbox.uidvalidity:
            return []
        gone = [uid for modseq, uid in self.mailbox.gone if modseq > since]
        lines = [b"* VANISHED (EARLIER) " + b",".join(b"%d" % uid for uid in gone)] if gone else []
        return lines + [self.row(message, [b"UID", b"FLAGS", b"MODSEQ"])
                        for message in self.mailbox.messages if message.modseq > since]

    def do_unselect(self):
        self.opened = None
        return []

    do_close = do_unselect

    # Messages

    def chosen(self, uids):
        highest = self.mailbox.messages[-1].uid if self.mailbox.messages else 0
        ranges = []
        for part in uids.split(b","):
            ends = [highest if end == b"*" else int(end) for end in part.split(b":")]
            ranges.append((min(ends), max(ends)))
        return [message for message in self.mailbox.messages
                if any(first <= message.uid <= last for first, last in ranges)]

    def row(self, message, items):
        told = {b"UID": b"%d" % message.uid, b"FLAGS": b"(" + b" ".join(sorted(message.flags)) + b")",
                b"MODSEQ": b"(%d)" % message.modseq, b"RFC822.SIZE": b"%d" % len(message.body),
                b"INTERNALDATE": time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(message.date)).encode(),
                b"BODY[]": b"{%d}\r\n%s" % (len(message.body), message.body)}
        identity = re.search(rb"^Message-ID:[^\r\n]*\r\n", message.body, re.I | re.M)
        identity = identity[0] + b"\r\n" if identity else b"\r\n"
        told[b"BODY[HEADER.FIELDS (MESSAGE-ID)]"] = b"{%d}\r\n%s" % (len(identity), identity)
        parts = []
        lies = self.mode.mailbox in (None, self.opened.decode("latin-1"))
        for item in items:
            item = item.replace(b".PEEK", b"")
            if item not in told:
                raise Unknown()
            value = told[item]
            change = self.mode.item.get(item.decode()) if lies else None
            value = change(value, message) if change else value
            if value is not None:
                parts.append(item + b" " + value)
        return b"* %d FETCH (%s)" % (self.mailbox.messages.index(message) + 1, b" ".join(parts))

    def do_uid_fetch(self, uids, items, modifier=()):
        since = int(modifier[1]) if modifier else 0
        return [self.row(message, items) for message in self.chosen(uids) if message.modseq > since]

    def do_uid_search(self, *what):
        uids = b",".join(b"%d" % message.uid for message in self.mailbox.messages
                         if what[-1].upper() != b"DELETED" or b"\\Deleted" in message.flags)
        if b"ESEARCH" in self.offers():
            return [b"* ESEARCH (TAG \"%s\") UID%s" % (self.tag, b" ALL " + uids if uids else b"")]
        return [b"* SEARCH " + uids.replace(b",", b" ")]

    def do_uid_store(self, uids, how, flags):
        lines = []
        for message in self.chosen(uids):
            change = set(flags)
            self.mailbox.change(message, message.flags | change if how[:1] == b"+" else message.flags - change)
            lines.append(self.row(message, [b"UID", b"MODSEQ"] if self.modseqs else [b"UID", b"FLAGS"]))
        return lines

    def expunge(self, messages):
        if self.qresync and messages:
            lines = [b"* VANISHED " + b",".join(b"%d" % message.uid for message in messages)]
        else:
            lines = [b"* %d EXPUNGE" % (self.mailbox.messages.index(message) + 1) for message in reversed(messages)]
        self.mailbox.remove(messages)
        return lines

    def do_uid_expunge(self, uids):
        return self.expunge([message for message in self.chosen(uids) if b"\\Deleted" in message.flags])

    def do_expunge(self):
        return self.do_uid_expunge(b"1:*")

    def copy(self, messages, name):
        target = self.server.account[name]
        new = [target.add(message.body, message.flags, message.date) for message in messages]
        if b"UIDPLUS" not in self.offers():
            return b"OK "
        return b"OK [COPYUID %d %s %s] " % (target.uidvalidity, b",".join(b"%d" % one.uid for one in messages),
                                            b",".join(b"%d" % one.uid for one in new))

    def do_uid_copy(self, uids, name):
        return [Tagged(self.copy(self.chosen(uids), name) + b"done") if name in self.server.account else NO]

    def do_uid_move(self, uids, name):
        if name not in self.server.account:
            return [NO]
        messages = self.chosen(uids)
        code = self.copy(messages, name)
        return [b"* " + code + b"moved", *self.expunge(messages)]

    def do_append(self, name, *args):
        if name not in self.server.account:
            return [NO]
        if len(args) > 3 and self.mode.tested.get("one_by_one"):
            return [UNKNOWN]
        mailbox = self.server.account[name]
        kept = 1 if self.mode.tested.get("stops_short") else None
        uids = [mailbox.add(body, flags, parse_date(date)).uid
                for flags, date, body in [*zip(args[::3], args[1::3], args[2::3])][:kept]]
        if len(args) > 3 * len(uids):
            return [NO]
        if b"UIDPLUS" not in self.offers():
            return []
        uids = b"%d:%d" % (uids[0], uids[-1]) if len(uids) > 1 else b"%d" % uids[0]
        return [Tagged(b"OK [APPENDUID %d %s] done" % (mailbox.uidvalidity, uids))]


def nest(words):
    """Tokens as a tree."""
    stack = [[]]
    for word in words:
        if word == b"(":
            stack.append([])
        elif word == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif isinstance(word, tuple):
            stack[-1].append(word[0])
        elif word.startswith(b'"'):
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", word[1:-1]))
        else:
            stack[-1].append(word)
    return stack[0]


def string(data):
    """A name as it goes over the line."""
    if re.fullmatch(rb"[ -~]*", data):
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", data) + b'"'
    return b"{%d}\r\n%s" % (len(data), data)


def parse_date(text):
    parsed = time.strptime(text.decode()[:-6].strip(), "%d-%b-%Y %H:%M:%S")
    sign, hours, minutes = text[-5:-4], int(text[-4:-2]), int(text[-2:])
    return calendar.timegm(parsed) - (1 if sign == b"+" else -1) * (hours * 3600 + minutes * 60)
