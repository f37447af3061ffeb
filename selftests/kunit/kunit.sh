#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads the modules with KUnit tests, and gives their results as TAP: a line for each case, or each parameter of one.
set -u

KUNIT=/sys/kernel/debug/kunit
MODULES="fpgabuf_exporter_test fpgabuf_importer_test fpgabuf_dma_test fpgabuf_sim_test"
count=0
failed=0

skip() {
	echo "TAP version 13"
	echo "1..1"
	echo "ok 1 - KUnit # SKIP $*"
	exit 4
}

result() {
	local verdict=$1

	shift
	count=$((count + 1))
	[ "$verdict" = ok ] || failed=$((failed + 1))
	echo "$verdict $count - $*"
}

# case_line DEPTH VERDICT NAME: parameters are one level below their case, whose own line says no more than theirs,
# unless it failed with none of them.
case_line() {
	case $1 in
	8)
		result "$2" "$suite: $3"
		parameters=$((parameters + 1))
		[ "$2" = ok ] || bad=1
		;;
	4)
		if [ "$parameters" = 0 ] || { [ "$2" != ok ] && [ -z "$bad" ]; }; then
			result "$2" "$suite: $3"
		fi
		parameters=0
		bad=
		;;
	esac
}

# The KTAP of a suite. A parameter's line does not name its case: the subtest's line before it does.
read_suite() {
	local suite=$1 line depth parameters=0 bad='' subtest=''

	while IFS= read -r line; do
		depth=${line%%[! ]*}
		depth=${#depth}
		line=${line:depth}
		case $line in
		"# Subtest: "*) subtest=${line#"# Subtest: "} ;;
		ok\ * | "not ok "*)
			[[ $line =~ ^((not )?ok)\ [0-9]+\ (- )?(.*)$ ]]
			if [ "$depth" = 8 ]; then
				case_line 8 "${BASH_REMATCH[1]}" "$subtest: ${BASH_REMATCH[4]}"
			else
				case_line "$depth" "${BASH_REMATCH[1]}" "${BASH_REMATCH[4]}"
			fi
			;;
		"# module: "* | "# "*" pass:"* | "# Totals:"* | "KTAP version"* | [0-9]*..[0-9]*) ;;
		"#"*) echo "$line" ;;
		*) echo "# $line" ;;
		esac
	done
}

run_module() {
	local module=$1 suite before=$count

	if ! modprobe "$module"; then
		result "not ok" "$module can be loaded"
		return
	fi
	for suite in "$KUNIT"/fpgabuf_*; do
		[ -f "$suite/results" ] || continue
		read_suite "${suite##*/}" <"$suite/results"
	done
	[ "$count" != "$before" ] || result "not ok" "$module has results (is kunit.enable=0?)"
	# Not modprobe -r, which takes the tested module away as well.
	rmmod "$module" || result "not ok" "$module can be removed"
}

[ -d "$KUNIT" ] || modprobe -q kunit
[ -d "$KUNIT" ] || skip "no $KUNIT: CONFIG_KUNIT or CONFIG_KUNIT_DEBUGFS is off in this kernel"
echo "TAP version 13"
for module in $MODULES; do
	run_module "$module"
done
echo "1..$count"
[ "$failed" = 0 ]
