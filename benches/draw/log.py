"""The table and the plot of logs that are diagnosed."""


def tables(results):
    """Markdown by marker."""
    programs = list(next(iter(results["kinds"].values())))
    lines = [
        f"| log of {results['bytes'] / 1e6:.0f} MB | " + " | ".join(f"{program}, s" for program in programs) + " | times grep, LC_ALL=C | of its CPU | |",
        "|---|" + "--:|" * (len(programs) + 2) + "---|",
    ]
    for kind, timed in results["kinds"].items():
        grep = timed["grep, LC_ALL=C"]
        ratio = grep["ratio"]
        cells = [kind, *(f"{timed[program]['wall_s']:.2f}" for program in programs)]
        cells += [f"{ratio:.2f}", f"{grep['cpu_ratio']:.2f}"]
        cells.append("holds" if ratio <= results["goal"] else "**does not hold**")
        lines.append(f"| {' | '.join(cells)} |")
    rules = results["rules"]
    lines.append("")
    lines.append(f"With {rules['count']} patterns of a user's, over the noise: {rules['wall_s']:.1f} s.")
    return {"log": "\n".join(lines)}


def goals(results):
    """What was wanted, and what is so, for each kind of log."""
    ratios = {kind: timed["grep, LC_ALL=C"]["ratio"] for kind, timed in results["kinds"].items()}
    what = f"[a log of {results['bytes'] / 1e6:.0f} MB](#logs) diagnosed, against `grep -cF`"
    found = ", ".join(f"{ratio:.2f} ({kind})" for kind, ratio in ratios.items())
    return [(what, f"≤ {results['goal']} times its time", found, max(ratios.values()) <= results["goal"])]


def plots(results, folder):
    """How long each takes, by kind of log."""
    from matplotlib import pyplot

    kinds = results["kinds"]
    programs = list(next(iter(kinds.values())))
    figure, axes = pyplot.subplots(figsize=(6, 3))
    for at, program in enumerate(programs):
        places = [place + (at - 1) * 0.27 for place in range(len(kinds))]
        axes.barh(places, [timed[program]["wall_s"] for timed in kinds.values()], height=0.25, label=program)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.set_xlabel(f"{results['bytes'] / 1e6:.0f} MB, s")
    axes.legend()
    figure.savefig(folder / "log.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
