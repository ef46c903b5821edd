/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/canvas.h"

#include <string.h>

static uint32_t canvas_now(struct platform *p)
{
	(void)p;
	return 0;
}

static void canvas_clear(struct platform *p)
{
	struct canvas *canvas = (struct canvas *)p;

	memset(canvas->cells, ' ', sizeof(canvas->cells));
	memset(canvas->colours, canvas->colour, sizeof(canvas->colours));
	canvas->row = canvas->column = 0;
}

static void canvas_move(struct platform *p, unsigned int row, unsigned int column)
{
	struct canvas *canvas = (struct canvas *)p;

	canvas->row = row < CANVAS_ROWS ? row : CANVAS_ROWS - 1;
	canvas->column = column < CANVAS_COLUMNS ? column : CANVAS_COLUMNS - 1;
}

static void canvas_colours(struct platform *p, uint8_t text, uint8_t background)
{
	((struct canvas *)p)->colour = (uint8_t)(background << 4 | text);
}

/* As screens do: behind the last column comes the next row, behind the last row all moves up. */
static void put_character(struct canvas *canvas, char c)
{
	if (c != '\n') {
		canvas->cells[canvas->row][canvas->column] = c;
		canvas->colours[canvas->row][canvas->column] = canvas->colour;
		canvas->column++;
	}
	if (c != '\n' && canvas->column < CANVAS_COLUMNS)
		return;
	canvas->column = 0;
	if (++canvas->row < CANVAS_ROWS)
		return;
	canvas->row = CANVAS_ROWS - 1;
	memmove(canvas->cells[0], canvas->cells[1], sizeof(canvas->cells) - CANVAS_COLUMNS);
	memmove(canvas->colours[0], canvas->colours[1], sizeof(canvas->colours) - CANVAS_COLUMNS);
	memset(canvas->cells[CANVAS_ROWS - 1], ' ', CANVAS_COLUMNS);
}

static void canvas_write(struct platform *p, const char *text, size_t length)
{
	struct canvas *canvas = (struct canvas *)p;

	canvas->written += length;
	while (length--)
		put_character(canvas, *text++);
}

void canvas_start(struct canvas *canvas, enum loader_kind kind)
{
	memset(canvas, 0, sizeof(*canvas));
	canvas->p = (struct platform){
		.name = "canvas", .machine.loader = kind, .now = canvas_now,
		.write = canvas_write, .clear = canvas_clear, .move = canvas_move,
		.colours = canvas_colours,
	};
	canvas->colour = COLOUR_WHITE;
	canvas_clear(&canvas->p);
}

/* ANSI's colours are in another order than VGA's: red and blue change places. */
static int ansi_colour(uint8_t colour)
{
	return (colour & 2) | (colour & 1) << 2 | (colour >> 2 & 1);
}

static void print_coloured(const struct canvas *canvas, unsigned int row, FILE *out)
{
	int last = -1;

	for (unsigned int i = 0; i < CANVAS_COLUMNS; i++) {
		uint8_t colour = canvas->colours[row][i];

		if (colour != last)
			fprintf(out, "\033[0;%d%d;4%dm", colour & COLOUR_BRIGHT ? 9 : 3,
			        ansi_colour(colour & 7), ansi_colour(colour >> 4));
		last = colour;
		fputc(canvas->cells[row][i], out);
	}
	fputs("\033[0m\n", out);
}

void canvas_print(const struct canvas *canvas, FILE *out, bool coloured)
{
	for (unsigned int row = 0; row < CANVAS_ROWS; row++) {
		int length = CANVAS_COLUMNS;

		while (length && canvas->cells[row][length - 1] == ' ')
			length--;
		if (coloured)
			print_coloured(canvas, row, out);
		else
			fprintf(out, "%.*s\n", length, canvas->cells[row]);
	}
}
