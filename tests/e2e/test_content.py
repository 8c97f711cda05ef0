"""What a channel carries: samples pass under the shipped policies; everything of samples/bad is refused at the
sender with its reason, and where a sender lets everything through, held in the zone."""
import json
import os

import harness

DATA = os.path.join(os.path.dirname(__file__), "..", "data", "samples")

# file of samples/bad -> channel, and what the reason must say
BAD = {
    "billion-laughs.xml": ("eltax", "DTD"),
    "claims-utf8-is-cp932.xml": ("eltax", "encoding"),
    "csv-nul.csv": ("eltax", "zero byte"),
    "csv-ragged.csv": ("eltax", "columns"),
    "elf-named.pdf": ("eltax", "program"),
    "macro.xlsm": ("eltax", "type"),
    "not-well-formed.xml": ("eltax", "well-formed"),
    "program-named.csv": ("eltax", "program"),
    "xxe.xml": ("eltax", "DTD"),
    "zip-bomb.zip": ("pittari", "times its size"),
    "zip-duplicate.zip": ("pittari", "twice"),
    "zip-encrypted.zip": ("pittari", "encrypted"),
    "zip-nested.zip": ("pittari", "zip stands inside"),
    "zip-slip.zip": ("pittari", "climbs"),
}


def read(*parts):
    with open(os.path.join(DATA, *parts), "rb") as f:
        return f.read()


def test_every_bad_sample_is_listed():
    assert sorted(os.listdir(os.path.join(DATA, "bad"))) == sorted(BAD)


def test_shipped_policies(site):
    """All good samples arrive; all bad ones go to refused/ with a reason, and nothing of them is sent."""
    site.start(sender_content="", receiver_content="")
    for channel in ("eltax", "pittari"):
        for name in os.listdir(os.path.join(DATA, channel)):
            site.put(channel, name, read(channel, name))
    for name, (channel, _) in BAD.items():
        site.put(channel, name, read("bad", name))
        del site.sent[channel, name.encode()]
    for name, (channel, why) in BAD.items():
        refused = site.path("out", channel, "refused")
        harness.wait_until(f"{name} among the refused", lambda: os.path.exists(os.path.join(refused, name)), 30,
                           alive=site.daemons())
        reason = [f for f in os.listdir(refused) if f.startswith(name) and f != name]
        with open(os.path.join(refused, reason[0]), encoding="utf-8") as f:
            said = f.read()
        assert why in said, (name, said)
        with open(os.path.join(refused, name), "rb") as f:
            assert f.read() == read("bad", name)
    site.wait_delivered(60)
    site.check_inbox()
    for _, _, path in site.deliveries():
        with open(os.path.join(path, b"MANIFEST.json"), "rb") as f:
            checks = json.load(f)["checks"]
        assert {"name", "program", "size", "type"} <= set(checks)


def test_sender_that_admits_everything(site):
    """The zone does not take the sender's word: each bad file is held in the quarantine."""
    site.start(sender_content="content = update\nbatch_files = 1\n", receiver_content="")
    for name, (channel, _) in BAD.items():
        site.put(channel, name, read("bad", name))
        del site.sent[channel, name.encode()]
    rows = harness.wait_until("all of samples/bad in the quarantine", lambda: (lambda q: q if len(q) == len(BAD) else None)(
        [r for r in site.ledger() if r["event"] == "quarantined"]), 60, alive=site.daemons())
    for name, (channel, why) in BAD.items():
        assert [r for r in rows if name in r["reason"] and why in r["reason"]], (name, [r["reason"] for r in rows])
    assert not site.deliveries()
