# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 2: the power goes. What was not synced is gone, torn, or there in another order (e2e/power.py).

The server is another machine: it stands as it stood when the lights went out.
"""
import pytest

from figures import longer, note_figure, seed_from
from outage import Outages, Scene, assert_heals
from power import VARIANTS, Disk
from preload import build_preload

IMAGES = 112
PARTS = 8


@pytest.fixture(scope="session")
def recorder(tmp_path_factory):
    return build_preload(tmp_path_factory.mktemp("recorder"), "power/record.c")


SCENES = ("first", "all")


def cut(outages, recorder, point, variant, apart, seed):
    """A channel after the power went at that point. Returns it, and how many changes were not durable."""
    channel = outages.channel()
    disk = Disk([(f"{channel.directory}/tree", 0), (f"{channel.directory}/state", int(apart))])
    log = f"{channel.directory}/log"
    outages.stop(channel, point, LD_PRELOAD=recorder, POWER_LOG=log)
    disk.play(log)
    return channel, disk.restart(variant, seed)


@pytest.fixture(params=SCENES)
def outages(request, faults_program, server, tmp_path, corpus, user):
    return Outages(faults_program, server, tmp_path, user, getattr(Scene(corpus), request.param))


@pytest.mark.parametrize("part", range(PARTS))
def test_power_cut(outages, recorder, part):
    """FAULTS 2, at points evenly spread, with the state on the same file system and on one of its own."""
    wanted, count = outages.points()
    images = longer(IMAGES // len(SCENES))
    assert count > 60, "the program is built with --enable-faults"
    loose = tried = 0
    for image in range(part, images, PARTS):
        point, variant, apart = 1 + image * (count - 1) // (images - 1), VARIANTS[(image // PARTS + image) % 8], image % 2
        seed = seed_from(image)
        channel, changes = cut(outages, recorder, point, variant, apart, seed)
        try:
            assert_heals(channel, wanted)
        except Exception as error:
            raise AssertionError(f"cut at point {point} of {count}, {variant}, apart {apart}, seed {seed}: {error}") from error
        outages.drop(channel)
        loose += changes
        tried += 1
    assert loose > 0, "nothing was ever at stake"
    for figure, what in (tried, "images of power cuts"), (0, "messages lost"), (0, "messages doubled"), (0, "stuck"):
        note_figure("power", figure, what)


LOG = """C {top} {new} 5 9:1
W 9:1 0 {data}
S {top}
W 9:1 4 {data}
R {top} {old} 6 {deep} {moved} 7
{sync}"""
AFTER = {  # what was synced, and the variant: the files that there are
    ("", "none"): {"a": b"old", "b": b""},
    ("S 9:1", "none"): {"a": b"old", "b": b"datadata"},
    ("S {deep}", "none"): {"a": b"old", "b": b"", "deep/c": b"old"},
    ("S {top}", "none"): {"b": b"", "deep/c": b"old"},
    ("A {deep}", "none"): {"b": b"datadata", "deep/c": b"old"},
    ("", "names"): {"b": bytes(8), "deep/c": b"old"},
    ("", "bytes"): {"a": b"old", "b": b"datadata"},
    ("", "mail"): {"b": b"datadata", "deep/c": b"old"},
    ("", "state"): {"a": b"old", "b": b""},
}


@pytest.mark.parametrize("sync,variant", AFTER)
def test_model_forgets_what_was_not_synced(tmp_path, sync, variant):
    """The rules that the images above are made by."""
    top, deep = tmp_path / "top", tmp_path / "top" / "deep"
    deep.mkdir(parents=True)
    (top / "a").write_bytes(b"old")
    names = {name: f"{path.stat().st_dev}:{path.stat().st_ino}" for name, path in (("top", top), ("deep", deep))}
    names.update({name: text.encode().hex() for name, text in
                  {"new": "b", "old": "a", "moved": "c", "data": "data"}.items()})
    disk = Disk([(str(top), 0)])
    log = tmp_path / "log"
    log.write_text((LOG.replace("{sync}", sync).format(**names)).rstrip("\n") + "\n")
    disk.play(log)
    disk.restart(variant, 1)
    found = {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    assert found == AFTER[(sync, variant)]
    assert names["deep"].endswith(f":{deep.stat().st_ino}")
