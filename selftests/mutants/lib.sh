# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What run and sample share: a mutant has a folder, WORK, with its tree, TREE, and the names of the lanes that it was built
# for, WORK/lanes.

# field PATCH NAME: of the lines at its head
field() {
	sed -n "s/^$2:[[:space:]]*//p" "$1"
}

tree_files() {
	source_files .
}

# mutant_tree PATCH: the builds take from a tree what its git does not ignore.
mutant_tree() {
	rm -rf "$TREE"
	copy_source tree_files "$TREE" && git init -q "$TREE" && git -C "$TREE" apply "$1"
}

# product_of LANE: what the mutant is built to. A build ends with an error as well when it cannot remove an old one.
product_of() {
	local product
	echo "$1" >>"$WORK/lanes"
	product=$("$TREE/selftests/vm/build" --lane "$1" --quiet)
	[ -d "$product" ] && echo "$product"
}

# share_tests LANE: builds the mutant for it, with the kselftests of the unbroken tree, which do not depend on what is in a
# function of a module. Building them takes longer than running them.
share_tests() {
	local whole product tests
	"$VM_DIR/setup" --lane "$1" --quiet && product=$(product_of "$1") || return
	mapfile -t whole < <("$VM_DIR/build" --lane "$1" --tests --quiet)
	tests=$product-tests-${whole[1]##*-tests-}
	[ -d "$tests" ] || { cp -al "${whole[1]}" "$tests.tmp" && mv "$tests.tmp" "$tests"; }
}

# What a mutant has built for its guests is of no use to anybody else.
forget_builds() {
	local lane build
	[ -e "$WORK/lanes" ] || return 0
	while read -r lane; do
		"$TREE/selftests/vm/build" --lane "$lane" --tests --quiet 2>/dev/null
	done < <(sort -u "$WORK/lanes") | while read -r build; do
		flock -n "$(lock_of "$build")" rm -rf "$build"
	done
}
