"""The figures for Prometheus: whole at every moment, true, and no reason to stop a service."""
import os
import re

import harness
import samples

SAMPLE = re.compile(r"([a-z_]+)(?:\{((?:[a-z_]+=\"(?:[^\"\\\n]|\\.)*\",?)+)\})? ([0-9.]+)")


def read(path):
    """{name: {labels: value}}; every line has to be of the text format, each family declared once, before its samples."""
    with open(path) as f:
        text = f.read()
    assert text.endswith("\n")
    values, kind, family = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, family, rest = line.split(" ", 3)
            assert what in ("HELP", "TYPE") and (what == "HELP") == (family not in values)
            values.setdefault(family, {})
            if what == "TYPE":
                kind[family] = rest
            continue
        found = SAMPLE.fullmatch(line)
        assert found and found.group(1) == family and family in kind, line
        assert found.group(2) not in values[family], f"twice: {line}"
        values[family][found.group(2)] = float(found.group(3))
    for name in values:
        assert name.endswith("_total") == (kind[name] == "counter"), name
        assert name.startswith(("katamichi_receiver_", "katamichi_sender_")) and not re.search("_(ms|ns|kb|mb|bits)(_|$)", name)
    return values


def test_figures_of_both_ends(site):
    for side in ("sender", "receiver"):
        os.makedirs(site.path("figures", side))
    site.start(sender_more="metrics = figures/sender/k.prom\n", receiver_more="metrics = figures/receiver/k.prom\n")
    paths = {side: site.path("figures", side, "k.prom") for side in ("sender", "receiver")}
    for path in paths.values():
        harness.wait_until(path, lambda: os.path.exists(path), alive=site.daemons())
    before = read(paths["receiver"])
    assert before["katamichi_receiver_deliveries_total"]['channel="eltax"'] == 0
    site.put("eltax", "一.csv", samples.table(3))
    site.put("pittari", "x.bin", b"four")
    site.wait_delivered()

    def delivered():
        now = read(paths["receiver"])
        return now if sum(now["katamichi_receiver_delivered_files_total"].values()) == 2 else None
    seen = harness.wait_until("the deliveries", delivered, alive=site.daemons())
    assert seen["katamichi_receiver_deliveries_total"]['channel="eltax"'] == 1
    assert seen["katamichi_receiver_delivered_bytes_total"] == {
        'channel="eltax"': os.path.getsize(site.path("inbox/eltax/00000001/files/一.csv")), 'channel="pittari"': 4,
        'channel="bulk"': 0, 'channel="katamichi"': 0}
    assert seen["katamichi_receiver_missing_numbers"]['channel="eltax"'] == 0
    assert seen["katamichi_receiver_link_datagrams_total"][None] > before["katamichi_receiver_link_datagrams_total"][None]
    assert seen["katamichi_receiver_peer_session_start_time_seconds"]['peer="mihon"'] > 1.7e9
    sent = harness.wait_until("what was numbered", lambda: (lambda f: f if f["katamichi_sender_newest_number"]['channel="pittari"'] == 1 else None)(
        read(paths["sender"])), 10)
    assert sent["katamichi_sender_newest_number"]['channel="eltax"'] == 1
    assert sent["katamichi_sender_outbox_bytes"]['channel="pittari"'] > 0
    harness.wait_until("what was sent", lambda: read(paths["sender"])["katamichi_sender_link_datagrams_total"][None] > 0)
    for side, path in paths.items():
        assert os.stat(path).st_mode & 0o777 == 0o644, "node_exporter is another user"
        assert not [n for n in os.listdir(os.path.dirname(path)) if n.endswith(".prom") and n != "k.prom"]
        for _ in range(200):  # never seen half
            read(path)


def test_a_directory_that_is_not_there(site):
    """Said once; everything else goes on."""
    site.start(sender_more="metrics = nowhere/k.prom\n", receiver_more="metrics = nowhere/k.prom\n")
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    for daemon in site.daemons():
        harness.wait_until("a warning", lambda: "figures for Prometheus cannot be written" in daemon.text(), alive=site.daemons())
    harness.time.sleep(1.5)
    for daemon in site.daemons():
        assert daemon.text().count("figures for Prometheus cannot be written") == 1


def test_a_name_that_nobody_would_read(site):
    site.configure(sender_more="metrics = k.txt\n", receiver_more="metrics = k.txt\n")
    for side in ("sender", "receiver"):
        done = harness.katamichi("config", "check", site.path(f"{side}.conf"), ok=False)
        assert done.returncode == 3 and "has to end in .prom" in done.err, done.err
