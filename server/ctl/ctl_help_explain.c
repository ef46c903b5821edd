/* SPDX-License-Identifier: BSD-2-Clause */
#include "server/ctl/ctl_help.h"

const char help_explain[] =
	"prebootctl explain DEVICE|MAC|UUID [--address A]\n"
	"  Tells what a machine would be told if it asked now, by its last request, and why:\n"
	"  every session, assignment and rule in their order, taken (*) or passed over. A MAC\n"
	"  or UUID may be that of an unknown machine that has asked. Where very many of those\n"
	"  become devices at once, prebootd puts some off to a later boot.\n"
	"    --address A  as if it asked from this IP address\n";
const char help_rule_test[] =
	"prebootctl rule test FILTER|RULE [DEVICE|MAC|UUID] [--address A]\n"
	"  Says which machines a filter matches, by their last requests, and by which\n"
	"  comparison: one machine, or all devices and unknown machines. FILTER is one word\n"
	"  for the shell, as in \"memory >= 8G and maker contains 'Dell'\".\n"
	"    --address A  as if they asked from this IP address\n";
const char help_rule_facts[] =
	"prebootctl rule facts\n"
	"  Lists what filters can compare. texts: = <> contains starts-with; numbers and sizes:\n"
	"  = <> < > <= >=; addresses: these, and in 10.0.0.0/8; joined by and, or, not and\n"
	"  parentheses.\n";
