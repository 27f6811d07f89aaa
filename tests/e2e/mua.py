#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail program at work, as fast as it can, in a process of its own: mua.py ROOT SEED DOING=[TIMES]...

It reads what is in the tree's mailboxes, says "ready" after its first thousand deeds, and goes on until its
standard input ends. Then it tells, as JSON, how often it did what, and how often a file was not where it had left
it. A message is known by its X-Number header. DOING=TIMES says how often each is done at most, without TIMES
without end:

    flag     a file is renamed: other flags; one from new comes to cur
    arrive   a file goes from new to cur, or back
    move     to another mailbox, under the same name or a new one
    copy     once more, as a file of its own
    remove
    redo     removed and written anew, under the same name or another
    deliver  by way of tmp; its number is one that nobody had
"""
import json
import os
import random
import re
import select
import sys

NUMBER = re.compile(rb"X-Number: (\d+)\r?\n")
WITHOUT_END = 10 ** 12


class Mua:
    """Knows its files by (mailbox, part, name, number), and reads a mailbox anew only where one is missing."""

    def __init__(self, root, seed, most):
        self.root = root
        self.chance = random.Random(seed)
        self.most = most
        self.deeds = dict.fromkeys(most, 0)
        self.lost = 0  # files that were not where this program had left them
        self.made = 0
        self.mailboxes = sorted(os.path.relpath(parent, root) for parent, folders, _ in os.walk(root)
                                if {"cur", "new", "tmp"} <= set(folders))
        self.files = []
        for mailbox in self.mailboxes:
            self.read(mailbox)
        self.next_number = 1 + max((number for *_, number in self.files), default=0)

    def read(self, mailbox):
        """What is there; somebody else delivers, too."""
        known = {name.partition(":2,")[0] for _, _, name, _ in self.files}
        for part in ("new", "cur"):
            for name in os.listdir(f"{self.root}/{mailbox}/{part}"):
                if name.partition(":2,")[0] in known:
                    continue
                try:
                    with open(f"{self.root}/{mailbox}/{part}/{name}", "rb") as file:
                        number = int(NUMBER.match(file.read(40))[1])
                except FileNotFoundError:
                    continue
                self.files.append((mailbox, part, name, number))

    def path(self, mailbox, part, name):
        return f"{self.root}/{mailbox}/{part}/{name}"

    def rename(self, index, mailbox, part, name):
        old = self.files[index]
        try:
            os.rename(self.path(*old[:3]), self.path(mailbox, part, name))
        except FileNotFoundError:
            self.miss(index)
            return
        self.files[index] = (mailbox, part, name, old[3])

    def miss(self, index):
        """The synchronizer renamed it; where to, the next reading tells."""
        mailbox = self.files[index][0]
        self.files[index] = self.files[-1]
        self.files.pop()
        self.lost += 1
        self.read(mailbox)

    def fresh_name(self):
        self.made += 1
        return f"{1_000_000_000 + self.made}.M{self.made}P{os.getpid()}.mua"

    def step(self):
        """One deed."""
        possible = [doing for doing, most in self.most.items() if self.deeds[doing] < most]
        weights = [20 if self.most[doing] == WITHOUT_END else 1 for doing in possible]
        doing = self.chance.choices(possible, weights)[0]
        if self.files or doing == "deliver":
            self.deeds[doing] += 1
            getattr(self, doing)(self.chance.randrange(len(self.files)) if self.files else None)

    def flag(self, index):
        mailbox, _, name, _ = self.files[index]
        unique, _, letters = name.partition(":2,")
        letters = "".join(sorted(set(letters) ^ {self.chance.choice("FRS")}))
        self.rename(index, mailbox, "cur", f"{unique}:2,{letters}")

    def arrive(self, index):
        mailbox, part, name, _ = self.files[index]
        if part == "new":
            self.rename(index, mailbox, "cur", f"{name}:2,")
        elif name.endswith(":2,"):
            self.rename(index, mailbox, "new", name[:-3])

    def move(self, index):
        _, part, name, _ = self.files[index]
        if self.chance.random() < 0.5:
            name = self.fresh_name() + "".join(name.partition(":2,")[1:])
        self.rename(index, self.chance.choice(self.mailboxes), part, name)

    def write(self, mailbox, name, body, date):
        path = self.path(mailbox, "tmp", name.partition(":2,")[0])
        with open(path, "xb") as file:
            file.write(body)
        os.utime(path, (date, date))
        os.rename(path, self.path(mailbox, "cur" if ":2," in name else "new", name))

    def body_of(self, index):
        """(bytes, date), or None where it is not there."""
        try:
            with open(self.path(*self.files[index][:3]), "rb") as file:
                return file.read(), int(os.fstat(file.fileno()).st_mtime)
        except FileNotFoundError:
            self.miss(index)
            return None

    def copy(self, index):
        *_, name, number = self.files[index]
        found = self.body_of(index)
        if found:
            name = self.fresh_name() + "".join(name.partition(":2,")[1:])
            mailbox = self.chance.choice(self.mailboxes)
            self.write(mailbox, name, *found)
            self.files.append((mailbox, "cur" if ":2," in name else "new", name, number))

    def remove(self, index):
        try:
            os.unlink(self.path(*self.files[index][:3]))
        except FileNotFoundError:
            self.miss(index)
            return
        self.files[index] = self.files[-1]
        self.files.pop()

    def redo(self, index):
        mailbox, part, name, number = self.files[index]
        found = self.body_of(index)
        if not found:
            return
        try:
            os.unlink(self.path(mailbox, part, name))
        except FileNotFoundError:
            self.miss(index)
            return
        if self.chance.random() < 0.5:
            name = self.fresh_name() + "".join(name.partition(":2,")[1:])
        self.write(mailbox, name, *found)
        self.files[index] = (mailbox, part, name, number)

    def deliver(self, _):
        number, name = self.next_number, self.fresh_name()
        self.next_number += 1
        mailbox = self.chance.choice(self.mailboxes)
        body = b"X-Number: %d\nMessage-ID: <%d@mua>\n\n%s" % (number, number, b"line\n" * self.chance.randrange(300))
        self.write(mailbox, name, body, 1_000_000_000 + number)
        self.files.append((mailbox, "new", name, number))


def main():
    most = {doing: int(times) if times else WITHOUT_END
            for doing, _, times in (argument.partition("=") for argument in sys.argv[3:])}
    mua = Mua(sys.argv[1], int(sys.argv[2]), most)
    done = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(100):
            mua.step()
        done += 100
        if done == 1000:
            print("ready", flush=True)
    print(json.dumps({"deeds": mua.deeds, "lost": mua.lost}), flush=True)


if __name__ == "__main__":
    main()
