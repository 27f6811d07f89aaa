# SPDX-License-Identifier: GPL-3.0-or-later
"""One account and one tree with work to do, put back as they were as often as one likes: thousands of runs a minute."""
import os
import re
import shutil

from channel import Channel, contents
from corpus import Message, crlf
from local import Local, files_of
from relay import Relay

WRITING = re.compile(rb"^\S+ (UID STORE|UID EXPUNGE|UID MOVE|UID COPY|APPEND|CREATE|DELETE|RENAME|EXPUNGE)\b", re.M)


class Tree:
    """Directories with all that is in them, to be put back: what did not change meanwhile is left alone.

    Directories keep their inodes, and all keep their times: evenmail and Dovecot look at both.
    """

    def __init__(self, *tops):
        self.tops = tops
        self.directories = {}  # path: (mode, owner, group, mtime)
        self.files = {}  # path: (content, mode, owner, group, mtime)
        self.as_left = {}  # path: what stat said of it when it was right
        for top in tops:
            for parent, _, names in os.walk(top):
                status = os.stat(parent)
                self.directories[parent] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
                for name in names:
                    self.take(os.path.join(parent, name))

    def take(self, path):
        status = os.lstat(path)
        with open(path, "rb") as file:
            self.files[path] = (file.read(), status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
        self.as_left[path] = stamp(status)

    def put_back(self):
        right = {path for top in self.tops for path in self.clear(top)}
        for path, (mode, owner, group, _) in self.directories.items():
            if not os.path.isdir(path):
                os.mkdir(path, mode & 0o7777)
                os.chown(path, owner, group)
        for path in self.files.keys() - right:
            self.write(path)
        for path, (*_, mtime) in self.directories.items():
            os.utime(path, ns=(mtime, mtime))

    def clear(self, top):
        """Takes away what is not as it was; returns the paths of the files that are."""
        right = []
        for parent, folders, names in os.walk(top):
            for name in [name for name in folders if os.path.join(parent, name) not in self.directories]:
                shutil.rmtree(os.path.join(parent, name))
                folders.remove(name)
            for path in (os.path.join(parent, name) for name in names):
                if self.as_left.get(path) == stamp(os.lstat(path)):
                    right.append(path)
                else:
                    os.unlink(path)
        return right

    def write(self, path):
        content, mode, owner, group, mtime = self.files[path]
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode & 0o7777)
            os.fchown(file.fileno(), owner, group)
        os.utime(path, ns=(mtime, mtime))
        self.as_left[path] = stamp(os.lstat(path))


def stamp(status):
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)


def small(number, flags=""):
    text = f"From: a@example.org\nSubject: {number}\nMessage-ID: <{number}@cuts.example>\n\n" + "Text\n" * 30
    return Message(crlf(text), flags, 1_600_000_000 + number)


def build_messages(channel):
    """Messages to be fetched, sent, flagged, moved and deleted; returns what must come of it."""
    both = {number: small(number) for number in range(8)}
    new = {number: small(100 + number, "S") for number in range(5)}
    channel.remote.add("INBOX", *both.values())
    channel.remote.create("Work")
    channel.remote.add("Work", small(50))
    channel.sync()
    for side, first in (("local", 0), ("remote", 3)):
        there = channel.side(side)
        there.set_flags("INBOX", both[first], "FS")
        there.remove("INBOX", both[first + 1])
        there.move("INBOX", "Work", both[first + 2])
        there.add("INBOX", new[first], new[first + 1])
    channel.close()
    return {("INBOX",): contents(*(both[kept].with_flags("FS") for kept in (0, 3)),
                                 *(both[kept] for kept in (6, 7)), *(new[fresh] for fresh in (0, 1, 3, 4))),
            ("Work",): contents(small(50), both[2], both[5])}


def build_mailboxes(channel):
    """Mailboxes to be made, renamed and deleted on both sides, and messages to be copied and moved among them."""
    both = {number: small(number) for number in range(8)}
    work, old = [small(50 + number) for number in range(3)], [small(60 + number) for number in range(3)]
    channel.remote.add("INBOX", *both.values())
    for name, messages in (("Work", work), ("Old", old), ("Gone here", []), ("Gone there", [])):
        channel.remote.create(name)
        channel.remote.add(name, *messages)
    channel.sync()
    copy_file(channel.local, "INBOX", "Work", both[0])
    copy_message(channel.remote, "INBOX", "Work", both[1])
    os.rename(channel.local.directory("Work"), channel.local.directory("Office"))
    channel.remote.rename_mailbox("Old", "Older")
    shutil.rmtree(channel.local.directory("Gone here"))
    channel.remote.delete_mailbox("Gone there")
    channel.local.fill({"New here": [small(70)]})
    channel.remote.create("New there")
    channel.remote.add("New there", small(80))
    channel.local.move("INBOX", "New here", both[2])
    channel.remote.move("INBOX", "New there", both[3])
    channel.local.set_flags("INBOX", both[4], "F")
    channel.local.remove("INBOX", both[5])
    channel.close()
    return {("INBOX",): contents(both[0], both[1], both[4].with_flags("F"), both[6], both[7]),
            ("Office",): contents(*work, both[0], both[1]), ("Older",): contents(*old),
            ("New here",): contents(small(70), both[2]), ("New there",): contents(small(80), both[3])}


def copy_file(local, source, target, message):
    """As cp -p does."""
    path, = local.paths(source, message)
    shutil.copy2(path, os.path.join(local.directory(target), "cur", "1600000000.copy.host:2,"))


def copy_message(remote, source, target, message):
    remote.imap.select(source)
    uid, = remote.uids(source, message)
    remote.ask("COPY", remote.imap.uid("COPY", uid, target))


def filled(state):
    return {mailbox: found for mailbox, found in state.items() if found}


class Scene:
    """One account and one tree with work to do, as often as one likes.

    The relay waits until the server has done all that it was told, so no run needs to give it time for that.
    """

    def __init__(self, programs, server, directory, user, build=build_messages, secure=False):
        os.mkdir(directory)
        self.sanitized = programs.sanitized
        self.channel = Channel(programs.fast, server, user, directory)
        self.channel.keys.update(compress="no", connections=1)
        self.channel.use_plain()
        self.wanted = build(self.channel)
        self.relay = Relay(server.imaps_port if secure else server.imap_port, programs.make_forks())
        self.channel.use_plain(self.relay.port)
        if secure:
            self.channel.remote_keys.update({"tls": "implicit", "ca-file": server.ca_file})
        self.channel.write_config()
        self.remote = Local(f"{server.home(user)}/Maildir", "maildir++")
        self.tree = Tree(self.channel.local_root, f"{directory}/state", server.home(user))

    def close(self):
        self.relay.close()

    def run(self, *arguments, program=None, **happens):
        """What happens to the line: as Relay.run() has it."""
        environment = self.channel.environment(EVENMAIL_LINGER_MS="0")
        argv = self.channel.argv("sync", *arguments)
        return self.relay.run([program or argv[0], *argv[1:]], environment, **happens)

    def suffer(self, **happens):
        """The run to which something happens."""
        return self.run(program=self.sanitized, **happens)

    def assert_even(self):
        assert self.run() == (0, "")
        local = self.channel.local.state()
        assert local == self.wanted
        assert filled(self.remote.state()) == self.wanted

    def assert_heals(self):
        """The run after it ends as an unbroken one, and the one after that has nothing to do."""
        self.assert_even()
        before = self.files()
        self.assert_even()
        assert self.files() == before
        assert not WRITING.search(self.relay.said("up"))
        assert not self.channel.local.litter()

    def files(self):
        return {path: os.stat(path).st_mtime_ns for side in (self.channel.local, self.remote)
                for _, directory in side.mailbox_paths() for path in files_of(directory)}

    def cut(self, way, offset, how, program=None, rest=True):
        """A broken run, the one that mends it, and with `rest` one with nothing to do; whether the line was cut."""
        self.tree.put_back()
        status, said = self.run(program=program or self.sanitized, how=how, **{way: offset})
        # A line that breaks after all was done is missed by nobody.
        assert status in (0, 69) and bool(said) == bool(status), (status, said)
        was_cut = self.relay.was_cut
        if rest:
            self.assert_heals()
        else:
            self.assert_even()
        return was_cut
