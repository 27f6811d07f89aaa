# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 18: the line cut after every byte of the dialogue, each way: the next run ends as an unbroken one."""
import concurrent.futures
import itertools

import pytest

from dovecot import Dovecot
from figures import note_figure
from scene import Scene

# Into how many tests each way is divided, for those who run several at once: each takes one offset in so many.
PARTS = {"up": 4, "down": 16}
# As many runs at once: each spends half of its time waiting.
SCENES = 8
# What the dialogue is to be made of; the rest of what Dovecot knows would only be more bytes to cut in.
CAPABILITY = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS"


@pytest.fixture(scope="module")
def scenes(faults_program, scratch):
    """Many alike, each with an account of its own."""
    with Dovecot(f"{scratch}/server", capability=CAPABILITY) as server:
        made = [Scene(faults_program, server, f"{scratch}/{number}", f"cuts{number}") for number in range(SCENES)]
        yield made
        for scene in made:
            scene.close()


@pytest.fixture(scope="module")
def lengths(scenes):
    """How many bytes go each way where nothing is cut."""
    scene = scenes[0]
    scene.assert_heals()
    scene.tree.put_back()
    assert scene.run() == (0, "")
    return {way: len(scene.relay.said(way)) for way in PARTS}


class Offsets:
    """One offset in so many, to be shared by several threads, until there is nothing left to cut."""

    def __init__(self, first, step, least):
        self.all = itertools.count(first, step)
        self.least = least  # Dovecot tells how long it took: a dialogue may be some bytes longer than another
        self.over = False
        self.cut = []

    def __iter__(self):
        while not self.over:
            yield next(self.all)

    def note(self, offset, was_cut):
        if was_cut:
            self.cut.append(offset)
        self.over = self.over or (offset >= self.least and not was_cut)


@pytest.mark.parametrize("way,part", [(way, part) for way in PARTS for part in range(PARTS[way])])
def test_cut_after_every_byte(scenes, lengths, way, part):
    """FIN and RST by turns; the end is compared file by file on both sides, with what must come of it."""
    offsets = Offsets(part, PARTS[way], lengths[way])

    def work(scene):
        for offset in offsets:
            try:
                offsets.note(offset, scene.cut(way, offset, ("end", "reset")[offset // PARTS[way] % 2]))
            except BaseException as error:
                offsets.over = True
                raise AssertionError(f"cut after {offset} bytes {way}: {error}") from error

    with concurrent.futures.ThreadPoolExecutor(SCENES) as pool:
        list(pool.map(work, scenes))
    assert len(offsets.cut) > 0.9 * lengths[way] / PARTS[way]
    note_figure("cuts", len(offsets.cut), f"bytes after which the line was cut, {way}")
    note_figure("cuts", 0, "messages lost or doubled")
