"""The table and the plot of resident memory."""


def parts(results):
    """What was measured, in words."""
    return {"waiting": "while waiting", "download": f"over a download of {results['padding'] / 1e9:g} GB"}


def tables(results):
    """Markdown by marker."""
    shown = parts(results)
    lines = ["| peak of resident memory, MB | " + " | ".join(shown.values()) + " |", "|---|--:|--:|"]
    for name in results["waiting"]:
        cells = [f"{results[part][name]['kb'] / 1000:.1f}" for part in shown]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    goals = [results["goals_kb"][part] for part in shown]
    held = [
        f"≤ {goal / 1000:.0f}: {'holds' if results[part]['epm-gate']['kb'] <= goal else '**does not hold**'}"
        for part, goal in zip(shown, goals)
    ]
    lines.append(f"| goal | {' | '.join(held)} |")
    return {"memory": "\n".join(lines)}


def goals(results):
    """What was wanted, and what is so."""
    told = []
    for part, label in parts(results).items():
        goal, kb = results["goals_kb"][part], results[part]["epm-gate"]["kb"]
        told.append((f"[resident memory](#memory) {label}", f"≤ {goal / 1000:g} MB", f"{kb / 1000:.1f} MB", kb <= goal))
    return told


def plots(results, folder):
    """Both peaks of each."""
    from matplotlib import pyplot

    shown = parts(results)
    names = list(results["waiting"])
    figure, axes = pyplot.subplots(figsize=(6, 2.4))
    for at, (part, label) in enumerate(shown.items()):
        places = [place - 0.2 + at * 0.4 for place in range(len(names))]
        axes.barh(places, [results[part][name]["kb"] / 1000 for name in names], height=0.38, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("peak of resident memory, MB")
    axes.legend()
    figure.savefig(folder / "memory.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
