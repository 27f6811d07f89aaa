# SPDX-License-Identifier: GPL-3.0-or-later
"""The local side as another mail program sees it: Maildir files, nothing of evenmail."""
import hashlib
import os
import re
import urllib.parse

from corpus import FLAGS
from mailbox_names import as_components

PARTS = ("cur", "new", "tmp")
SIZES = re.compile(r",S=(\d+)(?:,|$)"), re.compile(r",W=(\d+)(?:,|$)")


class Local:
    """A Maildir tree in layout "tree" or "maildir++"; the same calls as Remote."""

    def __init__(self, root, layout="tree"):
        self.root = str(root)
        self.layout = layout
        self.made = 0

    def directory(self, mailbox):
        """Where a mailbox lies; one that is not there yet must need no escape."""
        components = as_components(mailbox)
        for found, path in self.mailbox_paths():
            if found == components:
                return path
        if self.layout == "tree":
            return os.path.join(self.root, *components)
        return self.root if components == ("INBOX",) else os.path.join(self.root, "." + ".".join(components))

    def mailboxes(self):
        return [mailbox for mailbox, _ in self.mailbox_paths()]

    def components(self, path):
        if self.layout == "tree":
            parts = path.split("/")
        elif path == ".":
            return ("INBOX",)
        else:
            parts = path[1:].split(".")
        return tuple(urllib.parse.unquote(part, errors="strict") for part in parts)

    def mailbox_paths(self):
        """(components, directory) of each mailbox."""
        for parent, folders, _ in os.walk(self.root):
            if {"cur", "new"} <= set(folders):
                yield self.components(os.path.relpath(parent, self.root)), parent
            folders[:] = [name for name in folders if name not in PARTS]

    def state(self):
        """{mailbox: sorted [(digest, letters, epoch)]}"""
        return {mailbox: sorted(read_file(path)[:3] for path in drop_half_renamed(files_of(directory)))
                for mailbox, directory in self.mailbox_paths()}

    def paths(self, mailbox, message):
        return [path for path in files_of(self.directory(mailbox)) if read_file(path)[0] == message.digest]

    def create(self, mailbox):
        for part in PARTS:
            os.makedirs(os.path.join(self.directory(mailbox), part), mode=0o700, exist_ok=True)

    def add(self, mailbox, *messages):
        """Delivers as a mail program does: by way of tmp, without sizes in the name."""
        directory = self.directory(mailbox)
        for message in messages:
            self.made += 1
            name = f"{message.date}.M{self.made}P{os.getpid()}.test"
            temporary = os.path.join(directory, "tmp", name)
            with open(temporary, "xb") as file:
                file.write(message.body.replace(b"\r\n", b"\n"))
            os.utime(temporary, (message.date, message.date))
            place = f"cur/{name}:2,{message.flags}" if message.flags else f"new/{name}"
            os.rename(temporary, os.path.join(directory, place))

    def fill(self, mailboxes):
        for mailbox, messages in mailboxes.items():
            self.create(mailbox)
            self.add(mailbox, *messages)

    def set_flags(self, mailbox, message, letters):
        for path in self.paths(mailbox, message):
            unique = os.path.basename(path).split(":2,")[0]
            os.rename(path, os.path.join(self.directory(mailbox), "cur", f"{unique}:2,{''.join(sorted(letters))}"))

    def set_all_flags(self, mailbox, letters):
        """Of every message, none of which is read for that."""
        directory = self.directory(mailbox)
        for path in files_of(directory):
            unique = os.path.basename(path).split(":2,")[0]
            os.rename(path, os.path.join(directory, "cur", f"{unique}:2,{letters}"))

    def move(self, source, target, *messages, fresh_names=False):
        """As a mail program does: some keep the file's name, some deliver anew."""
        for message in messages:
            path = self.paths(source, message)[0]
            name = os.path.basename(path)
            if fresh_names:
                self.made += 1
                name = f"{message.date}.M{self.made}P{os.getpid()}.moved:2,{name.partition(':2,')[2]}"
            os.rename(path, os.path.join(self.directory(target), "cur" if ":2," in name else "new", name))

    def remove(self, mailbox, *messages):
        for message in messages:
            for path in self.paths(mailbox, message):
                os.unlink(path)

    def remove_all(self, mailbox):
        for path in files_of(self.directory(mailbox)):
            os.unlink(path)

    def litter(self):
        """What lies in tmp directories."""
        return [os.path.join(parent, name) for parent, _, names in os.walk(self.root)
                if os.path.basename(parent) == "tmp" for name in names]


def files_of(directory):
    return [os.path.join(directory, part, name) for part in ("cur", "new")
            for name in sorted(os.listdir(os.path.join(directory, part)))]


def drop_half_renamed(paths):
    """Without the second of two names of one file: a power cut may leave both, see evenmail(1), BUGS."""
    seen = set()
    for path in paths:
        key = os.path.basename(path).partition(":2,")[0], os.stat(path).st_ino
        if key not in seen:
            yield path
        seen.add(key)


def read_file(path):
    """(digest of the CRLF form, letters, epoch, unique name) of a Maildir file."""
    unique, _, letters = os.path.basename(path).partition(":2,")
    with open(path, "rb") as file:
        content = file.read()
        epoch = int(os.fstat(file.fileno()).st_mtime)
    disk, wire = (found.search(unique) for found in SIZES)
    as_it_is = disk and wire and int(disk[1]) == int(wire[1]) == len(content)
    if not as_it_is:
        content = re.sub(rb"(?<!\r)\n", b"\r\n", content)
    letters = "".join(sorted(letter for letter in letters if letter in FLAGS))
    return hashlib.sha256(content).hexdigest(), letters, epoch, unique
