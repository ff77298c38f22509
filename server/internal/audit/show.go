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

// lookAgain is the time between two looks for new lines if follow is set.
const lookAgain = 500 * time.Millisecond

// mostOfLine is longer than any line.
const mostOfLine = 16 << 10

// Show writes the record of a folder to out, the oldest lines first. If follow is set, it then
// writes new lines until ctx ends. It leaves out lines that were not written completely, because
// programs that read JSON stop at them.
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

// head is the next line of one kind.
type head struct {
	line []byte
	time time.Time
	next func() (line []byte, err error, ok bool)
}

// advance returns false if there are no more lines.
func (h *head) advance() (bool, error) {
	line, err, ok := h.next()
	if err != nil || !ok {
		return false, err
	}
	var told struct{ Time time.Time }
	// A line without a time comes first.
	_ = json.Unmarshal(line, &told)
	h.line, h.time = line, told.Time
	return true, nil
}

// showNew writes the new lines of all kinds in order.
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

// lines returns the lines of a kind that were not shown yet. Each is valid until the next one.
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

// linesOf yields the new lines of one file, and says whether more are wanted.
func (s *shower) linesOf(name string, yield func([]byte, error) bool) (bool, error) {
	file, err := os.Open(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		// It was the oldest file, and has been deleted.
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
			// A line without an end may get one later.
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
