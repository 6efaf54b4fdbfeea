"""The tables and the plot of benches/results/pace.json."""

OURS = "epm-gate"
HINTED = 600.0
# What is wanted of a hint, and from which length on.
HINTS = (
    ("scattered_20", "with a hint that lengths scatter around by σ 0.2, from 10 s on", 0.9, 10),
    ("scattered_10", "by σ 0.1, from a minute on", 0.75, 60),
    ("misled", "with a hint that misleads", 2.0, 0),
)


def worst(results):
    """Each way of polling, by what it costs at worst."""
    lines = ["| | at worst | at a job of |", "|---|--:|--:|"]
    for policy in sorted(results["policies"], key=lambda policy: policy["worst"]):
        lines.append(f"| {policy['name']} | {policy['worst']:.2f} | {length(policy['at'])} |")
    return "\n".join(lines)


def hints(results):
    """What a hint brings, and what it costs at most."""
    lines = [
        "| expected | scattered by σ 0.2 | by σ 0.1 | at worst where it misleads | at |",
        "|--:|--:|--:|--:|--:|",
    ]
    for hint in results["hints"]:
        figures = " | ".join(f"{hint[name]:.3f}" for name in ("scattered_20", "scattered_10", "misled"))
        lines.append(f"| {length(hint['expected'])} | {figures} | {hint['misled_at']:.2f} of it |")
    return "\n".join(lines)


def length(seconds):
    """A length as people read it."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{seconds:.0f} s"


def tables(results):
    """Markdown by marker."""
    return {"pace-worst": worst(results), "pace-hints": hints(results)}


def goals(results):
    """What was wanted, and what is so. Where the shortest interval, a second, is long, a hint gains less."""
    ours = next(policy for policy in results["policies"] if policy["name"] == OURS)
    what = "[cost of polling](#polling), of the best fixed interval chosen with hindsight"
    told = [(f"{what}: from 2 s to 8 h", 1.5, ours["worst"])]
    for name, label, goal, least in HINTS:
        told.append((f"{what}: {label}", goal, max(hint[name] for hint in results["hints"] if hint["expected"] >= least)))
    return [(label, f"≤ {goal:g}", f"{found:.2f}", found <= goal) for label, goal, found in told]


def plots(results, folder):
    """The ratio over the length of a job, a line for each way of polling."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for policy in results["policies"]:
        if policy["name"] != OURS:
            axes.plot(results["lengths"], policy["ratios"], linewidth=0.9, label=policy["name"])
    ours = next(policy for policy in results["policies"] if policy["name"] == OURS)
    hint = next(hint for hint in results["hints"] if hint["expected"] == HINTED)
    axes.plot(results["lengths"], ours["ratios"], color="black", linewidth=2.4, label=OURS)
    label = f"{OURS}, {length(HINTED)} expected"
    axes.plot(hint["lengths"], hint["ratios"], color="crimson", linewidth=2.4, linestyle="--", label=label)
    ticks = {2: "2 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 28_800: "8 h"}
    axes.set(xscale="log", yscale="log", xlabel="length of the job", ylabel="cost, best fixed interval = 1")
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_yticks([0.5, 1, 2, 5, 10, 20, 40], ["0.5", "1", "2", "5", "10", "20", "40"])
    axes.minorticks_off()
    axes.grid(linewidth=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(folder / "pace.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
