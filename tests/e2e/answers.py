# SPDX-License-Identifier: GPL-3.0-or-later
"""What a proxy makes of a dialogue: commands that the server refuses, hangs up at, or is not heard about."""
import re

TOOK = re.compile(rb" \([0-9.+ ]+ secs\)")
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")
# What the server is given in the place of a command that it is not to see. A SELECT that fails leaves
# no mailbox open (RFC 9051 section 6.3.2), and so must what stands for it; what is still to be there when
# the mailbox is renamed Dovecot would not bear.
STAND_INS = {b"SELECT": b'EXAMINE "no such mailbox"', b"EXAMINE": b'EXAMINE "no such mailbox"', b"CLOSE": b"CLOSE",
             b"UNSELECT": b"UNSELECT"}


class Lines:
    """For a proxy's `alter`: hands the line with which each command or answer begins to up_line() or down_line().

    These return None to let it pass, or what is to go on instead of it and all that belongs to it.
    One connection after the other, not several at once.
    """

    def __init__(self):
        self.begin()

    def begin(self):
        """A new connection."""
        self.ways = {"up": Way(self.up_line, True), "down": Way(self.down_line, False)}

    def __call__(self, way, data):
        return self.ways[way].take(data)

    def up_line(self, line):
        return None

    def down_line(self, line):
        return None


class Way:
    """One direction: what of it is a literal's, and what of it is to be swallowed."""

    def __init__(self, replace, may_wait):
        self.replace = replace
        self.may_wait = may_wait  # for "+" before a literal
        self.rest = b""
        self.literal = 0  # bytes of it that are still to come
        self.inside = False  # the next line ends, or goes on with, what has begun
        self.swallow = False

    def take(self, data):
        out, self.rest = b"", self.rest + data
        while True:
            length = self.literal or self.rest.find(b"\n") + 1
            taken, self.rest = self.rest[:length], self.rest[length:]
            if not taken:
                return out
            if self.literal:
                self.literal -= len(taken)
                out += b"" if self.swallow else taken
            else:
                out += self.take_line(taken)

    def take_line(self, line):
        found, instead = LITERAL.search(line), None
        if not self.inside:
            instead = self.replace(line)
            self.swallow = instead is not None
        # Who is refused before "+" never sends the literal.
        awaited = found and not (self.swallow and self.may_wait and not found[2])
        self.literal = int(found[1]) if awaited else 0
        self.inside = bool(awaited)
        return instead if instead is not None else b"" if self.swallow else line


class Timeless(Lines):
    """Dovecot does not tell how long it took: so each dialogue is as long as the other."""

    def down_line(self, line):
        timeless = TOOK.sub(b"", line)
        return timeless if timeless != line else None


class Refusal(Lines):
    """The server never sees the command (those of them that hold the bytes `match`); the client hears the answer.

    `answer` is what follows the tag, or "BYE ...": then nothing else is heard any more. `only` is which
    of them are refused, counted from 0; without it all are.
    """

    def __init__(self, command, answer="NO [UNAVAILABLE] not now", match=b"", only=None):
        self.command = command
        self.pattern = re.compile(rb"(\S+) " + command + rb"(?= |\r)[^\r]*" + match, re.I)
        self.answer = answer.encode()
        self.only = only
        self.seen = 0
        super().__init__()

    def begin(self):
        super().begin()
        self.tags = set()
        self.over = False

    def up_line(self, line):
        found = self.pattern.match(line)
        if not found:
            return None
        self.seen += 1
        if self.only is not None and self.seen - 1 not in self.only:
            return None
        self.tags.add(found[1])
        # Who says goodbye hangs up.
        stand_in = b"LOGOUT" if self.answer.startswith(b"BYE") else STAND_INS.get(self.command, b"NOOP")
        return found[1] + b" " + stand_in + b"\r\n"

    def down_line(self, line):
        tag = line.split(b" ", 1)[0]
        if self.over:
            return b""
        if self.answer.startswith(b"BYE"):
            self.over = bool(self.tags) and line.startswith(b"* BYE")
            return b"* " + self.answer + b"\r\n" if self.over else None
        return tag + b" " + self.answer + b"\r\n" if tag in self.tags else None


def refuse(proxy, command, answer="NO [UNAVAILABLE] not now", match=b"", only=None):
    """From now on the server refuses that command; returns what counts how often."""
    proxy.alter = Refusal(command, answer, match, only)
    return proxy.alter
