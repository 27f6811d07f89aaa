# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 2: the power goes. What was not synced is gone, torn, or there in another order (e2e/power.py).

The server is another machine: it stands as it stood when the lights went out.
"""
import os
import shutil
import signal

import pytest

from channel import Channel
from figures import longer, note_figure
from power import VARIANTS, Disk, build_recorder

IMAGES = 112
PARTS = 8
# So many arrive that they are synced at one stroke.
MANY = 10


@pytest.fixture(scope="session")
def recorder(tmp_path_factory):
    return build_recorder(tmp_path_factory.mktemp("recorder"))


class Scene:
    """Mail in a state from which a run has much to do; each channel that it is given gets the same."""

    def __init__(self, corpus):
        draw = corpus.messages
        self.kept, self.flagged, self.gone_here, self.gone_there, self.moved_here, self.moved_there = (
            draw(3, "plain", flags="") for _ in range(6))
        self.old, self.here, self.there, self.deep = draw(2, "plain"), draw(3, "plain"), draw(MANY, "plain"), draw(2)

    def first(self, channel):
        """Nothing was even yet: no tree, no journal, no marker."""
        channel.remote.fill({"INBOX": self.kept + self.there, "There": self.old})
        channel.local.fill({"INBOX": self.kept + self.here, "Here/deep": self.deep})

    def all(self, channel):
        """Work of every kind, and on both sides."""
        channel.remote.fill({"INBOX": self.kept + self.flagged + self.gone_here + self.gone_there + self.moved_here
                             + self.moved_there, "Work": self.kept[:1], "Old": self.old, "Gone": []})
        channel.sync()
        for number, message in enumerate(self.flagged):
            channel.side(("local", "remote")[number % 2]).set_flags("INBOX", message, "FS")
        channel.local.remove("INBOX", *self.gone_here)
        channel.remote.remove("INBOX", *self.gone_there)
        channel.local.move("INBOX", "Work", *self.moved_here)
        channel.remote.move("INBOX", "Work", *self.moved_there)
        channel.local.add("INBOX", *self.here)
        channel.remote.add("INBOX", *self.there)
        os.rename(channel.local.directory("Old"), f"{channel.local_root}/New name")
        channel.remote.create("There")
        channel.remote.add("There", *self.kept[:2], *self.deep)
        channel.local.fill({"Here/deep": self.deep})
        shutil.rmtree(channel.local.directory("Gone"))


SCENES = ("first", "all")


class Power:
    """Channels that are alike, each to be stopped somewhere else."""

    def __init__(self, program, server, recorder, directory, user, make):
        self.program, self.server, self.recorder, self.directory = program, server, recorder, directory
        self.user, self.make = user, make
        self.made = 0

    def channel(self):
        """Tree and state lie each below a directory that is there all the time."""
        self.made += 1
        place = self.directory / f"channel{self.made}"
        for part in ("tree", "state"):
            (place / part).mkdir(parents=True)
        channel = Channel(self.program, self.server, f"{self.user}-power{self.made}", place)
        channel.local_root = f"{place}/tree/mail"
        self.make(channel)
        return channel

    def drop(self, channel):
        channel.close()
        shutil.rmtree(channel.directory)

    def points(self):
        """How an unbroken run ends, and at how many points it can be stopped."""
        channel = self.channel()
        path = f"{channel.directory}/points"
        channel.run("sync", EVENMAIL_STOP_COUNT=path)
        with open(path, encoding="ascii") as file:
            count = int(file.read())
        state = channel.state()
        self.drop(channel)
        return state, count

    def cut(self, point, variant, apart):
        """A channel after the power went at that point. Returns it, and how many changes were not durable."""
        channel = self.channel()
        disk = Disk([(f"{channel.directory}/tree", 0), (f"{channel.directory}/state", int(apart))])
        log = f"{channel.directory}/log"
        process = channel.start("sync", EVENMAIL_STOP_AT=str(point), LD_PRELOAD=self.recorder, POWER_LOG=log)
        _, err = process.communicate(timeout=120)
        # Two lanes may share the points out otherwise: a run can end before the last few.
        assert process.returncode in (-signal.SIGKILL, 0), err
        disk.play(log)
        return channel, disk.restart(variant, point)


@pytest.fixture(params=SCENES)
def power(request, faults_program, server, recorder, tmp_path, corpus, user):
    return Power(faults_program, server, recorder, tmp_path, user, getattr(Scene(corpus), request.param))


def assert_heals(channel, wanted):
    """Two runs: as wanted, and the second has nothing to do."""
    channel.sync()
    assert channel.state() == wanted
    before = channel.disk()
    channel.sync()
    assert channel.disk() == before, "a second run has work"
    assert channel.state() == wanted


@pytest.mark.parametrize("part", range(PARTS))
def test_power_cut(power, part):
    """FAULTS 2, at points evenly spread, with the state on the same file system and on one of its own."""
    wanted, count = power.points()
    images = longer(IMAGES // len(SCENES))
    assert count > 60, "the program is built with --enable-faults"
    loose = tried = 0
    for image in range(part, images, PARTS):
        point, variant, apart = 1 + image * (count - 1) // (images - 1), VARIANTS[(image // PARTS + image) % 8], image % 2
        channel, changes = power.cut(point, variant, apart)
        try:
            assert_heals(channel, wanted)
        except Exception as error:
            raise AssertionError(f"cut at point {point} of {count}, {variant}, apart {apart}: {error}") from error
        power.drop(channel)
        loose += changes
        tried += 1
    assert loose > 0, "nothing was ever at stake"
    for figure, what in (tried, "images of power cuts"), (0, "messages lost"), (0, "messages doubled"), (0, "stuck"):
        note_figure("power", figure, what)


LOG = """C {top} {new} 5 9:1
W 9:1 0 {data}
S {top}
W 9:1 4 {data}
R {top} {old} 6 {deep} {moved} 7
{sync}"""
AFTER = {  # what was synced, and the variant: the files that there are
    ("", "none"): {"a": b"old", "b": b""},
    ("S 9:1", "none"): {"a": b"old", "b": b"datadata"},
    ("S {deep}", "none"): {"a": b"old", "b": b"", "deep/c": b"old"},
    ("S {top}", "none"): {"b": b"", "deep/c": b"old"},
    ("A {deep}", "none"): {"b": b"datadata", "deep/c": b"old"},
    ("", "names"): {"b": bytes(8), "deep/c": b"old"},
    ("", "bytes"): {"a": b"old", "b": b"datadata"},
    ("", "mail"): {"b": b"datadata", "deep/c": b"old"},
    ("", "state"): {"a": b"old", "b": b""},
}


@pytest.mark.parametrize("sync,variant", AFTER)
def test_model_forgets_what_was_not_synced(tmp_path, sync, variant):
    """The rules that the images above are made by."""
    top, deep = tmp_path / "top", tmp_path / "top" / "deep"
    deep.mkdir(parents=True)
    (top / "a").write_bytes(b"old")
    names = {name: f"{path.stat().st_dev}:{path.stat().st_ino}" for name, path in (("top", top), ("deep", deep))}
    names.update({name: text.encode().hex() for name, text in
                  {"new": "b", "old": "a", "moved": "c", "data": "data"}.items()})
    disk = Disk([(str(top), 0)])
    log = tmp_path / "log"
    log.write_text((LOG.replace("{sync}", sync).format(**names)).rstrip("\n") + "\n")
    disk.play(log)
    disk.restart(variant, 1)
    found = {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    assert found == AFTER[(sync, variant)]
    assert names["deep"].endswith(f":{deep.stat().st_ino}")
