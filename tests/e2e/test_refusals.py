# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 20: NO, BAD and BYE to each command in turn, with each response code: what becomes of it, as a table.

Whatever the server says, the run ends, says what was refused and in whose words, loses and doubles nothing, and
the run after it makes all even.
"""
import itertools

import pytest

from answers import Refusal
from dovecot import Dovecot
from figures import note_figure
from scene import Scene, build_mailboxes, build_messages, filled

WORDS = "so it says"
CODES = ("OVERQUOTA", "TRYCREATE", "LIMIT", "UNAVAILABLE", "EXPUNGEISSUED", "INUSE", "NOPERM", "SERVERBUG", "CLIENTBUG",
         "ALREADYEXISTS", "NONEXISTENT", "CANNOT", "TOOBIG", "XUNKNOWN 7")
REPLIES = (f"NO {WORDS}", *(f"NO [{code}] {WORDS}" for code in CODES), f"BAD {WORDS}", f"BYE {WORDS}",
           f"BYE [UNAVAILABLE] {WORDS}")

# What becomes of it:
TOLD = "told"      # exit status 1, the mailbox is named, the next run tries again
ASIDE = "aside"    # exit status 1, the message is put aside with the reason, and tried again when that is asked
AROUND = "around"  # exit status 0, nothing is said: another command led to the same end
MISSED = "missed"  # exit status 0, nothing is said: the next run asks for what did not come

# What would be refused whatever message it was, and so is no message's fault.
PASSING = dict.fromkeys(("LIMIT", "UNAVAILABLE", "INUSE", "SERVERBUG"), TOLD)
FOR_ALL = dict.fromkeys(("OVERQUOTA", "TRYCREATE", "NONEXISTENT", "NOPERM"), TOLD)
# Who greets as Dovecot means the size of the message by it.
DOVECOT = {"LIMIT": ASIDE}

FULL = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS NAMESPACE"
PLAIN = "IMAP4rev1"
MESSAGES, MAILBOXES = build_messages, build_mailboxes

# (what the server offers, what there is to do, the command, bytes that it holds): (what becomes of it, but by code)
TABLE = {
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
    (FULL, MAILBOXES, "CREATE", ""): (TOLD, {}),
    (FULL, MAILBOXES, "RENAME", ""): (TOLD, {}),
    (FULL, MAILBOXES, "STATUS", ""): (TOLD, {}),
    (FULL, MAILBOXES, "DELETE", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "LIST", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "STATUS", ""): (AROUND, {}),
    (PLAIN, MESSAGES, "SELECT", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "UID FETCH", "FLAGS"): (TOLD, {}),
    (PLAIN, MESSAGES, "UID COPY", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "UID SEARCH", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "EXPUNGE", ""): (TOLD, {}),
    (PLAIN, MESSAGES, "APPEND", ""): (ASIDE, {**PASSING, **FOR_ALL, **DOVECOT}),
}
# What is believed, though it is not so here: that there is nothing to delete is as good as done.
BELIEVED = {("STATUS", "NONEXISTENT"), ("DELETE", "NONEXISTENT")}
# What the program has better words for than the server.
SAID_BETTER = {("RENAME", "ALREADYEXISTS"): "the server has a mailbox of that name",
               ("RENAME", "NONEXISTENT"): "it is not on the server any more"}


@pytest.fixture(scope="module")
def make_scene(faults_program, scratch):
    """make_scene(capability, build) is the same for the same; put back as it was."""
    servers, scenes = {}, {}

    def make(capability, build):
        if capability not in servers:
            servers[capability] = Dovecot(f"{scratch}/server{len(servers)}", capability=capability).start()
        if (capability, build) not in scenes:
            number = len(scenes)
            scenes[capability, build] = Scene(faults_program, servers[capability], f"{scratch}/{number}",
                                              f"refused{number}", build)
        scene = scenes[capability, build]
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


def assert_said(scene, row, reply, status, said):
    becomes = "bye" if reply.startswith("BYE") else outcome(row, reply)
    assert (status, bool(said)) == {"bye": (69, True), TOLD: (1, True), ASIDE: (1, True), AROUND: (0, False),
                                    MISSED: (0, False)}[becomes], (status, said)
    if said:
        assert SAID_BETTER.get((row[2], code_of(reply)), WORDS) in said
        assert becomes == "bye" or "LIST" in row or "mailbox " in said
    return becomes


@pytest.mark.parametrize("row", TABLE, ids=lambda row: " ".join(
    ("plain" if row[0] == PLAIN else "full", row[2], row[3])).strip())
def test_refused(make_scene, row):
    capability, build, command, match = row
    for reply in REPLIES:
        if (command, code_of(reply)) in BELIEVED:
            continue
        scene = make_scene(capability, build)
        scene.relay.alter = refusal = Refusal(command.encode(), reply, match.encode())
        status, said = scene.run()
        scene.relay.alter = None
        try:
            if command == "LOGOUT":
                assert (status, said) == (0, "")
                continue
            assert 0 < refusal.seen < 20, "it is asked, and not again and again"
            assert_nothing_lost(scene)
            if assert_said(scene, row, reply, status, said) == ASIDE:
                status, said = scene.run()
                assert status == 1 and "refused by the other side before" in said
                assert scene.run("--retry-refused") == (0, "")
            scene.assert_heals()
        except AssertionError as error:
            raise AssertionError(f"{command} refused with {reply}: {error}") from error
    note_figure("refusals", len(REPLIES), "refused commands, by command, answer and response code")
