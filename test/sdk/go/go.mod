module sdksuite

go 1.22

require github.com/pai-eas/eas-golang-sdk v0.0.0-20260113074733-d7a9f53eb2d4
