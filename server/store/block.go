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
	buf := make([]byte, blockSize)
	for start := int64(0); ; {
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if err := put(start, b.pack(buf[:n])); err != nil {
				return start, err
			}
			start += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return start, nil
		case err != nil:
			return start, err
		}
	}
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
