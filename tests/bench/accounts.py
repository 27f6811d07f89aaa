# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of a work: laid down, cloned, changed and read, without any of the programs that are measured.

Mailboxes have names of one component, INBOX among them. The state of a side is
{mailbox: sorted [(digest, flags)]}, the digest that of the content with LF line ends and without
X-TUID, the one header that mbsync adds.
"""
import contextlib
import hashlib
import os
import random
import re
import shutil

from remote import Remote, write_dovecot_file

PARTS = ("cur", "new", "tmp")
FLAGS = "DFRS"
ADDED = re.compile(rb"^X-TUID: [^\n]*\n", re.M)
DOVECOT_FLAGS = {"F": r"\Flagged", "R": r"\Answered"}


def digest(content):
    content = content.replace(b"\r\n", b"\n")
    if b"X-TUID: " in content:
        content = ADDED.sub(b"", content, count=1)
    return hashlib.sha256(content).hexdigest()


def state_of_messages(boxes):
    """What {mailbox: [Message]} shows as its state."""
    return {name: sorted((digest(message.body), message.flags) for message in messages)
            for name, messages in boxes.items()}


def row(path, name):
    with open(path, "rb") as file:
        content = file.read()
    letters = name.partition(":2,")[2]
    return digest(content), "".join(sorted(letter for letter in letters if letter in FLAGS))


def rows(directory):
    """The sorted state of one Maildir."""
    return sorted(row(entry.path, entry.name) for part in ("cur", "new")
                  for entry in os.scandir(os.path.join(directory, part)))


def make_maildir(directory):
    for part in PARTS:
        os.makedirs(os.path.join(directory, part), exist_ok=True)


class Tree:
    """A Maildir tree as mail programs see it: each mailbox is a directory of its name."""

    def __init__(self, root):
        self.root = root
        self.made = 0

    def state(self):
        if not os.path.isdir(self.root):
            return {}
        return {entry.name: rows(entry.path) for entry in os.scandir(self.root)
                if os.path.isdir(os.path.join(entry.path, "cur"))}

    def fill(self, boxes):
        for name, messages in boxes.items():
            directory = os.path.join(self.root, name)
            make_maildir(directory)
            for message in messages:
                path = os.path.join(directory, "cur", f"{self.fresh(message.date)}:2,{message.flags}")
                with open(path, "xb") as file:
                    file.write(message.body.replace(b"\r\n", b"\n"))
                os.utime(path, (message.date, message.date))

    def fresh(self, date=1_700_000_000):
        self.made += 1
        return f"{date}.M{self.made:07}P{os.getpid()}.bench"

    def flag(self, mailbox, letter, count, seed):
        """Sets the flag on some messages that have it not."""
        directory = os.path.join(self.root, mailbox, "cur")
        names = sorted(name for name in os.listdir(directory) if letter not in name.partition(":2,")[2])
        for name in random.Random(seed).sample(names, count):
            unique, _, letters = name.partition(":2,")
            os.rename(f"{directory}/{name}", f"{directory}/{unique}:2,{''.join(sorted(letters + letter))}")

    def move(self, source, target, count):
        """Moves the first messages under fresh names, as most mail programs do; mbsync needs that."""
        directory = os.path.join(self.root, source, "cur")
        for name in sorted(os.listdir(directory))[:count]:
            place = os.path.join(self.root, target, "cur", f"{self.fresh()}:2,{name.partition(':2,')[2]}")
            os.rename(f"{directory}/{name}", place)


class Account:
    """A user of the private Dovecot, whose Maildir is read and laid down beside the server."""

    def __init__(self, server, user):
        self.server = server
        self.user = user
        self.home = server.home(user)
        self.maildir = os.path.join(self.home, "Maildir")

    def directory(self, mailbox):
        return self.maildir if mailbox == "INBOX" else os.path.join(self.maildir, "." + mailbox)

    def mailboxes(self):
        yield "INBOX"
        yield from (entry.name[1:] for entry in os.scandir(self.maildir)
                    if entry.name.startswith(".") and os.path.isdir(os.path.join(entry.path, "cur")))

    def state(self):
        return {name: rows(self.directory(name)) for name in self.mailboxes()}

    def fill(self, boxes):
        for name, messages in boxes.items():
            make_maildir(self.directory(name))
            for number, message in enumerate(messages):
                write_dovecot_file(self.directory(name), number, message)
        self.server.give_to_owner(self.home)

    def make_empty(self):
        make_maildir(self.maildir)
        self.server.give_to_owner(self.home)

    @contextlib.contextmanager
    def session(self):
        remote = Remote(self.server, self.user)
        try:
            yield remote.imap
        finally:
            remote.close()

    def warm(self):
        """Lets the server read everything once: its indexes and the page cache are then as in daily use.

        By SELECT: what is recent Dovecot looks for in new, and finds it in cur by reading that whole.
        """
        with self.session() as imap:
            for name in self.mailboxes():
                imap.select(f'"{name}"')
                imap.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")

    def clone_from(self, other):
        """Messages by hard link, for nobody writes into them; the server's own files by copy."""
        clone_tree(other.home, self.home)
        self.server.give_to_owner(self.home)

    def flag(self, mailbox, letter, count, seed):
        """Sets the flag on some messages that have it not."""
        with self.session() as imap:
            imap.select(f'"{mailbox}"')
            uids = search(imap, "UN" + DOVECOT_FLAGS[letter][1:].upper())
            some = sorted(random.Random(seed).sample(uids, count))
            for start in range(0, count, 500):
                chosen = ",".join(map(str, some[start:start + 500]))
                imap.uid("STORE", chosen, "+FLAGS.SILENT", f"({DOVECOT_FLAGS[letter]})")

    def append(self, mailbox, body):
        with self.session() as imap:
            imap.append(f'"{mailbox}"', None, None, body)

    def move(self, source, target, count):
        with self.session() as imap:
            imap.select(f'"{source}"')
            imap.uid("MOVE", ",".join(map(str, search(imap, "ALL")[:count])), f'"{target}"')


def move_route(number):
    """From where to where the messages are moved in a round, from 1: there, and back again."""
    return ("INBOX", "box001") if number % 2 == 1 else ("box001", "INBOX")


def search(imap, what):
    return sorted(map(int, imap.uid("SEARCH", what)[1][0].split()))


def clone_tree(source, target):
    """Links the messages of Maildirs below source into target and copies all else."""
    for parent, folders, names in os.walk(source):
        place = os.path.join(target, os.path.relpath(parent, source))
        os.makedirs(place, exist_ok=True)
        put = os.link if os.path.basename(parent) in PARTS else shutil.copy2
        for name in names:
            put(os.path.join(parent, name), os.path.join(place, name))


def describe_difference(wanted, found):
    """What is wrong with a state in a few words, or None."""
    if wanted == found:
        return None
    missing, extra = (sum(len(set(one.get(name, [])) - set(other.get(name, []))) for name in one)
                      for one, other in ((wanted, found), (found, wanted)))
    return (f"{sum(map(len, found.values()))} of {sum(map(len, wanted.values()))} messages,"
            f" {len(set(wanted) - set(found))} mailboxes missing, {missing} messages missing, {extra} extra")
