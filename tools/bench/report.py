"""Figures for people (a table), for programs (JSON) and to look at (SVG)."""
import json
import os
import textwrap

G = 1e9
LINK = {9000: 12, 1500: 6}
# Of issue 4, in the units of UNIT; what a ceiling is stands in ceiling_of().
FLOOR = {"a": LINK, "a-joined": LINK, "b": {9000: 4, 1500: 3}, "c": {9000: 4, 1500: 4}, "d": {9000: 8000, 1500: 8000}}
UNIT = {"a": "Gbit/s", "a-joined": "Gbit/s", "b": "Gbit/s", "c": "Gbit/s", "d": "files/s", "e": "ms"}
GB_FROM = 10_000_000  # bytes of which a cost per GB says something
CPU_MAX = 1.7         # s per GB and side, of (b)
RATIO_MIN = 0.5       # of the run's own ceiling, of (a) and (b)
PEER_FILES = 10_900   # files/s of udpcast with tar, neither durable nor encrypted: to be passed by (d)
LATENCY = {("idle", "p50"): 15, ("idle", "p99"): 60, ("bulk", "p99"): 200}  # ms
FSYNC_US = 500.0      # beyond which FSYNCS of them are allowed on top
FSYNCS = 8
RATE_ERROR = 0.01     # of the configured rate
FILES = 10_000        # of which the processor time of (d) is told
WAYS = {"plain": "one by one", "gro": "joined (GRO)", "uring": "by io_uring"}  # ceilings.py
WHAT = {"raw": "ceilings of the link", "pacing": "how even the sender is", "a": "link, memory to memory", "a-joined": "link, datagrams joined",
        "b": "one file, disk to disk", "c": "Japanese XML", "d": "files of 4 KB", "e": "one file of 4 KB"}


def gbit(v):
    return f"{v / G:.2f} Gbit/s"


def cpu(r):
    """CPU seconds of (sender, receiver), per GB or for files per FILES, and of what."""
    both = tuple(r[side + " CPU s/GB"] for side in ("sender", "receiver"))
    if "files/s" in r:
        return tuple(c * r["bytes"] / G / r["files"] * FILES for c in both), f"s/{FILES // 1000}k files"
    return both, "s/GB"


def told(r, text):
    """One run, in a line."""
    if "sender CPU s/GB" not in r:
        return text
    (s, t), unit = cpu(r)
    return f"{text}, CPU {s:.2f} + {t:.2f} {unit}"


def fsync_text(f):
    return f"fsync of 4 KB: p50 {f['fsync_us_p50'] / 1000:.2f} ms, p99 {f['fsync_us_p99'] / 1000:.2f} ms"


def line(part, mtu, r):
    """More about the best run of a part, as soon as it is known; what was measured has been told run by run."""
    if "failed" in r or part == "pacing":
        return
    if part == "raw":
        for way, name in WAYS.items():
            if way in r:
                print(f"     {name:13} {gbit(r[way]['bit/s']):>13}, none lost, CPU {r[way]['sender CPU s/GB']} + {r[way]['receiver CPU s/GB']} s/GB", flush=True)
        return
    if part == "e":
        print(f"     {fsync_text(r['fsync'])}", flush=True)
        for name, x in (("idle", r["idle"]), ("beside bulk", r["bulk"])):
            print(f"     {name}: p50 {x['p50'] * 1000:.1f} ms, p99 {x['p99'] * 1000:.1f} ms of {x['files']} files", flush=True)
        return
    if "link" in r:
        k = r["link"]
        print(f"     the best: {k['before']} s to the first datagram, {k['seconds']} s on the link at {gbit(k['wire bit/s'])}, {k['after']} s after", flush=True)


def pacing_rows(results):
    """[(rate, MTU, error, burst at p99.9, allowed, CPU, met)] as text."""
    out = []
    for mtu, part in results.get("pacing", {}).items():
        for r in part.get("rates", {}).values():
            met = abs(r["error"]) <= RATE_ERROR and r["burst"]["p99.9"] <= r["limit"]
            name = f"{r['rate'] / 1e6:g} Mbit/s" if "ceiling" not in r else f"{r['rate'] / G:.2f} Gbit/s, {r['share'] * 100:.0f} % of the most"
            out.append((name, mtu, f"{r['error'] * 100:+.2f} %", f"{r['burst']['p99.9'] / 1000:.1f} kB", f"{r['limit'] / 1000:.1f} kB",
                        f"{r['sender CPU']:.2f}", "yes" if met else "no"))
        if "failed" in part:
            out.append(("failed", mtu, "", "", "", "", "no"))
    return out


def ceiling_of(part, mtu, results):
    """(ceiling of this run in the part's unit, whether the floor may be met as RATIO_MIN of it); None where there is none."""
    raw, write = results.get("raw", {}).get(str(mtu), {}), results.get("write")
    if part in ("a", "a-joined"):  # interfaces that join datagrams, or not, for both alike
        joined = results[part][str(mtu)].get("way") == "gro"
        of = [raw[way]["bit/s"] / G for way in (("gro",) if joined else ("plain", "uring")) if way in raw]
        return (max(of), True) if of else None
    if part == "b" and write:
        return write["best B/s"] * 8 / 3 / G, True
    if part == "d" and "files" in results:
        return results["files"]["files/s"], False
    return None


def value_of(part, r):
    return r["files/s"] if part == "d" else r["bit/s"] / G


def figure(v):
    return f"{v:,.0f}" if v >= 1000 else f"{v:.2f}" if v < 100 else f"{v:.0f}"


def yes(held):
    return "held" if held else "missed"


def rate_rows(part, mtu, r, results):
    value, ceiling = value_of(part, r), ceiling_of(part, mtu, results)
    held = value >= FLOOR[part][mtu]
    ratio = value / ceiling[0] if ceiling else None
    by_ratio = ratio is not None and ceiling[1] and ratio >= RATIO_MIN
    of = f"{ratio:.2f} of {figure(ceiling[0])}" + (f" {yes(by_ratio)}" if ceiling[1] else "") if ceiling else ""
    yield (f"({part[0]}) {WHAT[part]}", mtu, f"{figure(value)} {UNIT[part]}", f"{figure(FLOOR[part][mtu])} {yes(held)}", of,
           "yes" if held else "by the ratio" if by_ratio else "NO")
    if part == "d":
        yield ("    beside udpcast with tar", mtu, "", f"{figure(PEER_FILES)} {yes(value >= PEER_FILES)}", "", "yes" if value >= PEER_FILES else "NO")
    if part == "b":
        for side, c in zip(("sender", "receiver"), cpu(r)[0]):
            yield (f"    CPU of the {side}", mtu, f"{c:.2f} s/GB", f"{CPU_MAX:.2f} {yes(c <= CPU_MAX)}", "", "yes" if c <= CPU_MAX else "NO")


def latency_rows(mtu, e):
    fsync = e["fsync"]["fsync_us_p50"] / 1000
    more = FSYNCS * fsync if fsync * 1000 > FSYNC_US else 0
    for (kind, p), most in LATENCY.items():
        v = e[kind][p] * 1000
        held = v <= most + more
        yield (f"(e) 4 KB {'idle' if kind == 'idle' else 'beside bulk'}, {p}", mtu, f"{v:.1f} ms", f"{most + more:.0f} {yes(held)}",
               f"{v / fsync:.0f} fsyncs of {fsync:.2f}" + (f", {FSYNCS} allowed" if more else ""), "yes" if held else "NO")


def rows(results):
    """[(what, MTU, value, floor, ratio to the ceiling, held)] as text."""
    out = []
    for mtu in (1500, 9000):
        for part in ("a", "a-joined", "b", "c", "d", "e"):
            r = results.get(part, {}).get(str(mtu))
            if r is None:
                continue
            if "failed" in r:
                out.append((f"({part[0]}) {WHAT[part]}", mtu, "failed", "", "", "NO"))
            else:
                out += latency_rows(mtu, r) if part == "e" else rate_rows(part, mtu, r, results)
    return out


def runs_rows(results):
    """[(what, MTU, rate, runs, lost, from, to)]: of how many the figures are the best."""
    out = []
    for mtu in (1500, 9000):
        for part, by_mtu in results.items():
            r = by_mtu.get(str(mtu), {}) if part in UNIT else {}
            for name, x in ((", idle", r.get("idle", {})), (", beside bulk", r.get("bulk", {}))) if part == "e" else (("", r),):
                if "tried" not in x:
                    continue
                t, scale = x["tried"], 1 if part == "d" else 1000 if part == "e" else 1 / G
                out.append((f"({part[0]}) {WHAT[part]}{name}", mtu, f"{x['rate'] / G:.3g} Gbit/s", t["runs"], t["lost"],
                            *(figure(abs(v) * scale) for v in sorted((t["from"], t["to"]), key=abs)), UNIT[part] + (" (p99)" if part == "e" else "")))
    return out


def cpu_rows(results):
    """[(what, MTU, of what, sender's processes, receiver's, ...)]: processor time of each process."""
    out = []
    for mtu in (1500, 9000):
        for part in ("a", "a-joined", "b", "c", "d"):
            r = results.get(part, {}).get(str(mtu), {})
            if "processes" not in r:
                continue
            (sender, receiver), unit = cpu(r)
            scale = FILES / r["files"] if part == "d" else G / r["bytes"]

            def each(side):
                found = {name.partition(":")[2]: (p["user"] + p["system"]) * scale for name, p in r["processes"].items() if name.startswith(side)}
                return ", ".join(f"{n} {v:.2f}" for n, v in sorted(found.items(), key=lambda i: -i[1]) if v >= 0.005)
            out.append((f"({part[0]}) {WHAT[part]}", mtu, "sender", f"{sender:.2f} {unit}", each("sender")))
            out.append(("", "", "receiver", f"{receiver:.2f} {unit}", each("receiver")))
    return out


def table(head, body):
    body = [[str(c) for c in row] for row in body]
    width = [max(len(row[i]) for row in [head] + body) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, width)).rstrip() for row in [head, ["-" * w for w in width]] + body)


# --- the chart ---
def chart(title, bars, line="the floor"):
    """bars: [(label, value, floor, text, short of it but held)] of values as shares of their floor; a line stands at 1, which is what `line` says."""
    top, step, left, wide = 64, 26, 300, 420
    most = max([2.0] + [min(v / f, 4.0) for _, v, f, *_ in bars if f])
    height = top + step * len(bars) + 40
    one = left + wide / most
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 190}" height="{height}" font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="#fff"/>', f'<text x="16" y="28" font-size="17">{title}</text>',
           f'<text x="{one}" y="{top - 10}" text-anchor="middle" fill="#555">{line}</text>',
           f'<line x1="{one}" y1="{top - 6}" x2="{one}" y2="{height - 36}" stroke="#333" stroke-dasharray="4 3"/>']
    for i, (name, v, f, text, held) in enumerate(bars):
        y, w = top + i * step, wide * min(v / f, 4.0) / most
        out += [f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{name}</text>',
                f'<rect x="{left}" y="{y}" width="{w:.1f}" height="18" fill="{"#2a7f62" if v >= f else "#c29a2e" if held else "#b5532a"}"/>',
                f'<text x="{left + w + 6:.1f}" y="{y + 14}" stroke="#fff" stroke-width="4" paint-order="stroke">{text}</text>']
    out.append("</svg>")
    return "\n".join(out) + "\n"


def bars(results):
    """Shares of the floor, of which more is better; a latency's inverse."""
    out = []
    for what, mtu, value, floor, _, held in rows(results):
        if value in ("failed", "") or not floor:
            continue
        v, f = (float(text.split()[0].replace(",", "")) for text in (value, floor))
        less = "ms" in value or "s/GB" in value
        by_ratio = held == "by the ratio"
        out.append((f"{what.strip()}, {mtu}", f / max(v, 1e-9) if less else v, 1.0 if less else f,
                    f"{value} ({'at most' if less else 'floor'} {floor.split()[0]}{', held by the ratio' if by_ratio else ''})", by_ratio))
    return out


PACING_HEAD = ["rate", "MTU", "achieved (1 % allowed)", "burst at p99.9", "allowed", "cores", "held"]
HEAD = ["what", "MTU", "measured", "floor", "of the ceiling", "held"]
RUNS_HEAD = ["best of", "MTU", "at a rate of", "runs", "lost", "from", "to", ""]
NOTE = f"""A floor of (a) and (b) is held as it stands or, on a machine that does not allow it, by the ratio: at least {RATIO_MIN} of this run's own
ceiling, which is, of (a), raw datagrams, joined or not as its own are; of (b) a third of the synced write; of (d), for comparison, a plain program
with the same files.  (b) is the fastest of the runs within the processor time's floor, if any is."""
CPU_HEAD = ["processor time", "MTU", "side", "together", "by process"]


def ceilings_text(results):
    out, w = [], results.get("write")

    def of(r):
        return f"best of {r['tried']['runs']}" if "tried" in r else ""
    if w:
        out.append(f"Synced write: {w['best B/s'] / G:.2f} GB/s ({of(w)}; the best through the page cache {w['buffered B/s'] / G:.2f}, past it {(w['direct B/s'] or 0) / G:.2f}).")
    for mtu, r in results.get("raw", {}).items():
        if "failed" not in r:
            out.append(f"Datagrams with no work on them, MTU {mtu}: " + ", ".join(
                f"{name} {gbit(r[way]['bit/s'])} ({of(r[way])})" for way, name in WAYS.items() if way in r) + ".")
    if "files" in results:
        out.append(f"A plain program with the files of (d), {of(results['files'])} (the head of raw_files.c says what it does): {results['files']['files/s']:,} files/s.")
    return out


def write(folder, name, facts, results):
    shown = rows(results)
    data = {"machine": facts, "results": results, "table": [dict(zip(HEAD, row)) for row in shown]}
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write("\n")
    with open(os.path.join(folder, name + ".svg"), "w") as f:
        f.write(chart("katamichi: measured beside the floor", bars(results)))
    parts = [table(head, body) for head, body in ((HEAD, shown), (PACING_HEAD, pacing_rows(results)), (RUNS_HEAD, runs_rows(results)),
                                                  (CPU_HEAD, cpu_rows(results))) if body]
    parts.append("\n".join(textwrap.fill(line, 100) for line in [NOTE, *ceilings_text(results)]))
    text = "\n\n".join(parts)
    with open(os.path.join(folder, name + ".txt"), "w") as f:
        f.write(text + "\n")
    print(f"\n{text}\n\n{os.path.relpath(folder)}/{name}.txt, .json, .svg")


def write_peers(folder, facts, results, text):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "peers.json"), "w") as f:
        json.dump({"machine": facts, "results": results}, f, indent=1, ensure_ascii=False)
        f.write("\n")
    shown = [(f"{name}, ({part})", r["value"], results[part]["katamichi"]["value"], f"{r['value']}", False)
             for part in results for name, r in results[part].items() if "value" in r and "value" in results[part]["katamichi"]]
    with open(os.path.join(folder, "peers.svg"), "w") as f:
        f.write(chart("katamichi beside udpcast and NORM", shown, "katamichi"))
    with open(os.path.join(folder, "peers.txt"), "w") as f:
        f.write(text + "\n")
    print(f"\n{text}\n\n{os.path.relpath(folder)}/peers.txt, .json, .svg")
