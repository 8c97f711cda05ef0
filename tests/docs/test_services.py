"""What only a real systemd shows, on a pair set up by the Japanese guide: the units are sound and come back, the example of an
importer takes in what arrives, and the journal has its fields."""
import json
import re

import pytest

import guide

EXAMPLES = "/usr/local/share/doc/katamichi/examples"


@pytest.fixture(scope="module")
def pair():
    with guide.made_pair(installed=True) as made:
        yield made


def test_units_user_and_folders(pair):
    for side, units in (("sender", "katamichi-sender.service"),
                        ("receiver", "katamichi-receiver.service katamichi-receiver.socket katamichi-harden.service")):
        here = pair.hosts[side]
        said = here.ask(f"cd /usr/local/lib/systemd/system && systemd-analyze verify {units} 2>&1")
        assert not re.search("katamichi", said), said  # of other units of the machine it may say what it likes
        assert here.ask("getent passwd katamichi | cut -d : -f 7") == "/usr/sbin/nologin"
        folders = {"sender": "/srv/katamichi/out/eltax 2770\n/etc/katamichi 750\n/var/lib/katamichi-sender 700",
                   "receiver": "/srv/katamichi/inbox 2750\n/srv/katamichi/state 700\n/etc/katamichi 750"}[side]
        names = " ".join(line.split()[0] for line in folders.splitlines())
        assert here.ask(f"stat -c '%n %a' {names}") == folders
        assert set(here.ask(f"stat -c %U:%G {names}").split()) == {"katamichi:katamichi"}
        assert "katamichi" not in here.ask("systemctl list-units --failed --plain --no-legend")


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_killed_service_comes_back(pair, side):
    here, unit = pair.hosts[side], f"katamichi-{side}"
    before = here.ask(f"systemctl show -P MainPID {unit}")
    here.ask(f"kill -9 {before}")
    # systemd may still show the killed one for a moment
    here.ask_until(f"systemctl is-active {unit} && systemctl show -P MainPID {unit}", rf"^active\n(?!{before}\b)[1-9]")
    here.ask(f"systemctl restart {unit}")
    assert here.ask(f"systemctl is-active {unit}") == "active"
    pair.wait_for_session()


def test_the_importers_example(pair):
    """By the lines at the head of the path unit."""
    here = pair.hosts["receiver"]
    pair.put("before.csv")  # what stands there when the unit is started is taken in, too
    here.ask_until("katamichi list --name before.csv --tsv", "eltax")
    lines = re.findall(r"^#   (.*)$", here.ask(f"cat {EXAMPLES}/katamichi-import.path"), re.M)
    assert len(lines) == 4
    here.ask(f"cd {EXAMPLES} && " + " && ".join(lines))
    said = here.ask("systemd-analyze verify /etc/systemd/system/katamichi-import.path 2>&1")
    assert "katamichi" not in said, said
    here.ask_until("ls /srv/import/*/files", "before.csv")
    for name in ("一.csv", "二.csv"):
        pair.put(name)
        here.ask_until("ls /srv/import/*/files", name)
    here.ask_until("find /srv/katamichi/inbox/eltax -mindepth 1 | wc -l", "^0$")
    # Whoever is in the group reads what came, and removes it.
    here.ask("useradd --system --no-create-home -G katamichi importer")
    as_importer = "setpriv --reuid importer --regid importer --init-groups sh -c"
    assert "番号" in here.ask(f"{as_importer} 'cat /srv/import/eltax-*/files/一.csv'")
    here.ask(f"{as_importer} 'rm -r /srv/import/eltax-*'")
    # A file that is released from the quarantine comes as well.
    pair.hosts["sender"].ask("sed -i 's/^.channel eltax.*/[channel eltax]\\ncontent = any/' /etc/katamichi/sender.conf && systemctl restart katamichi-sender")
    pair.put("held.csv", "a,b\n1\n")
    entry = here.ask_until("katamichi quarantine list --tsv", r"eltax-\d+-[0-9a-f]{8}").split()[0]
    entry = re.search(r"eltax-\d+-[0-9a-f]{8}\S*", here.ask("katamichi quarantine list --tsv", code=1)).group(0)
    here.ask(f"katamichi quarantine release --operator 見本花子 --reason 確認済み {entry}")
    here.ask_until("find /srv/import -name held.csv", "held.csv")
    here.ask("systemctl disable --now katamichi-import.path")
    assert "katamichi" not in here.ask("systemctl list-units --failed --plain --no-legend")


def test_the_journal_has_fields(pair):
    here = pair.hosts["receiver"]
    pair.put("journal.csv")
    number = here.ask_until("katamichi list --name journal.csv --tsv | cut -f 3", r"^\d+$").split()[-1]
    found = here.ask_until(f"journalctl -u katamichi-receiver -o json KATAMICHI_EVENT=delivered KATAMICHI_CHANNEL=eltax KATAMICHI_NUMBER={number}", "{")
    line = json.loads(found.splitlines()[-1])
    assert (line["PRIORITY"], line["SYSLOG_IDENTIFIER"], line["KATAMICHI_PEER"], line["KATAMICHI_PROCESS"], line["_SYSTEMD_UNIT"]) == \
        ("6", "katamichi-receiver", "outside", "store", "katamichi-receiver.service")
    assert line["MESSAGE"].startswith(f"eltax {number}: delivered") and re.fullmatch("[0-9a-f]{32}", line["KATAMICHI_OBJECT"])
    by_id = here.ask(f"journalctl MESSAGE_ID={line['MESSAGE_ID']} KATAMICHI_NUMBER={number} -o cat")
    assert line["MESSAGE"] in by_id
    sent = pair.hosts["sender"].ask_until("journalctl -u katamichi-sender -o json KATAMICHI_EVENT=sent KATAMICHI_NUMBER=" + number, "{")
    assert json.loads(sent.splitlines()[0])["KATAMICHI_PROCESS"] == "spool"
