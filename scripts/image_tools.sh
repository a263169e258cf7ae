#!/bin/sh
# Lays out what the image takes from Debian's packages: image_tools.sh ARCH DIRECTORY
#
#   DIRECTORY/tini     tini-static, which is PID 1 of the image
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
  directory=$packages/$2
  mkdir -p "$directory/files"
  (cd "$directory" && apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$1:$2")
  dpkg-deb -x "$directory/$1"_*.deb "$directory/files"
  rm "$directory/$1"_*.deb
}

# Copies a file of an unpacked package, with the package's copyright
take() {
  package=$1 file=$2 from=$packages/$arch/files
  mkdir -p "$(dirname "$3$file")" "$3/usr/share/doc/$package"
  cp -p "$from$file" "$3$file"
  cp -p "$from/usr/share/doc/$package/copyright" "$3/usr/share/doc/$package/"
}

native=$(dpkg --print-architecture)
unpack tini "$arch"
unpack busybox-static "$arch"
[ "$native" = "$arch" ] || unpack busybox-static "$native"
take tini /usr/bin/tini-static "$out/tini"
take busybox-static /bin/busybox "$out/busybox"
for name in $("$packages/$native/files/bin/busybox" --list); do
  [ "$name" = busybox ] || ln -s busybox "$out/busybox/bin/$name"
done
