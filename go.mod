module cachesim

go 1.24.0

require (
	github.com/agnivade/levenshtein v1.2.1
	github.com/dustin/go-humanize v1.0.1
	github.com/klauspost/compress v1.18.0
	github.com/ulikunitz/xz v0.5.15
	github.com/wasmerio/wasmer-go v1.0.4
)
