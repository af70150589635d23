package decode

import (
	"compress/gzip"
	"fmt"
	"io"
)

// Limits of decompression: what unpacks to more than inflatedFree bytes must
// not have been packed to less than an inflatedRatio-th. Traces repeat
// themselves, but not that often.
const (
	inflatedFree  = 64 << 20
	inflatedRatio = 250
)

// gunzip unpacks a stream, whose packed bytes are counted by packed.
func gunzip(r io.Reader, packed *hashed) (io.Reader, error) {
	unzipped, err := gzip.NewReader(r)
	return &inflated{r: unzipped, packed: packed}, err
}

// An inflated reader stops unpacking that gets out of hand.
type inflated struct {
	r      io.Reader
	packed *hashed
	n      int64
}

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.n += int64(n)
	if i.n > inflatedFree && i.n/inflatedRatio > i.packed.n {
		return 0, fmt.Errorf("gzip data unpacks to more than %d times its size", inflatedRatio)
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("damaged gzip data: %w", err)
	}
	return n, err
}
