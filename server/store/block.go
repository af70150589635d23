package store

import (
	"context"
	"database/sql"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// blockSize is the length of all blocks of a text but the last. A block is what
// has to be unpacked to read one span, and what a transaction holds in memory.
const blockSize = 1 << 20

// blocks packs text into zstd frames and unpacks it. Long texts are cut into
// blocks, so that a part can be read without the whole.
type blocks struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func (b *blocks) close() {
	if b.encoder != nil {
		b.encoder.Close()
	}
	if b.decoder != nil {
		b.decoder.Close()
	}
}

func (b *blocks) pack(text []byte) []byte { return b.encoder.EncodeAll(text, nil) }

func (b *blocks) unpack(block []byte) ([]byte, error) { return b.decoder.DecodeAll(block, nil) }

// cut reads a text to its end and hands over its blocks. It returns the text's
// length.
func (b *blocks) cut(r io.Reader, put func(start int64, block []byte) error) (int64, error) {
	c := b.cutter(put)
	if _, err := io.Copy(c, r); err != nil {
		return c.written, err
	}
	return c.written, c.Close()
}

// A cutter cuts the text that is written to it into blocks, and hands them over.
type cutter struct {
	blocks  *blocks
	put     func(start int64, block []byte) error
	text    []byte // what is not yet handed over, less than a block
	written int64
}

func (b *blocks) cutter(put func(start int64, block []byte) error) *cutter {
	return &cutter{blocks: b, put: put}
}

func (c *cutter) Write(p []byte) (int, error) {
	c.text = append(c.text, p...)
	c.written += int64(len(p))
	for len(c.text) >= blockSize {
		if err := c.hand(c.text[:blockSize]); err != nil {
			return 0, err
		}
		c.text = append(c.text[:0], c.text[blockSize:]...)
	}
	return len(p), nil
}

// hand hands over what c.text begins with.
func (c *cutter) hand(text []byte) error {
	return c.put(c.written-int64(len(c.text)), c.blocks.pack(text))
}

// Close hands over the rest.
func (c *cutter) Close() error {
	if len(c.text) == 0 {
		return nil
	}
	return c.hand(c.text)
}

// An uploadReader reads the bytes of an upload, a block at a time.
type uploadReader struct {
	ctx    context.Context
	tx     *sql.Tx
	blocks *blocks
	sha256 string
	start  int64
	text   []byte // of the block, what is not yet read
}

func (r *uploadReader) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		var block []byte
		err := r.tx.QueryRowContext(r.ctx, `
			SELECT block
			FROM upload_blocks
			WHERE sha256 = ? AND start = ?`, r.sha256, r.start).Scan(&block)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		if r.text, err = r.blocks.unpack(block); err != nil {
			return 0, err
		}
		r.start += int64(len(r.text))
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}
