# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that no decent program writes: it comes through byte for byte, or is refused with a reason. FAULTS 30, 42, 43, 44."""
import json
import os
import random
import re

import pytest

from channel import contents
from corpus import Message
from local import files_of

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
HEAD = b"From: mallory@example.org\r\nMessage-ID: <%s@example.org>\r\n"


def head(name):
    return HEAD % name.encode()


# What an IMAP server takes; each body as on the wire.
ODD = {
    "nothing-but-line-end": b"\r\n",
    "one-byte": b"x",
    "no-header-end": head("no-end") + b"Subject: this is all",
    "no-line-end": b"Subject: x\r\n\r\nno end",
    "header-only-colon": b":\r\n:\r\n\r\n",
    "header-line-100k": head("long") + b"X-Long: " + b"y" * 100_000 + b"\r\n\r\nbody\r\n",
    "header-1mb": head("header-1mb") + b"X-Filler: %s\r\n" % (b"z" * 70) * 12_000 + b"\r\nbody\r\n",
    "received-100000": head("received") + b"Received: by a; now\r\n" * 100_000 + b"\r\nbody\r\n",
    "message-id-after-64k": b"X: %s\r\n" % (b"y" * 990) * 70 + head("late") + b"\r\nbody\r\n",
    "message-id-8k": b"Message-ID: <" + b"i" * 8192 + b"@x>\r\n\r\nbody\r\n",
    "message-id-many": b"".join(b"Message-ID: <%d@x>\r\n" % n for n in range(50)) + b"\r\nbody\r\n",
    "message-id-folded": b"Message-ID:\r\n\t\r\n <folded@x>\r\n\r\nbody\r\n",
    "forged-state": head("forged") + b"X-UID: 4294967295\r\nX-TUID: abcdefghijkl\r\nStatus: RO\r\nX-Status: D\r\n"
                    b"X-Keywords: \\Deleted $Forwarded\r\nX-IMAP: 1 1\r\nX-IMAPbase: 1 1\r\n"
                    b"Content-Length: 0\r\n\r\nbody\r\n",
    "8bit-garbage": bytes(byte for byte in range(128, 256)) * 40 + b"\r\n\r\n" + bytes(range(128, 256)) * 10 + b"\r\n",
    "escapes": b"Subject: \x1b]0;owned\x07\x1b[2J\x9b31m\r\n" + head("escape") + b"\r\n\x1b[31mred\x08\x08\r\n",
    "dots-and-from": head("dots") + b"\r\n.\r\n..\r\nFrom mallory Mon Jan  1\r\n>From x\r\n",
    "imap-in-body": head("imap") + b"\r\n* 1 EXPUNGE\r\nE5 OK done\r\n)\r\n{5}\r\n+ go\r\n* BYE\r\nA1 LOGOUT\r\n",
    "line-100k": head("line") + b"\r\n" + b"x" * 100_000 + b"\r\n",
    "line-ends-only": b"\r\n" * 5000,
    "mime-deep": head("deep") + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                                         for n in range(2000)),
}
# What does not survive the change of line ends: it is stored as it came, and sent as it is.
BARE = {
    "bare-feeds": head("feeds") + b"\r\none\ntwo\r\nthree\n\n",
    "bare-returns": head("returns") + b"\r\none\rtwo\r\r\nthree\r",
}


def messages(bodies):
    return [Message(body, "", 1_200_000_000 + number) for number, body in enumerate(bodies)]


def quiet(process):
    """FAULTS 44: nothing of a message reaches the terminal as it is."""
    assert not CONTROLS.search(process.err) and not CONTROLS.search(process.out)
    return process


@pytest.fixture
def fine_channel(make_channel, servers):
    """Dovecot's sdbox keeps every byte; its Maildir would mend bare line feeds."""
    return make_channel(server=servers(mail="sdbox"))


def test_odd_mail_comes_as_it_is(fine_channel):
    """FAULTS 30, 42."""
    mail = messages([*ODD.values(), *BARE.values()])
    fine_channel.remote.add("INBOX", *mail)
    quiet(fine_channel.sync())
    came = fine_channel.state()[("INBOX",)]
    assert len(came) == len(mail)
    # Dovecot itself makes a CRLF of each bare line feed that it is given.
    assert set(contents(*messages(ODD.values()))) <= set(came)
    before = fine_channel.disk()
    fine_channel.sync()
    fine_channel.sync()
    assert set(fine_channel.disk()) == set(before)


def test_odd_mail_goes_as_it_is(fine_channel):
    """FAULTS 30, 42: from files with bare line feeds, as mail programs write them."""
    mail = messages(ODD.values())
    fine_channel.local.create("INBOX")
    fine_channel.local.add("INBOX", *mail)
    quiet(fine_channel.sync())
    assert fine_channel.state()[("INBOX",)] == contents(*mail)


def test_random_bytes_come_and_go(fine_channel):
    """FAULTS 30: whatever the bytes. Of many more some would agree in size and Message-ID, and so be the same."""
    chance = random.Random(30)
    words = [b"\r\n", b"\n", b"\r", b"\x80\xff", b"Message-ID: <x@y>", b": ", b"x", b"\t", b"\x1b", b"{9}", b"\x7f",
             b"From "]
    made = [b"".join(chance.choices(words, k=chance.randrange(1, 60))) for _ in range(400)]
    mail = messages(dict.fromkeys(made))
    there, here = mail[::2], [one for one in mail[1::2] if b"\r" not in one.body.replace(b"\r\n", b"")
                              and b"\n" not in one.body.replace(b"\r\n", b"")]
    fine_channel.remote.add("INBOX", *there)
    fine_channel.local.create("INBOX")
    fine_channel.local.add("INBOX", *here)
    quiet(fine_channel.sync())
    digests = [digest for digest, _, _ in fine_channel.state()[("INBOX",)]]
    assert len(digests) == len(there) + len(here)
    assert {message.digest for message in here} <= set(digests)


@pytest.mark.parametrize("count", [2, 5])
def test_copies_stay_as_many_as_they_are(channel, count):
    """FAULTS 43: the same bytes, k times, on either side."""
    body = head("copy") + b"\r\nthe very same\r\n"
    there = here = [Message(body)] * count
    channel.remote.add("INBOX", *there)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*there)
    channel.local.create("Work")
    channel.local.add("Work", *here)
    for _ in range(2):
        channel.sync()
        assert channel.state() == {("INBOX",): contents(*there), ("Work",): contents(*here)}


def test_one_message_id_on_many(channel):
    """FAULTS 43: different messages that claim to be one."""
    there = messages(head("claimed") + b"\r\nthere %d\r\n" % n for n in range(10))
    here = messages(head("claimed") + b"\r\nhere %d\r\n" % n for n in range(10))
    channel.remote.add("INBOX", *there)
    channel.local.create("INBOX")
    channel.local.add("INBOX", *here)
    for _ in range(2):
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(*there, *here)


NASTY = ["esc\x1b[31mred", "bell\x07", "feed\nline", "csi\u009b2J", "rtl\u202egnp", "del\x7f"]


@pytest.mark.parametrize("command", ["sync -v", "plan -v", "status -v", "journal", "sync --json", "plan --json",
                                     "status --json", "journal --json", "explain", "explain --json"])
def test_names_of_files_and_mailboxes_are_harmless(channel, corpus, command):
    """FAULTS 44: whatever stands in the tree; and --json stays JSON."""
    mail = corpus.messages(len(NASTY) + 1, "plain", flags="")
    channel.local.create("INBOX")
    channel.local.add("INBOX", *mail)
    for path, name in zip(files_of(channel.local.directory("INBOX")), NASTY):
        os.rename(path, f"{os.path.dirname(path)}/{name}")
    channel.local.create("ok")
    for name in NASTY:
        os.makedirs(f"{channel.local_root}/{name}/cur")
    if not command.startswith(("sync", "plan")):
        quiet(channel.sync(status=None))
    words = command.split()
    target = ["test/INBOX"] if words[0] == "explain" else []
    process = quiet(channel.run(words[0], *words[1:], *target, status=None))
    assert process.returncode in (0, 1)
    if "--json" in words:
        lines = [json.loads(line) for line in process.out.splitlines()]
        assert lines and all("event" in line for line in lines)
