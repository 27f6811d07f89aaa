# SPDX-License-Identifier: GPL-3.0-or-later
"""Random histories of channels that do not allow all, or of which runs name mailboxes.

Their sides need not end equal. Runs come to an end all the same, nothing that no user deleted is lost, nothing
is doubled, and what is new comes where it may.
"""
import hashlib
import random
import signal

from history import MAILBOXES, SIDES, History

CHANGES = ("new", "flags", "deletions", "mailboxes")
OTHER = {"local": "remote", "remote": "local"}


def choose_policy(seed):
    """What a channel's configuration says of it."""
    chance = random.Random(seed)

    def some():
        return [change for change in CHANGES if chance.random() < 0.7]

    return {"pull": some(), "push": some(),
            "deletions": {side: chance.choice(("expunge", "trash", "keep")) for side in SIDES}}


class PolicyHistory(History):
    """Counts of what users did are never begun anew: at no rest is all as they left it."""

    statuses = (*History.statuses, 2, 64)  # stopped by a safety check; a mailbox that is not there (yet)

    def play(self):
        for mailbox in MAILBOXES:
            self.users[0].create(mailbox)
        super().play()

    def arguments(self):
        names = sorted({*self.users[0].mailboxes(), *self.users[1].mailboxes()})
        named = self.chance.sample(names, self.chance.randint(0, 2))
        allowed = ["--allow-deletions"] if self.chance.random() < 0.6 else []
        return allowed + [f"{self.channel.name}/{name}" for name in named]

    def run_whole(self):
        process = self.channel.run("sync", "--allow-deletions", status=None)
        if process.returncode not in (0, 1):
            self.fail(f"a run ended with {process.returncode}: {process.err}")

    def check(self):
        held = {side: {} for side in SIDES}
        mailboxes = {}
        for side in SIDES:
            state = self.channel.side(side).state()
            mailboxes[side] = set(state)
            for mailbox, rows in state.items():
                for digest, _, _ in rows:
                    held[side].setdefault(digest, []).append(mailbox)
        for mail in self.mails:
            digest = hashlib.sha256(mail.body).hexdigest()
            self.check_mail(mail, {side: held[side].get(digest, []) for side in SIDES}, mailboxes)

    def check_mail(self, mail, places, mailboxes):
        removed, moved = sum(mail.removed.values()), sum(mail.moved.values())
        if mail.added and not removed and not any(places.values()):
            self.fail(f"message {mail.number} is lost")
        if not mail.single or mail.added != 1 or moved or self.renamed:
            return
        for side, found in places.items():
            if len(found) > 1:
                self.fail(f"message {mail.number} is there {len(found)} times: {places}")
            allowed = self.channel.keys["pull" if side == "local" else "push"]
            for mailbox in places[OTHER[side]]:
                if not removed and not found and "new" in allowed and mailbox in mailboxes[side]:
                    self.fail(f"message {mail.number} has not come to the {side} side: {places}")
