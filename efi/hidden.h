/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Makefile puts this before each source. Without it a compiler of position-independent code
 * reaches what another file has by a table, as if that could be in a library.
 */
#pragma GCC visibility push(hidden)
