"""Debian's rsyslog, configured as tools/monitoring/README.md says, takes both forms of the services' syslog apart."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "docs"))
import guide  # noqa: E402
import host  # noqa: E402


@pytest.fixture
def pair():
    with guide.made_pair(installed=True) as made:
        yield made


def test_rsyslog_reads_both_forms(pair):
    """As tools/monitoring/README.md says, on Debian's own configuration."""
    here = pair.hosts["receiver"]
    with open(f"{host.TOP}/tools/monitoring/README.md", encoding="utf-8") as f:
        text, = re.findall(r"^```\n(input\(.*?)```$", f.read(), re.M | re.S)
    with open(f"{pair.medium}/katamichi.conf", "w", encoding="utf-8") as f:
        f.write(text)
    here.ask("cp /media/usb/katamichi.conf /etc/rsyslog.d/katamichi.conf && systemctl enable --now rsyslog")
    here.ask("sed -i '/^keys = /a syslog = /run/katamichi/syslog.sock' /etc/katamichi/receiver.conf && systemctl restart katamichi-receiver")
    pair.wait_for_session()
    pair.put("rfc5424.csv")
    said = here.ask_until("cat /var/log/katamichi.log", r"\|delivered\|").splitlines()
    assert all("|katamichi-receiver|" in x and "[katamichi@32473 " in x for x in said), said
    of, = [x for x in said if "|delivered|" in x]
    fields = re.fullmatch(r"([^|]*)\|[^|]*\|katamichi-receiver\|(\d+)\|delivered\|daemon\.info\|(\[katamichi@32473 [^|]*\])\|\ufeff?eltax \d+: delivered, .*", of)
    assert fields, of
    data = dict(re.findall(r' ([a-z]+)="([^"]*)"', fields.group(3)))
    assert data["channel"] == "eltax" and data["peer"] == "outside" and data["process"] == "store" and len(data["object"]) == 32
    here.ask("sed -i '/^syslog = /a syslog_format = cef' /etc/katamichi/receiver.conf && systemctl restart katamichi-receiver")
    pair.wait_for_session()
    pair.put("cef.csv")
    said = here.ask_until("cat /var/log/katamichi.log", r"\|delivered\|eltax \d+: delivered")
    assert re.search(r"^[^|]+\|[^|]+\|CEF\|.*\|daemon\.info\|-\| ?0\|katamichi\|katamichi-receiver\|[\d.]+\|delivered\|eltax \d+: delivered[^|]*\|2\|rt=\d+ .*"
                     r"cs1Label=channel cs1=eltax cn1Label=number cn1=\d+ ", said, re.M), said
