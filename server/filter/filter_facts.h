/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_FILTER_FILTER_FACTS_H
#define SERVER_FILTER_FILTER_FACTS_H

#include "server/filter/filter.h"

/* The facts that filters compare, and a parsed filter: what filter*.c share. */

enum fact_kind {
	FACT_TEXT,
	FACT_NUMBER,
	FACT_MEMORY,  /* bytes; a number without a unit is MiB, GB is GiB */
	FACT_SIZE,    /* bytes; likewise, but GB is 10^9 bytes, as disks are sold */
	FACT_DIGITS,  /* hexadecimal ones, however they are written */
	FACT_ADDRESS,
	FACT_CHOICE,  /* one of some names */
};

enum operator {
	OPERATOR_IS, OPERATOR_IS_NOT, OPERATOR_BELOW, OPERATOR_ABOVE, OPERATOR_AT_MOST,
	OPERATOR_AT_LEAST, OPERATOR_CONTAINS, OPERATOR_STARTS_WITH, OPERATOR_IN, OPERATOR_COUNT,
};

/* Facts that are not a field of the request; the offset of those of size 0. */
enum {
	OTHER_NIC, OTHER_ADDRESS, OTHER_NAME, OTHER_DISKS, OTHER_DISK_BYTES, OTHER_LARGEST_DISK,
	OTHER_DISK_KIND, OTHER_SECTORS,
};

/* What stands for a number. */
struct fact_choice {
	const char *name; /* NULL: the last */
	uint64_t number;
};

struct fact {
	const char *name;
	enum fact_kind kind;
	uint16_t offset, size; /* in struct request */
	const struct fact_choice *choices;
	const char *help;
};

#define DIGITS_MAX 32

struct fact_address {
	uint8_t bytes[16]; /* of IPv4: as RFC 4291 section 2.5.5.2 maps it */
	uint8_t bits;      /* of the network, from the first byte on */
};

/* What a machine reports of a fact. */
struct fact_value {
	bool known;
	uint64_t number;             /* numbers, sizes, choices */
	const char *text;            /* all else; for addresses, as they are written */
	char digits[DIGITS_MAX + 1]; /* what text may point to */
	struct fact_address address;
};

extern const struct fact fact_table[]; /* ends with one without a name */

/** Finds a fact by its name of @length characters. Returns its index, or -1. */
int fact_find(const char *name, size_t length);

/** Returns the fact that a word, which names none, was probably meant to be; NULL: nobody knows. */
const char *fact_meant(const char *name, size_t length);

/** Reads what @subject reports of @fact. */
void fact_read(const struct fact *fact, const struct subject *subject, struct fact_value *value);

/** Writes @value as a person would: "it is 4096 MiB". */
void fact_show(const struct fact *fact, const struct fact_value *value, char *out, size_t size);

/** Says how many digits a fact of FACT_DIGITS has. */
size_t fact_digits(const struct fact *fact);

/** Reads an IP address, or with @network one with "/bits". Returns 0 or ERR_MALFORMED. */
int fact_address(const char *text, bool network, struct fact_address *address);

/* --- a parsed filter -------------------------------------------------------- */

#define FILTER_NODES 128 /* comparisons, and what joins them; at most UINT8_MAX */
#define FILTER_DEPTH 32  /* parentheses and "not" within each other */

enum node_kind { NODE_COMPARE, NODE_NOT, NODE_AND, NODE_OR };

struct node {
	uint8_t kind;
	uint8_t first; /* child; not with NODE_COMPARE */
	uint8_t next;  /* sibling; 0: the last, as node 0 is nobody's child */
	uint8_t fact, operator;
	uint16_t start, length;         /* where it stands in the text */
	uint16_t text, text_length;     /* its value, likewise, without quotes */
	union {
		uint64_t number;
		char digits[DIGITS_MAX + 1];
		struct fact_address address;
	} value;
};

struct filter {
	char text[FILTER_TEXT];
	uint8_t root;       /* 0: it matches every machine */
	uint8_t node_count; /* node 0 included */
	struct node nodes[];
};

#endif
