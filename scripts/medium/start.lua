-- SPDX-License-Identifier: BSD-2-Clause
-- Runs under lua.c32 of Syslinux on a boot medium: reads the site's settings, whose grammar is
-- that of nbp/site.h, and starts iPXE with the NBP and a line of commands made of them.

local syslinux = require "syslinux"

local FILE = "/openpreboot.cfg"
local SIZE_MAX = 4096
local WORD_MAX = 19
local SERVERS_MAX = 4
local LINK_SECONDS = 4 -- a link can take this long to come up
local READING_MS = 4000 -- for a person to read what is wrong

local settings = {}

-- --- words and values ------------------------------------------------------------

-- Returns the four bytes of an IPv4 address that a host can have, or nil.
local function read_address(word)
	local bytes = { word:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$") }

	for i = 1, 4 do
		bytes[i] = tonumber(bytes[i])
		if not bytes[i] or bytes[i] > 255 then
			return nil
		end
	end
	if bytes[1] == 0 or bytes[1] == 127 or bytes[1] >= 224 then
		return nil
	end
	return bytes
end

-- Returns the four bytes of a netmask of so many bits, or nil. Syslinux' Lua has no math library.
local function read_netmask(word)
	local bits = word:match("^%d+$") and tonumber(word)
	local bytes = { 0, 0, 0, 0 }

	if not bits or bits == 0 or bits > 30 then
		return nil
	end
	for i = 1, 4 do
		local value = 128

		for _ = 1, 8 do
			if bits > 0 then
				bytes[i] = bytes[i] + value
			end
			bits = bits - 1
			value = value / 2
		end
	end
	return bytes
end

-- Each takes a setting's words and returns whether they are right.
local readers = {}

function readers.server(words)
	local servers = {}

	if #words > SERVERS_MAX then
		return false
	end
	for i, word in ipairs(words) do
		servers[i] = read_address(word)
		if not servers[i] then
			return false
		end
	end
	settings.servers = servers
	return true
end

function readers.address(words)
	local address, bits = (words[1] or ""):match("^([%d.]+)/(%d+)$")

	if #words ~= 1 or not address then
		return false
	end
	address = read_address(address)
	local netmask = read_netmask(bits)
	if not address or not netmask then
		return false
	end
	settings.address, settings.netmask = address, netmask
	return true
end

local function read_one_address(name)
	return function(words)
		local address = #words == 1 and read_address(words[1])

		if not address then
			return false
		end
		settings[name] = address
		return true
	end
end

readers.gateway = read_one_address("gateway")
readers["tftp-server"] = read_one_address("tftp_server")

function readers.vlan(words)
	local number = #words == 1 and words[1]:match("^%d+$") and tonumber(words[1])

	if not number or number == 0 or number > 4094 then
		return false
	end
	settings.vlan = number
	return true
end

function readers.console(words)
	if #words ~= 1 or (words[1] ~= "serial" and words[1] ~= "screen") then
		return false
	end
	settings.serial = words[1] == "serial"
	return true
end

-- --- the file ---------------------------------------------------------------------

-- Reads one line. Returns nil, or what is wrong with it.
local function read_line(line)
	local words = {}

	line = line:gsub("#.*", ""):gsub("[%z\1-\32,]", " ")
	if not line:match("[^ ]") then
		return nil
	end
	local name, value = line:match("^ *([^ =]+) *=(.*)$")
	name = name or line:match("^ *([^ =]+)")
	if not name or not readers[name] then
		return "unknown setting"
	end
	for word in (value or ""):gmatch("[^ ]+") do
		words[#words + 1] = #word <= WORD_MAX and word or ""
	end
	if #words == 0 then
		return "expected NAME = VALUE"
	end
	if not readers[name](words) then
		return "wrong value"
	end
	return nil
end

-- Returns the lines that are wrong, as texts. A line that is wrong counts as absent.
local function read_file()
	local wrong, number = {}, 0
	local file = io.open(FILE, "r")

	if not file then
		return { FILE .. ": not found; going on without" }
	end
	local text = file:read("*a") or ""
	file:close()
	local beyond = #text > SIZE_MAX
	if beyond then -- the last line would be cut
		text = text:sub(1, SIZE_MAX):match("^(.*\n)") or ""
	end
	text = text:gsub("^\239\187\191", "") -- UTF-8's mark, as Notepad writes it
	for line in text:gmatch("([^\n]*)\n?") do
		number = number + 1
		local message = read_line(line)
		if message then
			wrong[#wrong + 1] = FILE:sub(2) .. ":" .. number .. ": " .. message
		end
	end
	if beyond then
		wrong[#wrong + 1] = FILE:sub(2) .. ": beyond " .. SIZE_MAX .. " bytes"
	end
	return wrong
end

-- --- iPXE ----------------------------------------------------------------------------

local function join(bytes, format, separator)
	local texts = {}

	for i, byte in ipairs(bytes) do
		texts[i] = string.format(format, byte)
	end
	return table.concat(texts, separator)
end

local function dotted(bytes)
	return join(bytes, "%d", ".")
end

-- Returns the commands, each followed by &&, that set on a card what comes before DHCP's.
local function overrides(card)
	local commands, servers = "", {}

	for i, bytes in ipairs(settings.servers or {}) do
		servers[i] = join(bytes, "%02x", ":")
	end
	if #servers ~= 0 then
		commands = "set " .. card .. "/224:hex " .. table.concat(servers, ":") .. " && "
	end
	if settings.tftp_server then
		commands = commands .. "set " .. card .. "/next-server " ..
		           dotted(settings.tftp_server) .. " && "
	end
	return commands
end

-- A loader that boots the local disk, as PXELINUX does for LOCALBOOT, comes back to iPXE. Started
-- once more, the NBP sees that, and boots the disk, which it tells from the medium.
local START = "boot <INITRD> && boot <INITRD> && exit || "

-- Returns the commands that start the NBP with a static address on the first card. Debian's iPXE
-- cannot wait for a link.
local function start_static()
	local commands = "ifopen net0 && sleep " .. LINK_SECONDS ..
	                 " && set net0/ip " .. dotted(settings.address) ..
	                 " && set net0/netmask " .. dotted(settings.netmask) .. " && "

	if settings.gateway then
		commands = commands .. "set net0/gateway " .. dotted(settings.gateway) .. " && "
	end
	return commands .. overrides("net0") .. START
end

-- Without an address the NBP is started all the same, as it is what finds the local disk.
local function make_line()
	local line = "ifconf -c dhcp && " .. overrides("netX") .. START

	if settings.address then
		line = start_static()
	end
	return line .. "ifopen && boot <INITRD> || exit"
end

-- --- all together ----------------------------------------------------------------------

local wrong = read_file()

-- serial.cfg starts this script once more, with an argument.
if settings.serial and not (arg and arg[1]) then
	syslinux.run_command("serial")
end
if settings.vlan then
	wrong[#wrong + 1] = "openpreboot.cfg: vlan: a BIOS cannot; going on without"
end
for _, message in ipairs(wrong) do
	print(message)
end
if #wrong ~= 0 then
	syslinux.msleep(READING_MS)
end
syslinux.run_command("ipxe.lkrn initrd=nvlnbp.sys " .. make_line())
