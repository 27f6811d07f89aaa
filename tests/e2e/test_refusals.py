# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 20: NO, BAD and BYE to each command in turn, with each response code: what becomes of it, as a table.

Whatever the server says, the run ends, says what was refused and in whose words, loses and doubles nothing, and
the run after it makes all even.
"""
import itertools
import pathlib
import re
from typing import NamedTuple

import pytest

from answers import Refusal
from dovecot import Dovecot
from figures import is_soak, note_figure
from scene import Scene, build_mailboxes, build_messages, filled

WORDS = "so it says"
CODES = ("OVERQUOTA", "TRYCREATE", "LIMIT", "UNAVAILABLE", "EXPUNGEISSUED", "INUSE", "NOPERM", "SERVERBUG", "CLIENTBUG",
         "ALREADYEXISTS", "NONEXISTENT", "CANNOT", "TOOBIG", "XUNKNOWN 7")
REPLIES = (f"NO {WORDS}", *(f"NO [{code}] {WORDS}" for code in CODES), f"BAD {WORDS}", f"BYE {WORDS}",
           f"BYE [UNAVAILABLE] {WORDS}")
# Where another command leads to the same end, nobody reads the code.
PLAIN_REPLIES = tuple(reply for reply in REPLIES if "[" not in reply)

# What becomes of it:
TOLD = "told"      # exit status 1, the mailbox is named, the next run tries again
ASIDE = "aside"    # exit status 1, the message is put aside with the reason, and tried again when that is asked
AROUND = "around"  # exit status 0, nothing is said: another command led to the same end
MISSED = "missed"  # exit status 0, nothing is said: the next run asks for what did not come
NOTED = "noted"    # exit status 0, and it is said: no mail depends on it
LATER = "later"    # exit status 69: there is no way in now
SHUT = "shut"      # exit status 77: there is no way in

# What would be refused whatever message it was, and so is no message's fault.
PASSING = dict.fromkeys(("LIMIT", "UNAVAILABLE", "INUSE", "SERVERBUG"), TOLD)
FOR_ALL = dict.fromkeys(("OVERQUOTA", "TRYCREATE", "NONEXISTENT", "NOPERM"), TOLD)
# Who greets as Dovecot means the size of the message by it.
DOVECOT = {"LIMIT": ASIDE}

# A login that passes by itself.
NOT_NOW = dict.fromkeys(("LIMIT", "UNAVAILABLE", "INUSE", "SERVERBUG"), LATER)


class Server(NamedTuple):
    """What it offers, how it is come to, what of its words is not heard."""

    name: str
    capability: str
    tls: str = "none"
    compress: str = "no"
    unheard: bytes = b""
    passing: int = 0  # so many of the command are let through


OFFER = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS NAMESPACE"
FULL = Server("full", OFFER)
PLAIN = Server("plain", "IMAP4rev1")
UNSELECTS = Server("unselects", OFFER + " UNSELECT")
COMPRESSES = Server("compresses", OFFER + " COMPRESS=DEFLATE", compress="yes")
SECURE = Server("secure", OFFER, tls="starttls")
NAMELESS = Server("nameless", OFFER + " ID", unheard=b"Dovecot")
SHY = Server("shy", OFFER, unheard=rb"AUTH=\S+")
# libcurl asks before the login.
ASKED_AGAIN = Server("asked again", OFFER, unheard=rb"CAPABILITY(?= IMAP4rev1 LITERAL)", passing=1)
MESSAGES, MAILBOXES = build_messages, build_mailboxes


def subscribed(channel):
    """Subscriptions follow."""
    channel.keys["subscriptions"] = "yes"
    return build_mailboxes(channel)


# (server, what there is to do, the command, bytes that it holds): (what becomes of it, but by code)
TABLE = {
    (FULL, MESSAGES, "CAPABILITY", ""): (SHUT, NOT_NOW),
    (SECURE, MESSAGES, "CAPABILITY", ""): (SHUT, {}),
    (ASKED_AGAIN, MESSAGES, "CAPABILITY", ""): (AROUND, {}),
    (SECURE, MESSAGES, "STARTTLS", ""): (SHUT, {}),
    (FULL, MESSAGES, "AUTHENTICATE", ""): (SHUT, NOT_NOW),
    (SHY, MESSAGES, "LOGIN", ""): (SHUT, NOT_NOW),
    (NAMELESS, MESSAGES, "ID", ""): (AROUND, {}),
    (COMPRESSES, MESSAGES, "COMPRESS", ""): (AROUND, {}),
    (FULL, MESSAGES, "NAMESPACE", ""): (AROUND, {}),
    (FULL, MESSAGES, "LIST", ""): (TOLD, {}),
    (FULL, MESSAGES, "ENABLE", ""): (AROUND, {}),
    (FULL, MESSAGES, "SELECT", ""): (TOLD, {}),
    (FULL, MESSAGES, "UID FETCH", "FLAGS"): (TOLD, {}),
    (FULL, MESSAGES, "UID FETCH", "BODY.PEEK\\[\\]"): (ASIDE, {**PASSING, "EXPUNGEISSUED": MISSED}),
    (FULL, MESSAGES, "UID STORE", "Flagged"): (TOLD, {}),
    (FULL, MESSAGES, "UID STORE", "Deleted"): (TOLD, {}),
    (FULL, MESSAGES, "UID MOVE", ""): (AROUND, FOR_ALL),
    (FULL, MESSAGES, "UID EXPUNGE", ""): (AROUND, FOR_ALL),
    (FULL, MESSAGES, "APPEND", ""): (ASIDE, {**PASSING, **FOR_ALL, **DOVECOT}),
    (FULL, MESSAGES, "LOGOUT", ""): (AROUND, {}),
    (FULL, MAILBOXES, "UID COPY", ""): (AROUND, {}),
    (FULL, MAILBOXES, "EXAMINE", ""): (AROUND, {}),
    (FULL, MAILBOXES, "CLOSE", ""): (AROUND, {}),
    (UNSELECTS, MAILBOXES, "UNSELECT", ""): (AROUND, {}),
    (FULL, MAILBOXES, "CREATE", ""): (TOLD, {}),
    (FULL, MAILBOXES, "RENAME", ""): (TOLD, {}),
    (FULL, MAILBOXES, "STATUS", ""): (TOLD, {}),
    (FULL, MAILBOXES, "DELETE", ""): (TOLD, {}),
    (FULL, subscribed, "SUBSCRIBE", ""): (NOTED, {}),
    (FULL, subscribed, "UNSUBSCRIBE", ""): (NOTED, {"NONEXISTENT": AROUND}),
    (PLAIN, subscribed, "LSUB", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "LIST", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "STATUS", ""): (AROUND, {}),
    (PLAIN, MESSAGES, "SELECT", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "UID FETCH", "FLAGS"): (TOLD, {}),
    (PLAIN, MESSAGES, "UID COPY", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "UID SEARCH", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "EXPUNGE", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "APPEND", ""): (ASIDE, {**PASSING, **FOR_ALL, **DOVECOT}),
}
# What libcurl sends by itself while it logs in.
OF_LIBCURL = {"CAPABILITY", "STARTTLS", "AUTHENTICATE", "LOGIN"}
# What is believed, though it is not so here: that there is nothing to delete is as good as done.
BELIEVED = {("STATUS", "NONEXISTENT"), ("DELETE", "NONEXISTENT")}
# What the program has better words for than the server.
SAID_BETTER = {("RENAME", "ALREADYEXISTS"): "the server has a mailbox of that name",
               ("RENAME", "NONEXISTENT"): "it is not on the server any more"}


class HalfHeard(Refusal):
    """And of what the server says besides some is not heard."""

    def __init__(self, server, command, reply, match):
        self.unheard = server.unheard
        super().__init__(command.encode(), reply, match.encode(), range(server.passing, 20))

    def down_line(self, line):
        instead = super().down_line(line)
        heard = re.sub(self.unheard, b"XNOTHING", line) if self.unheard else line
        return heard if instead is None and heard != line else instead


@pytest.fixture(scope="module")
def make_scene(programs, scratch):
    """make_scene(server, build) is the same for the same; put back as it was."""
    servers, scenes = {}, {}

    def build_scene(server, build):
        if server.capability not in servers:
            servers[server.capability] = Dovecot(f"{scratch}/server{len(servers)}", capability=server.capability,
                                                 deflate=True).start()
        number = len(scenes)
        scene = Scene(programs, servers[server.capability], f"{scratch}/{number}", f"refused{number}", build)
        scene.channel.keys.update(compress=server.compress)
        scene.channel.remote_keys.update(tls=server.tls)
        if server.tls != "none":
            scene.channel.remote_keys["ca-file"] = scene.channel.server.ca_file
        scene.channel.write_config()
        return scene

    def make(server, build):
        if (server, build) not in scenes:
            scenes[server, build] = build_scene(server, build)
        scene = scenes[server, build]
        scene.tree.put_back()
        scene.relay.alter = None
        return scene

    yield make
    for scene in scenes.values():
        scene.close()
    for server in servers.values():
        server.close()


def code_of(reply):
    return reply.partition("[")[2].partition("]")[0]


def replies_to(row):
    """All of them in the soak, and where it matters which it is."""
    usual, by_code = TABLE[row]
    return REPLIES if usual != AROUND or by_code or is_soak() else PLAIN_REPLIES


def outcome(row, reply):
    usual, by_code = TABLE[row]
    return by_code.get(code_of(reply), usual)


def digests(state):
    return [found[0] for found in itertools.chain.from_iterable(state.values())]


def assert_nothing_lost(scene):
    """Each message is on one side at least, and in no mailbox twice."""
    sides = scene.channel.local.state(), scene.remote.state()
    assert set(digests(scene.wanted)) <= {digest for state in sides for digest in digests(state)}
    for messages in itertools.chain.from_iterable(state.values() for state in sides):
        assert len(messages) == len({found[0] for found in messages})


def words_for(row, becomes, reply):
    """What is said: the server's words, or better ones."""
    if becomes == SHUT and row[0] == SECURE:
        return "the server offers no STARTTLS on this port: nothing secret was sent"
    return SAID_BETTER.get((row[2], code_of(reply)), WORDS)


def assert_said(row, reply, status, said):
    becomes = "bye" if reply.startswith("BYE") else outcome(row, reply)
    assert (status, bool(said)) == {"bye": (69, True), TOLD: (1, True), ASIDE: (1, True), AROUND: (0, False),
                                    MISSED: (0, False), NOTED: (0, True), LATER: (69, True),
                                    SHUT: (77, True)}[becomes], (status, said)
    if said:
        assert words_for(row, becomes, reply) in said
        assert becomes in ("bye", LATER, SHUT) or "LIST" in row or "LSUB" in row or "mailbox " in said
    return becomes


@pytest.mark.parametrize("row", TABLE, ids=lambda row: " ".join((row[0].name, row[2], row[3])).strip())
def test_refused(make_scene, row):
    server, build, command, match = row
    replies = [reply for reply in replies_to(row) if (command, code_of(reply)) not in BELIEVED]
    for reply in replies:
        scene = make_scene(server, build)
        scene.relay.alter = refusal = HalfHeard(server, command, reply, match)
        status, said = scene.suffer()
        scene.relay.alter = None
        try:
            assert server.passing < refusal.seen < 20, "it is asked, and not again and again"
            assert server != SECURE or not re.search(rb" (LOGIN|AUTHENTICATE)\b", scene.relay.said("up"))
            assert_nothing_lost(scene)
            if command == "LOGOUT":
                assert (status, said) == (0, "")
            elif assert_said(row, reply, status, said) == ASIDE:
                status, said = scene.run()
                assert status == 1 and "refused by the other side before" in said
                assert scene.run("--retry-refused") == (0, "")
            scene.assert_heals()
        except AssertionError as error:
            raise AssertionError(f"{command} refused with {reply}: {error}") from error
    note_figure("refusals", len(replies), "refused commands, by command, answer and response code")


def words_of(source):
    """The words with which the commands of a source begin, each place where one is begun having some."""
    for place in re.finditer(r"(?:session_queue_begin|queue_(?:uids|mailbox|transfer))\(session,([^;]*);", source):
        words = re.findall(r'"([A-Z]+(?: [A-Z]+)*)', place[1])
        assert words or re.search(r"\bwords\b", place[1]), place[0]
        yield from words
    yield from re.findall(r'"%c%u ([A-Z]+)', source)


def test_no_command_is_forgotten():
    """The table holds all that the program, or libcurl for it, ever sends."""
    sources = (pathlib.Path(__file__).parents[2] / "src" / "imap").glob("*.c")
    sent = {words for path in sources for words in words_of(path.read_text(encoding="utf-8"))}
    told = {row[2] for row in TABLE}
    assert {"UID FETCH", "SELECT", "LOGOUT"} < sent
    # With its argument it is one of two words.
    assert {words.removesuffix(" DEFLATE") for words in sent} | OF_LIBCURL == told
