-- katamichi.lua - shows the datagrams of katamichi in Wireshark and tshark (common/PROTOCOL.md, sections 3 and 4).
--
--   tshark -X lua_script:katamichi.lua -r link.pcap
--   wireshark -X lua_script:katamichi.lua link.pcap      or put it into the personal Lua plugins folder
--
-- Nothing is decrypted: the key is not here.  What stands in clear is shown, and what contradicts the protocol is
-- marked, so a capture tells a damaged or foreign datagram from a good one, except for the tag.  UDP of any port is
-- looked at (heuristic); the registered port for "Decode As" is the one of the examples, 5150.

local km = Proto("katamichi", "katamichi one-way link")

local KINDS = { [1] = "HELLO", [2] = "SYMBOL", [3] = "BEAT" }
local HEAD, TAG, MIN, SYMBOL_AT, HELLO_LEN = 18, 16, 256, 48, 148

local f = {
	version = ProtoField.uint8("katamichi.version", "Version"),
	kind = ProtoField.uint8("katamichi.kind", "Kind", base.DEC, KINDS),
	length = ProtoField.uint16("katamichi.length", "Length"),
	lane = ProtoField.uint8("katamichi.lane", "Lane"),
	mlog = ProtoField.uint8("katamichi.mlog", "log2 of the parity space"),
	epoch = ProtoField.uint32("katamichi.epoch", "Epoch"),
	pn = ProtoField.uint64("katamichi.pn", "Packet number"),
	tag = ProtoField.bytes("katamichi.tag", "Tag"),
	reserved = ProtoField.uint16("katamichi.reserved", "Reserved", base.HEX),
	kfull = ProtoField.uint16("katamichi.kfull", "Source symbols of a full block"),
	object = ProtoField.bytes("katamichi.object", "Object"),
	object_length = ProtoField.uint64("katamichi.object_length", "Object length"),
	block = ProtoField.uint32("katamichi.block", "Block"),
	symbol = ProtoField.uint16("katamichi.symbol", "Symbol"),
	parity = ProtoField.bool("katamichi.parity", "Repair symbol"),
	data = ProtoField.bytes("katamichi.data", "Symbol data"),
	sender = ProtoField.bytes("katamichi.sender", "Sender's key id"),
	receiver = ProtoField.bytes("katamichi.receiver", "Receiver's key id"),
	psk = ProtoField.bytes("katamichi.psk", "Pre-shared key's id"),
	created = ProtoField.absolute_time("katamichi.created", "Created", base.UTC),
	ephemeral = ProtoField.bytes("katamichi.ephemeral", "Ephemeral public key"),
	signature = ProtoField.bytes("katamichi.signature", "Signature"),
	salt = ProtoField.bytes("katamichi.salt", "Salt"),
	sealed = ProtoField.bytes("katamichi.sealed", "Sealed body"),
	sealed_tag = ProtoField.bytes("katamichi.sealed_tag", "Tag of the sealed body"),
}
km.fields = f

local bad = ProtoExpert.new("katamichi.malformed", "Not as the protocol says", expert.group.MALFORMED, expert.severity.ERROR)
km.experts = { bad }

-- 48 bits, which Lua's UInt64 has no reader for
local function u48(range)
	return UInt64(range(2, 4):uint(), range(0, 2):uint())
end

-- Source symbols of this block (section 3.3); nil while the object's length is not known.
local function block_k(n, kfull, length, block)
	local s = n - SYMBOL_AT - TAG
	if length == 0 or kfull == 0 then
		return nil
	end
	local total = math.ceil(length / s)
	local blocks = math.ceil(total / kfull)
	if block + 1 > blocks then
		return 0
	end
	return block + 1 == blocks and total - (blocks - 1) * kfull or kfull
end

local function symbol(tvb, pinfo, tree, n)
	local kfull, length = tvb(18, 2):uint(), u48(tvb(36, 6)):tonumber()
	local block, number = tvb(42, 4):uint(), tvb(46, 2):uint()
	tree:add(f.kfull, tvb(18, 2))
	tree:add(f.object, tvb(20, 16))
	tree:add(f.object_length, tvb(36, 6), u48(tvb(36, 6)))
	tree:add(f.block, tvb(42, 4))
	tree:add(f.symbol, tvb(46, 2))
	local k = block_k(n, kfull, length, block)
	if kfull == 0 then
		tree:add_proto_expert_info(bad, "no source symbols in a block")
	elseif kfull + 2 ^ tvb(7, 1):uint() > 65536 then
		tree:add_proto_expert_info(bad, "more symbols in a block than the field has")
	elseif k == 0 then
		tree:add_proto_expert_info(bad, "block behind the end of the object")
	else
		tree:add(f.parity, tvb(46, 2), number >= (k or kfull)):set_generated()
		if number >= (k or kfull) + 2 ^ tvb(7, 1):uint() then
			tree:add_proto_expert_info(bad, "symbol behind the parity space")
		end
	end
	tree:add(f.data, tvb(SYMBOL_AT, n - SYMBOL_AT - TAG))
	pinfo.cols.info = string.format("SYMBOL %s block %d symbol %d%s", tostring(tvb(20, 4):bytes()):lower(), block, number,
		k ~= 0 and number >= (k or kfull) and " (repair)" or "")
end

local function hello(tvb, pinfo, tree, n)
	tree:add(f.sender, tvb(20, 8))
	tree:add(f.receiver, tvb(28, 8))
	tree:add(f.psk, tvb(36, 8))
	local ms = tvb(44, 8):uint64():tonumber()
	tree:add(f.created, tvb(44, 8), NSTime.new(math.floor(ms / 1000), (ms % 1000) * 1000000))
	tree:add(f.ephemeral, tvb(52, 32))
	tree:add(f.signature, tvb(84, 64))
	for i = HELLO_LEN, n - TAG - 1 do
		if tvb(i, 1):uint() ~= 0 then
			tree:add_proto_expert_info(bad, "bytes behind the HELLO that are not zero")
			break
		end
	end
	pinfo.cols.info = "HELLO from " .. tostring(tvb(20, 8):bytes()):lower()
end

local function beat(tvb, pinfo, tree, n)
	tree:add(f.salt, tvb(20, 32))
	tree:add(f.sealed, tvb(52, n - 84))
	tree:add(f.sealed_tag, tvb(n - 32, 16))
	pinfo.cols.info = "BEAT"
end

local BODY = { [1] = hello, [2] = symbol, [3] = beat }

local function looks_right(tvb)
	return tvb:len() >= HEAD and tvb(0, 2):uint() == 0x6B6D and tvb(2, 1):uint() == 1
end

function km.dissector(tvb, pinfo, root)
	if not looks_right(tvb) then
		return 0
	end
	local n, kind = tvb:len(), tvb(3, 1):uint()
	local tree = root:add(km, tvb())
	pinfo.cols.protocol = "katamichi"
	tree:add(f.version, tvb(2, 1))
	tree:add(f.kind, tvb(3, 1))
	tree:add(f.length, tvb(4, 2))
	tree:add(f.lane, tvb(6, 1))
	tree:add(f.mlog, tvb(7, 1))
	tree:add(f.epoch, tvb(8, 4))
	tree:add(f.pn, tvb(12, 6), u48(tvb(12, 6)))
	tree:append_text(string.format(", %s, epoch %d, packet %s", KINDS[kind] or "unknown kind", tvb(8, 4):uint(), u48(tvb(12, 6))))
	if BODY[kind] == nil or n < MIN or tvb(4, 2):uint() ~= n then
		tree:add_proto_expert_info(bad, BODY[kind] == nil and "unknown kind" or "its length is not that of the datagram")
		pinfo.cols.info = "malformed"
		return n
	end
	if (kind == 1) ~= (u48(tvb(12, 6)):tonumber() == 0) or (kind ~= 2 and tvb(7, 1):uint() ~= 0) or tvb(7, 1):uint() > 15 or
		tvb(6, 1):uint() > 15 or tvb(8, 4):uint() == 0 then
		tree:add_proto_expert_info(bad, "a field out of its range")
	end
	if kind ~= 2 then
		tree:add(f.reserved, tvb(18, 2))
		if tvb(18, 2):uint() ~= 0 then
			tree:add_proto_expert_info(bad, "reserved bytes that are not zero")
		end
	end
	BODY[kind](tvb, pinfo, tree, n)
	tree:add(f.tag, tvb(n - TAG, TAG))
	return n
end

km:register_heuristic("udp", function(tvb, pinfo, root)
	if not looks_right(tvb) then
		return false
	end
	km.dissector(tvb, pinfo, root)
	return true
end)
DissectorTable.get("udp.port"):add_for_decode_as(km)
