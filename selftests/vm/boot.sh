# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # a lane's variables are lib.sh's
#
# How a guest's processor is made, and what its kernel must know of that. May be asked before there is a lane's root.

# Tests put other files in their place.
CPUINFO=/proc/cpuinfo
KVM=/dev/kvm

# Why guests do not run on this machine's own processor; nothing if they do. A paravirtual /dev/kvm on a machine without vmx or
# svm does not work. FPGABUF_ACCEL=kvm or tcg decides.
kvm_missing() {
	case ${FPGABUF_ACCEL:-} in
	kvm) return ;;
	tcg) echo "FPGABUF_ACCEL=tcg"; return ;;
	esac
	if [ "$(uname -m)" != x86_64 ]; then
		echo "this machine is not x86-64"
	elif ! grep -qE '^flags.*\<(vmx|svm)\>' "$CPUINFO"; then
		echo "the processor has neither vmx nor svm"
	elif [ ! -e "$KVM" ]; then
		echo "there is no $KVM: load kvm_intel or kvm_amd"
	elif [ ! -w "$KVM" ]; then
		echo "$KVM is not writable for $(id -un): join group $(stat -c %G "$KVM")"
	fi
}

# A lane that cannot use the host's processor says so itself. QEMU computes the CRC32 instruction of SSE4.2 bit by bit:
# without it everybody uses tables, which are three times as fast there.
accelerator() {
	if [ "${ACCELERATOR:-}" ]; then
		echo "$ACCELERATOR"
	elif [ -z "$(kvm_missing)" ]; then
		echo -accel kvm -cpu host
	else
		echo -accel "tcg,thread=$(emulator_threads)" -cpu max,-sse4.2
	fi
}

# Before QEMU 8.1 a processor may go on with what was translated of code while another one changed it. A kernel that patches
# code that runs (a static key: a breakpoint, the rest, the first byte) then meets a breakpoint that is no longer there, and
# dies. Where the processors take turns on one thread that cannot be; but then they never run at the same time either, so
# that only what needs it has it.
emulator_threads() {
	if [ "${PATCHES_CODE:-}" ] && older "$(qemu_version)" 8.1; then
		echo single
	else
		echo multi
	fi
}

qemu_version() {
	"$QEMU" --version | sed -nE '1s/.* version ([0-9.]+).*/\1/p'
}

# older A B: version A comes before B.
older() {
	[ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

emulates() {
	[[ $1 == *"-accel tcg"* ]]
}

# kernel_arguments ACCELERATOR: what is only right for an emulated processor, a real one is not given.
kernel_arguments() {
	echo "${KERNEL_APPEND[*]}"
	! emulates "$1" || emulated_arguments "$1"
	echo loglevel=5 panic=-1 oops=panic log_buf_len=8M printk.devkmsg=on
}

# maxcpus=1: see online_cpus in init. norandmaps: QEMU 7.2 keeps what it translated by virtual address; at random ones it
# translates every program anew, which makes starting one five times as slow.
emulated_arguments() {
	echo "${EMULATED_APPEND[*]}" maxcpus=1 norandmaps
	[ "$QEMU" != qemu-system-x86_64 ] || x86_clocks
}

# lpj: what calibrating a delay loop would find, after five seconds. no_timer_check: a busy machine may not deliver the
# interrupts that the kernel counts there in time, and it would panic.
x86_clocks() {
	echo "$(tsc_khz) lpj=10000000 no_timer_check"
}

make_tsc() {
	enter_root "$RUN:/stage" -- gcc -O2 -static -x c -o "/stage/$1" - <"$VM_DIR/tsc.c" &&
		cp "$RUN/$1" "$CACHE/$1.$$" && mv "$CACHE/$1.$$" "$CACHE/$1"
}

# An emulated TSC is the host's. A guest that measures it on a busy machine may be wrong by a factor, and its timers with
# it: so it is told. The program is made once, by the root's compiler.
tsc_khz() {
	local program
	[ "$(uname -m)" = x86_64 ] || return 0
	program=tsc-$(key_of <"$VM_DIR/tsc.c")
	[ -x "$CACHE/$program" ] || make_tsc "$program" || return 0
	echo "tsc_early_khz=$("$CACHE/$program")"
}
