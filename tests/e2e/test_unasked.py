# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 21, 22, 38: bodies that do not come, deletions that are told and did not happen, answers nobody asked for."""
import itertools
import re

import pytest

from answers import Lines
from dovecot import Dovecot
from figures import note_figure
from scene import Scene, build_messages, filled, small

OFFERS = {"all": "IMAP4rev1 LITERAL+ ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS", "none": "IMAP4rev1"}
# Before the end of each command; none of it is true.
UNTRUE = {
    "EXPUNGE": b"* 1 EXPUNGE\r\n",
    "a flood of EXPUNGE": b"* 1 EXPUNGE\r\n" * 200,
    "EXPUNGE of none": b"* 0 EXPUNGE\r\n",
    "EXPUNGE out of range": b"* 4294967295 EXPUNGE\r\n",
    "VANISHED": b"* VANISHED 1:3\r\n",
    "VANISHED of all there can be": b"* VANISHED 1:4294967295\r\n",
    "VANISHED EARLIER": b"* VANISHED (EARLIER) 1:4294967295\r\n",
    "EXISTS falls": b"* 0 EXISTS\r\n",
    "EXISTS grows": b"* 4000 EXISTS\r\n",
    "FETCH of an unknown UID": b"* 1 FETCH (UID 4000 FLAGS (\\Deleted \\Seen))\r\n",
    "FETCH without a UID": b"* 1 FETCH (FLAGS (\\Deleted))\r\n",
    "a body of an unknown UID": b"* 1 FETCH (UID 4000 RFC822.SIZE 5 BODY[] {5}\r\nevil!)\r\n",
    "SEARCH": b"* SEARCH 1 2 3 4 5 6 7 8\r\n",
    "ESEARCH": b"* ESEARCH (TAG \"E1\") UID ALL 1:9\r\n",
    "LIST": b"* LIST () \"/\" Evil\r\n",
    "NO and BAD": b"* NO so so\r\n* BAD so so\r\n",
    "codes": b"* OK [ALERT] hear\r\n* OK [COPYUID 1 1:3 4:6] so\r\n* OK [APPENDUID 1 9] so\r\n* OK [READ-ONLY] so\r\n",
    "what is unknown": b"* XYZZY (a {3}\r\nE2  NIL \"x\")\r\n* 7 XYZZY\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
    "FLAGS": b"* FLAGS ()\r\n",
    "another's tag": b"E4000 OK done\r\n",
    "another's tag in a literal": b"* 1 FETCH (UID 4000 BODY[] {12}\r\nE3 OK done\r\n)\r\n",
}
# As a server says that was restored from a backup: matched anew, and nothing is deleted for it on either side.
RESTORED = {
    "another UIDVALIDITY": b"* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1 HIGHESTMODSEQ 1)\r\n",
    "a UIDNEXT that goes back again": b"* OK [UIDNEXT 4000] so\r\n",
}
BODY = re.compile(rb"\* \d+ FETCH \((UID \d+ RFC822\.SIZE \d+) BODY\[\] \{\d+\}\r\n")
COURIER = (b"From: System Administrator <postmaster@example.org>\r\nSubject: message unavailable\r\n\r\n"
           b"This message is no longer available.\r\n")
BODIES = {"NIL": b"NIL", "empty": b'""', "an empty literal": b"{0}\r\n", "Courier's excuse": b"{%d}\r\n" % len(COURIER) + COURIER,
          "left out": None}


@pytest.fixture(scope="module", params=OFFERS)
def scene(request, programs, scratch):
    with Dovecot(f"{scratch}/{request.param}", capability=OFFERS[request.param]) as server:
        made = Scene(programs, server, f"{scratch}/channel-{request.param}", "unasked")
        yield made
        made.close()


@pytest.fixture(autouse=True)
def as_it_was(scene):
    scene.tree.put_back()
    yield
    scene.relay.alter = None


class Untrue(Lines):
    """Puts words before the tagged answers of the store's commands."""

    def __init__(self, words):
        super().__init__()
        self.words = words
        self.times = 0

    def down_line(self, line):
        if not re.match(rb"E\d+ ", line):
            return None
        self.times += 1
        return self.words + line


def messages_of(state):
    return set(itertools.chain.from_iterable(([one[0] for one in found] for found in state.values())))


@pytest.mark.parametrize("what", UNTRUE)
def test_what_is_told_and_not_so(scene, what):
    """Nothing is deleted for it, nothing stored, nothing doubled; and the next run ends as any other."""
    scene.relay.alter = untrue = Untrue(UNTRUE[what])
    status, said = scene.suffer()
    scene.relay.alter = None
    assert untrue.times and status in (0, 1, 69), (status, said)
    wanted = messages_of(scene.wanted)
    assert messages_of(scene.channel.local.state()) | messages_of(scene.remote.state()) >= wanted
    scene.assert_heals()
    note_figure("lies", untrue.times, "untrue or unasked answers")


@pytest.mark.parametrize("what", RESTORED)
def test_what_looks_like_a_restored_server(scene, what):
    """FAULTS 22: it costs deletions that nobody knows of any more, but no message and no copy."""
    scene.relay.alter = Untrue(RESTORED[what])
    assert scene.suffer()[0] == 0
    scene.relay.alter = None
    for _ in range(2):
        assert scene.run()[0] == 0
        state = filled(scene.remote.state())
        assert scene.channel.local.state() == state
        assert messages_of(state) >= messages_of(scene.wanted)
        for found in state.values():
            assert len(found) == len({one[0] for one in found}), "none is doubled"


class Bodies(Lines):
    """Another body in the place of each, or none."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def down_line(self, line):
        found = BODY.match(line)
        if not found:
            return None
        rest = b")" if self.body is None else b" BODY[] " + self.body + b")"
        return b"* 1 FETCH (" + found[1] + rest + b"\r\n"


@pytest.mark.parametrize("what", BODIES)
def test_no_body_comes(scene, what):
    """FAULTS 21: what stands in its place is no message; the next run asks again."""
    before = messages_of(scene.channel.local.state())
    scene.relay.alter = Bodies(BODIES[what])
    status, said = scene.suffer()
    scene.relay.alter = None
    assert status == 1 and "does not give its content" in said, (status, said)
    local = messages_of(scene.channel.local.state())
    assert local <= messages_of(scene.wanted) | before, "nothing is stored that is none"
    assert not local & {small(number).digest for number in (103, 104)}
    scene.assert_heals()


class Expunge(Lines):
    """As the content of messages is asked for, another client deletes one of them."""

    def __init__(self, scene):
        super().__init__()
        self.scene = scene
        self.done = False

    def up_line(self, line):
        if not self.done and b"BODY.PEEK[]" in line:
            self.done = True
            self.scene.channel.use_plain()
            self.scene.channel.remote.remove("INBOX", small(103, "S"))
            self.scene.channel.close()
            self.scene.channel.use_plain(self.scene.relay.port)
        return None


def test_it_vanishes_between_list_and_body(scene):
    """FAULTS 21: it is gone, and nothing comes in its place."""
    scene.relay.alter = race = Expunge(scene)
    status, said = scene.suffer()
    scene.relay.alter = None
    assert race.done and status in (0, 1), (status, said)
    wanted = dict(scene.wanted)
    wanted["INBOX",] = [one for one in wanted["INBOX",] if one[0] != small(103).digest]
    for _ in range(2):
        assert scene.run() == (0, "")
        assert scene.channel.local.state() == wanted == filled(scene.remote.state())
