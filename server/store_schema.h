/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_SCHEMA_H
#define SERVER_STORE_SCHEMA_H

/* The tables of STORE_VERSION, as SQL; README.md describes them. */
extern const char store_schema[];

#endif
