# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailbox names as tuples of components, and modified UTF-7, written for the tests alone."""
import base64


def encode_utf7(text):
    """RFC 3501, section 5.1.3."""
    out, run = [], []

    def flush():
        if run:
            code = base64.b64encode("".join(run).encode("utf-16-be")).decode().rstrip("=")
            out.append("&" + code.replace("/", ",") + "-")
            run.clear()

    for char in text:
        if " " <= char <= "~":
            flush()
            out.append("&-" if char == "&" else char)
        else:
            run.append(char)
    flush()
    return "".join(out)


def decode_utf7(text):
    out, rest = [], text
    while "&" in rest:
        before, rest = rest.split("&", 1)
        code, rest = rest.split("-", 1)
        out.append(before)
        if code:
            code = code.replace(",", "/")
            out.append(base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-16-be"))
        else:
            out.append("&")
    return "".join(out) + rest


def as_components(name):
    """("a", "b") for "a/b"; a tuple stays as it is: its components may hold anything."""
    return name if isinstance(name, tuple) else tuple(name.split("/"))
