# SPDX-License-Identifier: BSD-2-Clause
# Completion of isdctl's command line for bash.

_isdctl()
{
	local word=${COMP_WORDS[COMP_CWORD]} i verb= disk=
	local fields="just-imaged device-id name network address mask gateway dns-suffix dns image
		image-time image-size key"

	COMPREPLY=()
	compopt +o nospace 2>/dev/null
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--sector-size) ((i++)) ;;
		-*) ;;
		*)
			if [ -z "$disk" ]; then
				disk=${COMP_WORDS[i]}
			else
				verb=${verb:-${COMP_WORDS[i]}}
			fi
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--sector-size)
		COMPREPLY=($(compgen -W "512 4096" -- "$word"))
		return
		;;
	esac
	case $word in
	-*)
		COMPREPLY=($(compgen -W "--json --force --in-use --sector-size --help --version" \
			-- "$word"))
		return
		;;
	esac
	case $disk:$verb in
	:) compopt -o default ;;
	*:) COMPREPLY=($(compgen -W "show create set clear save restore" -- "$word")) ;;
	*:show) COMPREPLY=($(compgen -W "$fields" -- "$word")) ;;
	*:create | *:set)
		compopt -o nospace
		COMPREPLY=($(compgen -S = -W "$fields" -- "$word"))
		;;
	*:save | *:restore) compopt -o default ;;
	esac
}
complete -F _isdctl isdctl
