# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # much of it is for the scripts that source this file
#
# What setup, ksrc, build and run share: where things are, what a lane is, how to work inside a guest root.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
TOP=$(cd "$VM_DIR/../.." && pwd -P)
CACHE=${FPGABUF_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/fpgabuf}
SETUP_TROUBLE=125
CHILD=
TICKER=

say() {
	[ "${QUIET:-}" ] || printf 'vm: %s\n' "$*" >&2
}

die() {
	printf 'vm: %s\n' "$*" >&2
	exit "$SETUP_TROUBLE"
}

# A usage text is the comment at the head of the script, so that there is only one.
usage() {
	sed -n '/^# Usage:/,/^[^#]/{/^[^#]/d;/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"
}

# Children run in the background under wait, so that a signal to us alone ends them too.
run_child() {
	local status=0
	"$@" &
	CHILD=$!
	wait "$CHILD" || status=$?
	CHILD=
	return "$status"
}

# As run_child, for a command with children of its own: in a process group, which a signal ends as a whole.
run_group() {
	local status=0
	set -m
	"$@" &
	set +m
	CHILD=-$!
	wait "${CHILD#-}" || status=$?
	CHILD=
	return "$status"
}

end_child() {
	[ "$CHILD" ] || return 0
	kill -- "$CHILD" 2>/dev/null
	wait "${CHILD#-}" 2>/dev/null
	CHILD=
}

# on_exit FUNCTION: FUNCTION runs once, whatever ends the script; a signal gives the shell's usual status.
on_exit() {
	# shellcheck disable=SC2064 # the name of the function is known now
	trap "end_child; end_progress; $1" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
}

# A line that is drawn again and again is for a terminal that nobody else writes to: check, whose jobs run side by side, sets
# PLAIN.
draws() {
	[ -z "${PLAIN:-}" ] && [ -t 2 ]
}

# progress LABEL LOG: says that LABEL still runs, for as long as it is not killed. Waits by read, since a sleep would be
# a process of its own that outlives us, with our locks.
progress() {
	local began=$SECONDS every=15 never
	[ -z "${PLAIN:-}" ] || every=60
	! draws || every=1
	exec {never}<> <(:)
	while ! read -r -t "$every" -u "$never"; do
		if draws; then
			printf '\r\033[Kvm: %s … %d s  %.40s' "$1" $((SECONDS - began)) "$(tail -n 1 "$2" 2>/dev/null)" >&2
		else
			printf 'vm: %s … %d s\n' "$1" $((SECONDS - began)) >&2
		fi
	done
}

end_progress() {
	[ "$TICKER" ] || return 0
	kill "$TICKER" 2>/dev/null
	wait "$TICKER" 2>/dev/null
	TICKER=
	! draws || printf '\r\033[K' >&2
}

# step LABEL LOG CMD…: runs CMD with its output in LOG, and says how long it took.
step() {
	local label=$1 log=$2 began=${EPOCHREALTIME/[^0-9]/} status=0
	shift 2
	if [ -z "${QUIET:-}" ]; then
		say "$label"
		progress "$label" "$log" &
		TICKER=$!
	fi
	run_group "$@" >>"$log" 2>&1 </dev/null || status=$?
	end_progress
	local took=$((${EPOCHREALTIME/[^0-9]/} - began))
	[ "$status" != 0 ] || say "$label: $((took / 1000000)).$((took / 100000 % 10)) s"
	return "$status"
}

# with_lock PATH [-s]: what makes PATH holds this until the script ends, and so does what it starts: the guest that uses a
# build keeps it. The locks have a folder of their own and stay, so that two can never hold different files of one name.
with_lock() {
	local fd
	exec {fd}>"$(lock_of "$1")"
	if ! flock -n ${2:+"$2"} "$fd"; then
		say "waiting for another run that holds ${1##*/}"
		flock ${2:+"$2"} "$fd"
	fi
}

lock_of() {
	local name=${1##*/}
	mkdir -p "$CACHE/locks"
	echo "$CACHE/locks/${name%.tmp}"
}

key_of() {
	sha256sum | cut -c1-16
}

# A tree with no repository, from an archive, is looked at by an empty one: what there is, less what .gitignore names.
tree_git() {
	if [ -e "$TOP/.git" ]; then
		git -c safe.directory="$TOP" -C "$TOP" "$@"
	else
		[ -d "$CACHE/no-repository" ] || git init -q --bare "$CACHE/no-repository" >&2 || return
		git -C "$TOP" --git-dir="$CACHE/no-repository" --work-tree="$TOP" "$@"
	fi
}

# source_files PATHSPEC…: what git tracks and what it does not ignore, without what is deleted.
source_files() {
	local file
	tree_git ls-files -coz --exclude-standard -- "$@" | LC_ALL=C sort -zu |
		while IFS= read -r -d '' file; do
			[ ! -e "$TOP/$file" ] || printf '%s\0' "$file"
		done
}

# content_key WORD…: names, modes and contents of the files on stdin, and WORDs that matter as much.
content_key() {
	local files
	mapfile -d '' files
	cd "$TOP" && {
		echo "$@"
		printf '%s\0' "${files[@]}" | xargs -0r stat -c '%A %N'
		printf '%s\0' "${files[@]}" | xargs -0r sha256sum
	} | key_of
}

# copy_source FUNCTION DIR: DIR is made, with the files that FUNCTION lists.
copy_source() {
	mkdir "$2" && "$1" | tar -C "$TOP" --null -T - -c | tar -x -C "$2"
}

# The key of a root is all that it is made from; changing any of it makes another root beside the old one.
root_recipe() {
	printf '%s\n' "suite $SUITE" "packages ${PACKAGES[*]}" "extract ${EXTRACT[*]}" "headers $HEADERS" \
		"apt ${APT_OPTS[*]}" "without ${MODULE_EXCLUDES[*]}" "recipe $(cat "$VM_DIR/root-finish" "$VM_DIR/root-recipe.sh" | key_of)"
}

cross_recipe() {
	printf '%s\n' "root $ROOT_KEY" "tools ${TOOLS[*]}" "target ${TARGET[*]}" "headers $ARM_HEADERS" "recipe $(key_of <"$VM_DIR/cross")"
}

# all_lanes [TIER…]: the lanes of those tiers (any, if none is named), one a line. A lane's CHECK_TIER says when check runs it:
# "quick", always; "all", by check-all; "nightly"; "none", never.
all_lanes() {
	local conf lane
	for conf in "$VM_DIR"/lanes/*.conf; do
		lane=${conf##*/}
		lane=${lane%.conf}
		[ $# = 0 ] || [[ " $* " == *" $(load_lane "$lane" && echo "$CHECK_TIER") "* ]] || continue
		echo "$lane"
	done
}

# owns_root LANE LANE…: lanes share roots; the first of the lanes that has that of LANE stands for all of them.
owns_root() {
	local lane key
	key=$(load_lane "$1" && echo "$ROOT_KEY")
	for lane in "${@:2}"; do
		[ "$(load_lane "$lane" && echo "$ROOT_KEY")" != "$key" ] || break
	done
	[ "$lane" = "$1" ]
}

load_lane() {
	local conf=$VM_DIR/lanes/$1.conf
	[ -f "$conf" ] || die "no such lane: $1 (there are: $(cd "$VM_DIR/lanes" && echo *.conf | sed 's/\.conf//g'))"
	LANE=$1
	PACKAGES=() EXTRACT=() APT_OPTS=() MODULE_EXCLUDES=() INITRD_MODULES=() MODULES=()
	QEMU_ARGS=() KERNEL_APPEND=() EMULATED_APPEND=() MEMORY=2G KSRC_PACKAGE='' KSRC_SUITE='' HEADERS='' KERNEL_CONFIG='' KERNEL_ENV=() BUILD_FLAGS=()
	CHECK_TIER=all CHECK_GUESTS=() CHECK_CPUS='' ARCH='' CROSS_COMPILE='' TOOLS=() TARGET=() ARM_HEADERS='' DEVICE_TREE='' VIRTIO=pci
	# shellcheck disable=SC1090 # one of the lanes
	. "$conf"
	KERNEL_DIR=
	ROOT_KEY=$SUITE-$(root_recipe | key_of)
	ROOT_DIR=$CACHE/roots/$ROOT_KEY
	GUEST_ROOT=$ROOT_DIR/root
	CROSS_DIR=
	[ -z "$ARCH" ] || CROSS_DIR=$CACHE/cross/$ARCH-$SUITE-$(cross_recipe | key_of)
	TARGET_ROOT=${CROSS_DIR:+$CROSS_DIR/root}
	TARGET_ROOT=${TARGET_ROOT:-$GUEST_ROOT}
	KSRC_DIR=
	if [ -f "$ROOT_DIR/kver" ]; then
		read -r KVER <"$ROOT_DIR/kver"
		KSRC_DIR=$CACHE/ksrc/$KSRC_PACKAGE-$(kernel_version)
		[ -z "$KERNEL_CONFIG" ] || load_kernel
	fi
}

# The configuration of a lane's kernel: the files of KERNEL_CONFIG, of which a later one decides.
kernel_config() {
	local file
	for file in $KERNEL_CONFIG; do
		cat "$TOP/$file"
	done
}

# A kernel of the lane's own (see kernel) takes the place of the root's: its version, its image, its initramfs.
load_kernel() {
	KERNEL_DIR=$CACHE/kernels/${KSRC_DIR##*/}-$({
		kernel_config
		cat "$VM_DIR/kernel-inside"
		[ ${#KERNEL_ENV[@]} = 0 ] || printf '%s\n' "${KERNEL_ENV[@]}"
	} | key_of)
	[ -f "$KERNEL_DIR/kver" ] || return 0
	read -r KVER <"$KERNEL_DIR/kver"
	KERNEL_IMAGE=$KERNEL_DIR/kernel
	INITRD=$KERNEL_DIR/initrd.cpio
}

# The version of the Debian package that a root's kernel is from.
kernel_version() {
	awk -v package="linux-image-$KVER" '$1 == "Package:" { this = $2 == package }
		this && $1 == "Version:" { print $2; exit }' "$GUEST_ROOT/var/lib/dpkg/status"
}

# A private mount namespace; for an ordinary user a user namespace as well, in which he is root and owns his subuids.
in_namespace() {
	local how=(unshare --mount --propagation private)
	[ "$(id -u)" = 0 ] || how+=(--map-root-user --map-auto)
	"${how[@]}" -- "$@"
}

# enter_root [SOURCE:TARGET…] -- CMD…: CMD in a chroot of the lane's root, which stays read-only. What is built there is for
# the lane's guest.
enter_root() {
	local tools=
	[ ! -d "${CROSS_DIR:-}" ] || tools=$CROSS_DIR/tools
	ARCH=$ARCH CROSS_COMPILE=$CROSS_COMPILE TOOLS=$tools in_namespace "$VM_DIR/enter" "$GUEST_ROOT" "$@"
}

# The architecture of a root, not of its guest.
root_architecture() {
	cat "$GUEST_ROOT/var/lib/dpkg/arch"
}

# lane_apt DIR ARCHITECTURE ARG…: apt of this machine with the sources and keys of the lane's root, so that nobody must be
# root for it. All that it has to write is in DIR; DIR/status says what is installed. DIR/sources.list is used if it is there.
lane_apt() {
	local dir=$1 architecture=$2
	shift 2
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	[ -f "$dir/sources.list" ] || cp "$GUEST_ROOT/etc/apt/sources.list" "$dir"
	printf '%s\n' "${APT_OPTS[@]/%/;}" >"$dir/apt.conf"
	(cd "$dir" && APT_CONFIG=$dir/apt.conf apt-get -q \
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::trustedparts="$GUEST_ROOT/etc/apt/trusted.gpg.d" \
		-o Dir::State="$dir/state" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root \
		-o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" "$@")
}
