/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>

#include "nbp/proto/error.h"
#include "nbp/proto/password.h"

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void assert_hex(const uint8_t *bytes, const char *hex)
{
	char text[2 * SHA256_SIZE + 1];

	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, hex);
}

static void digest(const void *bytes, size_t count, uint8_t out[SHA256_SIZE])
{
	struct sha256 sha;

	sha256_start(&sha);
	sha256_add(&sha, bytes, count);
	sha256_end(&sha, out);
}

/* FIPS 180-4's examples, as NIST publishes them. */
static void knows_the_standards_digests(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
		  "klmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};
	uint8_t out[SHA256_SIZE];
	struct sha256 sha;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		digest(cases[i].text, strlen(cases[i].text), out);
		assert_hex(out, cases[i].hex);
	}
	sha256_start(&sha);
	for (int i = 0; i < 1000000; i++)
		sha256_add(&sha, "a", 1);
	sha256_end(&sha, out);
	assert_hex(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void agrees_with_the_library_at_every_length(void **state)
{
	uint8_t bytes[300], mine[SHA256_SIZE], theirs[SHA256_SIZE];
	struct sha256_ctx context;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 3);
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		digest(bytes, length, mine);
		sha256_init(&context);
		sha256_update(&context, length, bytes);
		sha256_digest(&context, sizeof(theirs), theirs);
		assert_memory_equal(mine, theirs, sizeof(mine));
	}
}

static const uint8_t *derive(struct password_check *check, const char *password,
                             const char *salt, uint32_t iterations, uint32_t slice)
{
	struct password_hash hash = { .iterations = iterations, .salt_length = strlen(salt) };

	memcpy(hash.salt, salt, hash.salt_length);
	password_start(check, &hash, password, strlen(password));
	while (!password_run(check, slice))
		assert_true(check->left < iterations);
	return check->key;
}

/* RFC 7914 section 11: the first 32 of each 64 bytes. */
static void knows_the_standards_keys(void **state)
{
	struct password_check check;

	(void)state;
	assert_hex(derive(&check, "passwd", "salt", 1, 1),
	           "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	assert_hex(derive(&check, "Password", "NaCl", 80000, 777),
	           "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

static void derives_what_the_library_does(void **state)
{
	char password[PASSWORD_SIZE + 1] = "", salt[PASSWORD_SALT_MAX + 1] = "";
	uint8_t theirs[SHA256_SIZE];
	struct password_check check;

	(void)state;
	for (size_t length = 0; length <= PASSWORD_SIZE; length++) {
		size_t salt_length = length / 2;

		memset(password, 'p', length);
		memset(salt, 's', salt_length);
		pbkdf2_hmac_sha256(length, (const uint8_t *)password, 3, salt_length,
		                   (const uint8_t *)salt, sizeof(theirs), theirs);
		assert_memory_equal(derive(&check, password, salt, 3, 2), theirs, sizeof(theirs));
	}
}

/* The output of passlib's pbkdf2_sha256 for "secret" with this salt and 1000 rounds. */
#define SALT "MDEyMzQ1Njc4OWFiY2RlZg"
#define KEY "tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8"
#define GOOD "$pbkdf2-sha256$1000$" SALT "$" KEY

static bool check_password(const struct password_hash *hash, const char *password)
{
	struct password_check check;

	password_start(&check, hash, password, strlen(password));
	while (!password_run(&check, 100))
		;
	return password_right(&check, hash);
}

static void tells_right_from_wrong(void **state)
{
	static const char *const wrong[] = { "", "s", "Secret", "secret ", "secres", "terces" };
	struct password_hash hash;

	(void)state;
	assert_int_equal(password_hash_read(span_of(GOOD), &hash), 0);
	assert_int_equal(hash.iterations, 1000);
	assert_int_equal(hash.salt_length, 16);
	assert_memory_equal(hash.salt, "0123456789abcdef", 16);
	assert_true(check_password(&hash, "secret"));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(check_password(&hash, wrong[i]));
	hash.key[31] ^= 1;
	assert_false(check_password(&hash, "secret"));
}

static void reads_only_hashes(void **state)
{
	static const char key[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"; /* 43 */
	static const struct {
		const char *before, *key;
		int rc;
	} cases[] = {
		{ "$pbkdf2-sha256$1000$" SALT "$", key, 0 },
		{ "$pbkdf2-sha256$1000000$" SALT "$", key, 0 },
		{ "$pbkdf2-sha256$0001000$" SALT "$", key, 0 },
		{ "$pbkdf2-sha256$1000$0./+zZ09aA1$", key, 0 }, /* 8 bytes */
		{ "$pbkdf2-sha256$1000$" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$", key, 0 },
		{ "$pbkdf2-sha256$999$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000001$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$4294968296$" SALT "$", key, ERR_MALFORMED }, /* 2^32 + 1000 */
		{ "$pbkdf2-sha256$99999999999999999999$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000x$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$-1000$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha512$1000$" SALT "$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$AAAAAAAAAA$", key, ERR_MALFORMED }, /* 7 bytes */
		{ "$pbkdf2-sha256$1000$" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$", key,
		  ERR_MALFORMED }, /* 33 */
		{ "$pbkdf2-sha256$1000$" SALT "=$", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$" SALT, key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$" SALT "$", "", ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$" SALT "$", key + 1, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$" SALT "$A", key, ERR_MALFORMED },
		{ "$pbkdf2-sha256$1000$" SALT "$ ", key, ERR_MALFORMED },
		{ "", "", ERR_MALFORMED }, { "secret", "", ERR_MALFORMED },
	};
	struct password_hash hash;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s%s", cases[i].before, cases[i].key);
		if (password_hash_read(span_of(text), &hash) != cases[i].rc)
			fail_msg("%s", text);
	}
}

/* The text is on the heap, so that a read past its end is found. */
static void survives_any_change(void **state)
{
	struct password_hash hash;

	(void)state;
	for (size_t cut = 0; cut < strlen(GOOD); cut++) {
		char *text = malloc(cut ? cut : 1);

		memcpy(text, GOOD, cut);
		assert_int_equal(password_hash_read((struct span){ (uint8_t *)text, cut }, &hash),
		                 ERR_MALFORMED);
		free(text);
	}
	for (size_t at = 0; at < strlen(GOOD); at++) {
		char text[] = GOOD;

		for (int byte = 0; byte < 256; byte++) {
			struct span span = { (uint8_t *)text, strlen(GOOD) };

			text[at] = (char)byte;
			if (password_hash_read(span, &hash) == 0)
				assert_in_range(hash.iterations, PASSWORD_ITERATIONS_MIN,
				                PASSWORD_ITERATIONS_MAX);
		}
	}
}

static void forgets(void **state)
{
	char word[] = "secret";

	(void)state;
	password_forget(word, 3);
	assert_memory_equal(word, "\0\0\0ret", 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_standards_digests),
		cmocka_unit_test(agrees_with_the_library_at_every_length),
		cmocka_unit_test(knows_the_standards_keys),
		cmocka_unit_test(derives_what_the_library_does),
		cmocka_unit_test(tells_right_from_wrong),
		cmocka_unit_test(reads_only_hashes),
		cmocka_unit_test(survives_any_change),
		cmocka_unit_test(forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
