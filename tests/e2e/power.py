# SPDX-License-Identifier: GPL-3.0-or-later
"""What a power cut leaves of a disk: a model of directories and files, and of what was not synced.

tests/power/record.c writes down what a program did. A Disk is what there was before; play() goes
through the log and tells which changes were durable at its end; restart() puts onto the real disk
what there is when the power is back, where VARIANTS says what became of the changes that were not.
The rules are those of POSIX, and no file system's better ones:

- bytes and sizes are durable by a sync of the file, or of the file system;
- a name is durable by a sync of the directory, or of the file system, never by that of the file;
- a rename loses no file: where either directory was synced it is under its new name, and only the
  old one may have stayed too;
- a time is durable by any sync after it on its file system;
- of all else any part may be there, in any order.

Directories keep their inodes, and have the times that they had when the last change that is there
was made: what evenmail remembers of them does not give away that something is to be looked at.
"""
import os
import random

VARIANTS = ("none", "names", "bytes", "mail", "state", "prefix", "torn", "some")

# How much of a change is durable.
NOTHING, PART, ALL = range(3)


class Node:
    """A file or a directory, and how it was before."""

    def __init__(self, root, system, inode, entries=None, content=None, mtime=None):
        self.root, self.system, self.inode = root, system, inode
        self.before = entries, content, mtime
        self.reset()

    def reset(self):
        entries, content, self.mtime = self.before
        self.entries = None if entries is None else dict(entries)
        self.content = None if content is None else bytearray(content)

    def put(self, offset, data):
        self.content.extend(bytes(max(0, offset + len(data) - len(self.content))))
        self.content[offset:offset + len(data)] = data

    def cut(self, size):
        del self.content[size:]
        self.content.extend(bytes(size - len(self.content)))

    def name(self, name, node, mtime):
        """Gives a name to a node, or takes one away."""
        self.entries.pop(name, None)
        if node is not None:
            self.entries[name] = node
        self.mtime = mtime


class Change:
    """A change to a node: all of it, or a part as a cut in its middle leaves it."""

    def __init__(self, kind, node, apply, part=None):
        self.kind, self.node, self.apply, self.part = kind, node, apply, part
        self.source = None  # of a rename: the directory that it left
        self.durable = NOTHING

    def sync(self, node):
        """A sync of the node: what it makes durable of this."""
        if self.kind == "time":
            if node.system == self.node.system:
                self.durable = ALL
        elif node is self.node and self.source is not None and self.part is not None:
            self.durable = max(self.durable, PART)
        elif node in (self.node, self.source):
            self.durable = ALL


class Disk:
    """The directories below roots, [(path, number of the file system)]; what they are named stays."""

    def __init__(self, roots):
        self.nodes = {}
        self.all = []
        self.changes = []
        self.tops = [(path, self._read(path, number, system)) for number, (path, system) in enumerate(roots)]

    def _read(self, path, root, system):
        status = os.lstat(path)
        key = f"{status.st_dev}:{status.st_ino}"
        if key not in self.nodes:
            entries = content = None
            if os.path.isdir(path):
                entries = {name: self._read(os.path.join(path, name), root, system) for name in os.listdir(path)}
            else:
                with open(path, "rb") as file:
                    content = file.read()
            self._know(key, Node(root, system, status.st_ino, entries, content, status.st_mtime_ns))
        return self.nodes[key]

    def _know(self, key, node):
        self.nodes[key] = node
        self.all.append(node)

    def play(self, log):
        """Takes in a program's log; each change is made at once, so that the next line finds it."""
        with open(log, encoding="ascii") as file:
            for line in file:
                kind, *fields = line.rstrip("\n").split(" ")
                getattr(self, LINES[kind])(kind, fields)

    def _do(self, kind, node, apply, part=None):
        apply()
        self.changes.append(Change(kind, node, apply, part))

    def _line_name(self, kind, fields):
        parent, name, mtime = self.nodes.get(fields[0]), name_of(fields[1]), int(fields[2])
        if parent is None:
            return
        if kind in "CD":  # the inode may have been another's
            self._know(fields[3], Node(parent.root, parent.system, int(fields[3].split(":")[1]),
                                       {} if kind == "D" else None, b"" if kind == "C" else None))
        node = self.nodes[fields[3]] if kind != "U" else None
        self._do("name", parent, lambda: parent.name(name, node, mtime))

    def _line_rename(self, _, fields):
        source, target = self.nodes.get(fields[0]), self.nodes.get(fields[3])
        if source is None:
            return
        old, new, left, came = name_of(fields[1]), name_of(fields[4]), int(fields[2]), int(fields[5])
        node = source.entries[old]

        def arrive(_=None):
            target.name(new, node, came)

        def apply():
            if source.entries.get(old) is node:
                source.name(old, None, left)
            arrive()
        self._do("name", target, apply, arrive if node.entries is None else None)
        if source is not target:
            self.changes[-1].source = source

    def _line_write(self, _, fields):
        node, offset, data = self.nodes.get(fields[0]), int(fields[1]), bytes.fromhex(fields[2])
        if node is not None:
            self._do("bytes", node, lambda: node.put(offset, data),
                     lambda chance: node.put(offset, torn(data, chance)))

    def _line_cut(self, _, fields):
        node, size = self.nodes.get(fields[0]), int(fields[1])
        if node is not None:
            self._do("bytes", node, lambda: node.cut(size))

    def _line_time(self, _, fields):
        node, mtime = self.nodes.get(fields[0]), int(fields[1])
        if node is not None:
            self._do("time", node, lambda: setattr(node, "mtime", mtime))

    def _line_sync(self, kind, fields):
        node = self.nodes.get(fields[0])
        for change in self.changes if node is not None else ():
            if kind == "S":
                change.sync(node)
            elif change.node.system == node.system:
                change.durable = ALL

    def restart(self, variant, seed):
        """Puts onto the disk what is there after a cut now. Returns how many changes were not durable."""
        chance = random.Random(f"{variant} {seed}")
        loose = [change for change in self.changes if change.durable != ALL]
        border = chance.randrange(len(loose) + 1)
        fate = {id(change): fate_of(change, place - border, variant, chance) for place, change in enumerate(loose)}
        for node in self.all:
            node.reset()
        for change in self.changes:
            kept = ALL if change.durable == ALL else fate[id(change)]
            if kept == ALL:
                change.apply()
            elif kept == PART and change.part is not None:
                change.part(chance if variant != "names" else None)
        for path, node in self.tops:
            lay_down(path, node)
        return len(loose)


LINES = {"C": "_line_name", "D": "_line_name", "L": "_line_name", "U": "_line_name", "R": "_line_rename",
         "W": "_line_write", "T": "_line_cut", "M": "_line_time", "S": "_line_sync", "A": "_line_sync"}


def name_of(field):
    return os.fsdecode(bytes.fromhex(field))


def torn(data, chance):
    """What is there of a write by half: its beginning, or as many NULs, or both. Without chance: all NULs."""
    if chance is None:
        return bytes(len(data))
    cut = chance.randrange(len(data))
    return data[:cut] + bytes(chance.choice([0, len(data) - cut]))


def fate_of(change, place, variant, chance):
    """How much there is of a change that was not durable; place is where it stands to the border."""
    least = change.durable
    if variant == "none":
        return least
    if variant == "names":  # the file is as long as it was, its blocks were never written
        return PART if change.kind == "bytes" else ALL
    if variant == "bytes":
        return least if change.kind == "name" else ALL
    if variant in ("mail", "state"):
        return ALL if change.node.root == ("mail", "state").index(variant) else least
    if variant == "prefix":
        return ALL if place < 0 else least
    if variant == "torn":
        if place == 0 and change.kind == "bytes":
            return PART
        return ALL if place <= 0 else least
    return max(least, chance.choice([NOTHING, NOTHING, PART, ALL, ALL]))


def lay_down(path, top):
    """Makes a directory and all below it like the model's; directories keep their inodes."""
    stash = path + ".stash"
    os.mkdir(stash)
    for parent, folders, names in os.walk(path, topdown=False):
        for name in names:
            os.unlink(os.path.join(parent, name))
        for name in folders:
            inode = os.lstat(os.path.join(parent, name)).st_ino
            os.rename(os.path.join(parent, name), os.path.join(stash, str(inode)))
    put_back(path, top, stash, {})
    for name in os.listdir(stash):
        os.rmdir(os.path.join(stash, name))
    os.rmdir(stash)


def put_back(path, node, stash, files):
    """files: {node: its path}, for those with several names."""
    if node.entries is None and node in files:
        os.link(files[node], path)
        return
    if node.entries is None:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(node.content)
        files[node] = path
    for name, child in (node.entries or {}).items():
        place, kept = os.path.join(path, name), os.path.join(stash, str(child.inode))
        if child.entries is not None:
            if os.path.isdir(kept):
                os.rename(kept, place)
            else:
                os.mkdir(place, 0o700)
        put_back(place, child, stash, files)
    if node.mtime is not None:
        os.utime(path, ns=(node.mtime, node.mtime))
