"""The table and the plot of benches/results/many.json."""

WAYS = ("one process", "one process each")


def each(row, one):
    """What so many processes with one job each would take."""
    return row["jobs"] * one


def tables(results):
    """Markdown by marker."""
    rows = results["rows"]
    one = rows[0]
    lines = [
        "| jobs | memory, MB | per job beyond the first, KB | one process each, MB | connections | one process each "
        "| polls a second | CPU a poll, ms | busiest 100 ms |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = (
            f"{row['jobs']:,}",
            f"{row['memory_kb'] / 1000:.1f}",
            f"{row['memory_kb_a_job']:.1f}" if row is not one else "",
            f"{each(row, one['memory_kb']) / 1000:,.1f}",
            str(row["connections"]),
            f"{each(row, one['connections']):,}",
            f"{row['polls_a_second']:.1f}",
            f"{row['cpu_ms_a_poll']:.2f}",
            f"{row['busiest_tenth']:.1f} × the mean",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return {"many": "\n".join(lines)}


def goals(results):
    """What was wanted, and what is so."""
    rows = results["rows"]
    most, cpu = rows[-1], [row["cpu_ms_a_poll"] for row in rows]
    what = f"[{most['jobs']:,} jobs](#many-jobs-in-one-process) in one process"
    return [
        (f"{what}: memory of each beyond the first", "≤ 4 KB", f"{most['memory_kb_a_job']:.1f} KB", most["memory_kb_a_job"] <= 4),
        (f"{what}: connections", "≤ 8", str(most["connections"]), most["connections"] <= 8),
        (f"{what}: CPU a poll, as their number grows", "falls", ", ".join(f"{one:.2f}" for one in cpu) + " ms", cpu == sorted(cpu, reverse=True)),
    ]


def plots(results, folder):
    """Memory over the number of jobs, both ways."""
    from matplotlib import pyplot

    rows = results["rows"]
    jobs = [row["jobs"] for row in rows]
    ways = (
        [row["memory_kb"] / 1000 for row in rows],
        [each(row, rows[0]["memory_kb"]) / 1000 for row in rows],
    )
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for way, megabytes in zip(WAYS, ways):
        axes.loglog(jobs, megabytes, marker="o", label=way)
    axes.set(xlabel="jobs attached", ylabel="resident memory, MB")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(folder / "many.svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
