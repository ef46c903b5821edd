/* SPDX-License-Identifier: BSD-2-Clause */
#include "nbp/proto/power_on.h"

#include "nbp/proto/error.h"
#include "nbp/proto/memory.h"

enum {
	MAGIC = 0, /* "OP" */
	STATE = 2,
	CHECK = 3, /* makes the sum of all bytes 0 */
	SERVER = 4,
	TOKEN = 8,
};

static uint8_t sum(const uint8_t *record)
{
	uint8_t total = 0;

	for (int i = 0; i < POWER_ON_SIZE; i++)
		total = (uint8_t)(total + record[i]);
	return total;
}

void power_on_encode(const struct power_on *power_on, uint8_t record[POWER_ON_SIZE])
{
	record[MAGIC] = 'O';
	record[MAGIC + 1] = 'P';
	record[STATE] = power_on->state;
	record[CHECK] = 0;
	memcpy(record + SERVER, power_on->server, sizeof(power_on->server));
	memcpy(record + TOKEN, power_on->token, sizeof(power_on->token));
	record[CHECK] = (uint8_t)-sum(record);
}

int power_on_decode(struct power_on *power_on, const uint8_t record[POWER_ON_SIZE])
{
	if (record[MAGIC] != 'O' || record[MAGIC + 1] != 'P' || sum(record) ||
	    (record[STATE] != POWER_ON_LOCAL && record[STATE] != POWER_ON_HANDED_OVER))
		return ERR_NOT_FOUND;
	power_on->state = record[STATE];
	memcpy(power_on->server, record + SERVER, sizeof(power_on->server));
	memcpy(power_on->token, record + TOKEN, sizeof(power_on->token));
	return 0;
}
