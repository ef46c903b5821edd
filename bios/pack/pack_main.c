/* SPDX-License-Identifier: BSD-2-Clause */
#include "bios/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nbp/proto/crc32.h"

/* The packer, which makes nvlnbp.sys: "packer RESIDENT REST OUT" writes to OUT the file
 * RESIDENT, then REST packed, then the CRC-32 of both. pack.h describes the format. */

static size_t read_file(const char *name, uint8_t data[PACK_SIZE_LIMIT])
{
	FILE *file = fopen(name, "rb");
	size_t size;

	if (!file) {
		perror(name);
		exit(1);
	}
	size = fread(data, 1, PACK_SIZE_LIMIT, file);
	if (ferror(file) || fgetc(file) != EOF) {
		fprintf(stderr, "%s: cannot read it, or it is larger than %u bytes\n", name,
		        PACK_SIZE_LIMIT);
		exit(1);
	}
	fclose(file);
	return size;
}

static void put_number(uint8_t *at, uint32_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(number >> 8 * i);
}

int main(int argc, char **argv)
{
	static uint8_t data[PACK_SIZE_LIMIT], original[PACK_SIZE_LIMIT];
	static uint8_t file[3 * PACK_SIZE_LIMIT + 64];
	static struct unpack_model model;
	size_t resident, size, packed, whole;
	FILE *out;

	if (argc != 4) {
		fprintf(stderr, "usage: packer RESIDENT REST OUT\n");
		return 2;
	}
	resident = read_file(argv[1], file);
	size = read_file(argv[2], original);
	memcpy(data, original, size);
	packed = pack(data, size, file + resident);
	if (unpack(file + resident, packed, data, size, &model) != size ||
	    memcmp(data, original, size) != 0) {
		fprintf(stderr, "%s: what was packed unpacks to something else\n", argv[2]);
		return 1;
	}
	whole = resident + packed + 4;
	if (resident < PACK_FILE_SIZE + 2 || whole > UINT16_MAX) {
		fprintf(stderr, "%s: too small to hold its size, or too large with the rest\n",
		        argv[1]);
		return 1;
	}
	put_number(file + PACK_FILE_SIZE, (uint32_t)whole, 2);
	put_number(file + whole - 4, crc32(file, whole - 4), 4);
	out = fopen(argv[3], "wb");
	if (!out || fwrite(file, 1, whole, out) != whole || fclose(out)) {
		perror(argv[3]);
		return 1;
	}
	return 0;
}
