# A clean Debian 12 in a chroot that reaches the network as this machine does. Sourced.
# shellcheck shell=bash
#
# What this machine uses to reach Debian's mirror, Maven, PyPI and npm (apt's sources and keys, resolver,
# certificate authorities, settings files, proxy variables) is used inside too. KEEP=1 keeps the
# chroot; SHARDLIFT_FRESH names its folder, which is used again when it is there.

[ "$(id -u)" -eq 0 ] || {
	echo "${0##*/}: mounting and entering a chroot needs root" >&2
	exit 1
}
chroot=${SHARDLIFT_FRESH:-$(mktemp -d "${TMPDIR:-/var/tmp}/shardlift-fresh-XXXXXX")}

say() {
	echo "== ${0##*/}: $*"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	local folder
	for folder in root/.cache/shardlift/nodes dev/shm dev/pts dev proc sys; do
		! mountpoint -q "$chroot/$folder" || umount -l "$chroot/$folder"
	done
	! mountpoint -q "$chroot" || umount -l "$chroot"
	[ -n "${KEEP:-}${SHARDLIFT_FRESH:-}" ] || rm -rf --one-file-system "$chroot"
}

# Prints this machine's apt sources for Debian 12, in one-line or deb822 form.
apt_sources() {
	cat /etc/apt/sources.list 2>/dev/null || true
	local file
	for file in /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || cat "$file"
	done | grep -E '^deb .* bookworm' || true
}

bootstrap() {
	say "bootstrapping Debian 12 in $chroot"
	local sources=() file
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || ! grep -q '^Suites:.*bookworm' "$file" || sources+=("$file")
	done
	if [ ${#sources[@]} -eq 0 ]; then
		apt_sources >"$chroot.list"
		sources=("$chroot.list")
	fi
	mmdebstrap --quiet --variant=minbase --include=ca-certificates \
		--aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
		bookworm "$chroot" "${sources[@]}"
	# A sync for each of thousands of files takes minutes on a busy disk.
	echo force-unsafe-io >"$chroot/etc/dpkg/dpkg.cfg.d/fresh"
}

# take FILE: the same file inside, where it is there outside.
take() {
	[ -e "$1" ] || return 0
	mkdir -p "$chroot$(dirname "$1")"
	cp -RL "$1" "$chroot$(dirname "$1")/"
}

# The ways out of this machine, whatever they are.
pass_network() {
	local file
	for file in /etc/resolv.conf /etc/hosts /etc/pip.conf "$HOME/.m2/settings.xml" \
		"$HOME/.config/pip/pip.conf" "$HOME/.npmrc" /etc/npmrc /etc/ssl/certs/ca-certificates.crt \
		/usr/local/share/ca-certificates; do
		take "$file"
	done
	for file in /etc/apt/apt.conf.d/*; do
		! grep -qiE 'Acquire' "$file" || take "$file"
	done
	env | grep -E '^(PIP_|MAVEN_|(NPM|npm)_|NODE_EXTRA_CA_CERTS=|([A-Za-z]+_)?(https?|no|all|HTTPS?|NO|ALL)_(proxy|PROXY)|SSL_CERT_|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)' \
		>"$chroot/etc/fresh.env" || true
}

inside() {
	local variables
	mapfile -t variables <"$chroot/etc/fresh.env"
	chroot "$chroot" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${variables[@]}" /bin/sh -ec "$1"
}

# Makes it, where it is not there yet, and mounts what programs need; all is undone at the end.
enter_chroot() {
	trap clean_up EXIT
	[ -e "$chroot/etc/debian_version" ] || bootstrap
	pass_network
	# A mount point of its own: Java looks up which file system a path is on, and needs to find one.
	mount --bind "$chroot" "$chroot"
	mount --bind /dev "$chroot/dev"
	mount -t devpts devpts "$chroot/dev/pts"
	mount -t tmpfs tmpfs "$chroot/dev/shm"
	mount -t proc proc "$chroot/proc"
	mount -t sysfs sysfs "$chroot/sys"
}
