package wasm

import _ "embed"

// WITFile declares the interface of a policy for tools of the component model.
//
//go:embed wit/policy.wit
var WITFile string
