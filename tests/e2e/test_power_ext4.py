# SPDX-License-Identifier: GPL-3.0-or-later
"""FAULTS 2: images of a real ext4 that are taken while a run is under way, as a power cut leaves it."""
import hashlib
import os
import shutil
import subprocess

import pytest

from figures import longer, note_figure
from outage import Outages, Scene, assert_heals

IMAGES = 20
PARTS = 4
DISK_BYTES = 12 << 20
ORDERS = ("data=ordered", "data=writeback")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def run(*argv):
    return subprocess.run(argv, env={**os.environ, "PATH": PATH}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


class Disk:
    """An ext4 in a file, mounted by a loop device that goes when it is unmounted."""

    def __init__(self, image, place, options):
        self.image, self.place, self.options = str(image), str(place), options
        self.mounted = False
        with open(self.image, "xb") as file:
            file.truncate(DISK_BYTES)
        os.makedirs(self.place)
        made = run("mkfs.ext4", "-q", "-F", self.image)
        assert made.returncode == 0, made.stdout

    def mount(self):
        """Returns why it cannot be mounted, or None."""
        done = run("mount", "-t", "ext4", "-o", f"loop,{self.options}", self.image, self.place)
        self.mounted = done.returncode == 0
        return None if self.mounted else done.stdout.decode(errors="replace").strip()

    def unmount(self):
        if self.mounted and run("umount", self.place).returncode != 0:
            run("umount", "-l", self.place)
        self.mounted = False

    def flush(self):
        """As the kernel does by itself now and then."""
        assert run("sync", "-f", self.place).returncode == 0

    def cut(self):
        """What is on the disk by now, and nothing of what waits in memory, is what there is from then on."""
        copy = self.image + ".cut"
        copy_at_rest(self.image, copy)
        self.unmount()
        os.replace(copy, self.image)
        why = self.mount()
        assert why is None, why


def copy_at_rest(source, target):
    """Copies until nothing was written meanwhile: that a copy holds the disk of one instant."""
    before = None
    for _ in range(50):
        shutil.copyfile(source, target)
        with open(target, "rb") as file:
            now = hashlib.sha256(file.read()).digest()
        if now == before:
            return
        before = now
    raise AssertionError("the disk is never at rest")


@pytest.fixture
def disks(tmp_path):
    """disks(image, place, options) mounts one, or skips; they are unmounted whatever comes of the test."""
    made = []

    def make(image, place, options):
        made.append(Disk(image, place, options))
        why = made[-1].mount()
        if why is not None:
            pytest.skip(f"no loop device can be mounted here: {why}")
        return made[-1]

    if os.geteuid() != 0:
        pytest.skip("only root mounts a loop device")
    if not shutil.which("mkfs.ext4", path=PATH):
        pytest.skip("there is no mkfs.ext4 here")
    yield make
    for disk in made:
        disk.unmount()


@pytest.fixture(params=["first", "all"])
def outages(request, faults_program, server, tmp_path, corpus, user):
    return Outages(faults_program, server, tmp_path, user, getattr(Scene(corpus), request.param))


def lay_out(disks, place, order, apart):
    """tree and state, on one disk or on two."""
    mounted = []
    for name in ("tree", "state") if apart else ("both",):
        mounted.append(disks(place / f"{name}.img", place / f"{name}.disk", order))
    for name in ("tree", "state"):
        disk = f"{name}.disk" if apart else "both.disk"
        (place / disk / name).mkdir()
        (place / name).symlink_to(place / disk / name)
    return mounted


@pytest.mark.parametrize("part", range(PARTS))
def test_power_cut_on_ext4(disks, outages, part):
    """FAULTS 2, with both ways of writing data, and the state on the same file system and on another."""
    order, apart = ORDERS[part % 2], part // 2
    mounted = []
    wanted, count = outages.points()
    images = longer(IMAGES // 2)
    for image in range(part, images, PARTS):
        point = 1 + image * (count - 1) // (images - 1)
        channel = outages.channel(lambda place: mounted.extend(lay_out(disks, place, order, apart)))
        try:
            # What the user did is not at stake.
            for disk in mounted:
                disk.flush()
            outages.stop(channel, point)
            # Of two disks one may have been written by chance just now.
            if apart and image % 3:
                mounted[image % 3 - 1].flush()
            for disk in mounted:
                disk.cut()
            assert_heals(channel, wanted)
        except Exception as error:
            raise AssertionError(f"cut at point {point} of {count}, {order}, apart {apart}: {error}") from error
        finally:
            while mounted:
                mounted.pop().unmount()
        outages.drop(channel)
        note_figure("power", 1, "images of ext4")
    for what in "messages lost", "messages doubled", "stuck":
        note_figure("power", 0, what)
