# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 1: killed at every point of a run, in every scene: the next runs end as after an unbroken one."""
import itertools
import re
import signal

import pytest

from dovecot import Dovecot
from figures import longer, note_figure
from stages import STAGES
from stopping import Stage, stop_everywhere

# As many runs at once: each spends half of its time waiting.
ABREAST = 3
STEP = 4
USERS = itertools.count(1)
CAPABILITIES = {"rich": "IMAP4rev1 LITERAL+ MULTIAPPEND ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED"
                        " LIST-STATUS SPECIAL-USE",
                "poor": "IMAP4rev1 SPECIAL-USE"}


@pytest.fixture(scope="module")
def find_server(scratch):
    started = {}

    def find(kind):
        if kind not in started:
            started[kind] = Dovecot(f"{scratch}/{kind}", capability=CAPABILITIES[kind]).start()
        return started[kind]

    yield find
    for server in started.values():
        server.close()


@pytest.fixture
def make_stages(programs, find_server, scratch):
    """make_stages(name, count) makes so many alike, each with an account of its own."""
    made = []

    def make(name, count):
        build, kind, environment = STAGES[name]
        for _ in range(count):
            user = f"stop{next(USERS)}"
            made.append(Stage(programs, find_server(kind), f"{scratch}/{user}", user, build, **environment))
        return made

    yield make
    for stage in made:
        stage.close()


@pytest.mark.parametrize("index,name", enumerate(STAGES))
def test_stopped_at_every_point(make_stages, index, name):
    """FAULTS 1: tests/faults stops at each on a server in memory; here it is each fourth, but for tests/soak."""
    step = 1 if longer(1) > 1 else STEP
    count = stop_everywhere(make_stages(name, ABREAST), 1 + index % step, step)
    assert count * step > 5, "the program is built with --enable-faults"
    note_figure("stops", count, "points stopped at")


@pytest.mark.parametrize("name", ["both ways", "a local mailbox renamed"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop(make_stages, name, number):
    """FAULTS 48: the run ends at the next safe place with status 1; asked twice it ends at once, by that signal."""
    stage, = make_stages(name, 1)
    asked = [point for point in range(2 + int(number) % 3, 400, 9) if stage.ask(point, number, 1)]
    twice = [point for point in asked[::3] if stage.ask(point, number, 2)]
    assert len(asked) > 3 and twice
    note_figure("stops", len(asked) + len(twice), "points at which a signal came")


@pytest.mark.parametrize("way", ["line", "line+"])
def test_the_line_fails_at_every_use(make_stages, way):
    """What is sent or received fails, once or from then on: the run says so, and ends with 69 or makes up for it."""
    stage, = make_stages("both ways", 1)
    ends = list(itertools.takewhile(bool, (stage.fail(way, number) for number in range(1, 400))))
    assert len(ends) > 10 and {status for status, _ in ends} <= {0, 1, 69}
    assert all(re.search("the line broke|closed the line", said) for status, said in ends if status)
    note_figure("errors", len(ends), "calls that failed")


@pytest.mark.parametrize("way", ["ENOSPC+", "EIO", "EMFILE", "alloc"])
def test_the_program_says_what_failed(make_stages, way):
    """FAULTS 3, 6: by its exit status, too; and what it had done by then is neither lost nor done twice."""
    stage, = make_stages("both ways", 1)
    step = {"alloc": 23, "EIO": 11}.get(way, 3)
    ends = list(itertools.takewhile(bool, (stage.fail(way, number) for number in range(1, 10_000, step))))
    assert len(ends) > 5
    # 78: the configuration could not be read. 69: the tunnel or the certificates could not.
    assert {status for status, _ in ends} <= ({70} if way == "alloc" else {0, 1, 69, 74, 78}), ends
    note_figure("errors", len(ends), "calls that failed")
