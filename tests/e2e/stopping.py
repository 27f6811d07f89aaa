# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are stopped at one of their points by SIGKILL (src/base/fault.h), and the runs that come after them."""
import concurrent.futures
import itertools
import os
import re
import signal

from channel import Channel
from local import Local, files_of, read_file
from relay import Relay
from scene import WRITING, Tree

# What came to one side last is on the other after the run after it.
HEALING_RUNS = 3
INTERNAL = 70
# What may be said though all is well: of a write that was stopped in its midst, and of what the stage is about.
HARMLESS = re.compile(r"evenmail: .*(: unfinished after byte \d+ of \d+: cut back to the last commit|UIDVALIDITY.*)\n")


def count_points(channel, directory, *arguments, **environment):
    """How many points a run of this channel passes at which it can be stopped."""
    path = f"{directory}/points"
    channel.run("sync", *arguments, EVENMAIL_STOP_COUNT=path, **environment)
    with open(path, encoding="ascii") as file:
        count = int(file.read())
    assert count > 10, "the program is built with --enable-faults"
    return count


def stop_at(channel, point, *arguments, **environment):
    """Stops a run there; false where it ended before, as one of several lanes may."""
    stopped = channel.start("sync", *arguments, EVENMAIL_STOP_AT=str(point), **environment)
    _, err = stopped.communicate()
    assert stopped.returncode in (-signal.SIGKILL, 0), err
    return stopped.returncode != 0


class Stage:
    """One account and one tree with work to do, put back as often as one likes; `wanted` is how that ends.

    build(channel) sets it. The line goes through a relay that waits until the server has done all that it was told.
    """

    def __init__(self, programs, server, directory, user, build, **environment):
        os.mkdir(directory)
        self.channel = Channel(programs.fast, server, user, directory)
        self.channel.keys.update(compress="no", connections=1)
        self.channel.use_plain()
        build(self.channel)
        self.channel.close()
        self.relay = Relay(server.imap_port, programs.make_forks())
        self.channel.use_plain(self.relay.port)
        self.channel.write_config()
        self.environment = {"EVENMAIL_LINGER_MS": "0", **environment}
        self.remote = Local(f"{server.home(user)}/Maildir", "maildir++")
        self.tree = Tree(self.channel.local_root, f"{directory}/state", server.home(user))
        status, said = self.run()
        assert status == 0, said
        self.wanted = self.end()

    def close(self):
        self.relay.close()

    def run(self, **environment):
        return self.relay.run(self.channel.argv("sync", "--allow-deletions"),
                              self.channel.environment(**self.environment, **environment))

    def state(self):
        """Both sides: {mailbox: sorted [(digest, letters, keywords, epoch)]}."""
        local, remote = state_of(self.channel.local), state_of(self.remote)
        # Dovecot leaves directories behind.
        return local, {mailbox: found for mailbox, found in remote.items() if found or mailbox in local}

    def files(self):
        return {path: os.stat(path).st_mtime_ns for side in (self.channel.local, self.remote)
                for _, directory in side.mailbox_paths() for path in files_of(directory)}

    def end(self):
        """Runs until a run has nothing to do; how both sides are then."""
        for _ in range(HEALING_RUNS):
            before = self.files()
            status, said = self.run()
            assert status == 0 and not HARMLESS.sub("", said), (status, said)
            if self.files() == before and not WRITING.search(self.relay.said("up")):
                assert not self.channel.local.litter()
                return self.state()
        raise AssertionError("there is no end to what the runs find to do")

    def stop(self, point):
        """A run that is stopped there, and those that mend it; returns where that was, or None where it was not."""
        self.tree.put_back()
        status, said = self.run(EVENMAIL_STOP_AT=str(point))
        if status == 0:
            return None
        assert status == -signal.SIGKILL, (status, said)
        try:
            assert self.end() == self.wanted
        except AssertionError as error:
            raise AssertionError(f"{said.strip()}: {error}") from error
        return said

    def ask(self, point, number, times):
        """Asks a run to stop at that point, once or more often, and mends it; False where it ended before."""
        self.tree.put_back()
        status, said = self.run(EVENMAIL_STOP_AT=str(point), EVENMAIL_STOP_SIGNAL=str(int(number)),
                                EVENMAIL_STOP_TIMES=str(times))
        if "stopped at point" not in said:
            assert status == 0, (status, said)
            return False
        if times > 1:
            assert status == -number, (status, said)
        else:
            # The one that comes when all was done is too late.
            assert status == int("stopped by a signal" in said), (status, said)
        assert self.end() == self.wanted, said
        return True

    def fail(self, way, number):
        """A run of which that call fails, and those that mend it; how it ended, or None where none failed."""
        self.tree.put_back()
        path = f"{self.channel.directory}/failed"
        status, said = self.run(EVENMAIL_FAIL_WITH=way, EVENMAIL_FAIL_AT=str(number), EVENMAIL_FAIL_COUNT=path)
        # Out of memory it ends without counting.
        if status != INTERNAL:
            with open(path, encoding="ascii") as file:
                if int(file.read()) < number:
                    return None
        assert bool(said) or status == 0, status
        assert self.end() == self.wanted, (status, said)
        return status, said


def state_of(side):
    found = {}
    for mailbox, directory in side.mailbox_paths():
        keywords = read_keywords(directory)
        found[mailbox] = sorted((digest, letters, keywords_of(path, keywords), epoch) for path, (digest, letters, epoch, _)
                                in ((path, read_file(path)) for path in files_of(directory)))
    return found


def read_keywords(directory):
    """{letter: keyword} as both sides write it."""
    path = os.path.join(directory, "dovecot-keywords")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        pairs = [line.split() for line in file]
    return {chr(ord("a") + int(number)): keyword for number, keyword in pairs}


def keywords_of(path, keywords):
    letters = os.path.basename(path).partition(":2,")[2]
    return sorted(keywords.get(letter, letter) for letter in letters if letter.islower())


def stop_everywhere(stages, first=1, step=1):
    """Stops at each STEPth point of a run, several stages at once: each waits much. Returns how many it were."""
    numbers = itertools.count(first, step)
    stopped = []

    def work(stage):
        while True:
            point = next(numbers)
            said = stage.stop(point)
            if said is None:
                return
            stopped.append(point)

    with concurrent.futures.ThreadPoolExecutor(len(stages)) as pool:
        for done in [pool.submit(work, stage) for stage in stages]:
            done.result()
    return len(stopped)
