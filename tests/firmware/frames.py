"""Frames of the sender's side and of the fibre, good and bad, made here from the headers' descriptions and from nothing of the
firmware: zlib has the CRC, and the Internet checksum stands below.

A bad frame breaks one rule and is right in all others; its class is the name of the counter that has to rise.
"""
import struct
import zlib

DATAGRAM = 1472  # bytes, at MTU 1500
LINK_MACS = bytes.fromhex("026b6d00000b" "026b6d00000a")


def ones(data):
    """The Internet checksum's sum, folded."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def datagram(packet=1, size=DATAGRAM, kind=2, magic=0x6B6D, version=1, length=None, lane=0, log_m=4, epoch=7):
    """A SYMBOL of PROTOCOL.md, section 3, as far as a box without a key can tell."""
    head = struct.pack(">HBBHBBIHI", magic, version, kind, size if length is None else length, lane, log_m, epoch, packet >> 32,
                       packet & 0xFFFFFFFF)
    body = bytes((i * 7 + packet) & 0xFF for i in range(64))
    return (head + body * (size // 64 + 1))[:size]


class Ends:
    """Who speaks to whom, as in the INI file."""

    def __init__(self, conf):
        self.sender_mac, self.ingress_mac, self.egress_mac, self.receiver_mac = (
            bytes.fromhex(conf[s]["mac"].replace(":", "")) for s in ("sender", "ingress", "egress", "receiver"))
        self.sender_ip, self.receiver_ip = (bytes(int(x) for x in conf[s]["ip"].split(".")) for s in ("sender", "receiver"))
        self.port = int(conf["link"]["port"])

    def frame(self, payload, **change):
        """The sender's frame around payload.  A change replaces a field; sums are right unless they are given."""
        f = dict(dst=self.ingress_mac, src=self.sender_mac, type=0x0800, ihl=0x45, tos=0, total=28 + len(payload), id=0x1234,
                 flags=0x4000, ttl=64, protocol=17, ip_sum=None, src_ip=self.sender_ip, dst_ip=self.receiver_ip,
                 src_port=40000, dst_port=self.port, udp_len=8 + len(payload), udp_sum=None)
        f.update(change)
        ip = struct.pack(">BBHHHBBH4s4s", f["ihl"], f["tos"], f["total"], f["id"], f["flags"], f["ttl"], f["protocol"], 0,
                         f["src_ip"], f["dst_ip"])
        ip_sum = 0xFFFF - ones(ip) if f["ip_sum"] is None else f["ip_sum"]
        ip = ip[:10] + struct.pack(">H", ip_sum) + ip[12:]
        udp = struct.pack(">HHHH", f["src_port"], f["dst_port"], f["udp_len"], 0) + payload
        udp_sum = f["udp_sum"]
        if udp_sum is None:
            udp_sum = (0xFFFF - ones(f["src_ip"] + f["dst_ip"] + struct.pack(">HH", 17, f["udp_len"]) + udp)) or 0xFFFF
        udp = udp[:6] + struct.pack(">H", udp_sum) + udp[8:]
        return f["dst"] + f["src"] + struct.pack(">H", f["type"]) + ip + udp

    def delivered(self, payload):
        """What the receiver's host is to see: not one byte of the sender's headers, but for the addresses."""
        return self.frame(payload, dst=self.receiver_mac, src=self.egress_mac, id=0, src_port=self.port)


def link_frame(payload, sequence, epoch=7, macs=LINK_MACS, type=0x88B5, version=1, length=None, crc=None):
    f = macs + struct.pack(">HHIQH", type, version, epoch, sequence, len(payload) if length is None else length) + payload
    return f + struct.pack(">I", zlib.crc32(f) if crc is None else crc)


def too_long(ends, sequence):
    """A frame beyond the MTU, for the ingress and for the egress node: most controllers stop it before the filter can count it."""
    return ends.frame(datagram(9, 1700)), link_frame(datagram(9, 1700), sequence)


def flipped(frame, at, bit=1):
    return frame[:at] + bytes([frame[at] ^ bit]) + frame[at + 1:]


def good_ingress(ends):
    """(what, frame): unusual, and yet they pass, since none of it crosses."""
    return [
        ("plain", ends.frame(datagram(1))),
        ("type of service", ends.frame(datagram(2), tos=0xFF)),
        ("identification", ends.frame(datagram(3), id=0xBEEF)),
        ("time to live", ends.frame(datagram(4), ttl=1)),
        ("may be fragmented, but is not", ends.frame(datagram(5), flags=0)),
        ("source port", ends.frame(datagram(6), src_port=1)),
        ("BEAT", ends.frame(datagram(7, kind=3, log_m=0))),
        ("HELLO", ends.frame(datagram(0, kind=1, log_m=0))),
    ]


def bad_ingress(ends):
    """(class, what, frame)"""
    d = datagram(9)
    good = ends.frame(d)
    return [
        ("size", "shorter than headers and the smallest datagram", good[:200]),
        ("size", "an empty frame of 60 bytes", good[:14].ljust(60, b"\0")),
        ("dst-mac", "broadcast", ends.frame(d, dst=b"\xFF" * 6)),
        ("dst-mac", "multicast", ends.frame(d, dst=b"\x01\x00\x5E\x00\x00\x01")),
        ("dst-mac", "another host", ends.frame(d, dst=flipped(ends.ingress_mac, 5))),
        ("src-mac", "an unknown device", ends.frame(d, src=flipped(ends.sender_mac, 5))),
        ("src-mac", "a reflection", ends.frame(d, src=ends.ingress_mac)),
        ("ethertype", "ARP", ends.frame(d, type=0x0806)),
        ("ethertype", "IPv6", ends.frame(d, type=0x86DD)),
        ("ethertype", "VLAN tag", ends.frame(d, type=0x8100)),
        ("ethertype", "802.3 length", ends.frame(d, type=1500)),
        ("ethertype", "our own link frame", ends.frame(d, type=0x88B5)),
        ("ihl", "options", ends.frame(d, ihl=0x46)),
        ("ihl", "a header of no bytes", ends.frame(d, ihl=0x40)),
        ("ihl", "version 6", ends.frame(d, ihl=0x65)),
        ("ip-len", "a byte behind the packet", ends.frame(d, total=1499)),
        ("ip-len", "longer than the frame", ends.frame(d, total=1501)),
        ("ip-len", "0, as with segmentation offload", ends.frame(d, total=0)),
        ("ip-sum", "0", ends.frame(d, ip_sum=0)),
        ("ip-sum", "a bit flipped on the way", flipped(good, 18)),
        ("fragment", "the first", ends.frame(d, flags=0x2000)),
        ("fragment", "the last", ends.frame(d, flags=0x0010)),
        ("fragment", "the reserved flag", ends.frame(d, flags=0x8000)),
        ("protocol", "ICMP", ends.frame(d, protocol=1)),
        ("protocol", "TCP", ends.frame(d, protocol=6)),
        ("src-ip", "another address", ends.frame(d, src_ip=bytes([10, 77, 0, 3]))),
        ("dst-ip", "another address", ends.frame(d, dst_ip=bytes([10, 77, 0, 3]))),
        ("dst-ip", "to all", ends.frame(d, dst_ip=b"\xFF" * 4)),
        ("dst-port", "next door", ends.frame(d, dst_port=ends.port + 1)),
        ("udp-len", "slack in the packet", ends.frame(d, udp_len=len(d) + 7)),
        ("udp-len", "longer than the packet", ends.frame(d, udp_len=len(d) + 9)),
        ("udp-len", "0", ends.frame(d, udp_len=0)),
        ("udp-sum", "none", ends.frame(d, udp_sum=0)),
        ("udp-sum", "a bit of the datagram flipped", flipped(good, 700)),
        ("datagram-len", "another MTU", ends.frame(datagram(9, 1000))),
        ("head-size", "slack behind the tag", ends.frame(datagram(9, length=1471))),
        ("head-size", "longer than it is", ends.frame(datagram(9, length=1473))),
        ("head-magic", "another protocol", ends.frame(datagram(9, magic=0x1234))),
        ("head-magic", "version 2", ends.frame(datagram(9, version=2))),
        ("head-kind", "unknown", ends.frame(datagram(9, kind=4))),
        ("head-kind", "M of 2^16", ends.frame(datagram(9, log_m=16))),
        ("head-field", "lane 16", ends.frame(datagram(9, lane=16))),
        ("head-field", "epoch 0", ends.frame(datagram(9, epoch=0))),
        ("head-kind", "SYMBOL without a packet number", ends.frame(datagram(0))),
    ]


def bad_fibre(sequence):
    """(class, what, frame) for an egress node whose next sequence number is this one.  None of them takes the number, except
    those where the link frame itself is right: they come last, and take one each."""
    d = datagram(9)
    good = link_frame(d, sequence)
    heads = [("datagram-len", "another MTU", datagram(9, 1000)), ("head-size", "slack", datagram(9, length=1471)),
             ("head-magic", "another protocol", datagram(9, magic=0x1234)), ("head-kind", "unknown", datagram(9, kind=9)),
             ("head-field", "lane 99", datagram(9, lane=99))]
    return [
        ("size", "60 bytes of light", b"\xAA" * 60),
        ("size", "the smallest datagram less one byte", link_frame(datagram(9, 255), sequence)),
        ("link-mac", "another destination", link_frame(d, sequence, macs=flipped(LINK_MACS, 5))),
        ("link-mac", "another source", link_frame(d, sequence, macs=flipped(LINK_MACS, 11))),
        ("link-mac", "noise", bytes((i * 197 + 13) & 0xFF for i in range(1506))),
        ("link-type", "IPv4: the ingress node is bridged over", link_frame(d, sequence, type=0x0800)),
        ("link-version", "0", link_frame(d, sequence, version=0)),
        ("link-version", "2", link_frame(d, sequence, version=2)),
        ("link-len", "one less", link_frame(d, sequence, length=1471)),
        ("link-len", "one more", link_frame(d, sequence, length=1473)),
        ("link-crc", "a bit of the datagram", flipped(good, 700)),
        ("link-crc", "a bit of the CRC", flipped(good, len(good) - 1)),
        ("link-crc", "0", link_frame(d, sequence, crc=0)),
        ("link-sequence", "0", link_frame(d, 0)),
        ("link-sequence", "a replay", link_frame(d, sequence - 1)),
    ] + [(name, what, link_frame(bad, sequence + i)) for i, (name, what, bad) in enumerate(heads)]
