/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/password.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

static int digit64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '.' || c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Decodes base64 up to a character that is none; returns the bytes in @out, or -1 if too many. */
static int read64(struct span *text, uint8_t *out, int capacity)
{
	uint32_t bits = 0;
	int have = 0, count = 0;

	while (text->length && digit64(*text->data) >= 0) {
		bits = bits << 6 | (uint32_t)digit64(*text->data++);
		text->length--;
		have += 6;
		if (have < 8)
			continue;
		if (count == capacity)
			return -1;
		have -= 8;
		out[count++] = (uint8_t)(bits >> have);
	}
	return count;
}

static bool skip(struct span *text, const char *literal)
{
	size_t length = strlen(literal);

	if (text->length < length || memcmp(text->data, literal, length) != 0)
		return false;
	text->data += length;
	text->length -= length;
	return true;
}

int password_hash_read(struct span text, struct password_hash *hash)
{
	int length;

	hash->iterations = 0;
	if (!skip(&text, "$pbkdf2-sha256$"))
		return ERR_MALFORMED;
	while (text.length && *text.data >= '0' && *text.data <= '9' &&
	       hash->iterations <= PASSWORD_ITERATIONS_MAX) {
		hash->iterations = hash->iterations * 10 + *text.data++ - '0';
		text.length--;
	}
	if (hash->iterations < PASSWORD_ITERATIONS_MIN ||
	    hash->iterations > PASSWORD_ITERATIONS_MAX || !skip(&text, "$"))
		return ERR_MALFORMED;
	length = read64(&text, hash->salt, PASSWORD_SALT_MAX);
	if (length < PASSWORD_SALT_MIN || !skip(&text, "$"))
		return ERR_MALFORMED;
	hash->salt_length = (size_t)length;
	if (read64(&text, hash->key, SHA256_SIZE) != SHA256_SIZE || text.length)
		return ERR_MALFORMED;
	return 0;
}

/* Begins one of HMAC's hashes: the key, padded with zeros, XORed with @pad. */
static void start_hash(struct sha256 *sha, const char *key, size_t length, uint8_t pad)
{
	sha256_start(sha);
	for (size_t i = 0; i < SHA256_BLOCK; i++) {
		uint8_t byte = (uint8_t)(i < length ? key[i] ^ pad : pad);

		sha256_add(sha, &byte, 1);
	}
}

/* Ends the HMAC whose inner hash is @inner, and adds it to the key. */
static void iterate(struct password_check *check, struct sha256 *inner)
{
	struct sha256 outer = check->outer;

	sha256_end(inner, check->last);
	sha256_add(&outer, check->last, SHA256_SIZE);
	sha256_end(&outer, check->last);
	for (int i = 0; i < SHA256_SIZE; i++)
		check->key[i] ^= check->last[i];
	check->left--;
}

void password_start(struct password_check *check, const struct password_hash *hash,
                    const char *password, size_t length)
{
	struct sha256 inner;

	memset(check->key, 0, sizeof(check->key));
	check->left = hash->iterations;
	start_hash(&check->inner, password, length, 0x36);
	start_hash(&check->outer, password, length, 0x5c);
	inner = check->inner;
	sha256_add(&inner, hash->salt, hash->salt_length);
	sha256_add(&inner, "\0\0\0\1", 4); /* the first block of the derived key */
	iterate(check, &inner);
}

bool password_run(struct password_check *check, uint32_t count)
{
	for (; count && check->left; count--) {
		struct sha256 inner = check->inner;

		sha256_add(&inner, check->last, SHA256_SIZE);
		iterate(check, &inner);
	}
	return check->left == 0;
}

bool password_right(const struct password_check *check, const struct password_hash *hash)
{
	uint8_t difference = 0;

	for (int i = 0; i < SHA256_SIZE; i++)
		difference |= check->key[i] ^ hash->key[i];
	return difference == 0;
}

void password_forget(void *bytes, size_t size)
{
	volatile uint8_t *byte = bytes;

	while (size--)
		*byte++ = 0;
}
