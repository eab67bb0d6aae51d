#!/bin/sh
# Builds the client for the system it runs on into dist/: a .deb and a .tar.gz, a .dmg, or an installer.
# What it needs beside Python is what such a system has: dpkg-deb, hdiutil, or Inno Setup.
set -eu
cd "$(dirname "$0")/../.."
version=${1:?usage: package.sh VERSION}
rm -rf build/client dist
pyinstaller --noconfirm --log-level WARN --workpath build/client --distpath dist infra/desktop/sidetone.spec

case $(uname -s) in
Linux)
    root=build/client/deb
    mkdir -p "$root/DEBIAN" "$root/opt" "$root/usr/share/applications" \
        "$root/usr/share/icons/hicolor/scalable/apps" "$root/usr/bin"
    cp -R dist/sidetone-client "$root/opt/"
    cp infra/desktop/sidetone.desktop "$root/usr/share/applications/"
    cp desktop/sidetone/desktop/assets/icon.svg "$root/usr/share/icons/hicolor/scalable/apps/sidetone.svg"
    ln -sf /opt/sidetone-client/sidetone-client "$root/usr/bin/sidetone-client"
    cat >"$root/DEBIAN/control" <<EOF
Package: sidetone-client
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: The Sidetone developers
Depends: libc6
Recommends: libportaudio2, fonts-noto-color-emoji
Section: net
Priority: optional
Description: Voice and text for people who play together
 The client of Sidetone, a self-hosted platform with end-to-end encrypted voice.
EOF
    dpkg-deb --root-owner-group --build "$root" "dist/sidetone-client-$version-linux-$(uname -m).deb"
    tar -C dist -czf "dist/sidetone-client-$version-linux-$(uname -m).tar.gz" sidetone-client
    ;;
Darwin)
    hdiutil create -volname Sidetone -srcfolder dist/sidetone-client -ov -format UDZO \
        "dist/sidetone-client-$version-macos-$(uname -m).dmg"
    ;;
*)
    iscc "//DVersion=$version" infra/desktop/sidetone.iss
    ;;
esac
