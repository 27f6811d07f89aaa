# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels with much to do, each to be stopped in the midst of it, and how they must end after that."""
import os
import shutil
import signal

from channel import Channel

# So many arrive that they are synced at one stroke.
MANY = 10


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


class Outages:
    """Channels that are alike, each to be stopped somewhere else."""

    def __init__(self, program, server, directory, user, make):
        self.program, self.server, self.directory = program, server, directory
        self.user, self.make = user, make
        self.made = 0

    def channel(self, prepare=None):
        """Tree and state lie each below a directory that is there all the time; prepare(place) may make these."""
        self.made += 1
        place = self.directory / f"channel{self.made}"
        place.mkdir()
        if prepare:
            prepare(place)
        for part in ("tree", "state"):
            (place / part).mkdir(exist_ok=True)
        channel = Channel(self.program, self.server, f"{self.user}-power{self.made}", place)
        channel.local_root = f"{place}/tree/mail"
        self.make(channel)
        return channel

    @staticmethod
    def drop(channel):
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

    @staticmethod
    def stop(channel, point, **environment):
        """Runs to that point. Two lanes may share the points out otherwise: a run can end before the last few."""
        process = channel.start("sync", EVENMAIL_STOP_AT=str(point), **environment)
        _, err = process.communicate(timeout=120)
        assert process.returncode in (-signal.SIGKILL, 0), err


def assert_heals(channel, wanted):
    """Two runs: as wanted, and the second has nothing to do."""
    channel.sync()
    assert channel.state() == wanted
    before = channel.disk()
    channel.sync()
    assert channel.disk() == before, "a second run has work"
    assert channel.state() == wanted
