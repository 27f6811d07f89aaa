# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measurement needs on this machine: packages, evenmail built for release, and what to say of both."""
import datetime
import os
import platform
import subprocess

from tools import HERE, ask_version

ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD_PACKAGES = ["autoconf", "automake", "make", "gcc", "libc6-dev", "pkg-config", "libcurl4-openssl-dev",
                  "libssl-dev", "zlib1g-dev", "libyaml-dev", "dovecot-core", "dovecot-imapd", "openssl"]
PEER_PACKAGES = {"mbsync": "isync", "interimap": "interimap", "offlineimap3": "offlineimap3"}


def install(evenmail, peers):
    """Asks apt for what is missing; where evenmail is given, only for the peers."""
    packages = [] if evenmail else BUILD_PACKAGES
    packages = [*packages, *(PEER_PACKAGES[name] for name in peers)]
    subprocess.run([os.path.join(ROOT, "tests", "servers", "install"), *packages], check=True)


def build_evenmail():
    """A release build as `./configure && make` makes it, out of the tree."""
    directory = os.path.join(ROOT, "build", "bench-release")
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "build.log"), "w", encoding="utf-8") as log:
        for argv in ([os.path.join(ROOT, "tests", "bootstrap")], [os.path.join(ROOT, "configure"), "-q"],
                     ["make", "-s", f"-j{os.cpu_count()}", "evenmail"]):
            subprocess.run(argv, cwd=directory, stdout=log, stderr=log, check=True)
    return os.path.join(directory, "evenmail")


def build_measure(directory):
    """The program that runs the others; see measure.c."""
    program = os.path.join(directory, "measure")
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-o", program,
                    os.path.join(HERE, "measure.c")], check=True)
    return program


def describe_machine(seed, tools):
    """The first line of the results."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"machine": {"cpu": models[0] if models else platform.machine(), "cores": os.cpu_count(),
                        "kernel": platform.release(), "load": os.getloadavg(),
                        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20},
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "versions": {"dovecot": ask_version("dovecot", "--version"),
                         **{tool.name: tool.version() for tool in tools}},
            "seed": seed}
