"""The tables and the plot of one poll."""

WAYS = {"tls": "TLS", "plain": "plain HTTP"}


def table(timed):
    lines = [
        "| | wall, ms | CPU, ms | the gate's part of its wall time | of its CPU | goal | |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for name, one in timed.items():
        cells = [name, f"{one['wall_s'] * 1000:.1f}", f"{one['cpu_s'] * 1000:.1f}"]
        if "goal" in one:
            holds = "holds" if one["wall_ratio"] <= one["goal"] else "**does not hold**"
            cells += [f"{one['wall_ratio']:.3f}", f"{one['cpu_ratio']:.3f}", f"≤ {one['goal']}", holds]
        else:
            cells += [""] * 4
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(results):
    """Markdown by marker."""
    return {f"poll-{way}": table(results[way]) for way in WAYS}


def goals(results):
    """What was wanted, and what is so: over TLS, as it is with a pod."""
    timed = {name: one for name, one in results["tls"].items() if "goal" in one}
    wanted = "; ".join(f"{name} {one['goal']:g}" for name, one in timed.items())
    found = ", ".join(f"{one['wall_ratio']:.3f}" for one in timed.values())
    holds = all(one["wall_ratio"] <= one["goal"] for one in timed.values())
    return [("[one poll](#one-poll) over TLS, of the wall time of others", f"≤ {wanted}", found, holds)]


def plots(results, folder):
    """The wall time of each, both ways."""
    from matplotlib import pyplot

    names = list(results["tls"])
    figure, axes = pyplot.subplots(figsize=(6, 3))
    for at, (way, label) in enumerate(WAYS.items()):
        places = [place + 0.2 - at * 0.4 for place in range(len(names))]
        axes.barh(places, [results[way][name]["wall_s"] * 1000 for name in names], height=0.38, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="one poll, start to exit, ms")
    axes.legend()
    figure.savefig(folder / "poll.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
