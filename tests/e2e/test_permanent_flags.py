# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that stores no flags for a while, or only some (PERMANENTFLAGS). FAULTS 29.

What is set here meanwhile waits: it is not taken for agreed, so it goes there as soon as there is room for it, and
does not count as removed by who never had it.
"""
import os
import re

import pytest

from answers import Lines
from test_keywords import idle

RICH = "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS"
PLAIN = "IMAP4rev1"
NEEDED = "no flag may be sent that the server has no room for"


class Permits(Lines):
    """The server says that it stores these flags and no others; what it is sent all the same is noted."""

    def __init__(self, atoms):
        self.atoms = atoms
        self.sent = []
        super().__init__()

    def up_line(self, line):
        found = re.search(rb" (?:STORE \S+ \S+|APPEND \S+) \(([^)]*)\)", line)
        if found:
            self.sent += [atom for atom in found[1].split() if atom not in self.atoms.split()]
        return None

    def down_line(self, line):
        if b"[PERMANENTFLAGS " not in line:
            return None
        return re.sub(rb"\[PERMANENTFLAGS \([^)]*\)", rb"[PERMANENTFLAGS (" + self.atoms.replace(b"\\", rb"\\") + b")",
                      line)


class Drops(Permits):
    """And it drops the others where a message comes with them, without a word."""

    def __call__(self, way, data):
        data = super().__call__(way, data)
        return re.sub(rb"( APPEND \S+ )\(([^)]*)\)", self.drop, data) if way == "up" else data

    def drop(self, found):
        return found[1] + b"(" + b" ".join(atom for atom in found[2].split() if atom in self.atoms.split()) + b")"


def flags_of(side, mailbox="INBOX"):
    return {digest: flags for digest, flags, _ in side.state()[(mailbox,)]}


def end_with_room(channel, line, **mailboxes):
    """Once the server has room for all flags both sides have these, and nothing is left to do."""
    line.alter = None
    # Other terms have every message listed, changed or not.
    channel.keys["deletions"] = {"local": "keep"}
    channel.sync()
    for side in (channel.local, channel.remote):
        for mailbox, flags in mailboxes.items():
            assert flags_of(side, mailbox) == flags
    idle(channel)


def only(flags, permitted):
    return "".join(letter for letter in flags if letter in permitted)


@pytest.mark.parametrize("atoms, permitted", [(b"", ""), (rb"\Seen \Deleted", "S")], ids=["none", "some"])
@pytest.mark.parametrize("capability", [RICH, PLAIN], ids=["rich", "plain"])
def test_flags_wait_until_there_is_room(make_channel, make_proxy, servers, corpus, atoms, permitted, capability):
    server = servers(capability=capability)
    channel, line = make_channel(server=server), make_proxy(server.imap_port)
    channel.use_plain(line.port)
    one, two, three = corpus.messages(3, "plain", flags="")
    channel.remote.add("INBOX", one, two, three)
    channel.remote.set_flags("INBOX", one, "FR")
    channel.sync()
    sent, made = corpus.message("plain", flags="FS"), corpus.message("plain", flags="RS")
    permits = line.alter = Permits(atoms)
    channel.local.set_flags("INBOX", one, "")
    channel.local.set_flags("INBOX", two, "FS")
    channel.local.add("INBOX", sent)
    channel.local.create("New")
    channel.local.add("New", made)
    channel.sync()
    idle(channel)
    there = flags_of(channel.remote)
    assert there[one.digest] == "FR" and there[three.digest] == ""
    assert there[two.digest] == there[sent.digest] == only("FS", permitted)
    assert flags_of(channel.remote, "New") == {made.digest: only("RS", permitted)}
    assert not permits.sent, NEEDED
    # A run for something else does not try again, nor take anything back.
    channel.local.set_flags("INBOX", three, "R")
    channel.sync()
    idle(channel)
    assert flags_of(channel.local)[two.digest] == "FS"
    assert not permits.sent, NEEDED

    expected = {one.digest: "", two.digest: "FS", three.digest: "R", sent.digest: "FS"}
    end_with_room(channel, line, INBOX=expected, New={made.digest: "RS"})


@pytest.mark.parametrize("atoms, permitted", [(b"", ""), (rb"\Seen \Deleted", "S")], ids=["none", "some"])
def test_room_that_went_unseen(make_channel, make_proxy, servers, corpus, atoms, permitted):
    """A run that only sends messages opens no mailbox before that: what they have lost there is not agreed on."""
    server = servers(capability=RICH)
    channel, line = make_channel(server=server), make_proxy(server.imap_port)
    channel.use_plain(line.port)
    old, sent = corpus.message("plain", flags="S"), corpus.message("plain", flags="FS")
    channel.remote.add("INBOX", old)
    channel.sync()
    line.alter = Drops(atoms)
    channel.local.add("INBOX", sent)
    channel.sync()
    idle(channel)
    assert flags_of(channel.remote) == {old.digest: "S", sent.digest: only("FS", permitted)}
    assert line.alter.sent, "or this tries nothing"

    end_with_room(channel, line, INBOX={old.digest: "S", sent.digest: "FS"})


ACCESS = "mail_plugins = acl\nplugin {\n  acl = vfile\n}"


class Access:
    """Who may do what in a mailbox of Dovecot's: without the right to write it keeps few flags, of a message that is
    moved there, too."""

    def __init__(self, channel, mailbox):
        self.path = os.path.join(channel.server.home(channel.remote.user), "Maildir", "." + mailbox, "dovecot-acl")

    def take_write(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("owner lrsitpekxa\n")

    def give_back(self):
        os.remove(self.path)


def test_room_that_went_unseen_by_a_move(make_channel, make_proxy, servers, corpus):
    """The server moves a message without what it has no room for: what it lost there is not agreed on."""
    server = servers(settings=ACCESS)
    channel, line = make_channel(server=server), make_proxy(server.imap_port, record=True)
    channel.use_plain(line.port)
    moved, seen = corpus.message("plain", flags="FS"), corpus.message("plain", flags="S")
    channel.remote.fill({"INBOX": [moved], "Archive": [], "Work": [seen], "Done": []})
    channel.sync()
    access = Access(channel, "Archive")
    access.take_write()
    channel.local.move("INBOX", "Archive", moved)
    channel.local.move("Work", "Done", seen)
    line.reset_counts()
    channel.sync()
    said = line.said("up")
    assert said.count(b" MOVE ") == 2 and b" APPEND " not in said, "or this tries nothing"
    assert line.said("down").count(b" FETCH (") == 1, "only where a flag was lost a row is wanted"
    idle(channel)
    assert flags_of(channel.remote, "Archive") == {moved.digest: "S"}
    assert flags_of(channel.local, "Archive") == {moved.digest: "FS"}

    access.give_back()
    end_with_room(channel, line, Archive={moved.digest: "FS"}, Done={seen.digest: "S"})


def test_flags_lost_with_the_room_for_them(make_channel, make_proxy, servers, corpus):
    """What both had, and the server has not any more since it has no room for it, goes there again."""
    server = servers(capability=RICH)
    channel, line = make_channel(server=server), make_proxy(server.imap_port)
    channel.use_plain(line.port)
    kept, lost = corpus.messages(2, "plain", flags="FS")
    channel.remote.add("INBOX", kept, lost)
    channel.sync()
    line.alter = Permits(rb"\Seen")
    channel.remote.set_flags("INBOX", lost, "S")
    channel.sync()
    idle(channel)
    assert flags_of(channel.local) == {kept.digest: "FS", lost.digest: "FS"}

    end_with_room(channel, line, INBOX={kept.digest: "FS", lost.digest: "FS"})
