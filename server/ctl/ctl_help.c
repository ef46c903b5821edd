/* SPDX-License-Identifier: BSD-2-Clause */
/* What --help says, and the manual page, of the tables of nouns and verbs. */
#include <stdio.h>
#include <string.h>

#include "server/ctl/noun.h"

#define WIDTH 79 /* columns of --help */
#define TERM_INDENT 4
#define TEXT_INDENT 24 /* of what a term means */

static const char usage[] =
	"Usage: prebootctl [--database FILE] [--json] NOUN VERB [ARGUMENT]...\n"
	"Administers the devices that boot from the network, and their jobs.\n";
static const char common_options[] =
	"  -d, --database FILE  the database (" STORE_DEFAULT ")\n"
	"  -j, --json           print JSON\n"
	"  -h, --help           show this, or what NOUN or NOUN VERB does\n"
	"  -V, --version        show the version\n"
	"\n"
	"Any unambiguous prefix of a noun or verb is accepted: \"dev ls\", \"job as\".\n"
	"prebootd follows each change at once. See prebootctl(8).\n";

void help_verb_name(const struct noun *noun, const struct verb *verb, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", noun->name, verb->name ? " " : "",
	         verb->name ? verb->name : "");
}

/* --- lines -------------------------------------------------------------------- */

/* Returns the length of the word, with its brackets, at @text: "[--boot N]" is one. */
static size_t usage_word(const char *text)
{
	size_t length = 0;
	int depth = 0;

	for (; text[length] && (text[length] != ' ' || depth); length++)
		depth += (text[length] == '[') - (text[length] == ']');
	return length;
}

static size_t plain_word(const char *text)
{
	return strcspn(text, " ");
}

/* Prints @length bytes of words; @column: where the line is; new lines begin at @indent. */
static void print_filled(FILE *out, const char *text, size_t length, size_t column, size_t indent,
                         size_t (*word)(const char *text))
{
	const char *end = text + length;
	bool first = true;

	while (text < end) {
		size_t size = word(text);

		if (text + size > end)
			size = (size_t)(end - text);
		if (!first && column + 1 + size > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)size, text);
		column += size + !first;
		first = false;
		text += size;
		text += text < end && *text == ' ';
	}
	fputc('\n', out);
}

/* Prints a term and what it means. */
static void print_term(FILE *out, const char *term, size_t term_length, const char *text,
                       size_t length)
{
	size_t column = TERM_INDENT + term_length;

	fprintf(out, "%*s%.*s", TERM_INDENT, "", (int)term_length, term);
	if (column + 2 > TEXT_INDENT) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", (int)(TEXT_INDENT - column), "");
	print_filled(out, text, length, TEXT_INDENT, TEXT_INDENT, plain_word);
}

/* --- --help ------------------------------------------------------------------- */

void help_all(FILE *out)
{
	const struct noun *noun;
	char names[512];

	fprintf(out, "%s\n", usage);
	for (size_t i = 0; (noun = noun_at(i)) != NULL; i++) {
		if (!noun->about)
			continue;
		fprintf(out, "  %-11s  %s\n", noun->name, noun->about);
		if (noun_only_verb(noun))
			continue;
		noun_list_names(noun, names, sizeof(names));
		fprintf(out, "  %-11s  ", "");
		print_filled(out, names, strlen(names), 15, 15, plain_word);
	}
	fprintf(out, "\n%s", common_options);
}

void help_usage(FILE *out, const struct noun *noun, const struct verb *verb)
{
	char name[64];
	size_t indent;

	help_verb_name(noun, verb, name, sizeof(name));
	indent = (size_t)fprintf(out, "prebootctl %s%s", name, verb->usage ? " " : "\n");
	if (verb->usage)
		print_filled(out, verb->usage, strlen(verb->usage), indent, indent, usage_word);
}

/* Writes "--boot N". */
static size_t option_term(const struct ctl_option *option, char *out, size_t size)
{
	return (size_t)snprintf(out, size, "--%s%s%s", option->name, option->value ? " " : "",
	                        option->value ? option->value : "");
}

void help_verb(FILE *out, const struct noun *noun, const struct verb *verb)
{
	char term[128];

	help_usage(out, noun, verb);
	for (const char *line = verb->help; *line;) {
		size_t length = strcspn(line, "\n"), tab = strcspn(line, "\t");

		if (tab < length) {
			print_term(out, line, tab, line + tab + 1, length - tab - 1);
		} else if (*line == ' ') {
			fprintf(out, "  %.*s\n", (int)length, line);
		} else {
			fputs("  ", out);
			print_filled(out, line, length, 2, 2, plain_word);
		}
		line += length + (line[length] == '\n');
	}
	for (const struct ctl_option *const *o = verb->options; o && *o; o++) {
		size_t length = option_term(*o, term, sizeof(term));

		print_term(out, term, length, (*o)->about, strlen((*o)->about));
	}
}

void help_noun(const struct noun *noun)
{
	for (const struct verb *verb = noun->verbs; verb->run; verb++) {
		if (verb != noun->verbs)
			puts("");
		help_verb(stdout, noun, verb);
	}
}

/* --- the manual page ---------------------------------------------------------- */

/* Prints text as man(7) wants it: "-" and "\" and a "." at the beginning mean something there. */
static void print_roff(const char *text, size_t length)
{
	if (length && (*text == '.' || *text == '\''))
		fputs("\\&", stdout);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-')
			fputs("\\-", stdout);
		else if (text[i] == '\\')
			fputs("\\e", stdout);
		else
			putchar(text[i]);
	}
}

/* Prints a usage: in bold what is typed as it is, in italics what it stands for, and all else. */
static void print_roff_usage(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-=,";

	while (*text) {
		size_t length = strspn(text, letters), other = strcspn(text, letters);

		if (length) {
			printf(text[0] >= 'A' && text[0] <= 'Z' ? "\\fI" : "\\fB");
			print_roff(text, length);
			fputs("\\fR", stdout);
		} else {
			printf("%.*s", (int)other, text);
		}
		text += length ? length : other;
	}
	puts("");
}

static void print_roff_term(const char *term, size_t length, const char *text, size_t text_length)
{
	char copy[128];

	snprintf(copy, sizeof(copy), "%.*s", (int)length, term);
	puts(".TP");
	print_roff_usage(copy);
	print_roff(text, text_length);
	puts("");
}

static void print_roff_help(const char *line)
{
	bool terms = false;

	while (*line) {
		size_t length = strcspn(line, "\n"), tab = strcspn(line, "\t");

		if (tab < length && !terms)
			puts(".RS");
		if (tab < length)
			print_roff_term(line, tab, line + tab + 1, length - tab - 1);
		terms |= tab < length;
		if (*line == ' ') {
			puts(".br");
			print_roff(line + strspn(line, " "), length - strspn(line, " "));
			puts(line[length] && line[length + 1] != ' ' ? "\n.br" : "");
		} else if (tab >= length) {
			print_roff(line, length);
			puts("");
		}
		line += length + (line[length] == '\n');
	}
	if (terms)
		puts(".RE");
}

static void print_roff_verb(const struct noun *noun, const struct verb *verb)
{
	char text[128];

	help_verb_name(noun, verb, text, sizeof(text));
	printf(".TP\n\\fB%s\\fR ", text);
	print_roff_usage(verb->usage ? verb->usage : "");
	print_roff_help(verb->help);
	if (!verb->options)
		return;
	puts(".RS");
	for (const struct ctl_option *const *o = verb->options; *o; o++) {
		size_t length = option_term(*o, text, sizeof(text));

		print_roff_term(text, length, (*o)->about, strlen((*o)->about));
	}
	puts(".RE");
}

void help_manual(void)
{
	const struct noun *noun;

	for (size_t i = 0; (noun = noun_at(i)) != NULL; i++)
		for (const struct verb *verb = noun->verbs; noun->about && verb->run; verb++)
			print_roff_verb(noun, verb);
}
