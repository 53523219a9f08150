#!/bin/sh
# Builds the floors into a folder: build.sh FOLDER. The bench script calls it; cargo does not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
for program in floor floor_close; do
  cc -O2 -Wall -Wextra -Werror -o "$1/$program" "$here/$program.c"
done
