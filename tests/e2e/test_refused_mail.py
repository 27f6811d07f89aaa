# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 31: messages that the server will not take are put aside with the reason, and the rest goes through (M9)."""
import os
import re

import pytest

from answers import Refusal
from channel import Channel, contents
from corpus import Message
from hostile import Hostile

LIMIT = 3000
OFFER = "IMAP4rev1 LITERAL+ UIDPLUS MOVE APPENDLIMIT={}"


@pytest.fixture
def limited(make_channel, servers, make_proxy, corpus):
    """A server that tells a limit, which limited.tell(limit) makes another; and mail of which one message is larger."""
    server = servers(capability=OFFER.format(LIMIT))
    line = make_proxy(server.imap_port, record=True)
    channel = make_channel(server=server)
    channel.use_plain(line.port)
    channel.line = line

    def tell(limit):
        there = f" APPENDLIMIT={limit}".encode() if limit else b""
        line.alter = lambda way, data: data.replace(f" APPENDLIMIT={LIMIT}".encode(), there) if way == "down" else data

    channel.tell = tell
    channel.small = corpus.messages(3, "empty-body")
    channel.large = Message(corpus.message("empty-body").body.ljust(LIMIT + 498, b"x") + b"\r\n")
    channel.local.fill({"INBOX": [*channel.small, channel.large]})
    return channel


def sends(channel):
    return len(re.findall(rb"(?m)^\S+ APPEND ", channel.line.said("up")))


def test_a_message_above_the_limit_is_never_sent(limited):
    limited.remote.add("INBOX", there := Message(b"Subject: there\r\n\r\n"))
    said = limited.sync(status=1).err
    assert "INBOX: the message is too large for the server: it has 3.5 kB, the server takes up to 3.0 kB" in said
    assert sends(limited) == len(limited.small)
    assert limited.remote.state()[("INBOX",)] == contents(*limited.small, there)
    assert limited.local.state()[("INBOX",)] == contents(*limited.small, there, limited.large)


def test_it_is_listed_and_holds_nothing_back(limited):
    limited.sync(status=1)
    assert "1 refused" in limited.run("status").out
    assert "too large for the server" in limited.run("status", "-v").out
    limited.local.remove("INBOX", limited.small[0])
    limited.line.reset_counts()
    said = limited.sync(status=1).err
    assert said.count("\n") == 1 and "1 message was refused by the other side before" in said
    assert limited.remote.state()[("INBOX",)] == contents(*limited.small[1:]), "deletions go through"
    assert sends(limited) == 0
    assert limited.summary(status=1)["uneven"] == 1, "although nothing changed"


@pytest.mark.parametrize("limit", [10 * LIMIT, 0], ids=["raised", "told no more"])
def test_it_is_tried_again_when_the_limit_is_another(limited, limit):
    """Although nothing else has changed; and with a limit that is still too low it is not."""
    limited.sync(status=1)
    limited.tell(LIMIT + 1)
    limited.line.reset_counts()
    limited.sync(status=1)
    assert sends(limited) == 0
    limited.tell(limit)
    limited.sync()
    assert limited.state()[("INBOX",)] == contents(*limited.small, limited.large)
    assert "refused" not in limited.run("status").out
    limited.sync()


@pytest.fixture
def refused(channel, plain_line, corpus):
    """TOOBIG, as of a server that tells no limit: three messages at once, and then the second of them."""
    channel.mail = corpus.messages(3, "plain")
    channel.local.fill({"INBOX": channel.mail})
    plain_line.alter = channel.refusal = Refusal(b"APPEND", "NO [TOOBIG] so it says", only={0, 2})
    assert "so it says" in channel.sync(status=1).err
    plain_line.alter = None
    channel.held = {digest for digest, _, _ in channel.remote.state()[("INBOX",)]}
    channel.bad, = (message for message in channel.mail if message.digest not in channel.held)
    plain_line.reset_counts()
    return channel


def test_nothing_but_a_change_tries_it_again(refused, plain_line, corpus):
    for _ in range(2):
        refused.sync(status=1)
    refused.local.add("INBOX", new := corpus.message("plain"))
    refused.local.set_flags("INBOX", refused.bad, "F")
    refused.sync(status=1)
    assert plain_line.said("up").count(b" APPEND ") == 1
    assert len(refused.held) == 2 and new.digest in {row[1] for row in refused.remote.rows("INBOX")}


@pytest.mark.parametrize("name_kept", [False, True], ids=["another file", "the same name"])
def test_a_file_that_changed_is_tried_again(refused, corpus, name_kept):
    """As where an attachment was taken out of it."""
    path, = refused.local.paths("INBOX", refused.bad)
    lighter = corpus.message("empty-body", flags=refused.bad.flags)
    os.unlink(path)
    refused.local.add("INBOX", lighter)
    if name_kept:
        os.rename(*refused.local.paths("INBOX", lighter), path)
    refused.sync()
    assert refused.state()[("INBOX",)] == contents(*(one for one in refused.mail if one is not refused.bad), lighter)
    assert "refused" not in refused.run("status").out


def test_a_file_that_is_gone_is_no_matter_any_more(refused):
    refused.local.remove("INBOX", refused.bad)
    refused.sync()
    assert "refused" not in refused.run("status").out


def put(channel, body):
    """A file in INBOX with just these bytes."""
    channel.local.create("INBOX")
    path = f"{channel.local.directory('INBOX')}/new/1200000000.M1P1.odd"
    with open(path, "wb") as file:
        file.write(body)
    return path


@pytest.mark.parametrize("body", [b"Subject: nul\n\na\0b\n", b"Subject: \0\n\nbody\n", b"\0"],
                         ids=["in the body", "in the header", "alone"])
def test_nul_is_never_sent(channel, plain_line, corpus, body):
    """FAULTS 30: no literal may hold one; the rest goes through, and only the file's change has it tried again."""
    path = put(channel, body)
    channel.local.add("INBOX", other := corpus.message("plain", flags=""))
    said = channel.sync(status=1).err
    assert said.count("\n") == 1 and "INBOX: the message holds a NUL byte, which IMAP cannot carry" in said
    assert plain_line.said("up").count(b" APPEND ") == 1
    assert channel.remote.state()[("INBOX",)] == contents(other)
    with open(path, "rb") as file:
        assert file.read() == body
    assert "1 refused" in channel.run("status").out
    assert re.search("refused: local 1200000000.M1P1.odd, .*: .*holds a NUL byte", channel.run("status", "-v").out)

    plain_line.reset_counts()
    new = path.replace("/new/", "/cur/") + ":2,F"
    os.rename(path, new)
    said = channel.sync(status=1).err
    assert said.count("\n") == 1 and "1 message was refused by the other side before" in said
    assert b" APPEND " not in plain_line.said("up")

    mended = put(channel, b"Subject: mended\n\nbody\n")
    os.utime(mended, (1_200_000_000, 1_200_000_000))
    os.rename(mended, new)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(
        other, Message(b"Subject: mended\r\n\r\nbody\r\n", "F", 1_200_000_000))
    assert "refused" not in channel.run("status").out


def test_a_file_of_no_bytes(channel, corpus):
    """Dovecot takes none."""
    path = put(channel, b"")
    channel.local.add("INBOX", other := corpus.message("plain", flags=""))
    assert "the server refused to take a message: NO Can't save a zero byte message" in channel.sync(status=1).err
    assert "refused: local 1200000000.M1P1.odd, 0 B" in channel.run("status", "-v").out
    assert channel.remote.state()[("INBOX",)] == contents(other)
    os.unlink(path)
    channel.sync()
    assert "refused" not in channel.run("status").out


BARE = {"line feeds": b"Subject: x\n\none\ntwo\n", "both kinds": b"Subject: x\r\n\r\none\ntwo\r\n",
        "a return": b"Subject: x\r\n\r\none\rtwo\r\n", "a return among line feeds": b"Subject: x\n\none\rtwo\n",
        "a return at the end": b"Subject: x\r\n\r\none\r", "CR CR LF": b"Subject: x\r\n\r\none\r\r\ntwo\r\n"}

@pytest.fixture
def exact(evenmail, tmp_path):
    """A server that keeps each byte; Dovecot makes CR LF of what is bare."""
    with Hostile() as server:
        server.ca_file, server.imaps_port = "", 0
        channel = Channel(evenmail, server, "alice", tmp_path)
        channel.use_plain(server.imap_port)
        channel.keys["compress"] = "no"
        yield channel


@pytest.mark.parametrize("name", BARE)
def test_bare_line_ends_go_through(exact, name):
    """FAULTS 30: in a file a line feed alone stands for CR LF; what the server has comes as it is, and so does a CR."""
    path = put(exact, BARE[name])
    inbox = exact.server.create("INBOX")
    there = inbox.add(BARE[name].replace(b"Subject: x", b"Subject: y"))
    exact.sync()
    sent, = (message for message in inbox.messages if message is not there)
    assert sent.body == re.sub(rb"(?<!\r)\n", rb"\r\n", BARE[name])
    with open(path, "rb") as file:
        assert file.read() == BARE[name]
    names = {name for name in os.listdir(os.path.dirname(path)) if name != os.path.basename(path)}
    with open(f"{os.path.dirname(path)}/{names.pop()}", "rb") as file:
        came = file.read()
    assert not names and came in (there.body, there.body.replace(b"\r\n", b"\n"))
    exact.sync()
    assert inbox.messages == [there, sent]
    exact.run("verify", "--deep")


@pytest.fixture
def full(servers, make_channel, corpus):
    """An account with room for some of its messages only."""
    server = servers(settings="mail_plugins = $mail_plugins quota\nplugin {\n  quota = maildir:User quota\n"
                              "  quota_rule = *:storage=40K\n  quota_grace = 0\n}\n")
    channel = make_channel(server=server)
    channel.mail = [Message(corpus.message("empty-body").body + b"x" * 70 + b"\r\n" + b"y" * 9000 + b"\r\n")
                    for _ in range(8)]
    channel.local.fill({"INBOX": channel.mail})
    return channel


def test_an_account_that_is_full(full):
    """Quota is no message's fault: nothing is put aside, and all goes through once there is room."""
    for _ in range(2):
        said = full.sync(status=1).err
        assert "the account is full: make room on the server" in said and said.count("\n") == 1
    assert "refused" not in full.run("status").out
    held = full.remote.state()[("INBOX",)]
    assert 0 < len(held) < len(full.mail)
    assert full.local.state()[("INBOX",)] == contents(*full.mail), "nothing is lost"
    gone = [message for message in full.mail if message.state in held]
    full.remote.remove("INBOX", *gone)
    full.sync(status=None)
    full.sync()
    assert full.state()[("INBOX",)] == contents(*(message for message in full.mail if message not in gone))
