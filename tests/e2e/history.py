# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories: two users at work on both sides of a channel, between and during runs that may be killed.

A seed decides what is done. What users did is noted per content, and when both sides are at rest it tells
what must be there: nothing that no user deleted is lost, nothing is doubled, flags are as their user left them.
"""
import errno
import hashlib
import imaplib
import json
import os
import random
import re
import signal
import threading
from dataclasses import dataclass, field

from channel import SYNC_SECONDS, Ended
from corpus import FIRST_DATE, crlf
from local import files_of, read_file
from remote import Remote, RemoteError, imap_flags, letters_of

MAILBOXES = ("INBOX", "Work", "Work/2026", "Lists")
NEW_NAMES = ("Play", "Old", "Work/Old", "Lists")
# Without T: what is marked so another client may expunge.
LETTERS = "DFPRS"
NUMBER = re.compile(rb"X-Number: (\d+)\r?\n")
SIDES = ("local", "remote")
# How often a user does what.
DOINGS = {"deliver": 16, "flag": 16, "remove": 8, "move": 10, "copy": 4, "create": 1, "rename": 2}
MOST_RUNS = 6
MOST_BUSY = 12


@dataclass
class Mail:
    """A content that users delivered, and what they did to it since both sides were at rest."""
    number: int
    body: bytes
    date: int
    copies: int = 0                 # at rest
    flags: str = ""                 # then, where there is one copy
    single: bool = True             # it was never copied
    added: int = 0
    moved: dict = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    removed: dict = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    turned: dict = field(default_factory=dict)  # letter: [(side, is it set)]

    def settle(self, flags):
        """From here on users' doings count anew."""
        self.copies, self.added = len(flags), 0
        self.flags = flags[0] if len(flags) == 1 else ""
        self.single = self.single and len(flags) < 2
        self.moved, self.removed = dict.fromkeys(SIDES, 0), dict.fromkeys(SIDES, 0)
        self.turned = {}


class Broken(AssertionError):
    """Something does not hold; the text says what was done."""


class LocalUser:
    """A mail program that knows its files by name, as all do: a file may be gone when it gets there."""

    name = "local"

    def __init__(self, channel):
        self.channel = channel
        self.made = 0

    def mailboxes(self):
        return sorted("/".join(name) for name in self.channel.local.mailboxes())

    def messages(self, mailbox):
        """[(number, letters, path)]"""
        found = []
        for path in files_of(self.channel.local.directory(mailbox)):
            with open(path, "rb") as file:
                number = NUMBER.match(file.read(40))
            if number:
                found.append((int(number[1]), os.path.basename(path).partition(":2,")[2], path))
        return sorted(found)

    def unique(self, mail):
        self.made += 1
        return f"{mail.date}.M{self.made}P{os.getpid()}N{mail.number}.mua"

    def deliver(self, mailbox, mail, letters):
        directory, name = self.channel.local.directory(mailbox), self.unique(mail)
        self.write(directory, name, mail)
        place = f"cur/{name}:2,{letters}" if letters else f"new/{name}"
        os.rename(f"{directory}/tmp/{name}", f"{directory}/{place}")

    @staticmethod
    def write(directory, name, mail):
        path = f"{directory}/tmp/{name}"
        with open(path, "xb") as file:
            file.write(mail.body.replace(b"\r\n", b"\n"))
        os.utime(path, (mail.date, mail.date))

    def flag(self, mailbox, key, before, after):
        directory = self.channel.local.directory(mailbox)
        unique = os.path.basename(key).partition(":2,")[0]
        os.rename(key, f"{directory}/cur/{unique}:2,{after}")

    def remove(self, mailbox, key):
        os.unlink(key)

    def move(self, mailbox, key, target, same):
        """Some programs keep a file's name, some make a new one."""
        unique, mark, letters = os.path.basename(key).partition(":2,")
        if not same:
            self.made += 1
            unique = f"{FIRST_DATE}.M{self.made}P{os.getpid()}.moved"
        os.rename(key, f"{self.channel.local.directory(target)}/{'cur' if mark else 'new'}/{unique}{mark}{letters}")

    def copy(self, mailbox, key, target, mail):
        letters = os.path.basename(key).partition(":2,")[2]
        self.deliver(target, mail, letters)

    def create(self, mailbox):
        self.channel.local.create(mailbox)

    def rename(self, old, new):
        local = self.channel.local
        target = f"{local.root}/{new}"
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        try:
            os.rename(local.directory(old), target)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            # A run has made one of that name meanwhile.
            raise FileExistsError(*error.args) from None


class RemoteUser:
    """Another IMAP client, on a connection of its own."""

    name = "remote"

    def __init__(self, channel):
        self.channel = channel
        self.connect()

    def connect(self):
        self.remote = Remote(self.channel.server, self.channel.user)
        self.imap = self.remote.imap

    def mailboxes(self):
        return sorted("/".join(name) for name in self.remote.mailboxes())

    def leave(self):
        """No mailbox is selected any more."""
        try:
            if self.imap.state == "SELECTED":
                self.imap.unselect()
        except imaplib.IMAP4.abort:
            self.connect()

    def select(self, mailbox):
        self.remote.ask("SELECT", self.imap.select(self.remote.wire_name(mailbox)))

    def messages(self, mailbox):
        """[(number, letters, uid)]; the mailbox is selected then."""
        self.select(mailbox)
        data = self.remote.ask("FETCH", self.imap.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[]<0.40>)"))
        found = []
        for part in data:
            if isinstance(part, tuple):
                uid, flags = re.search(rb"UID (\d+) FLAGS \(([^)]*)\)", part[0]).groups()
                found.append((int(NUMBER.match(part[1])[1]), letters_of(flags.decode()), uid.decode()))
        return sorted(found)

    def deliver(self, mailbox, mail, letters):
        self.leave()
        self.remote.add(mailbox, Delivered(mail.body, letters, mail.date))

    def flag(self, mailbox, key, before, after):
        for item, letters in (("+FLAGS.SILENT", set(after) - set(before)), ("-FLAGS.SILENT", set(before) - set(after))):
            if letters:
                self.remote.ask("STORE", self.imap.uid("STORE", key, item, imap_flags(letters)))

    def remove(self, mailbox, key):
        self.remote.ask("STORE", self.imap.uid("STORE", key, "+FLAGS.SILENT", r"(\Deleted)"))
        self.remote.ask("EXPUNGE", self.imap.uid("EXPUNGE", key))

    def move(self, mailbox, key, target, same):
        self.remote.ask("MOVE", self.imap.uid("MOVE", key, self.remote.wire_name(target)))

    def copy(self, mailbox, key, target, mail):
        self.remote.ask("COPY", self.imap.uid("COPY", key, self.remote.wire_name(target)))

    def create(self, mailbox):
        self.remote.create(mailbox)

    def rename(self, old, new):
        self.leave()
        self.remote.rename_mailbox(old, new)


@dataclass
class Delivered:
    """What Remote.add() wants to know of a message."""
    body: bytes
    flags: str
    date: int


class History:
    """Carries one out: make one, then play()."""

    statuses = (0, 1, 69, -signal.SIGKILL)

    def __init__(self, channel, seed, program=None):
        self.channel = channel
        self.seed = seed
        self.chance = random.Random(seed)
        self.program = program or channel.evenmail
        self.users = [LocalUser(channel), RemoteUser(channel)]
        self.mails = []
        self.told = []
        self.ran = self.renamed = False
        self.renamers = set()
        self.runs = self.stops = 0

    def tell(self, text):
        self.told.append(text)

    def fail(self, text):
        raise Broken(f"history {self.seed}: {text}\nEVENMAIL_HISTORY={self.seed} makes it again; what was done:\n  "
                     + "\n  ".join(self.told))

    def play(self):
        """Some steps, then rest; twice or more."""
        for mailbox in MAILBOXES[1:]:
            self.users[1].create(mailbox)
        self.run_whole()
        for _ in range(self.chance.randint(2, 3)):
            for _ in range(self.chance.randint(3, 12)):
                self.act(self.chance)
                if self.chance.random() < 0.3:
                    self.run()
            self.rest()
        self.users[1].remote.close()

    # What users do.

    def act(self, chance):
        """One thing that one user does. What is gone when the user gets there is not done."""
        user = chance.choice(self.users)
        doing = chance.choices(list(DOINGS), list(DOINGS.values()))[0]
        try:
            getattr(self, f"do_{doing}")(user, chance)
        except (FileNotFoundError, FileExistsError, RemoteError) as error:
            self.tell(f"    ({user.name} {doing}: {str(error)[:80]})")
        except imaplib.IMAP4.abort as error:
            # Dovecot throws out who has a mailbox open that another one renamed.
            self.tell(f"    ({user.name} {doing}: {str(error)[:80]})")
            user.connect()

    def pick_mailbox(self, user, chance):
        """Most goes to the first."""
        names = user.mailboxes()
        return "INBOX" if chance.random() < 0.4 else chance.choice(names)

    def pick(self, user, chance):
        """(mailbox, mail, letters, key), or None."""
        mailbox = self.pick_mailbox(user, chance)
        found = user.messages(mailbox)
        if not found:
            return None
        number, letters, key = chance.choice(found)
        return mailbox, self.mails[number], letters, key

    def do_deliver(self, user, chance):
        number = len(self.mails)
        # Now and then one that no header tells from others, one with the Message-ID of all, a large one.
        kind = chance.choices(["plain", "nameless", "same", "large"], [10, 2, 1, 1])[0]
        identity = {"nameless": "", "same": "Message-ID: <same@example.org>\n"}.get(
            kind, f"Message-ID: <{self.seed}.{number}@example.org>\n")
        text = "line\n" * (4000 if kind == "large" else chance.randint(1, 60))
        mail = Mail(number, crlf(f"X-Number: {number}\n{identity}Subject: {number}\n\n{text}"), FIRST_DATE + 100 * number)
        letters = "".join(letter for letter in LETTERS if chance.random() < 0.2)
        mailbox = self.pick_mailbox(user, chance)
        mail.added, mail.flags = 1, letters
        self.mails.append(mail)
        self.tell(f"{user.name}: message {number} ({kind}) to {mailbox}, flags {letters}")
        try:
            user.deliver(mailbox, mail, letters)
        except (FileNotFoundError, RemoteError):
            mail.added = 0  # the mailbox was renamed meanwhile
            raise
        except imaplib.IMAP4.abort:
            mail.removed[user.name] += 1  # it may be there or not
            raise

    def do_flag(self, user, chance):
        picked = self.pick(user, chance)
        if not picked:
            return
        mailbox, mail, before, key = picked
        letter = chance.choice(LETTERS)
        after = "".join(sorted(set(before) ^ {letter}))
        self.tell(f"{user.name}: message {mail.number} in {mailbox}: flags {before} become {after}")
        mail.turned.setdefault(letter, []).append((user.name, letter in after))
        user.flag(mailbox, key, before, after)

    def do_remove(self, user, chance):
        picked = self.pick(user, chance)
        if not picked:
            return
        mailbox, mail, _, key = picked
        self.tell(f"{user.name}: message {mail.number} removed from {mailbox}")
        try:
            user.remove(mailbox, key)
        except imaplib.IMAP4.abort:
            mail.single = False  # it may be gone or not
            mail.removed[user.name] += 1
            raise
        mail.removed[user.name] += 1

    def do_move(self, user, chance):
        picked = self.pick(user, chance)
        if not picked:
            return
        mailbox, mail, _, key = picked
        target = chance.choice(user.mailboxes())
        if target == mailbox:
            return
        self.tell(f"{user.name}: message {mail.number} moved from {mailbox} to {target}")
        mail.moved[user.name] += 1
        user.move(mailbox, key, target, chance.random() < 0.5)

    def do_copy(self, user, chance):
        picked = self.pick(user, chance)
        if not picked:
            return
        mailbox, mail, _, key = picked
        target = chance.choice(user.mailboxes())
        self.tell(f"{user.name}: message {mail.number} copied from {mailbox} to {target}")
        mail.single = False
        mail.added += 1
        user.copy(mailbox, key, target, mail)

    def do_create(self, user, chance):
        name = chance.choice(NEW_NAMES)
        self.tell(f"{user.name}: mailbox {name} made")
        user.create(name)

    def do_rename(self, user, chance):
        old, new = chance.choice(user.mailboxes()), chance.choice(NEW_NAMES)
        if old == "INBOX" or new in user.mailboxes() or f"{new}/".startswith(f"{old}/"):
            return
        self.tell(f"{user.name}: mailbox {old} renamed to {new}")
        self.renamed = True
        self.renamers.add(user.name)
        user.rename(old, new)

    # Runs.

    def arguments(self):
        """What a run is called with."""
        return ["--allow-deletions"]

    def run(self):
        """One run, perhaps killed in its midst, perhaps with users at work."""
        more = {}
        if self.chance.random() < 0.5:
            more["EVENMAIL_STOP_AT"] = str(int(self.chance.lognormvariate(3.2, 1)) + 1)
        busy = random.Random(self.chance.random()) if self.chance.random() < 0.6 else None
        arguments = self.arguments()
        self.tell(f"run {more.get('EVENMAIL_STOP_AT', 'whole')}{', users at work' if busy else ''} {arguments}")
        self.ran = True
        self.runs += 1
        process = self.channel.start("sync", *arguments, **more)
        done = threading.Event()
        drain = threading.Thread(target=lambda: (setattr(process, "said", process.communicate()), done.set()))
        drain.start()
        for _ in range(MOST_BUSY if busy else 0):
            if done.wait(busy.uniform(0, 0.02)):
                break
            self.act(busy)
        if not done.wait(SYNC_SECONDS):
            process.kill()
            self.fail("a run hangs")
        drain.join()
        self.stops += process.returncode == -signal.SIGKILL
        self.tell(f"    ended with {process.returncode}")
        # 74: its user renamed a mailbox on the disk that was being worked on.
        if process.returncode not in (*self.statuses, 74 if self.renamed else 0):
            self.fail(f"a run ended with {process.returncode}: {process.said[1][-2000:]}")

    def run_whole(self):
        try:
            return self.channel.sync("--allow-deletions")
        except Ended as error:
            self.fail(str(error))

    def standing(self):
        """All that a run could change."""
        imap = self.users[1].imap
        self.users[1].leave()
        found = {}
        for name in self.users[1].mailboxes():
            data = imap.status(self.users[1].remote.wire_name(name), "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
            found[name] = data[1][0].split(b"(")[1]
        return found, self.channel.disk()

    def rest(self):
        """Runs until a run does nothing; then all must be as it should."""
        self.tell("rest")
        for _ in range(MOST_RUNS):
            before = self.standing()
            self.run_whole()
            if self.standing() == before:
                break
        else:
            self.fail(f"{MOST_RUNS} runs in a row did something")
        self.check()

    # What must hold.

    def check(self):
        """Both sides and the journal are equal, and as their users left them."""
        try:
            state = self.channel.state()
        except AssertionError as error:
            self.fail(str(error))
        self.check_journal()
        self.check_messages(state)

    def check_journal(self):
        """It holds exactly what both sides hold."""
        lines = [json.loads(line) for line in self.channel.run("journal", "--json").out.splitlines()]
        pairs = {}
        for line in lines:
            if line["event"] == "pair":
                pairs.setdefault(line["mailbox"], []).append((line["uid"], line["name"], line["digest"]))
        local, remote = self.channel.local, self.users[1].remote
        for mailbox in self.users[1].mailboxes():
            rows = {row[0]: row[1] for row in remote.rows(mailbox)}
            files = {found[3]: found[0] for found in map(read_file, files_of(local.directory(mailbox)))}
            known = sorted(pairs.pop(mailbox, []))
            if {uid: digest for uid, _, digest in known} != rows:
                self.fail(f"{mailbox}: the journal's UIDs are not the server's: {known} {rows}")
            if {name: digest for _, name, digest in known} != files:
                self.fail(f"{mailbox}: the journal's names are not the files': {known} {files}")
        if any(pairs.values()):
            self.fail(f"the journal knows mailboxes that are gone: {pairs}")

    def check_messages(self, state):
        found = {}
        for mailbox, rows in state.items():
            for digest, letters, date in rows:
                found.setdefault(digest, []).append((letters, date, mailbox))
        for mail in self.mails:
            rows = found.pop(hashlib.sha256(mail.body).hexdigest(), [])
            self.check_count(mail, rows)
            if any(date != mail.date for _, date, _ in rows):
                self.fail(f"message {mail.number}: its date is {mail.date}: {rows}")
            self.check_flags(mail, rows)
            mail.settle([letters for letters, _, _ in rows])
        if found:
            self.fail(f"messages that nobody delivered: {found}")
        self.ran = self.renamed = False
        self.renamers = set()

    def check_count(self, mail, rows):
        """
        Nobody deleted it: it is there. It is there once, unless somebody copied it, or both moved it (each to a
        place of its own), or moved it while a run was in the midst of doing so.
        """
        removed, moved = sum(mail.removed.values()), sum(mail.moved.values())
        if not removed and mail.copies + mail.added and not rows:
            self.fail(f"message {mail.number} is lost")
        most = mail.copies + mail.added + min(mail.moved.values())
        if self.ran or self.renamed:
            most += moved
        # Both renamed a mailbox, each to a name of its own: where nothing tells that, both places keep what is in it.
        if self.renamed and self.ran or len(self.renamers) > 1:
            most += mail.copies + mail.added
        sure = mail.single and mail.copies == 1 and removed and not moved and not mail.added and not self.renamed
        if len(rows) > (0 if sure else most):
            self.fail(f"message {mail.number} is there {len(rows)} times, {0 if sure else most} at most expected: {rows}")

    def check_flags(self, mail, rows):
        """A flag that one user turned once, and nobody else, is as that user left it; others are as they were."""
        if not mail.single or len(rows) != 1 or any(mail.moved.values()) or any(mail.removed.values()) \
                or self.renamed:
            return
        for letter in LETTERS:
            turns = mail.turned.get(letter, [])
            if len(turns) > 1:
                continue
            wanted = turns[0][1] if turns else letter in mail.flags
            if (letter in rows[0][0]) != wanted:
                self.fail(f"message {mail.number}: flag {letter} is {letter in rows[0][0]}, not {wanted}: {rows}")
