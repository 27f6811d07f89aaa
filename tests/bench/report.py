# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes of results.jsonl a summary, the details and a chart."""
import json
import math
import os
import statistics
from html import escape

TOOLS = ["evenmail", "mbsync", "interimap", "offlineimap3", "limit"]
COLORS = {"evenmail": "#0b7a5a", "mbsync": "#c4533a", "interimap": "#dd9f4c", "offlineimap3": "#8a8fb0",
          "limit": "#b9bec4"}
LETTERS = {"evenmail": "e", "mbsync": "m", "interimap": "i", "offlineimap3": "o", "limit": "l"}
PLOT_COLUMNS = 36
NOTE = """\
Seconds, medians; the limit is a client that knows beforehand what there is to do, and syncs nothing to disk.
interimap has no Maildir: its local side is an account on the same Dovecot, which syncs nothing either.
share: of mbsync's time. CPU: the tool's own; server: Dovecot's. up, down, turns (the client spoke
again after the server) and trips (round trips waited for one after the other): as the line between counted them.
"""


def read_results(path):
    """(what the machine was, {(work, tool): [results]})"""
    with open(path, encoding="utf-8") as file:
        about, *rows = map(json.loads, file)
    found = {}
    for row in rows:
        found.setdefault((row["work"], row["tool"]), []).append(row)
    return about, found


class Summary:
    """The medians of one tool in one work."""

    def __init__(self, rows):
        self.rows = rows
        self.failed = rows[-1]["error"]
        self.wrong = next((row["wrong"] for row in rows if row["wrong"]), None)
        self.seconds = self.median("seconds")
        self.peak_mib = max(row.get("peak_kib", 0) for row in rows) / 1024

    def median(self, *keys):
        return statistics.median(sum(row.get(key, 0) for key in keys) for row in self.rows)

    def mark(self):
        return "!" if self.failed else "*" if self.wrong else ""


def make_report(directory):
    """Writes results.txt and results.svg beside results.jsonl, and returns the text."""
    about, found = read_results(os.path.join(directory, "results.jsonl"))
    summaries = {key: Summary(rows) for key, rows in found.items()}
    works = [work for work in about["works"] if any(key == work["key"] for key, _ in summaries)]
    tools = [tool for tool in TOOLS if any(tool == name for _, name in summaries)]
    text = "\n".join([NOTE, *overview(works, tools, summaries), "", *plot(works, tools, summaries), "",
                      *details(works, tools, summaries), "",
                      *remarks(works, tools, summaries, about["scale"]), *describe(about)])
    with open(os.path.join(directory, "results.txt"), "w", encoding="utf-8") as file:
        file.write(text + "\n")
    with open(os.path.join(directory, "results.svg"), "w", encoding="utf-8") as file:
        file.write(Chart(works, tools, summaries).draw(about))
    return text


def describe(about):
    machine = about["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if version != "-")
    return [f"{about['date'][:10]}, {machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']},"
            f" load {machine['load'][0]:.2f}, seed {about['seed']}", versions]


def align(rows):
    """Columns as wide as they need, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def figure(value):
    if value < 0.01:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def size(number):
    for unit, factor in (("MB", 1e6), ("KB", 1e3)):
        if number >= factor:
            return f"{figure(number / factor)} {unit}"
    return f"{number:.0f} B"


def overview(works, tools, summaries):
    """The seconds alone, narrow enough for the README."""
    tools = [tool for tool in tools if tool != "offlineimap3"]
    rows = [["", "delay", *tools]]
    for work in works:
        cells = [summaries.get((work["key"], tool)) for tool in tools]
        rows.append([work["title"], f"{work['delay_ms']} ms",
                     *(figure(cell.seconds) + cell.mark() if cell else "-" for cell in cells)])
    return align(rows)


def plot(works, tools, summaries):
    """A chart of letters, on a logarithmic scale; of two that meet, the one that is named first is shown."""
    low, high = decades(summaries)
    def column(seconds):
        return round((math.log10(max(seconds, 10 ** low)) - low) / (high - low) * PLOT_COLUMNS)

    margin = max(len(work["title"]) for work in works) + 2
    scale = [" "] * (margin + PLOT_COLUMNS + 8)
    for power in range(low, high + 1):
        mark = f"{10 ** power:g} s"
        at = margin + column(10 ** power)
        scale[at:at + len(mark)] = mark
    lines = ["".join(scale).rstrip()]
    for work in works:
        cells = [":" if any(column(10 ** power) == at for power in range(low, high + 1)) else "."
                 for at in range(PLOT_COLUMNS + 1)]
        for tool in reversed(tools):
            cell = summaries.get((work["key"], tool))
            if cell and not cell.mark():
                cells[column(cell.seconds)] = LETTERS[tool]
        lines.append(f"{work['title']:{margin}}" + "".join(cells))
    return [*lines, "".join([" " * margin, ", ".join(f"{LETTERS[tool]} {tool}" for tool in tools)])]


def decades(summaries):
    """Two powers of ten that all seconds lie between."""
    values = [cell.seconds for cell in summaries.values()]
    low = math.floor(math.log10(max(min(values), 0.001)))
    return low, max(math.ceil(math.log10(max(max(values), 0.1))), low + 1)


def details(works, tools, summaries):
    rows = [["", "seconds", "share", "CPU", "server", "up", "down", "turns", "trips", "conns", "peak", "runs"]]
    for work in works:
        rows.append([f"{work['title']}, {work['delay_ms']} ms", *[""] * 11])
        for tool in tools:
            cell = summaries.get((work["key"], tool))
            if cell:
                rows.append(detail(tool, cell, summaries.get((work["key"], "mbsync"))))
    return align(rows)


def detail(tool, cell, mbsync):
    share = figure(cell.seconds / mbsync.seconds) if mbsync and not mbsync.failed else "-"
    return [f"  {tool}", figure(cell.seconds) + cell.mark(), share, figure(cell.median("user", "system")),
            figure(cell.median("server_cpu")), size(cell.median("up")), size(cell.median("down")),
            f"{cell.median('turns'):.0f}", f"{cell.median('depth'):.0f}", f"{cell.median('connections'):.0f}",
            f"{cell.peak_mib:.1f} MiB", str(len(cell.rows))]


def remarks(works, tools, summaries, scale):
    """Which goals hold, and whose results were wrong."""
    lines = [f"Nothing is held against the goals: they are for all the mail, not 1/{scale} of it."] * (scale > 1)
    for work in works:
        ours, theirs = (summaries.get((work["key"], tool)) for tool in ("evenmail", "mbsync"))
        if ours and not ours.mark() and scale == 1:
            lines += goals(work, ours, theirs)
        for tool in tools:
            cell = summaries.get((work["key"], tool))
            if cell and cell.mark():
                lines.append(f"{cell.mark()} {work['key']}: {tool}: {cell.failed or cell.wrong}")
    return [*lines, ""] if lines else []


def goals(work, ours, theirs):
    """Of a time the share of mbsync's decides, where it ran, and else the seconds."""
    found = []
    if work["goal_share"] and theirs and not theirs.mark():
        seconds = f" ({figure(ours.seconds)} s, goal {work['goal_seconds']:.3g})" if work["goal_seconds"] else ""
        found.append((ours.seconds / theirs.seconds, work["goal_share"], "of mbsync's time", seconds))
    elif work["goal_seconds"]:
        found.append((ours.seconds, work["goal_seconds"], "s", ""))
    if work["goal_cpu"]:
        found.append((ours.median("user", "system"), work["goal_cpu"], "s of CPU", ""))
    if work["goal_bytes"]:
        found.append((ours.median("up", "down") / 1e3, work["goal_bytes"] / 1e3, "KB", ""))
    if work["goal_peak_kib"]:
        found.append((ours.peak_mib, work["goal_peak_kib"] / 1024, "MiB peak", ""))
    return [f"{'met   ' if value <= goal else 'MISSED'} {work['key']}: {figure(value)} {unit}, goal {goal:.3g}{beside}"
            for value, goal, unit, beside in found]


class Chart:
    """Bars on a logarithmic scale, a group for each work, on a ground of its own so that any page will do."""

    WIDTH, LEFT, RIGHT, TOP, BAR, GAP, TITLE = 900, 100, 60, 78, 13, 14, 18

    def __init__(self, works, tools, summaries):
        self.works, self.tools, self.summaries = works, tools, summaries
        self.low, self.high = decades(summaries)

    def x(self, seconds):
        share = (math.log10(max(seconds, 10 ** self.low)) - self.low) / (self.high - self.low)
        return self.LEFT + share * (self.WIDTH - self.LEFT - self.RIGHT)

    def draw(self, about):
        body, y = [], self.TOP
        for work in self.works:
            body.append(text(self.LEFT, y + 11, f"{work['title']}, {work['delay_ms']} ms", "title"))
            y += self.TITLE
            for tool in self.tools:
                cell = self.summaries.get((work["key"], tool))
                if cell:
                    body += self.bar(tool, cell, y)
                    y += self.BAR
            y += self.GAP
        height = y + 26
        machine = f"{about['date'][:10]}, {about['machine']['cores']} cores of {about['machine']['cpu']}"
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.WIDTH}" height="{height}"'
            f' viewBox="0 0 {self.WIDTH} {height}" role="img">',
            "<title>Seconds that evenmail and others take for the same work</title>",
            "<style>text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:#333}.title{font-weight:600;fill:#111}"
            ".head{font-size:15px;font-weight:600;fill:#111}.tool{text-anchor:end}.mid{text-anchor:middle;fill:#777}"
            ".grid{stroke:#e4e4e4}</style>",
            f'<rect width="{self.WIDTH}" height="{height}" rx="8" fill="#fff"/>',
            text(20, 28, "Seconds for the same work, on a logarithmic scale: shorter is better", "head"),
            text(20, 46, "Delays are each way. limit: a client that knows beforehand what there is to do,"
                 " and syncs nothing to disk."),
            *self.grid(y), *body, text(20, height - 12, machine), "</svg>", ""])

    def grid(self, bottom):
        for power in range(self.low, self.high + 1):
            at = self.x(10 ** power)
            yield f'<line class="grid" x1="{at:.1f}" y1="{self.TOP - 6}" x2="{at:.1f}" y2="{bottom}"/>'
            yield text(at, self.TOP - 12, f"{10 ** power:g} s", "mid")

    def bar(self, tool, cell, y):
        end = max(self.x(cell.seconds), self.LEFT + 1)
        yield text(self.LEFT - 6, y + 10, tool, "tool")
        yield (f'<rect x="{self.LEFT}" y="{y + 1}" width="{end - self.LEFT:.1f}" height="{self.BAR - 2}" rx="1.5"'
               f' fill="{COLORS[tool]}"/>')
        yield text(end + 5, y + 10, figure(cell.seconds) + cell.mark())


def text(x, y, words, kind=""):
    return f'<text x="{x:.1f}" y="{y}"{f" class={kind!r}" if kind else ""}>{escape(words)}</text>'
