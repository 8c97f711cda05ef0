"""Figures for people (a table), for programs (JSON) and to look at (SVG)."""
import json
import os

G = 1e9
LINK = {9000: 12 * G, 1500: 6 * G}
FLOOR = {"a": LINK, "a-joined": LINK, "b": {9000: 4 * G, 1500: 3 * G}, "c": {9000: 4 * G, 1500: 4 * G}, "d": {9000: 8000, 1500: 8000}}
GB_FROM = 10_000_000  # bytes of which a cost per GB says something
CPU_MAX = 1.7         # s per GB and side, of (b)
RATIO_MIN = 0.5       # of the run's own ceiling
LATENCY = {("idle", "p50"): 0.015, ("idle", "p99"): 0.060, ("bulk", "p99"): 0.200}
FSYNC_US = 500.0      # beyond which FSYNCS of them are allowed on top
FSYNCS = 8
RATE_ERROR = 0.01     # of the configured rate
WAYS = {"plain": "plain", "gro": "with GRO", "uring": "by io_uring"}  # bench.py
WHAT = {"a": "link, memory to memory", "a-joined": "the same, datagrams joined", "b": "one file, disk to disk", "c": "Japanese XML, disk to disk", "d": "files of 4 KB",
        "e": "latency of 4 KB"}


def gbit(v):
    return f"{v / G:.2f} Gbit/s"


def fsync_text(f):
    return f"fsync of 4 KB: p50 {f['fsync_us_p50'] / 1000:.2f} ms, p99 {f['fsync_us_p99'] / 1000:.2f} ms"


def line(part, mtu, r):
    """One part, as soon as it is known."""
    if "failed" in r or part == "pacing":  # which says its lines as they come
        return
    if part == "raw":
        for way, name in WAYS.items():
            w = r[way]
            print(f"     datagrams {name:14} {gbit(w['bit/s']):>14}, lost {w['sent'] - w['received']} of "
                  f"{w['sent']}, CPU {w['sender CPU s/GB']} + {w['receiver CPU s/GB']} s/GB", flush=True)
        return
    if part == "e":
        print(f"     {fsync_text(r['fsync'])}", flush=True)
    for name, x in ((("idle", r["idle"]), ("beside bulk", r["bulk"])) if part == "e" else ((None, r),)):
        if name:
            text = f"{name}: p50 {x['p50'] * 1000:.1f} ms, p99 {x['p99'] * 1000:.1f} ms of {x['files']}"
        else:
            text = f"{x['files/s']} files/s" if part == "d" else gbit(x["bit/s"])
            text += f" in {x['seconds']:.2f} s, CPU {x['sender CPU s/GB']} + {x['receiver CPU s/GB']} s/GB"
        print(f"     {text}; rate {gbit(x['rate'])}, kernel drops {x['counters']['kernel_drops']}", flush=True)
        if not name and "link" in x:
            k = x["link"]
            print(f"       {k['before']} s until the first datagram, {k['seconds']} s on the link at {gbit(k['wire bit/s'])} "
                  f"({k['of rate'] * 100:.1f} % of the rate), {k['after']} s after the last; {x['moments']}", flush=True)
        for process, p in sorted(x["processes"].items(), key=lambda i: -(i[1]["user"] + i[1]["system"])):
            if p["user"] + p["system"] >= 0.05:
                share = f", {(p['user'] + p['system']) / x['bytes'] * G:6.2f} s/GB" if x["bytes"] >= GB_FROM else ""
                print(f"       {process:16} {p['user']:6.2f} s user {p['system']:6.2f} s system{share}   peak {p['peak'] >> 20} MB", flush=True)


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


def ratio_of(part, value, mtu, results):
    """(ratio to this run's own ceiling, what that is); None where it was not measured."""
    write = results.get("write")
    if part in ("a", "a-joined"):
        way = results[part][str(mtu)].get("way", "plain")  # interfaces that join datagrams, or not, for both alike
        raw = results.get("raw", {}).get(str(mtu), {}).get(way, {}).get("bit/s")
        return (value / raw, "datagrams with GRO" if way == "gro" else "plain datagrams") if raw else (None, "")
    if part == "b" and write:
        return value / (write["best B/s"] * 8 / 3), "synced write, 3 times the bytes"
    if part == "d" and "files" in results:
        return value / results["files"]["files/s"], "a plain program"
    return None, ""


def held(value, floor, ratio, cpu=0.0):
    if value < floor and (ratio is None or ratio < RATIO_MIN):
        return "no"
    return ("yes" if value >= floor else "by the ratio") + (", CPU no" if cpu > CPU_MAX else "")


def rate_row(part, mtu, r, results):
    value, floor = (r["files/s"] if part == "d" else r["bit/s"]), FLOOR[part][mtu]
    ratio, ceiling = ratio_of(part, value, mtu, results)
    cpu = (r["sender CPU s/GB"], r["receiver CPU s/GB"])
    unit = (lambda v: f"{v:.0f} files/s") if part == "d" else gbit
    return (f"({part[0]}) {WHAT[part]}", mtu, unit(value), unit(floor), f"{ratio:.2f} of {ceiling}" if ratio is not None else "",
            f"{cpu[0]:.2f} + {cpu[1]:.2f}" + (f" (max {CPU_MAX})" if part == "b" else ""),
            "no, lost" if r["counters"]["kernel_drops"] else held(value, floor, ratio, max(cpu) if part == "b" else 0))


def latency_rows(mtu, e):
    fsync = e["fsync"]["fsync_us_p50"]
    more = FSYNCS * fsync / 1e6 if fsync > FSYNC_US else 0
    for (kind, p), most in LATENCY.items():
        v = e[kind][p]
        yield (f"(e) {WHAT['e']}, {'idle' if kind == 'idle' else 'beside bulk'}, {p}", mtu, f"{v * 1000:.1f} ms",
               f"{(most + more) * 1000:.0f} ms" + (f", {FSYNCS} fsyncs in it" if more else ""), f"{v * 1e6 / fsync:.0f} fsyncs of {fsync / 1000:.2f} ms", "",
               "yes" if v <= most + more else "no")


def rows(results):
    """[(what, MTU, value, floor, ratio to the ceiling, CPU, held)] as text."""
    out = []
    for mtu in (1500, 9000):
        for part in ("a", "a-joined", "b", "c", "d", "e"):
            r = results.get(part, {}).get(str(mtu))
            if r is None:
                continue
            if "failed" in r:
                out.append((f"({part[0]}) {WHAT[part]}", mtu, "failed", "", "", "", "no"))
            elif part == "e":
                out += latency_rows(mtu, r)
            else:
                out.append(rate_row(part, mtu, r, results))
    return out


def table(head, body):
    body = [[str(c) for c in row] for row in body]
    width = [max(len(row[i]) for row in [head] + body) for i in range(len(head))]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, width)) + " |"
                     for row in [head, ["-" * w for w in width]] + body)


# --- the chart ---
def chart(title, bars, line="the floor"):
    """bars: [(label, value, floor, text)] of values as shares of their floor; a line stands at 1, which is what `line` says."""
    top, step, left, wide = 64, 26, 300, 420
    most = max([2.0] + [min(v / f, 4.0) for _, v, f, _ in bars if f])
    height = top + step * len(bars) + 40
    one = left + wide / most
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 190}" height="{height}" font-family="sans-serif" font-size="13">',
           '<rect width="100%" height="100%" fill="#fff"/>', f'<text x="16" y="28" font-size="17">{title}</text>',
           f'<text x="{one}" y="{top - 10}" text-anchor="middle" fill="#555">{line}</text>']
    for i, (name, v, f, text) in enumerate(bars):
        y, w = top + i * step, wide * min(v / f, 4.0) / most
        out += [f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{name}</text>',
                f'<rect x="{left}" y="{y}" width="{w:.1f}" height="18" fill="{"#2a7f62" if v >= f else "#b5532a"}"/>',
                f'<text x="{left + w + 6:.1f}" y="{y + 14}">{text}</text>']
    out += [f'<line x1="{one}" y1="{top - 6}" x2="{one}" y2="{height - 36}" stroke="#333" stroke-dasharray="4 3"/>', "</svg>"]
    return "\n".join(out) + "\n"


def bars(results):
    out = []
    for row in rows(results):
        what, mtu, value, floor = row[:4]
        if value == "failed":
            continue
        v, f = float(value.split()[0]), float(floor.split()[0])
        if "ms" in value:
            v, f = f / max(v, 1e-9), 1.0  # less is better
        out.append((f"{what}, {mtu}", v, f, f"{value} (floor {floor.split(',')[0]})"))
    return out


PACING_HEAD = ["rate", "MTU", "achieved (1 % allowed)", "burst at p99.9", "allowed", "sender's cores", "held"]
HEAD = ["what", "MTU", "measured", "floor", "to this run's ceiling", "CPU s/GB, sender + receiver", "held"]


def write(folder, name, facts, results):
    data = {"machine": facts, "results": results}
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write("\n")
    with open(os.path.join(folder, name + ".svg"), "w") as f:
        f.write(chart("katamichi: measured beside the floor", bars(results)))
    text = table(HEAD, rows(results))
    pace = pacing_rows(results)
    if pace:
        text += "\n\n" + table(PACING_HEAD, pace)
    text += f"\n\nBy the ratio: at least {RATIO_MIN} of the ceiling, on a machine that does not allow the floor."
    w = results.get("write")
    if w:
        text += f"\nSynced write: {w['best B/s'] / G:.2f} GB/s (buffered {w['buffered B/s'] / G:.2f}, direct {(w['direct B/s'] or 0) / G:.2f})"
    for mtu, r in results.get("raw", {}).items():
        if "failed" not in r:
            text += f"\nDatagrams with no work on them, MTU {mtu}: " + ", ".join(f"{name} {gbit(r[way]['bit/s'])}" for way, name in WAYS.items())
    if "files" in results:
        text += f"\nA plain program with the files of (d) (the head of raw_files.c says what it does): {results['files']['files/s']} files/s"
    with open(os.path.join(folder, name + ".txt"), "w") as f:
        f.write(text + "\n")
    print(f"\n{text}\n\n{os.path.relpath(folder)}/{name}.txt, .json, .svg")


def write_peers(folder, facts, results, text):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "peers.json"), "w") as f:
        json.dump({"machine": facts, "results": results}, f, indent=1, ensure_ascii=False)
        f.write("\n")
    shown = [(f"{name}, ({part})", r["value"], results[part]["katamichi"]["value"], f"{r['value']}")
             for part in results for name, r in results[part].items() if "value" in r and "value" in results[part]["katamichi"]]
    with open(os.path.join(folder, "peers.svg"), "w") as f:
        f.write(chart("katamichi beside udpcast and NORM", shown, "katamichi"))
    with open(os.path.join(folder, "peers.txt"), "w") as f:
        f.write(text + "\n")
    print(f"\n{text}\n\n{os.path.relpath(folder)}/peers.txt, .json, .svg")
