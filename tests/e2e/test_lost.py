# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 19: the server did what it was told, and its answer is lost: the next run finds out what is done."""
import re

import pytest

from answers import Timeless
from dovecot import Dovecot
from figures import note_figure
from scene import Scene, build_mailboxes, build_messages

FULL = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS"
TRIES = 3
COMMAND = re.compile(rb"(?m)^(E\d+) (UID \w+|\w+)")
# The commands that change something, which each of the cases sends; what is more may be sent, too.
CASES = {
    "messages, all extensions": (FULL, build_messages, {b"UID STORE", b"UID MOVE", b"UID EXPUNGE", b"APPEND"}),
    "mailboxes, all extensions": (FULL, build_mailboxes, {b"CREATE", b"RENAME", b"DELETE", b"UID COPY", b"UID MOVE",
                                                          b"UID STORE", b"UID EXPUNGE", b"APPEND"}),
    "messages, none": ("IMAP4rev1", build_messages, {b"UID COPY", b"UID STORE", b"EXPUNGE", b"APPEND"}),
    "mailboxes, none": ("IMAP4rev1", build_mailboxes, {b"CREATE", b"RENAME", b"DELETE", b"UID COPY", b"UID STORE",
                                                       b"EXPUNGE", b"APPEND"}),
}


@pytest.mark.parametrize("case", CASES)
def test_done_and_not_heard_of(programs, scratch, case):
    """The line breaks before the first byte of an answer's end, for each command; what was sent is done."""
    capability, build, must_be_lost = CASES[case]
    with Dovecot(f"{scratch}/{case[-4:]}{build.__name__}", capability=capability) as server:
        scene = Scene(programs, server, f"{scratch}/{case}", f"lost-{build.__name__}", build)
        scene.relay.alter = Timeless()
        # Where nobody was yet Dovecot lists mailboxes in another order.
        scene.assert_heals()
        scene.tree.put_back()
        assert scene.run() == (0, "")
        said = scene.relay.said("down")
        names = dict(COMMAND.findall(scene.relay.said("up")))
        lost = set()
        for found in re.finditer(rb"(?m)^(E\d+) OK", said):
            assert any(scene.cut("down", found.start(), "end") for _ in range(TRIES)), "the dialogue ends before"
            lost.add(names[found[1]])
        scene.close()
    assert must_be_lost <= lost, "each of them was done and not heard of"
    note_figure("cuts", len(names), "answers lost, the commands done")
