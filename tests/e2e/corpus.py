# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages such as mailboxes hold, from a seed: the same seed makes the same mail."""
import base64
import hashlib
import random
from dataclasses import dataclass

FLAGS = "DFPRST"
MEDIAN_BYTES = 4000  # log-normal with this spread averages some 15 KB
SPREAD = 1.6
MOST_BYTES = 400_000
FIRST_DATE = 1_000_000_000
LAST_DATE = 1_700_000_000

WORDS = ("even mail server folder letter answer Monday invoice plan travel photo list build "
         "release garden train music weather report kitchen bicycle winter").split()


@dataclass(frozen=True)
class Message:
    """A message as on the wire (CRLF), its flags as Maildir letters, its date in seconds."""
    body: bytes
    flags: str = ""
    date: int = FIRST_DATE

    @property
    def digest(self):
        return hashlib.sha256(self.body).hexdigest()

    @property
    def state(self):
        return (self.digest, self.flags, self.date)

    def with_flags(self, flags):
        return Message(self.body, "".join(sorted(flags)), self.date)


def crlf(text):
    return text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


class Corpus:
    """Makes messages; each is unlike all others of the same corpus unless a kind says otherwise."""

    def __init__(self, seed, median=MEDIAN_BYTES):
        self.median = median
        self.random = random.Random(seed)
        self.seed = seed
        self.made = 0
        self.noise = base64.encodebytes(self.random.randbytes(300_000)).replace(b"\n", b"\r\n")

    def message(self, kind=None, flags=None):
        """One message of that kind, or of a kind drawn by how common it is."""
        self.made += 1
        kind = kind or self.random.choices(list(KINDS), [KINDS[name][0] for name in KINDS])[0]
        body = KINDS[kind][1](self)
        if flags is None:
            flags = "".join(flag for flag in FLAGS if flag != "T" and self.random.random() < 0.25)
        return Message(body, flags, self.random.randrange(FIRST_DATE, LAST_DATE))

    def messages(self, count, kind=None, flags=None):
        return [self.message(kind, flags) for _ in range(count)]

    def text(self, size):
        lines = []
        while size > 0:
            lines.append(" ".join(self.random.choices(WORDS, k=10)))
            size -= len(lines[-1]) + 2
        return "\n".join(lines) + "\n"

    def size(self):
        return min(int(self.random.lognormvariate(0, SPREAD) * self.median), MOST_BYTES)

    def attachment(self, size):
        """Base64 lines; from a pool, for speed, at a place that tells the messages apart."""
        start = self.random.randrange(1000) * 78
        pool = self.noise[start:]
        return (pool * (size // len(pool) + 1))[:size // 78 * 78 + 78]

    def header(self, extra="", message_id=True):
        number = f"{self.made}.{self.seed}"
        identity = f"Message-ID: <{number}@example.org>\n" if message_id else ""
        return (f"Return-Path: <alice@example.org>\nReceived: from relay.example.org by mx.example.net;\n"
                f"\tMon, 01 Jan 2024 10:00:00 +0000\nFrom: Alice <alice@example.org>\n"
                f"To: Bob <bob@example.net>\nSubject: {' '.join(self.random.choices(WORDS, k=4))} {number}\n"
                f"Date: Mon, 01 Jan 2024 10:00:00 +0000\n{identity}{extra}\n")

    def plain(self):
        return crlf(self.header() + self.text(min(self.size(), 20_000)))

    def multipart(self):
        edge = f"edge{self.made}"
        top = self.header(f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{edge}"\n')
        part = "--{}\nContent-Type: {}\n\n"
        return (crlf(top + part.format(edge, "text/plain") + self.text(500)
                     + part.format(edge, "application/octet-stream\nContent-Transfer-Encoding: base64"))
                + self.attachment(self.size()) + crlf(f"--{edge}--\n"))

    def eight_bit(self):
        return crlf(self.header("Content-Type: text/plain; charset=utf-8\n"
                                "Content-Transfer-Encoding: 8bit\n") + "Grüße aus Köln, žluťoučký kůň, 日本語\n" * 20
                    + "\udcff\udcfe no UTF-8\n")

    def long_lines(self):
        return crlf(self.header() + "x" * self.random.randrange(1000, 90_000) + "\n" + "end\n")

    def no_message_id(self):
        return crlf(self.header(message_id=False) + self.text(300))

    def same_message_id(self):
        return crlf(self.header("Message-ID: <always.the.same@example.org>\n", False) + self.text(300))

    def empty_body(self):
        return crlf(self.header())

    def no_header(self):
        return crlf(f"\nno header at all, message {self.made} of {self.seed}\n")

    def no_final_newline(self):
        return crlf(self.header() + "the last line does not end")

    def large(self):
        return crlf(self.header("Content-Transfer-Encoding: base64\n")) + self.attachment(
            self.random.randrange(61_000, 200_000))

    def imap_like(self):
        """Content that a careless reader of the protocol takes for an answer."""
        return crlf(self.header() + "* 1 EXPUNGE\n)\nA1 OK done\n* BYE\n+ go on\n{5}\n}\n.\n..\nFrom here\n>From\n")

    def copy(self):
        return crlf("From: list@example.org\nMessage-ID: <a.copy@example.org>\n\nthe very same message\n")


# How common each kind is, and what makes it.
KINDS = {
    "plain": (40, Corpus.plain),
    "multipart": (34, Corpus.multipart),
    "eight-bit": (6, Corpus.eight_bit),
    "long-lines": (3, Corpus.long_lines),
    "no-message-id": (3, Corpus.no_message_id),
    "same-message-id": (3, Corpus.same_message_id),
    "empty-body": (2, Corpus.empty_body),
    "no-header": (2, Corpus.no_header),
    "no-final-newline": (2, Corpus.no_final_newline),
    "large": (2, Corpus.large),
    "imap-like": (2, Corpus.imap_like),
    # Drawn never, only asked for: which of two copies is whose, nobody can say.
    "copy": (0, Corpus.copy),
}
