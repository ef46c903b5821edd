/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "nbp/proto/error.h"
#include "server/ctl/noun.h"
#include "server/transfer/check.h"

struct findings {
	json_t *list; /* NULL: they are printed as they come */
	size_t count;
};

static void report_problem(void *data, const char *problem, const char *remedy)
{
	struct findings *findings = data;

	findings->count++;
	if (findings->list)
		json_array_append_new(findings->list, json_pack("{s:s, s:s}", "problem", problem,
		                                                "remedy", remedy));
	else
		printf("%s\n    %s\n", problem, remedy);
}

static int ctl_check(struct ctl *ctl)
{
	struct findings findings = { .list = ctl->json ? json_array() : NULL };
	struct check check = { .store = &ctl->store, .found = report_problem, .data = &findings };
	/* All of it at one moment, while others write. */
	int rc = store_begin_reading(&ctl->store);

	if (rc == 0)
		rc = check_all(&check);
	if (rc == 0)
		rc = ctl_check_files(ctl, report_problem, &findings);
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

static const struct verb verbs[] = {
	{ .run = ctl_check,
	  .help = "Check the database for damage and for what should not be there: values that "
	          "nobody could have set, what belongs to something that is gone, folders within "
	          "themselves, two open jobs of a device; with the setting tftp-root, also for "
	          "files "
	          "that the TFTP server does not have. Each problem is printed with a remedy; "
	          "nothing is changed. The exit status is 1 if there is any." },
	{ .run = NULL },
};

const struct noun noun_check = {
	.name = "check", .about = "check the database for damage", .verbs = verbs,
};
