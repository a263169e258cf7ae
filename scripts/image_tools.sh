#!/bin/sh
# Lays out what the image takes from Debian's packages: image_tools.sh ARCH DIRECTORY
#
#   DIRECTORY/base     everything but the binary: the C library, certificates, users, and tini-static, which is PID 1
#   DIRECTORY/busybox  for the targets with a shell: busybox, and each of its names as a link in /bin
#
# ARCH is Debian's name of the image's architecture (amd64, arm64). Runs on any Debian whose apt knows that architecture;
# only the list of names comes from a busybox of this machine's own architecture, of the same version.
set -eu
arch=$1 out=$2
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT

# Downloads a package as a file and unpacks it: nothing is installed
unpack() {
  directory=$packages/$2/$1
  mkdir -p "$directory"
  # ca-certificates has no architecture
  case $1 in ca-certificates) name=$1 ;; *) name=$1:$2 ;; esac
  (cd "$directory" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$name")
  dpkg-deb -x "$directory/$1"_*.deb "$directory/files"
  dpkg-deb -f "$directory/$1"_*.deb >"$directory/control"
}

# Unpacks a package and copies files of it to DIRECTORY/$1, with the package's copyright. Scanners find its version in
# /var/lib/dpkg/status.d.
take() {
  to=$out/$1 package=$2
  shift 2
  unpack "$package" "$arch"
  from=$packages/$arch/$package
  mkdir -p "$to/var/lib/dpkg/status.d" "$to/usr/share/doc/$package"
  cp "$from/control" "$to/var/lib/dpkg/status.d/$package"
  [ -L "$from/files/usr/share/doc/$package" ] || cp -p "$from/files/usr/share/doc/$package/copyright" "$to/usr/share/doc/$package/"
  for pattern in "$@"; do
    (cd "$from/files" && for file in $pattern; do cp -pP --parents "$file" "$to/"; done)
  done
}

# All that the binary is linked with; libresolv is for programs that a SCRIPT calls
take base libc6 'lib*/ld-linux-*' 'lib/*/ld-linux-*' 'lib/*/libc.so.6' 'lib/*/libm.so.6' 'lib/*/libdl.so.2' \
  'lib/*/libpthread.so.0' 'lib/*/librt.so.1' 'lib/*/libresolv.so.2'
take base libgcc-s1 'lib/*/libgcc_s.so.1'
take base gcc-12-base # the copyright of libgcc_s
take base tini usr/bin/tini-static
take base base-files usr/lib/os-release etc/os-release
take base ca-certificates
mkdir -p "$out/base/etc/ssl/certs" "$out/base/tmp"
cat "$packages/$arch"/ca-certificates/files/usr/share/ca-certificates/*/*.crt >"$out/base/etc/ssl/certs/ca-certificates.crt"
chmod 1777 "$out/base/tmp"
# Grafana's user, 472, is not among them: any user will do
cat >"$out/base/etc/passwd" <<END
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin
END
printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >"$out/base/etc/group"
echo 'hosts: files dns' >"$out/base/etc/nsswitch.conf"

take busybox busybox-static bin/busybox
native=$(dpkg --print-architecture)
[ "$native" = "$arch" ] || unpack busybox-static "$native"
for name in $("$packages/$native/busybox-static/files/bin/busybox" --list); do
  [ "$name" = busybox ] || ln -s busybox "$out/busybox/bin/$name"
done
