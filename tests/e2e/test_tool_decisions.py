"""What the tool says when it does what changes something, in English and in Japanese: people's decisions, keys, a new generation."""
import json
import os
import re
import shutil

from harness import katamichi, wait_until
from spoken import not_as_wanted

BAD = ["不正%d.csv" % i for i in range(6)]
AGAIN = ("ﾔﾏﾀﾞ", "やまだ".translate({ord(a): ord(b) for a, b in zip("やまだ", "ヤマダ")}) + "\u200b")  # the same operator, spelt otherwise


def copy_with(site, name, new, **lines):
    """A configuration beside this one, with other values of these keys."""
    with open(site.path(name)) as f:
        text = f.read()
    for key, value in lines.items():
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text, count=1)
    with open(site.path(new), "w") as f:
        f.write(text)
    return site.path(new)


def quarantined(site):
    """Entries of six files that did not pass, which two operators have to release."""
    site.start(receiver_content="content = eltax\nrelease = two\n")
    for n, name in enumerate(BAD):
        site.put("eltax", name, b"1,2\n3\n")
        wait_until("its number", lambda: f"eltax {n + 1}: 1 file" in site.sender.text(), 20)  # each a transfer, so that each is an entry
    rows = wait_until("six entries", lambda: [r for r in [json.loads(katamichi(
        "quarantine", "list", "-c", site.path("receiver.conf"), "--json", ok=False).out)] if len(r) == 6], 20, alive=site.daemons())[0]
    site.sent.clear()
    return [r["entry"] for r in rows]


def of_the_quarantine(r, entry):
    def who(name):
        return [*r, "--operator", name, "--reason", "確認済み"]

    one, two = (entry[0], entry[1]), (entry[2], entry[3])
    return [
        ("quarantine release", [*who("ヤマダ"), one], 1, "recorded; channel eltax wants another operator to ask for it too",
         "記録しました。チャネルeltaxでは、別の担当者の依頼も必要です"),
        ("quarantine release", [*r, "--operator", AGAIN, "--reason", "もう一度", one], 1, "ヤマダ has asked for it already; channel eltax wants another",
         "ヤマダは既に依頼しています。チャネルeltaxでは、別の担当者"),
        ("quarantine release", [*who("鈴木"), one], 0, "released as eltax/0", "解除しました: eltax/0"),
        ("quarantine show", [*r, one], 0, "state +released.*ヤマダ.*鈴木", "状態 +解除.*ヤマダ.*鈴木"),
        ("quarantine release", [*who("佐藤"), one], 1, "it was released before", "以前に処理済みです（解除）"),
        ("quarantine discard", [*who("鈴木"), two], 0, "discarded", "廃棄"),
        ("quarantine discard", [*who("鈴木"), two], 1, "it was discarded before", "以前に処理済みです"),
        ("quarantine discard", [*who("..."), two], 2, "--operator takes a name", "--operatorには"),
        ("quarantine discard", [*who("鈴木"), "none"], 1, "there is no such entry", "その項目はありません"),
    ]


def of_keys(site, r):
    who = [*r, "--operator", "山田", "--reason", "紛失"]
    shutil.copytree(site.path("keys"), site.path("keys-ja"))
    sender = (site.path("sender.conf"), copy_with(site, "sender.conf", "sender-ja.conf", keys="keys-ja/sender.key"))
    receiver = (site.path("receiver.conf"), copy_with(site, "receiver.conf", "receiver-ja.conf", keys="keys-ja/receiver.key"))
    retired = copy_with(site, "receiver.conf", "retired.conf")
    with open(retired, "a") as f:
        f.write("[retired old]\nkey = keys-ja/receiver.key\nsince = 2026-01-05\n")
    return [
        ("link reset-epoch", [*who, "mihon"], 0, "mihon: the next session may have any epoch; the highest before was [0-9]",
         "mihon: 次のセッションは、どのエポックでも受け入れます。これまでの最大は[0-9]"),
        ("link reset-epoch", [*who, "mihon", "--lane", "16"], 2, "--lane takes a number", "--laneには"),
        ("key rotate", ["-c", sender], 0, rf"secret key +{site.path('keys')}/sender-[0-9]+\.key .*words.*pin it.*sender.conf write `keys = /",
         rf"秘密鍵 +{site.path('keys-ja')}/sender-[0-9]+\.key.*言葉.*登録.*sender.confに「keys = /"),
        ("key rotate", ["-c", sender], 4, "keys are never overwritten", "鍵は上書きしません"),
        ("key rotate", ["-c", receiver], 0, rf"public key +{site.path('keys')}/receiver-[0-9]+\.pub .*\[retired receiver\]\n +key = /.*since",
         rf"公開鍵 +{site.path('keys-ja')}/receiver-[0-9]+\.pub.*\[retired receiver\]\n +key = /.*since"),
        ("key retired", ["-c", retired], 0, "may go from.*old +2026-01-05 .* 2026-01-[0-9]+ +yes", "破棄できる日.*old +2026-01-05 .* 2026-01-[0-9]+ +はい"),
        ("key revoke", [*who, "mihon"], 0, "mihon: revoked", "mihon: 失効させました"),
    ]


def test_decisions_in_both_languages(site):
    s, r = ["-c", site.path("sender.conf")], ["-c", site.path("receiver.conf")]
    entry = quarantined(site)
    wrong = []
    for row in of_the_quarantine(r, entry) + of_keys(site, r):
        wrong += not_as_wanted(*row)
    site.sender.stop()
    site.receiver.stop()
    for row in (
        ("close", s, 1, "asked for; the sender does not run", "依頼しました。送信側は動いていません"),
        ("quarantine release", [*r, "--operator", "鈴木", "--reason", "x", entry[4]], 1, "asked for; the receiver does not run",
         "依頼しました。受信側は動いていません"),
        ("key revoke", [*r, "--operator", "鈴木", "--reason", "x", "mihon"], 1, "mihon: asked for; the receiver does not run",
         "mihon: 依頼しました。受信側は動いていません"),
        ("ledger checkpoint", r, 1, "katamichi-checkpoint.*the receiver does not run: this is the last one", "katamichi-checkpoint.*受信側が動いていません"),
        ("restore", s, 0, "generation [0-9a-f]{32}; the receiver is told", "世代[0-9a-f]{32}", False),
        ("status", r, 0, "receiver, NOT RUNNING ", "受信側 停止中 "),
    ):
        wrong += not_as_wanted(*row)
    assert not wrong, "\n".join(wrong)
    assert os.path.isdir(site.path("inbox/eltax"))
