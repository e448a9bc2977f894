//! Nothing of our own: wasmer-c-api is built as a dependency, and its cdylib is what we are after.
