//go:build !linux || !cgo

package gpu

// openNVML says why there is no NVML: the library is opened at run time by C code
// that is written for Linux.
func openNVML() Source {
	return none("this build cannot talk to the NVIDIA driver: it needs Linux and cgo")
}
