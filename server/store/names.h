/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVER_STORE_NAMES_H
#define SERVER_STORE_NAMES_H

/*
 * Names in a database, for a shell that completes a word. The shell waits, so the file is only
 * read, and not checked as a whole; without one, or with one of another version, there are no
 * names.
 */

/** Takes one name, valid until it returns. */
typedef void store_name_taker(void *data, const char *name);

/**
 * Lists what is there of "device", "group", "bundle", "rule", "multicast", "job" (the open ones) or
 * "folder"; of "target group" the groups as "group:NAME". Nothing of anything else.
 * @begun: what names are to begin with; others may come all the same
 */
void store_list_names(const char *path, const char *what, const char *begun,
                      store_name_taker *take, void *data);

/** Lists the details of a bundle, each as "key=value". */
void store_list_details(const char *path, const char *bundle, store_name_taker *take, void *data);

#endif
