# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 18: the line cut after every byte of the dialogue, each way: the next run ends as an unbroken one."""
import concurrent.futures

import pytest

from answers import Timeless
from dovecot import Dovecot
from figures import is_soak, longer, note_figure
from scene import Scene

# Into how many tests each way is divided, for those who run several at once: each takes one offset in so many.
PARTS = {"up": 4, "down": 16}
# As many runs at once: each spends half of its time waiting.
SCENES, SCENES_IN_TLS = 8, 4
# What the dialogue is to be made of; the rest of what Dovecot knows would only be more bytes to cut in.
CAPABILITY = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS"
# One broken run in so many is of the build with sanitizers, which takes four times as long; after one in so many the
# run after the next is held to have nothing to do. In the soak all are.
SANITIZED, AT_REST = (1, 1) if is_soak() else (16, 4)
# Each dialogue is as long as the other, unless Dovecot has something more to say, or less; then once more.
TRIES = 3
# A dialogue in TLS is cut at one byte in so many, in the soak at more of them. Its length varies: with the server's
# signature, and as nobody can take out of it how long Dovecot took.
STEP_IN_TLS = 97
VARIES = 200


@pytest.fixture(scope="module")
def server(scratch):
    with Dovecot(f"{scratch}/server", capability=CAPABILITY) as server:
        yield server


def build_scenes(programs, server, scratch, name, count, **options):
    """Many alike, each with an account of its own."""
    scenes = [Scene(programs, server, f"{scratch}/{name}{number}", f"{name}{number}", **options)
              for number in range(count)]
    for scene in scenes:
        scene.assert_heals()
    return scenes


@pytest.fixture(scope="module")
def scenes(programs, server, scratch):
    made = build_scenes(programs, server, scratch, "cuts", SCENES)
    for scene in made:
        scene.relay.alter = Timeless()
    yield made
    for scene in made:
        scene.close()


@pytest.fixture(scope="module")
def scenes_in_tls(programs, server, scratch):
    made = build_scenes(programs, server, scratch, "tls", SCENES_IN_TLS, secure=True)
    yield made
    for scene in made:
        scene.close()


def measure(scenes):
    """How many bytes go each way, at least, where nothing is cut."""
    said = []
    for scene in scenes:
        scene.tree.put_back()
        assert scene.run() == (0, "")
        said.append({way: len(scene.relay.said(way)) for way in PARTS})
    return {way: min(lengths[way] for lengths in said) for way in PARTS}


@pytest.fixture(scope="module")
def lengths(scenes):
    return measure(scenes)


def cut_at_each(scenes, way, offsets):
    """FIN and RST by turns; the end is compared file by file on both sides, with what must come of it."""
    left = enumerate(offsets)

    def work(scene):
        for number, offset in left:
            try:
                how = ("end", "reset")[number % 2]
                program = None if number // 2 % SANITIZED == 0 else scene.channel.evenmail
                assert any(scene.cut(way, offset, how, program, number // 2 % AT_REST == 0)
                           for _ in range(TRIES)), "the dialogue ends before"
            except BaseException as error:
                raise AssertionError(f"cut after {offset} bytes {way}: {error}") from error

    with concurrent.futures.ThreadPoolExecutor(len(scenes)) as pool:
        list(pool.map(work, scenes))


@pytest.mark.parametrize("way,part", [(way, part) for way in PARTS for part in range(PARTS[way])])
def test_cut_after_every_byte(scenes, lengths, way, part):
    """Before the first, too."""
    offsets = range(part, lengths[way] + 1, PARTS[way])
    cut_at_each(scenes, way, offsets)
    note_figure("cuts", len(offsets), f"bytes after which the line was cut, {way}")
    note_figure("cuts", 0, "messages lost or doubled")


def test_cut_in_tls(scenes_in_tls):
    """In the handshake, and in the midst of records."""
    for way, length in measure(scenes_in_tls).items():
        offsets = range(0, length - VARIES, max(1, STEP_IN_TLS // longer(1)))
        cut_at_each(scenes_in_tls, way, offsets)
        note_figure("cuts", len(offsets), f"bytes after which a line in TLS was cut, {way}")
