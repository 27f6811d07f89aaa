# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: ten works, the mail for them, and when a result counts as right."""
import random
from collections import Counter
from dataclasses import dataclass, replace

from accounts import describe_difference
from corpus import Corpus

MIXED_MEDIAN = 7_000  # makes 166 MB of 10,000 messages
FEW = 10  # what a mailbox holds into which the even mail is moved


@dataclass(frozen=True)
class Mail:
    """What an account holds: so many messages, spread over so many mailboxes."""
    kind: str  # mixed: as people get it; small: some 2 KB of text; even: 15 KB of base64, in the first mailbox
    messages: int
    mailboxes: int

    def names(self):
        return ["INBOX", *(f"box{number:03}" for number in range(1, self.mailboxes))]

    def make(self, seed):
        """{mailbox: [Message]}"""
        corpus = Corpus(seed, MIXED_MEDIAN)
        chance = random.Random(seed)
        made = [self.make_one(corpus, chance) for _ in range(self.messages)]
        if self.kind == "even":
            return {"INBOX": made[FEW:], "box001": made[:FEW]}
        names = self.names()
        return {name: made[number::len(names)] for number, name in enumerate(names)}

    def make_one(self, corpus, chance):
        seen = "S" if chance.random() < 0.8 else ""
        if self.kind == "mixed":
            return corpus.message(flags="F" * (chance.random() < 0.05) + "R" * (chance.random() < 0.1) + seen)
        message = corpus.message("empty-body", flags=seen)
        text = corpus.attachment(15_000) if self.kind == "even" else wire_text(corpus, chance.randrange(500, 3_000))
        return replace(message, body=message.body + text)


def wire_text(corpus, size):
    return corpus.text(size).replace("\n", "\r\n").encode()


@dataclass(frozen=True)
class Work:
    """One row of the table.

    Goals are of all the mail, reported and never asserted. goal_share is of mbsync's time in the same run: where the
    goal is a time, goal_seconds, that time as a share of what mbsync took where it was set.
    """
    key: str
    title: str
    kind: str
    mail: Mail
    delay: float  # seconds, one way
    changes: int = 0
    goal_share: float | None = None
    goal_seconds: float | None = None
    goal_cpu: float | None = None
    goal_bytes: int | None = None  # both ways
    goal_peak_kib: int | None = None
    without: tuple = ()  # who would take hours


def make_works(scale):
    """The ten works; a scale above 1 divides the numbers of messages and mailboxes."""
    def count(number):
        return max(40, number // scale)

    mixed = Mail("mixed", count(10_000), 20)
    small = Mail("small", count(100_000), 1)
    many = Mail("small", count(2_000), 500 if scale == 1 else 40)
    heap = Mail("mixed", count(5_000), 5)
    even = Mail("even", 2 * count(1_000) + FEW, 2)
    slow = ("offlineimap3",)
    percent, half = small.messages // 100 or 1, even.messages // 2 - FEW // 2
    return [
        Work("pull", f"first pull, {mixed.messages:,} in 20 mailboxes", "pull", mixed, 0, goal_share=1 / 3),
        Work("pull-20ms", f"first pull, {mixed.messages:,} in 20 mailboxes", "pull", mixed, 0.02,
             goal_share=1 / 4, without=slow),
        Work("pull-100k", f"first pull, {small.messages:,} small messages", "pull", small, 0, goal_share=1 / 8,
             goal_peak_kib=32_000_000 >> 10, without=slow),
        Work("push", f"first push, {heap.messages:,} messages", "push", heap, 0.02, goal_share=4 / 13.1,
             goal_seconds=4.0, without=slow),
        Work("noop-20", "nothing changed in 20 mailboxes", "noop", mixed, 0.05, goal_share=0.45 / 7.1,
             goal_seconds=0.45),
        Work("noop-500", f"nothing changed in {many.mailboxes} mailboxes", "noop", many, 0.05,
             goal_share=0.5 / 154, goal_seconds=0.5, without=slow),
        Work("noop-100k", f"nothing changed in {small.messages:,} messages", "noop", small, 0, goal_cpu=0.03,
             goal_bytes=1_000, without=slow),
        Work("reflag", f"1 % of {small.messages:,} re-flagged, both sides", "reflag", small, 0, changes=percent,
             goal_share=0.2 / 0.38, goal_seconds=0.2, goal_bytes=40_000, without=slow),
        Work("move-local", f"{half:,} messages moved on the disk", "move", even, 0.02, changes=half,
             goal_share=0.5 / 2.4, goal_seconds=0.5, goal_bytes=16_000),
        Work("move-remote", f"{half:,} messages moved on the server", "move", even, 0.02, changes=half,
             goal_share=0.3 / 0.83, goal_seconds=0.3),
    ]


def describe_work(work):
    """What a report needs to know of it."""
    return {"key": work.key, "title": work.title, "delay_ms": round(work.delay * 1000),
            **{name: value for name, value in vars(work).items() if name.startswith("goal_")}}


class Checker:
    """Holds what a work's runs leave behind against what both sides must show by then."""

    def __init__(self, work, wanted):
        self.work = work
        self.wanted = wanted

    def check(self, local, remote, rounds):
        """What is wrong after so many rounds of changes, or None."""
        if self.work.kind == "push":
            return describe_difference(self.wanted, remote.state())
        here = local.state()
        if self.work.kind in ("pull", "noop"):
            return describe_difference(self.wanted, here)
        there = remote.state()
        if here != there:
            return "the sides differ: " + describe_difference(there, here)
        check = self.check_moved if self.work.kind == "move" else self.check_flagged
        return check(here, rounds)

    def check_flagged(self, state, rounds):
        if digests(self.wanted) != digests(state):
            return describe_difference(self.wanted, state)
        for letter in "FR":
            found = count_flag(state, letter) - count_flag(self.wanted, letter)
            if found != rounds * self.work.changes:
                return f"{found} messages have become {letter}, not {rounds * self.work.changes}"
        return None

    def check_moved(self, state, rounds):
        if sum(digests(self.wanted).values(), Counter()) != sum(digests(state).values(), Counter()):
            return describe_difference(self.wanted, state)
        away = len(self.wanted["INBOX"]) - len(state["INBOX"])
        return None if away == rounds % 2 * self.work.changes else f"{away} messages are away"


def digests(state):
    return {name: Counter(row[0] for row in rows) for name, rows in state.items()}


def count_flag(state, letter):
    return sum(letter in flags for rows in state.values() for _, flags in rows)
