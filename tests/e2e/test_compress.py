# SPDX-License-Identifier: GPL-3.0-or-later
"""A compressed line: the same end with fewer bytes, and healed like any other where it is cut."""
import json
import random

import pytest

from channel import contents
from corpus import Message, crlf

CUTS = 12
# A line that auto takes for a slow one, and bodies enough that it can still make a difference.
DELAY = 0.02
RATE = 2e6
MANY = 300
TRIES = 10


@pytest.fixture
def deflating(servers, make_channel, make_proxy):
    """deflating(compress, ...) makes a channel to a server that compresses, and the line to it."""
    def make(compress, user=None, **options):
        server = servers(deflate=True)
        channel = make_channel(server=server, user=user)
        proxy = make_proxy(server.imap_port, record=True, **options)
        channel.use_plain(proxy.port)
        if compress:
            channel.keys["compress"] = compress
        return channel, proxy

    return make


def moved(proxy):
    return proxy.total("up") + proxy.total("down")


def test_pull_and_push(deflating, corpus):
    """Mail of words shrinks to a third and less, both ways; a run with nothing to do still works."""
    mail, here = corpus.messages(60, "plain"), corpus.messages(60, "plain")
    bytes_moved = {}
    for compress in ("no", "yes"):
        channel, proxy = deflating(compress)
        channel.remote.add("INBOX", *mail)
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(*mail)
        pulled = proxy.total("down")
        channel.local.add("INBOX", *here)
        proxy.reset_counts()
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(*mail, *here)
        bytes_moved[compress] = (pulled, proxy.total("up"))
        assert (b"COMPRESS DEFLATE" in proxy.said("up")) == (compress == "yes")
        channel.sync()  # one more: directories may still be too young to be believed
        before = channel.disk()
        channel.sync()
        assert channel.disk() == before
    for plain, compressed in zip(bytes_moved["no"], bytes_moved["yes"]):
        assert compressed * 3 < plain, bytes_moved


def test_all_kinds_of_mail(deflating, corpus):
    """What cannot be compressed, what is larger than every buffer, what looks like IMAP."""
    there = corpus.messages(40) + corpus.messages(3, "large") + corpus.messages(3, "imap-like")
    here = corpus.messages(40) + corpus.messages(3, "large") + corpus.messages(3, "imap-like")
    channel, _ = deflating("yes")
    channel.remote.add("INBOX", *there)
    channel.local.fill({"Work/2024": here})
    channel.sync()
    state = channel.state()
    assert state[("INBOX",)] == contents(*there) and state[("Work", "2024")] == contents(*here)
    for number, message in enumerate(there[:10]):
        channel.side(("local", "remote")[number % 2]).set_flags("INBOX", message, "FS")
    channel.local.remove("INBOX", *there[10:13])
    channel.remote.remove("INBOX", *there[13:16])
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(
        *[message.with_flags("FS") for message in there[:10]], *there[16:])


def test_over_tls(deflating, corpus):
    mail = corpus.messages(10)
    channel, _ = deflating("yes")
    channel.remote_keys.update({"tls": "implicit", "port": channel.server.imaps_port,
                                "ca-file": channel.server.ca_file})
    channel.remote.add("INBOX", *mail)
    said = channel.sync("-vv").err
    assert channel.state()[("INBOX",)] == contents(*mail)
    # The log shows what was said, not what it was packed into.
    after = said[said.index("COMPRESS DEFLATE"):]
    assert "UID FETCH" in after and "S: * 1 FETCH" in after


@pytest.mark.parametrize("direction", ["up", "down"])
def test_line_cut_at_any_byte(deflating, corpus, direction):
    there, here = corpus.messages(12), corpus.messages(12)
    channel, proxy = deflating("yes")
    channel.remote.add("INBOX", *there)
    channel.local.fill({"INBOX": here})
    chance = random.Random(direction)
    for _ in range(CUTS):
        setattr(proxy, f"cut_{direction}", int(chance.lognormvariate(7.5, 1.2)))
        status = channel.sync(status=None).returncode
        assert status in (0, 1, 69), status
    setattr(proxy, f"cut_{direction}", None)
    for _ in range(2):
        channel.sync()
        assert channel.state()[("INBOX",)] == contents(*there, *here)
    assert not channel.local.litter()


def test_a_damaged_stream_heals(deflating, corpus):
    """What cannot be unpacked ends the run; the next makes all even."""
    mail = corpus.messages(30, "plain")
    channel, proxy = deflating("yes")
    channel.remote.add("INBOX", *mail)
    agreed = False

    def alter(direction, data):
        nonlocal agreed
        if direction == "down" and agreed:
            return b"\xff" + data  # no stream begins so
        agreed = agreed or b"OK Begin compression" in data
        return data

    proxy.alter = alter
    assert "compressed stream is damaged" in channel.sync(status=69).err
    proxy.alter = None
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*mail)


def test_auto_leaves_a_run_with_little_to_do_alone(deflating, corpus):
    channel, proxy = deflating(None, delay=DELAY)
    mail = corpus.messages(3, "plain")
    channel.remote.add("INBOX", *mail)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*mail)
    assert b"COMPRESS" not in proxy.said("up")


def test_auto_compresses_many_changes(deflating, corpus):
    """Flags changed on a thousand messages are rows and no mail: not worth 40 KB.

    On a busy machine a round trip may take longer than those rows do: then the next change is looked at.
    """
    channel, proxy = deflating("auto")
    mail = corpus.messages(1000, "empty-body", flags="")
    channel.remote.add("INBOX", *mail)
    channel.sync()
    for flags in ["F", ""] * TRIES:
        channel.local.set_all_flags("INBOX", flags)
        proxy.reset_counts()
        channel.sync()
        assert len(channel.state()[("INBOX",)]) == 1000
        if b"COMPRESS DEFLATE" in proxy.said("up"):
            break
    assert b"COMPRESS DEFLATE" in proxy.said("up")
    assert moved(proxy) < 16_000, moved(proxy)


def test_auto_compresses_a_slow_line(deflating, corpus):
    """Once it has shown to be slow, in the middle of the first pull."""
    text = crlf(corpus.text(20_000))
    mail = [Message(one.body + text, one.flags, one.date) for one in corpus.messages(MANY, "plain")]
    weight = sum(len(one.body) for one in mail)
    channel, proxy = deflating("auto", delay=DELAY, rate=RATE)
    channel.remote.add("INBOX", *mail)
    channel.sync()
    assert channel.state()[("INBOX",)] == contents(*mail)
    assert b"COMPRESS DEFLATE" in proxy.said("up")
    assert proxy.total("down") < weight * 0.8, (proxy.total("down"), weight)


@pytest.mark.parametrize("compress,offered,used", [
    ("yes", True, "DEFLATE"), ("auto", True, "auto"), ("no", True, "none"), ("yes", False, "none")])
def test_check_says_so(deflating, make_channel, compress, offered, used):
    channel = deflating(compress)[0] if offered else make_channel()
    channel.keys["compress"] = compress
    (line,) = channel.run("check", "--json").out.splitlines()[:1]
    assert json.loads(line)["ways"]["compress"] == used
    assert f"compress    {used}: " in channel.run("check").out
