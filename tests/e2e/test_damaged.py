"""An object that is complete and does not open: discarded whole, said, gathered afresh, delivered."""
import glob
import json
import os
import re

import pytest

import harness


def gaps(site):
    return json.loads(harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--json", ok=False).out)["gaps"]


def flip(path):
    """One bit in each 64 KB: whatever of it was received, something of that is wrong now."""
    with open(path, "r+b") as f:
        for at in range(1000, os.path.getsize(path), 65536):
            f.seek(at)
            byte = f.read(1)
            f.seek(at)
            f.write(bytes([byte[0] ^ 1]))


@pytest.mark.slow
def test_damage_on_the_receivers_disk(site):
    """Between two rounds the disk changes what had arrived: the datagrams were authentic, the object is not."""
    site.start("--loss", "0.3", loss="1%", repeat="4s")
    site.put_random("bulk", "20MB.bin", 20 << 20)
    harness.wait_until("the end of the first round", lambda: "bulk 1: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    harness.wait_until("a part on disk", lambda: harness.disk_use(site.path("receiver-state/parts")) > 4 << 20)
    harness.katamichi("close", "-c", site.path("sender.conf"))
    site.receiver.stop()
    data = max(glob.glob(site.path("receiver-state/parts/*")), key=os.path.getsize)
    flip(data)
    site.start_receiver()
    harness.wait_until("it to be noticed", lambda: re.search(r"object \w+ of peer mihon.*discarded, to be gathered afresh", site.receiver.text()),
                       60, alive=site.daemons())
    assert site.deliveries() == []
    # a closing has said which object is number 1: the reason stands beside the number, until its next round begins
    harness.wait_until("the closing", lambda: [r for r in site.ledger() if r["event"] == "closing"], 20, alive=site.daemons())
    found = gaps(site)
    # which reason it is depends on the loss: where the object's first symbol was repaired from damaged ones, its header is wrong, too
    assert [(g["channel"], g["first"]) for g in found] == [("bulk", 1)] and "damaged" in found[0]["reason"], found
    site.wait_delivered(90)
    site.check_inbox()
    refused = [r for r in site.ledger() if r["event"] == "refused"]
    assert len(refused) == 1, "one row for it, however often it comes"
    harness.wait_until("no gap", lambda: gaps(site) == [])
