# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How setup makes a guest root. This file and root-finish are part of a root's key: changing them makes new roots.

# What no guest reads: it is downloaded and unpacked only to be thrown away.
dpkg_config() {
	local module
	printf 'force-unsafe-io\n'
	printf 'path-exclude=%s\n' '/usr/share/man/*' '/usr/share/doc/*' '/usr/share/info/*' \
		'/usr/share/locale/*' '/usr/share/i18n/*' '/usr/share/gir-1.0/*' '/usr/share/iso-codes/*' '/etc/kernel/*'
	for module in "${MODULE_EXCLUDES[@]}"; do
		printf 'path-exclude=%s\n' "/lib/modules/*/kernel/$module/*" "/usr/lib/modules/*/kernel/$module/*"
	done
}

make_root() {
	local target=$1 options=() option include=${PACKAGES[*]}
	for option in "${APT_OPTS[@]}"; do
		options+=("--aptopt=$option")
	done
	# The excludes come by a hook: given as --dpkgopt, mmdebstrap filters its first packages in a slow way of its own.
	# shellcheck disable=SC2016 # expanded by mmdebstrap's shell
	options+=(--variant=minbase --verbose --include="${include// /,}"
		--extract-hook='printf "%s\n" "$DPKG_CONFIG" >"$1/etc/dpkg/dpkg.cfg.d/fpgabuf"'
		--customize-hook="$VM_DIR/root-finish")
	DPKG_CONFIG=$(dpkg_config)
	export DPKG_CONFIG
	export ROOT_EXTRACT="${EXTRACT[*]}" ROOT_HEADERS=$HEADERS
	if [ "$(id -u)" = 0 ]; then
		in_namespace mmdebstrap --mode=root "${options[@]}" "$SUITE" "$target"
	else
		# mmdebstrap maps the subuids in its own way; a tar carries the owners over to ours.
		# shellcheck disable=SC2016 # expanded in there
		mmdebstrap --mode=unshare "${options[@]}" "$SUITE" - |
			in_namespace sh -c 'mkdir "$1" && tar -x --exclude=./dev/* -C "$1"' - "$target"
	fi
}

# The kernel without its decompressor, which costs an emulated CPU 1.5 s: the payload of the bzImage, as its header says,
# less the length behind it. It must have the entry that QEMU uses (PVH, note 18).
unpack_kernel() {
	local image=$GUEST_ROOT/boot/vmlinuz-$KVER start length tool
	start=$((($(number 0x1f1 1) + 1) * 512 + $(number 0x248 4)))
	length=$(($(number 0x24c 4) - 4))
	case $(od -An -t x1 -j "$start" -N 4 "$image") in
	*'28 b5 2f fd') tool=zstd ;;
	*'fd 37 7a 58') tool=xz ;;
	*) return 1 ;;
	esac
	tail -c "+$((start + 1))" "$image" | head -c "$length" | enter_root -- "$tool" -dc >"$ROOT_TMP/kernel" &&
		enter_root "$ROOT_TMP:/stage" -- readelf -n /stage/kernel 2>/dev/null | grep '(0x00000012)'
}

# number OFFSET SIZE: a field of the image's header
number() {
	od -An -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '
}

# The initramfs: busybox and the modules that reach the root. run adds init and the command to it.
make_initrd() {
	local dir=$ROOT_TMP/initrd module n=100
	mkdir -p "$dir"/{bin,dev,proc,sys,modules,lower,new}
	cp "$GUEST_ROOT/usr/bin/busybox" "$dir/bin/"
	while read -r module; do
		case $module in
		*.xz) xz -dc "$GUEST_ROOT$module" ;;
		*.zst) zstd -dcq "$GUEST_ROOT$module" ;;
		*) cat "$GUEST_ROOT$module" ;;
		esac >"$dir/modules/$((n += 1)).ko"
	done < <(initrd_modules)
	[ "$n" != 100 ] || return 1
	(cd "$dir" && find . | cpio -o -H newc -R 0:0 --quiet) >"$ROOT_TMP/initrd.cpio"
	rm -r "$dir"
}

# In load order, each once; what is built in needs nothing.
initrd_modules() {
	enter_root -- modprobe -a -S "$KVER" --show-depends "${INITRD_MODULES[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}
