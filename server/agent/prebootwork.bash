# SPDX-License-Identifier: BSD-2-Clause
# Completion of prebootwork's command line for bash.

_prebootwork()
{
	local word=${COMP_WORDS[COMP_CWORD]} i verb=

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --server | -k | --token | -m | --mac | -u | --uuid | -t | --timeout | -n | --job)
			((i++))
			;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	# An option's value is nothing that could be completed.
	((i <= COMP_CWORD)) || return
	case $verb:$word in
	run:*)
		_command_offset $((i + 1)) 2>/dev/null || compopt -o default
		;;
	show:-*) COMPREPLY=($(compgen -W "--shell --lines --json" -- "$word")) ;;
	*:-*)
		COMPREPLY=($(compgen -W "--server --token --mac --uuid --timeout --job --help --version" \
			-- "$word"))
		;;
	:*) COMPREPLY=($(compgen -W "show run begun done failed" -- "$word")) ;;
	esac
}
complete -F _prebootwork prebootwork
