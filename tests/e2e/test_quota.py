# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 31: an account that is full, and messages that are too large for the server."""
import pytest

from channel import contents
from corpus import FIRST_DATE, Message

PART = 1
SETTINGS = """
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_rule = *:storage=1M
  quota_grace = 0
  quota_vsizes = yes
  quota_max_mail_size = 600k
}
"""


@pytest.fixture
def full(make_channel, servers):
    """A channel to an account with room for a megabyte."""
    return make_channel(server=servers(settings=SETTINGS))


def make(corpus, size, number=0):
    return Message(corpus.message("plain").body + corpus.attachment(size), "", FIRST_DATE + number)


def test_a_full_account(full, corpus):
    """What fits goes through, the other direction and flags go on; it goes on when there is room."""
    there = [make(corpus, 300_000, number) for number in range(2)]
    full.remote.add("INBOX", *there)
    full.sync()
    here = [make(corpus, 300_000, number) for number in range(5)]
    small = corpus.messages(3, "empty-body", flags="")
    full.local.add("INBOX", *here, *small)
    full.local.create("Other")
    full.local.add("Other", other := corpus.message("empty-body", flags=""))
    full.local.set_flags("INBOX", there[0], "F")
    full.remote.set_flags("INBOX", there[1], "S")
    said = full.sync(status=PART)
    assert "the account is full" in said.err and "INBOX" in said.err
    assert full.remote.state()[("Other",)] == contents(other)
    rows = full.remote.state()[("INBOX",)]
    assert {message.state for message in small} <= set(rows)
    assert there[0].with_flags("F").state in rows and there[1].with_flags("S").state in rows
    assert len(full.local.state()[("INBOX",)]) == 10, "nothing goes here for that"
    assert "refused" not in full.run("status").out, "it is tried again, not put aside"
    # The user makes room here: the deletion is not held back, and the rest follows.
    full.local.remove("INBOX", *there, *here[2:])
    full.sync(status=None)
    full.sync()
    assert full.state()[("INBOX",)] == contents(*here[:2], *small)


def test_no_more_is_sent_than_finds_out(full, make_proxy, corpus):
    """One refusal tells for all that are as large."""
    messages = [make(corpus, 500_000, number) for number in range(12)]
    full.sync()
    line = make_proxy(full.server.imap_port)
    full.use_plain(line.port)
    full.keys["connections"] = 1
    full.keys["compress"] = "no"
    full.local.add("INBOX", *messages)
    assert full.sync(status=PART).err.count("the account is full") == 1
    assert len(full.remote.state()[("INBOX",)]) == 1 or len(full.remote.state()[("INBOX",)]) == 2
    # What is on its way when the first answer comes is on its way.
    most = line.total("up")
    line.reset_counts()
    full.sync(status=PART)
    assert line.total("up") <= most


def test_a_message_that_is_too_large(full, corpus):
    """It is named with the server's reason, and the rest goes through."""
    full.sync()
    full.local.create("Other")
    full.local.add("Other", gone := corpus.message("plain", flags=""))
    full.sync()
    full.local.add("INBOX", big := make(corpus, 900_000), small := corpus.message("plain", flags=""))
    for arguments in ([], ["--retry-refused"]):
        said = full.sync(*arguments, status=PART).err
        assert "refused to take a message" in said and "next run" not in said
        assert full.remote.state()[("INBOX",)] == contents(small)
    # It is put aside, with its reason, and keeps nothing else back.
    full.local.remove("Other", gone)
    assert "refused by the other side before" in full.sync(status=PART).err
    assert full.remote.state()[("Other",)] == [] and "1 refused" in full.run("status").out
    full.local.remove("INBOX", big)
    full.sync()
    assert full.state()[("INBOX",)] == contents(small)
