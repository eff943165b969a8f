#!/bin/bash
# Runs fake-gcs-server on 127.0.0.1:$1 until it is stopped; objects are kept in memory. Its source comes through the Go module proxy:
#   go install github.com/fsouza/fake-gcs-server@v1.56.1
# It is looked for in $PATH and where `go install` puts it, and installed there if it is missing.
set -e
bin=$(command -v fake-gcs-server || true)
bin=${bin:-$(go env GOBIN)}
[ -x "$bin" ] && [ -f "$bin" ] || bin=${bin:+$bin/fake-gcs-server}
bin=${bin:-$(go env GOPATH)/bin/fake-gcs-server}
[ -x "$bin" ] || GOFLAGS= go install github.com/fsouza/fake-gcs-server@v1.56.1
exec "$bin" -scheme http -host 127.0.0.1 -port "$1" -backend memory -public-host "127.0.0.1:$1" -log-level error
