#!/bin/bash
# Stops what start-rgw.sh started in the folder $1: the daemons whose process ids stand there.
for file in "$1"/run/*.pid; do
  [ -s "$file" ] && kill -9 "$(cat "$file")" 2>/dev/null
done
rm -rf "$1"
