# SPDX-License-Identifier: BSD-2-Clause
# Completion of prebootctl's command line for bash: what may stand next is asked of
# prebootctl itself, which knows its verbs and the database.

_prebootctl()
{
	local line begun prefix='' typed words=()

	# bash takes words apart at "=" and ":" too; prebootctl wants them whole.
	read -ra typed <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:COMP_POINT-1:1} == [[:blank:]] ]] && typed+=('')
	begun=${typed[-1]}
	[[ $begun == *[:=]* ]] && prefix=${begun%"${begun##*[:=]}"}

	while IFS= read -r line; do
		if [[ $line == @files ]]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r line; do
				words+=("$line")
			done < <(compgen -f -- "${begun#"$prefix"}")
		else
			words+=("${line#"$prefix"}")
		fi
	done < <("$1" complete -- "${typed[@]:1}" 2>/dev/null)

	COMPREPLY=("${words[@]}")
	[[ ${#words[@]} -eq 1 && ${words[0]} == *= ]] && compopt -o nospace 2>/dev/null
	return 0
}

complete -F _prebootctl prebootctl
