# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 1: killed at every point of a run, in every scene: the next runs end as after an unbroken one."""
import os
import shutil
import tempfile

import pytest

from dovecot import Dovecot
from figures import note_figure
from stages import STAGES
from stopping import Stage, stop_everywhere

# As many runs at once: each spends half of its time waiting.
ABREAST = 3
CAPABILITIES = {"rich": "IMAP4rev1 LITERAL+ ENABLE UIDPLUS MOVE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE",
                "poor": "IMAP4rev1 SPECIAL-USE"}


@pytest.fixture(scope="module")
def scratch():
    """A directory for servers and trees, in memory where there is one: what is done a thousand times."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = tempfile.mkdtemp(prefix="evenmail-stops-", dir=memory)
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


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


@pytest.mark.parametrize("name", STAGES)
def test_stopped_at_every_point(faults_program, find_server, scratch, name):
    build, kind, environment = STAGES[name]
    number = list(STAGES).index(name)
    stages = []
    try:
        for lane in range(ABREAST):
            user = f"stop{number}x{lane}"
            stages.append(Stage(faults_program, find_server(kind), f"{scratch}/{user}", user, build, **environment))
        count = stop_everywhere(stages)
    finally:
        for stage in stages:
            stage.close()
    assert count > 5, "the program is built with --enable-faults"
    note_figure("stops", count, "points stopped at")
    print(f"{name}: {count} points")
