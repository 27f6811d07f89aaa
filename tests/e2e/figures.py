# SPDX-License-Identifier: GPL-3.0-or-later
"""What suites count for the end of a run's output, and how much longer tests/soak lets them work."""
import os


def note_figure(suite, count, what):
    """tests/run sums the counts of the same suite and words."""
    path = os.environ.get("EVENMAIL_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{suite}\t{count}\t{what}\n")


def longer(count):
    """COUNT, or as much more as EVENMAIL_SOAK says."""
    return count * soak()


def is_soak():
    return soak() > 1


def soak():
    return int(os.environ.get("EVENMAIL_SOAK", "1"))


def seed_from(first):
    """Where a suite's seeds begin: others for each EVENMAIL_SEED, always the same without one (tests/unit/figure.h)."""
    return first + 100_000_000 * int(os.environ.get("EVENMAIL_SEED", "0"))
