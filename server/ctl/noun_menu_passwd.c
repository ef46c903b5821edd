/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/pbkdf2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "nbp/proto/password.h"
#include "server/ctl/noun.h"
#include "server/ctl/noun_menu.h"

const struct ctl_option opt_stdin = { "stdin", NULL, "read the password from standard input" };
const struct ctl_option opt_iterations = {
	"iterations", "N", "how often it is hashed, 1000 to 1000000 (100000): the effort of one "
	"guess, and of one question on the slowest machine"
};

#define ITERATIONS 100000
#define SALT_SIZE  16

struct secret {
	char text[PASSWORD_SIZE + 2]; /* with the newline */
	size_t length;
};

/* Takes a line, and the newline off it. */
static int read_line(FILE *in, struct secret *secret)
{
	if (!fgets(secret->text, sizeof(secret->text), in))
		secret->text[0] = '\0';
	secret->length = strcspn(secret->text, "\r\n");
	for (size_t i = 0; i < secret->length; i++)
		if (secret->text[i] < ' ' || secret->text[i] > '~')
			return ctl_error(EXIT_FAULT, "the password: expected printable ASCII, "
			                 "which every keyboard and terminal has");
	if (secret->length == 0 || secret->length > PASSWORD_SIZE)
		return ctl_error(EXIT_FAULT, "the password: expected 1 to %d characters",
		                 PASSWORD_SIZE);
	return 0;
}

/* Asks once. Keys of the terminal that send signals are off with the echo, so
 * that it always comes back. The prompt comes after: what is typed at it counts. */
static int ask_once(FILE *terminal, const char *prompt, struct secret *secret)
{
	struct termios before, silent;
	int status;

	if (tcgetattr(fileno(terminal), &before) != 0)
		return ctl_error(EXIT_FAULT, "cannot read the terminal: %s", strerror(errno));
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
	fputs(prompt, terminal);
	status = read_line(terminal, secret);
	tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	fputs("\n", terminal);
	return status;
}

static int ask_twice(struct secret *secret)
{
	FILE *terminal = fopen("/dev/tty", "r+");
	struct secret again = { .length = 0 };
	int status;

	if (!terminal)
		return ctl_error(EXIT_FAULT, "there is no terminal to ask for the password on; "
		                 "use --stdin");
	setvbuf(terminal, NULL, _IONBF, 0);
	status = ask_once(terminal, "Password: ", secret);
	if (status == 0)
		status = ask_once(terminal, "Once more: ", &again);
	if (status == 0 && (secret->length != again.length ||
	                    memcmp(secret->text, again.text, again.length) != 0))
		status = ctl_error(EXIT_FAULT, "these are two different passwords");
	explicit_bzero(&again, sizeof(again));
	fclose(terminal);
	return status;
}

/* Prints base64 as hashes have it: "." for "+", and nothing at the end. */
static void print64(const uint8_t *bytes, size_t length)
{
	char text[BASE64_ENCODE_RAW_LENGTH(SHA256_SIZE) + 1] = "";

	base64_encode_raw(text, length, bytes);
	for (char *c = text; *c && *c != '='; c++)
		putchar(*c == '+' ? '.' : *c);
}

int ctl_menu_passwd(struct ctl *ctl)
{
	uint8_t salt[SALT_SIZE], key[SHA256_SIZE];
	struct secret secret = { .length = 0 };
	uint32_t iterations = ITERATIONS;
	int status = 0;

	if (ctl_option(ctl, &opt_iterations))
		status = ctl_number(ctl_option(ctl, &opt_iterations), "--iterations",
		                    PASSWORD_ITERATIONS_MAX,
		                    &iterations);
	if (status == 0 && iterations < PASSWORD_ITERATIONS_MIN)
		status = ctl_error(EXIT_USAGE, "--iterations: expected at least %d",
		                   PASSWORD_ITERATIONS_MIN);
	if (status == 0 && getrandom(salt, sizeof(salt), 0) != sizeof(salt))
		status = ctl_error(EXIT_FAULT, "no random numbers: %s", strerror(errno));
	if (status == 0)
		status = ctl_given(ctl, &opt_stdin) ? read_line(stdin, &secret)
		                                      : ask_twice(&secret);
	if (status == 0) {
		pbkdf2_hmac_sha256(secret.length, (const uint8_t *)secret.text, iterations,
		                   sizeof(salt), salt, sizeof(key), key);
		printf("$pbkdf2-sha256$%u$", iterations);
		print64(salt, sizeof(salt));
		putchar('$');
		print64(key, sizeof(key));
		putchar('\n');
	}
	explicit_bzero(&secret, sizeof(secret));
	return status;
}
