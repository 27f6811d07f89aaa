# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that stand between a program and the C library."""
import os
import subprocess

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def build_preload(directory, source):
    """Compiles the one of that source below tests/ into the directory; returns its path."""
    library = os.path.join(str(directory), os.path.basename(source) + ".so")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    "-o", library, os.path.join(TESTS, source), "-ldl"], check=True)
    return library
