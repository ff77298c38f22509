package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// lookAgain is how long those who follow wait for new lines.
const lookAgain = 500 * time.Millisecond

// mostOfLine is more than any line has.
const mostOfLine = 16 << 10

// Show writes the record of a folder to out, the oldest lines first, and then what is added
// until ctx ends, if follow is set. It leaves out what is left of lines that were not written
// whole, as nothing that reads JSON gets past them.
func Show(ctx context.Context, folder string, out io.Writer, follow bool) error {
	s := &shower{folder: folder, out: out, shown: map[string]int64{}}
	if err := s.showNew(); err != nil || !follow {
		return err
	}
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := s.showNew(); err != nil {
				return err
			}
		}
	}
}

// shower knows how much of each file it has shown. Several servers may add to several files.
type shower struct {
	folder string
	out    io.Writer
	shown  map[string]int64
}

// head is the next line of a kind.
type head struct {
	line []byte
	time time.Time
	next func() (line []byte, err error, ok bool)
}

// advance is false when there are no more lines.
func (h *head) advance() (bool, error) {
	line, err, ok := h.next()
	if err != nil || !ok {
		return false, err
	}
	var told struct{ Time time.Time }
	// What has no time comes first.
	_ = json.Unmarshal(line, &told)
	h.line, h.time = line, told.Time
	return true, nil
}

// showNew has the lines of all kinds come in order.
func (s *shower) showNew() error {
	var heads []*head
	for _, kind := range []kind{ofWrites, ofRefused, ofReads} {
		next, stop := iter.Pull2(s.lines(kind))
		defer stop()
		h := &head{next: next}
		more, err := h.advance()
		if err != nil {
			return err
		}
		if more {
			heads = append(heads, h)
		}
	}
	for len(heads) > 0 {
		first := 0
		for i, each := range heads {
			if each.time.Before(heads[first].time) {
				first = i
			}
		}
		if _, err := s.out.Write(heads[first].line); err != nil {
			return err
		}
		more, err := heads[first].advance()
		if err != nil {
			return err
		}
		if !more {
			heads = slices.Delete(heads, first, first+1)
		}
	}
	return nil
}

// lines are those of a kind that were not shown yet, each until the next one.
func (s *shower) lines(kind kind) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		names, err := files(s.folder, kind)
		for _, name := range names {
			if err != nil {
				break
			}
			var more bool
			if more, err = s.linesOf(name, yield); !more {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// linesOf says whether more are wanted.
func (s *shower) linesOf(name string, yield func([]byte, error) bool) (bool, error) {
	file, err := os.Open(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		// The oldest one went.
		return true, nil
	}
	if err != nil {
		return true, err
	}
	defer file.Close()
	if _, err := file.Seek(s.shown[name], io.SeekStart); err != nil {
		return true, err
	}
	for lines := bufio.NewReaderSize(file, mostOfLine); ; {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			// What has no end yet may get one.
			return true, nil
		}
		s.shown[name] += int64(len(line))
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return true, err
		}
		if json.Valid(line) && !yield(line, nil) {
			return false, nil
		}
	}
}
