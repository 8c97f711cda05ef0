#!/usr/bin/python3
"""check-ledger.py LEDGER.db [--last HASH] [--checkpoint FILE ... --receiver RECEIVER.pem] [--inbox DIR --sender SENDER.pem ...]

Is the receiver's record of deliveries whole, and does it agree with what lies in the inbox?  No program of katamichi is used:
Python reads the database and hashes, openssl verifies signatures.  What is checked:
  - rows are numbered from 1 without gaps, and the hash of each is that of the hash before it and its entry (PROTOCOL.md, 9.1)
  - --last: the hash, noted at the audit before, of a row that must still be there: nothing was cut off or rewritten since
  - --checkpoint: a file of `katamichi ledger checkpoint`, kept elsewhere: signed by the receiver, and its row still there (9.5)
  - --inbox: each delivered directory still there has the manifest that its row names, signed by one of the senders
Exit codes: 0 all holds, 1 something does not (each said), 2 usage."""
import argparse
import hashlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument("ledger")
parser.add_argument("--last")
parser.add_argument("--checkpoint", action="append", default=[], type=pathlib.Path)
parser.add_argument("--receiver")
parser.add_argument("--inbox", type=pathlib.Path)
parser.add_argument("--sender", action="append", default=[])
args = parser.parse_args()
if args.checkpoint and not args.receiver:
    parser.error("--checkpoint needs --receiver")
faults = 0


def fault(text):
    global faults
    faults += 1
    print(text, file=sys.stderr)


def verified(key, message, signature):
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key, "-in", message, "-sigfile", signature],
                          capture_output=True).returncode == 0


def check_point(path):
    """Row and hash that the receiver signed, or a fault."""
    lines = path.read_bytes().splitlines(keepends=True)
    said = dict(line.decode("ascii", "replace").split(maxsplit=1) for line in lines[1:] if b" " in line)
    try:
        with tempfile.NamedTemporaryFile() as message, tempfile.NamedTemporaryFile() as signature:
            message.write(b"\0katamichi v1 checkpoint\0" + b"".join(lines[:5]))
            signature.write(bytes.fromhex(said["signature"]))
            message.flush(), signature.flush()
            if not verified(args.receiver, message.name, signature.name):
                raise ValueError
        row, digest = int(said["rows"]), said["hash"].strip()
    except (KeyError, ValueError):
        return fault(f"{path}: this is no checkpoint that the receiver signed")
    if row > len(rows) or rows[row - 1][2] != digest:
        fault(f"{path}: row {row} is not what the receiver signed: rows were cut off or rewritten")


rows = sqlite3.connect(pathlib.Path(args.ledger).resolve().as_uri() + "?mode=ro", uri=True).execute(
    "SELECT seq, CAST(entry AS BLOB), hash FROM ledger ORDER BY seq").fetchall()
before, seen, deliveries, gone = "0" * 64, set(), 0, 0
for wanted, (seq, entry, digest) in enumerate(rows, 1):
    if seq != wanted:
        fault(f"row {wanted} is missing")
        break
    if hashlib.sha256(before.encode() + b"\n" + entry + b"\n").hexdigest() != digest:
        fault(f"row {seq} does not match its hash: it, or the one before, was changed")
        break
    before = digest
    seen.add(digest)
    said = json.loads(entry)
    if said["event"] not in ("delivered", "fork") or not args.inbox:
        continue
    deliveries += 1
    directory = args.inbox / said["dir"]
    if not directory.is_dir():
        gone += 1
        continue
    manifest = directory / "MANIFEST.json"
    if not manifest.is_file() or hashlib.sha256(manifest.read_bytes()).hexdigest() != said["manifest"]:
        fault(f"row {seq}: {manifest} is not the one that was delivered")
    elif args.sender and not any(verified(key, manifest, directory / "MANIFEST.json.sig") for key in args.sender):
        fault(f"row {seq}: {manifest} is signed by none of the senders")
if args.last and args.last not in seen:
    fault(f"no row has the hash {args.last}: rows were cut off or rewritten")
for checkpoint in args.checkpoint:
    check_point(checkpoint)
if not rows:
    fault("there is no row: a ledger begins with the row `opened`")
print(f"{len(rows)} rows, {deliveries} deliveries compared with the inbox ({gone} no longer there), {faults} faults, last hash {before}")
sys.exit(1 if faults else 0)
