/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_CTL_CANVAS_H
#define SERVER_CTL_CANVAS_H

#include <stdbool.h>
#include <stdio.h>

#include "nbp/platform.h"

#define CANVAS_ROWS    25
#define CANVAS_COLUMNS 80

/* A platform whose screen is memory; it has no keys, no network and no disk. */
struct canvas {
	struct platform p; /* first: the operations cast back */
	char cells[CANVAS_ROWS][CANVAS_COLUMNS];
	uint8_t colours[CANVAS_ROWS][CANVAS_COLUMNS]; /* background << 4 | text */
	unsigned int row, column;
	uint8_t colour;
	size_t written; /* characters, since the start */
};

/** Makes an empty screen of a machine with such firmware. */
void canvas_start(struct canvas *canvas, enum loader_kind kind);

/** Prints the screen, without blanks at the ends of lines; with colours, whole, for a terminal. */
void canvas_print(const struct canvas *canvas, FILE *out, bool coloured);

#endif
