/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/site.h"

#include "nbp/dhcp_client.h"
#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"
#include "nbp/proto/text.h"
#include "nbp/proto/wire.h"

#define WORD_MAX 20 /* "255.255.255.255/30" and its end */
#define VLAN_MAX 4094
#define BOOTP_SIADDR 20

/* --- words and values ---------------------------------------------------------- */

/*
 * Copies the next word of the line under the cursor; "=" is a word of its own, and a word that
 * is too long becomes an empty one, which is wrong everywhere. Returns false at the end of the line.
 */
static bool next_word(struct wire *line, char word[WORD_MAX])
{
	size_t length = 0;

	while (wire_left(line)) {
		uint8_t c = line->data[line->position];

		if (c == '=' && length != 0)
			break;
		wire_skip(line, 1);
		if (c > ' ' && c != ',') {
			if (length < WORD_MAX)
				word[length] = (char)c;
			length++;
		} else if (length != 0) {
			break;
		}
		if (c == '=')
			break;
	}
	word[length < WORD_MAX ? length : 0] = '\0';
	return length != 0;
}

static int read_host(const char *word, uint8_t address[4])
{
	int rc = text_parse_ipv4(word, address);

	return rc == 0 && !dhcp_is_host(address) ? ERR_MALFORMED : rc;
}

/* Reads "192.0.2.1/24": cuts the word at its slash. */
static int read_netmask(char *word, uint8_t netmask[4])
{
	uint64_t bits;

	while (*word != '\0' && *word != '/')
		word++;
	if (*word == '\0' || text_parse_number(word + 1, 30, &bits) != 0 || bits == 0)
		return ERR_MALFORMED;
	*word = '\0';
	for (uint32_t i = 0; i < 32; i++)
		netmask[i / 8] = (uint8_t)(netmask[i / 8] << 1 | (i < bits));
	return 0;
}

/* Reads @word, the value number @count of a line, from 0. */
static int read_value(struct site *site, char setting, size_t count, char *word)
{
	uint64_t number;
	int rc;

	switch (setting) {
	case 's':
		site->server_count = count + 1;
		return count < POLICY_SERVERS_MAX ? read_host(word, site->servers[count])
		                                  : ERR_SPACE;
	case 'a':
		rc = read_netmask(word, site->netmask);
		return rc ? rc : read_host(word, site->address);
	case 'g':
		return read_host(word, site->gateway);
	case 't':
		return read_host(word, site->tftp_server);
	case 'v':
		if (text_parse_number(word, VLAN_MAX, &number) != 0 || number == 0)
			return ERR_MALFORMED;
		site->vlan = (uint16_t)number;
		return 0;
	default: /* for the media's start scripts */
		return 0;
	}
}

/* --- the text -------------------------------------------------------------------- */

/* Reads one line. Returns NULL, or what is wrong with it. */
static const char *read_line(struct wire *line, struct site *site)
{
	/* The first letter stands for the setting in read_value(). */
	static const char names[][12] = { "server",      "address", "gateway",
		                          "tftp-server", "vlan",    "console" };
	char name[WORD_MAX], word[WORD_MAX];
	struct site changed = *site; /* a line counts as a whole, or not at all */
	size_t i = 0, count = 0;

	if (!next_word(line, name))
		return NULL;
	while (i < sizeof(names) / sizeof(names[0]) &&
	       memcmp(name, names[i], strlen(names[i]) + 1) != 0)
		i++;
	if (i == sizeof(names) / sizeof(names[0]))
		return "unknown setting";
	if (!next_word(line, word) || word[0] != '=')
		return "expected NAME = VALUE";
	for (; next_word(line, word); count++)
		if ((count != 0 && name[0] != 's') || read_value(&changed, name[0], count, word) != 0)
			return "wrong value";
	if (count == 0)
		return "expected NAME = VALUE";
	*site = changed;
	return NULL;
}

/* Returns the next line of @text, without its end and its comment. */
static struct wire next_line(struct wire *text)
{
	size_t begin = text->position, length = SIZE_MAX;

	while (wire_left(text)) {
		uint8_t c = wire_read_u8(text);

		if (c == '#' && length == SIZE_MAX)
			length = text->position - 1 - begin;
		if (c == '\n')
			break;
	}
	if (length > text->position - begin)
		length = text->position - begin;
	return wire_reader(text->data + begin, length);
}

/* Returns how many of @length bytes of @text are read: lines are, that end within SITE_SIZE_MAX. */
static size_t readable(const uint8_t *text, size_t length)
{
	if (length <= SITE_SIZE_MAX)
		return length;
	for (length = SITE_SIZE_MAX; length != 0 && text[length - 1] != '\n'; length--)
		;
	return length;
}

int site_parse(const void *text, size_t length, struct site *site, struct site_error *error)
{
	static const uint8_t mark[3] = { 0xef, 0xbb, 0xbf }; /* UTF-8's, as Notepad writes it */
	struct wire in = wire_reader(text, readable(text, length));
	unsigned int number;
	int rc = 0;

	memset(site, 0, sizeof(*site));
	memset(error, 0, sizeof(*error));
	if (length >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0)
		wire_skip(&in, sizeof(mark));
	for (number = 1; wire_left(&in); number++) {
		struct wire line = next_line(&in);
		const char *wrong = read_line(&line, site);

		if (wrong && rc == 0) {
			error->line = number;
			error->message = wrong;
			rc = ERR_MALFORMED;
		}
	}
	if (length > in.size && rc == 0) {
		error->line = number;
		error->message = "beyond 4096 bytes";
		rc = ERR_MALFORMED;
	}
	return rc;
}

/* --- as a packet ------------------------------------------------------------------ */

static bool is_set(const uint8_t address[4])
{
	return address[0] | address[1] | address[2] | address[3];
}

int site_apply(const struct site *site, void *packet, size_t size)
{
	if (is_set(site->tftp_server) && size >= BOOTP_SIADDR + 4)
		memcpy((uint8_t *)packet + BOOTP_SIADDR, site->tftp_server, 4);
	if (site->server_count == 0)
		return 0;
	return dhcp_set_option(packet, size, DHCP_POLICY_SERVERS, site->servers,
	                       site->server_count * sizeof(site->servers[0]));
}

size_t site_packet(const struct site *site, const uint8_t mac[6], void *packet, size_t size)
{
	struct dhcp_client client = { .transaction = 0 };
	int rc;

	memcpy(client.mac, mac, sizeof(client.mac));
	memcpy(client.address, site->address, sizeof(client.address));
	if (dhcp_client_message(&client, DHCP_ACK, packet, size) == 0)
		return 0;
	rc = dhcp_set_option(packet, size, DHCP_SUBNET_MASK, site->netmask, 4);
	if (rc == 0 && is_set(site->gateway))
		rc = dhcp_set_option(packet, size, DHCP_ROUTER, site->gateway, 4);
	if (rc == 0)
		rc = site_apply(site, packet, size);
	return rc ? 0 : size;
}
