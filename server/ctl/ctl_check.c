/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "server/ctl/ctl_verbs.h"
#include "server/transfer/check.h"

struct findings {
	json_t *list; /* NULL: they are printed as they come */
	size_t count;
};

static void found(void *data, const char *problem, const char *remedy)
{
	struct findings *findings = data;

	findings->count++;
	if (findings->list)
		json_array_append_new(findings->list, json_pack("{s:s, s:s}", "problem", problem,
		                                                "remedy", remedy));
	else
		printf("%s\n    %s\n", problem, remedy);
}

int ctl_check(struct ctl *ctl)
{
	struct findings findings = { .list = ctl->json ? json_array() : NULL };
	struct check check = { .store = &ctl->store, .found = found, .data = &findings };
	/* All of it at one moment, while others write. */
	int rc = store_run(&ctl->store, "BEGIN", "");

	if (rc == 0)
		rc = check_all(&check);
	if (rc == 0)
		rc = ctl_check_files(ctl, found, &findings);
	store_rollback(&ctl->store);
	if (findings.list)
		ctl_print_json(findings.list);
	if (rc)
		return ctl_store_error(ctl);
	if (!ctl->json && findings.count == 0)
		printf("%s: nothing wrong\n", ctl->database);
	else if (!ctl->json)
		printf("%s: %zu problem%s\n", ctl->database, findings.count,
		       findings.count == 1 ? "" : "s");
	return findings.count ? EXIT_FAULT : 0;
}
