"""The table and the plot of what the binary weighs."""

GOAL = 4_000_000
SHOWN = 12


def shares(results):
    """The heaviest crates, and the rest in one line."""
    crates = sorted(results["crates"], key=lambda crate: -crate["bytes"])
    rest = sum(crate["bytes"] for crate in crates[SHOWN:])
    return [(crate["name"], crate["bytes"]) for crate in crates[:SHOWN]] + [("all others", rest)]


def tables(results):
    """Markdown by marker."""
    told = results["bytes"]
    holds = "holds" if told <= GOAL else "**does not hold**"
    lines = [
        f"The binary has {told:,} bytes of {GOAL:,} ({holds}), {told / results['minimal_bytes']:.2f} times a minimal "
        "program's. Of its code:",
        "",
        "| crate | KB |",
        "|---|--:|",
    ]
    lines += [f"| {name.strip('[]')} | {size / 1000:.0f} |" for name, size in shares(results)]
    return {"size": "\n".join(lines)}


def goals(results):
    """What was wanted, and what is so."""
    told = results["bytes"]
    return [("[the static binary](#size), everything in it", f"≤ {GOAL / 1e6:.1f} MB", f"{told / 1e6:.2f} MB", told <= GOAL)]


def plots(results, folder):
    """The heaviest crates."""
    from matplotlib import pyplot

    names, sizes = zip(*shares(results))
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    axes.barh([name.strip("[]") for name in names], [size / 1000 for size in sizes])
    axes.invert_yaxis()
    axes.set_xlabel("code, KB")
    figure.savefig(folder / "size.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
