"""The table of the waits that were played for real."""


def tables(results):
    """Markdown by marker."""
    lines = ["| | seconds late | polls | cost, best fixed interval = 1 | as computed |", "|---|--:|--:|--:|--:|"]
    for name, sample in results["samples"].items():
        figures = f"{sample['late_s']:.2f} | {sample['polls']:.1f} | {sample['ratio']:.2f} | {sample['computed']:.2f}"
        lines.append(f"| {name} | {figures} |")
    return {"polls": "\n".join(lines)}


def goals(results):
    """None of its own: what is wanted is wanted of what is computed."""
    return []


def plots(results, folder):
    """None: three numbers need none."""
