"""Draws docs/performance.md and its plots anew from benches/results; with `--check` it only says whether that would
change the tables. Each result NAME.json has a module NAME here with `tables(results)`, `goals(results)` and `plots(results, folder)`."""

import importlib
import json
import pathlib
import re
import sys

BENCHES = pathlib.Path(__file__).resolve().parent.parent
PAGE = BENCHES.parent / "docs/performance.md"
PLOTS = BENCHES.parent / "docs/performance"


def loaded():
    """The results by name, with the module that draws each."""
    results = {file.stem: json.loads(file.read_text()) for file in sorted((BENCHES / "results").glob("*.json"))}
    modules = {file.stem for file in (BENCHES / "draw").glob("*.py") if not file.stem.startswith("__")}
    if odd := modules ^ set(results):
        sys.exit(f"of these there is only a result or only a module that draws it: {', '.join(sorted(odd))}")
    return {name: (one, importlib.import_module(f"draw.{name}")) for name, one in results.items()}


def filled(page, tables):
    """The page with each table between its marker and the end of it."""
    for marker, table in tables.items():
        between = re.compile(rf"(<!-- {re.escape(marker)} -->\n).*?(<!-- end -->)", re.DOTALL)
        page, times = between.subn(lambda found: f"{found[1]}{table.strip()}\n{found[2]}", page)
        if times != 1:
            sys.exit(f"{PAGE.name} has the marker {marker} {times} times")
    return page


def goals(drawn):
    """Every goal, what was measured, and whether it holds."""
    lines = ["| what | goal | measured | |", "|---|---|---|---|"]
    for results, module in drawn.values():
        for what, goal, found, holds in module.goals(results):
            lines.append(f"| {what} | {goal} | {found} | {'holds' if holds else '**does not hold**'} |")
    return "\n".join(lines)


def draw_plots(drawn):
    """Text stays text, and nothing in a plot changes from one run to the next but what was measured."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "epm-gate", "figure.facecolor": "white"})
    PLOTS.mkdir(exist_ok=True)
    for results, module in drawn.values():
        module.plots(results, PLOTS)


def main():
    drawn = loaded()
    tables = {"goals": goals(drawn)}
    for results, module in drawn.values():
        tables |= module.tables(results)
    page = PAGE.read_text()
    new = filled(page, tables)
    if "--check" in sys.argv[1:]:
        if new != page:
            sys.exit(f"{PAGE.name} is not drawn from benches/results: call benches/run")
        return
    PAGE.write_text(new)
    draw_plots(drawn)


main()
