#!/usr/bin/python3
"""frame.py DEVICE - put one Ethernet frame on a device, past every protocol and output filter.

It shows that the counter of frames from the receiver does move when there is one.
"""
import socket
import sys

FRAME = bytes.fromhex("026b6d000001" "026b6d000002" "88b5") + b"one deliberate frame".ljust(46, b"\0")

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind((sys.argv[1], 0))
    s.send(FRAME)
