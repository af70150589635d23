package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sync"
)

// An Inbox takes small uploads at the speed of a file, however long the database
// is being written to: what is put there survives a kill like what is in the
// database, and Drain moves it on. It is a file beside the database, of records
// that each say how long they are and have a sum, so that a half of one at the
// end, of an upload that was never acknowledged, is told from whole ones.
type Inbox struct {
	store *Store
	path  string

	mu   sync.Mutex
	file *os.File // nil before the first record
	size int64
}

// A delivery is the head of a record; the upload's bytes follow it.
type delivery struct {
	Upload Upload
	Keys   []string
	Places []Place
}

// maxDelivery is more than any record has, in bytes: a length above it is damage.
const maxDelivery = 1 << 30

// Inbox returns the store's inbox. There is one.
func (s *Store) Inbox() *Inbox { return &s.inbox }

// full is where the inbox lies while it is drained.
func (in *Inbox) full() string { return in.path + ".full" }

// Put keeps an upload. When it returns, a kill cannot lose it.
func (in *Inbox) Put(u Upload, keys []string, places []Place, text []byte) error {
	head, err := json.Marshal(delivery{u, keys, places})
	if err != nil {
		return err
	}
	record := make([]byte, 12, 12+len(head)+len(text))
	record = append(append(record, head...), text...)
	binary.BigEndian.PutUint32(record, uint32(len(head)))
	binary.BigEndian.PutUint32(record[4:], uint32(len(text)))
	binary.BigEndian.PutUint32(record[8:], crc32.ChecksumIEEE(record[12:]))

	in.mu.Lock()
	defer in.mu.Unlock()
	if in.file == nil {
		if err := in.open(); err != nil {
			return err
		}
	}
	if _, err := in.file.WriteAt(record, in.size); err != nil {
		// What was written of it is no record, and is written over.
		return errors.Join(err, in.file.Truncate(in.size))
	}
	in.size += int64(len(record))
	return nil
}

// open opens the file, and cuts off what a kill left of a record at its end.
func (in *Inbox) open() (err error) {
	if in.file, err = os.OpenFile(in.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	in.size = 0
	records := bufio.NewReaderSize(in.file, 1<<20)
	for {
		d, _, length, err := readDelivery(records)
		if err != nil {
			return err
		}
		if d == nil {
			return in.file.Truncate(in.size)
		}
		in.size += length
	}
}

// Drain moves all that was put before into the database and returns its SHA-256s.
// One goroutine at a time may call it.
func (in *Inbox) Drain(ctx context.Context) (ids []string, err error) {
	// What a kill kept from being moved comes first.
	for range 2 {
		moved, err := in.move(ctx)
		if err != nil {
			return nil, fmt.Errorf("inbox %s: %w", in.path, err)
		}
		ids = append(ids, moved...)
		if err := in.seal(); err != nil {
			return nil, fmt.Errorf("inbox %s: %w", in.path, err)
		}
	}
	return ids, nil
}

// seal puts the inbox, if there is anything in it, where move finds it.
func (in *Inbox) seal() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, err := os.Stat(in.full()); err == nil {
		return nil
	}
	if in.file != nil {
		if err := in.file.Close(); err != nil {
			return err
		}
		in.file = nil
	}
	if err := os.Rename(in.path, in.full()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// move stores what was sealed and removes it.
func (in *Inbox) move(ctx context.Context) (ids []string, err error) {
	file, err := os.Open(in.full())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = in.store.write(ctx, func(w *writing) error {
		records := bufio.NewReaderSize(file, 1<<20)
		for {
			d, text, _, err := readDelivery(records)
			if err != nil {
				return err
			}
			if d == nil {
				return nil
			}
			if err := w.append(context.WithoutCancel(ctx), NewUpload{d.Upload, d.Keys, bytes.NewReader(text)}, d.Places); err != nil {
				return err
			}
			ids = append(ids, d.Upload.Receipt.SHA256)
		}
	})
	if err != nil {
		return nil, err
	}
	return ids, os.Remove(in.full())
}

// readDelivery reads the next whole record, nil after the last, and its length.
func readDelivery(r io.Reader) (d *delivery, text []byte, length int64, err error) {
	var lengths [12]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return nil, nil, 0, ending(err)
	}
	head, rest := int64(binary.BigEndian.Uint32(lengths[:])), int64(binary.BigEndian.Uint32(lengths[4:]))
	if head+rest > maxDelivery {
		return nil, nil, 0, nil
	}
	body := make([]byte, head+rest)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, nil, 0, ending(err)
	}
	if crc32.ChecksumIEEE(body) != binary.BigEndian.Uint32(lengths[8:]) {
		return nil, nil, 0, nil
	}
	d = new(delivery)
	if err := json.Unmarshal(body[:head], d); err != nil {
		return nil, nil, 0, err
	}
	return d, body[head:], int64(len(lengths)) + head + rest, nil
}

// ending makes no error of a record that is cut off: it was never acknowledged.
func ending(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
