"""The benchmark's search for the best run without loss (tools/bench/search.py), on links that are only computed."""
import os
import sys

import pytest

import harness

sys.path.append(os.path.join(harness.TOP, "tools", "bench"))
G = 1_000_000_000


def link(most, drops_from, minutes=(1.0,)):
    """A pair that carries at most `most` bit/s, loses datagrams from `drops_from` on, and of which each run is a minute of its own."""
    import search
    made = []

    def run(rate):
        speed = min(rate, most * minutes[len(made) % len(minutes)])
        made.append(rate)
        return {"rate": rate, "mtu": 1500, "bit/s": speed, "seconds": 1.0,
                "counters": {"kernel_drops": int(rate >= drops_from), "refused": 0,
                             "sent": speed / 8 / (search.datagram(1500) + search.WIRE)}}
    return run, made


def searched(run, **more):
    import search
    return search.Search(run, lambda r: r["bit/s"], lambda *_: None, **more)


@pytest.mark.parametrize("start", [1 * G, 3 * G, 12 * G, 40 * G], ids="{}".format)
def test_it_ends_near_the_best_from_wherever_it_begins(start):
    run, _ = link(most=5 * G, drops_from=5.5 * G)
    assert searched(run).widely(start)["bit/s"] > 0.85 * 5 * G


def test_one_bad_minute_settles_nothing():
    run, _ = link(most=10 * G, drops_from=30 * G, minutes=(0.6, 1.0, 0.7))
    r = searched(run).widely(16 * G)
    assert r["bit/s"] == 10 * G and r["tried"]["from"] == 6 * G and r["tried"]["to"] == 10 * G


def test_what_lost_something_is_told_and_never_counts():
    run, made = link(most=20 * G, drops_from=8 * G)
    r = searched(run).widely(16 * G)
    assert r["rate"] < 8 * G and r["tried"]["lost"] == sum(rate >= 8 * G for rate in made) > 0
    assert [t["rate"] for t in r["tried"]["each"]] == made and all(t["value"] is None for t in r["tried"]["each"] if t["rate"] >= 8 * G)


def test_a_given_rate_is_the_only_one():
    run, made = link(most=20 * G, drops_from=8 * G)
    assert searched(run, runs=3).only(2 * G)["tried"]["runs"] == 3 and made == [2 * G] * 3
    with pytest.raises(AssertionError, match="no run without loss"):
        searched(run, runs=2).only(9 * G)


def test_what_is_within_a_floor_goes_before_what_is_faster():
    run, _ = link(most=5 * G, drops_from=30 * G, minutes=(1.0, 0.9))
    assert searched(run, rank=lambda r: (r["bit/s"] < 4.8 * G, r["bit/s"])).widely(6 * G)["bit/s"] == 4.5 * G
