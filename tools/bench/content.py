"""Files to send, the same ones for the same seed.

Random bytes begin with HEAD: one file in some ten thousand would otherwise begin like a program and be refused."""
import os
import random

BLOCK = 1 << 20
HEAD = b"data"
NAMES = ["山田", "髙﨑", "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡邉", "中村", "小林", "加藤", "吉田", "齋藤", "松本", "井上", "木村"]
GIVEN = ["太郎", "花子", "一郎", "美咲", "健太", "陽菜", "翔", "結衣", "大輔", "葵", "誠", "さくら"]
TOWNS = ["見本市中央", "見本市本町", "見本市緑が丘", "見本市港北", "見本市旭町", "見本市栄", "見本市桜台"]
TAXES = ["法人市民税", "個人住民税", "固定資産税", "償却資産", "事業所税", "給与支払報告"]


def random_file(path, size, seed):
    """Nothing makes it smaller."""
    rng = random.Random(f"{seed} random {size}")
    with open(path, "wb") as f:
        f.write(HEAD[:size])
        for at in range(len(HEAD), size, BLOCK):
            f.write(rng.randbytes(min(BLOCK, size - at)))


def _record(rng, number):
    return (f'  <申告 受付番号="{2026112000000 + number}"><納税者><氏名>{rng.choice(NAMES)} {rng.choice(GIVEN)}</氏名>'
            f'<住所>{rng.choice(TOWNS)}{rng.randint(1, 9)}丁目{rng.randint(1, 40)}番{rng.randint(1, 30)}号</住所>'
            f'<整理番号>{rng.randint(10**9, 10**10 - 1)}</整理番号></納税者><税目>{rng.choice(TAXES)}</税目>'
            f'<課税標準額>{rng.randint(0, 99_999_999)}</課税標準額><税額>{rng.randint(0, 9_999_999)}</税額>'
            f'<申告日>2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}</申告日></申告>\n')


def xml_file(path, size, seed):
    """Japanese tax returns: names of elements, people and places repeat, numbers do not.

    A few thousand blocks of records are shuffled anew into each MB, and each begins with numbers of its own, so that the
    text is made fast and yet does not repeat within a compressor's window as a whole."""
    rng = random.Random(f"{seed} xml {size}")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<地方税申告データ 版="1" 提出先="見本市">\n'.encode()
    tail = "</地方税申告データ>\n".encode()
    pieces = [_record(rng, i).encode() for i in range(60000)]
    with open(path, "wb") as f:
        f.write(head)
        left, number = size - len(head) - len(tail), 0
        while left > 0:
            number += 1
            text = _record(rng, 10**6 + number).encode() + b"".join(rng.choices(pieces, k=1500))
            if len(text) > left:  # the rest as a comment: well-formed, exactly as long as asked for
                text = b"<!--" + b"x" * (left - 8) + b"-->\n" if left >= 8 else b"\n" * left
            f.write(text)
            left -= len(text)
        f.write(tail)


def small(rng, size):
    return (HEAD + rng.randbytes(max(0, size - len(HEAD))))[:size]


def small_files(folder, count, size, seed):
    """Names of count files of size random bytes."""
    rng = random.Random(f"{seed} small {count} {size}")
    names = [f"申請_{i:06}.dat" for i in range(count)]
    for name in names:
        with open(os.path.join(folder, name), "wb") as f:
            f.write(small(rng, size))
    return names
